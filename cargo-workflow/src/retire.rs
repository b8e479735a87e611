//! `--retire`: a version, or a change, that no unfinished run needs any more.
//! That this is so, only a person knows who looks at the runs.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use workflow_graph::lock::files::{DIRECTORY, file_name, write};
use workflow_graph::lock::{Lock, VersionState};

/// Marks `name@version` or `name:patch` as retired in the lock found under this directory; what was done, in words.
///
/// # Errors
/// When there is no such lock, version or change, or when the version is the one that new runs start with.
pub(crate) fn retire(root: &Path, what: &str) -> Result<String> {
    let (name, version, patch) = match (what.rsplit_once('@'), what.split_once(':')) {
        (Some((name, version)), _) if version.parse::<u32>().is_ok() => (name, version.parse().ok(), None),
        (_, Some((name, patch))) => (name, None, Some(patch)),
        _ => bail!("`{what}` is neither a version, like `sell@1`, nor a change, like `sell:ask-two-banks`"),
    };
    let path = find(root, name)?;
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let mut lock = Lock::read(&text).with_context(|| path.display().to_string())?;
    let told = match (version, patch) {
        (Some(number), _) => {
            let Some(version) = lock.version_mut(number) else {
                bail!("{} has no version {number}", path.display());
            };
            if version.state == VersionState::Active {
                bail!("new runs of `{name}` start with version {number}; lock a later version first");
            }
            version.state = VersionState::Retired;
            format!("version {number} of `{name}` is retired: its function may go")
        }
        (None, patch) => {
            let patch = patch.unwrap_or_default();
            let mut is_found = false;
            for version in &mut lock.versions {
                if version.patches().iter().any(|known| known == patch) {
                    is_found = true;
                    if !version.retired.iter().any(|known| known == patch) {
                        version.retired.push(patch.to_owned());
                    }
                }
            }
            if !is_found {
                bail!("{} knows no change `{patch}`", path.display());
            }
            format!("the change `{patch}` of `{name}` is retired: its old way, and the switch, may go")
        }
    };
    write(&path, &lock.text()).with_context(|| path.display().to_string())?;
    Ok(told)
}

/// The lock of this workflow: in this package, or in one of a workspace.
fn find(root: &Path, name: &str) -> Result<PathBuf> {
    let mut packages = vec![root.to_path_buf()];
    let mut level = packages.clone();
    for _ in 0..2 {
        let inner = level.iter().filter_map(|package| fs::read_dir(package).ok()).flatten();
        let inner = inner.filter_map(|entry| Some(entry.ok()?.path()));
        level = inner.filter(|path| path.is_dir() && !path.ends_with("target")).collect();
        packages.extend(level.iter().cloned());
    }
    let mut found: Vec<PathBuf> = packages
        .iter()
        .map(|package| package.join(DIRECTORY).join(file_name(name)))
        .filter(|path| path.is_file())
        .collect();
    found.sort();
    found.dedup();
    match &found[..] {
        [path] => Ok(path.clone()),
        [] => bail!("there is no {DIRECTORY}/{} here", file_name(name)),
        several => {
            let paths: Vec<String> = several.iter().map(|path| path.display().to_string()).collect();
            bail!(
                "there are several locks of `{name}`: {}; go to the package that you mean",
                paths.join(", ")
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use workflow_graph::lock::Version;
    use workflow_graph::{Flow, FlowKind, Graph, Node, NodeKind, Outcome};

    use super::*;

    fn project() -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        let answer = |default| FlowKind::Answer { label: "".into(), condition: "".into(), default };
        let graph = |version| Graph {
            version,
            nodes: vec![
                Node::new("started", NodeKind::Start),
                Node::new("if_x", NodeKind::VersionSwitch { patch: "ask-two-banks".into() }),
                Node::new("done", NodeKind::End(Outcome::Success)),
            ]
            .into(),
            flows: vec![
                Flow::new(0, 1, FlowKind::Next),
                Flow::new(1, 2, answer(false)),
                Flow::new(1, 2, answer(true)),
            ]
            .into(),
            ..Graph::named("sell")
        };
        let lock = Lock::named("sell").with(Version::of(&graph(1))).with(Version::of(&graph(2)));
        write(&directory.path().join("shop/workflows/sell.lock"), &lock.text()).unwrap();
        directory
    }

    fn text(project: &tempfile::TempDir) -> String {
        fs::read_to_string(project.path().join("shop/workflows/sell.lock")).unwrap()
    }

    #[test]
    fn versions_and_changes_are_retired() {
        let project = project();
        assert!(text(&project).contains("version 1 draining"));
        retire(project.path(), "sell@1").unwrap();
        assert!(text(&project).contains("version 1 retired") && text(&project).contains("version 2 active"));
        retire(project.path(), "sell:ask-two-banks").unwrap();
        retire(project.path(), "sell:ask-two-banks").unwrap();
        assert_eq!(text(&project).matches("patch ask-two-banks retired").count(), 2);
    }

    #[test]
    fn what_is_not_there_or_still_needed_is_not_retired() {
        let project = project();
        let before = text(&project);
        for (what, why) in [
            ("sell@2", "new runs of `sell` start with version 2"),
            ("sell@7", "no version 7"),
            ("sell:other", "no change `other`"),
            ("buy@1", "there is no workflows/buy.lock"),
            ("sell", "neither a version"),
        ] {
            let error = retire(project.path(), what).unwrap_err().to_string();
            assert!(error.contains(why), "{what}: {error}");
        }
        assert_eq!(text(&project), before);
    }
}
