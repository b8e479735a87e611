//! The examples, and the diagrams that each of them draws of itself.
//! Knows the form `examples/<idea>/main.rs`; must not know how a diagram is made.

use std::path::PathBuf;

use anyhow::{Result, bail, ensure};

use crate::process;
use crate::workspace::{Workspace, entries, files_below};

/// The folders of all examples, sorted.
///
/// # Errors
/// When the folder `examples` cannot be read.
pub(crate) fn folders(workspace: &Workspace) -> Result<Vec<PathBuf>> {
    let examples = workspace.root.join("examples");
    if !examples.is_dir() {
        return Ok(Vec::new());
    }
    Ok(entries(&examples)?.into_iter().filter(|folder| folder.join("main.rs").is_file()).collect())
}

/// Lets every example draw itself; one that fails does not keep the others from it.
///
/// # Errors
/// When there is no example, or one of them fails.
pub(crate) fn draw(workspace: &Workspace) -> Result<()> {
    let folders = folders(workspace)?;
    ensure!(!folders.is_empty(), "there is no examples/<idea>/main.rs to draw");
    let mut failures = Vec::new();
    for folder in folders {
        let name = folder.file_name().expect("an entry of a folder has a name");
        let mut example = workspace.cargo();
        example.args(["run", "--example"]).arg(name).args(["--", "diagram"]);
        let drawn = process::run(example.arg(&folder));
        failures.extend(drawn.err().map(|error| format!("{error:#}")));
    }
    if !failures.is_empty() {
        bail!("{}", failures.join("; "));
    }
    draw_guide(workspace)
}

/// The pictures of the guide and of the gallery, which tests keep as users keep theirs.
fn draw_guide(workspace: &Workspace) -> Result<()> {
    const KEEPERS: [&str; 8] =
        ["test", "--package", "workflow-rs", "--examples", "--test", "pictures", "--", "workflow_diagrams"];
    process::run(workspace.cargo().env("WORKFLOW_DIAGRAMS", "write").args(KEEPERS))
}

/// The documentation of the examples, with the diagrams in it.
///
/// # Errors
/// When rustdoc complains, or when a page does not show what the committed picture does: the one was looked up by
/// names, the other one is told by types.
pub(crate) fn document(workspace: &Workspace) -> Result<()> {
    const DOC: [&str; 7] =
        ["doc", "--package", "workflow-rs", "--examples", "--no-deps", "--features", "doc-diagrams"];
    process::run(workspace.cargo().env("RUSTDOCFLAGS", "-D warnings").args(DOC))?;
    for folder in folders(workspace)? {
        let name = folder.file_name().expect("an entry of a folder has a name");
        let pages = files_below(&workspace.target.join("doc").join(name), &|_| true)?;
        let pages: Vec<String> = pages.iter().filter_map(|page| std::fs::read_to_string(page).ok()).collect();
        for picture in
            entries(&folder)?.iter().filter(|file| file.extension().is_some_and(|ending| ending == "svg"))
        {
            let svg = std::fs::read_to_string(picture)?;
            ensure!(
                pages.iter().any(|page| shows(page, &svg)),
                "no page of the documentation of examples/{} shows what {} does",
                name.to_string_lossy(),
                picture.display()
            );
        }
    }
    Ok(())
}

/// Whether a page has a group for each of the picture's, behind the name of the diagram on that page, and its words.
fn shows(page: &str, svg: &str) -> bool {
    let after = |text: &str, mark: &str, end: char| -> Vec<String> {
        text.split(mark).skip(1).filter_map(|rest| Some(rest.split(end).next()?.to_owned())).collect()
    };
    let Some(own) = after(page, "<svg ", '>')
        .iter()
        .find_map(|root| after(root, "id=\"", '"').into_iter().find(|id| id.starts_with("diagram-")))
    else {
        return false;
    };
    let groups = after(svg, "<g id=\"", '"');
    let words = svg.split("<text ").skip(1).filter_map(|text| text.split('>').nth(1)?.split('<').next());
    groups.iter().all(|id| page.contains(&format!("<g id=\"{own}-{id}\"")))
        && words.into_iter().all(|word| page.contains(word))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn only_a_folder_with_a_main_file_is_an_example() {
        let root = tempfile::tempdir().unwrap();
        let workspace = Workspace { root: root.path().to_owned(), target: root.path().join("target") };
        assert!(folders(&workspace).unwrap().is_empty());

        let examples = root.path().join("examples");
        fs::create_dir_all(examples.join("order")).unwrap();
        fs::create_dir_all(examples.join("pictures")).unwrap();
        fs::write(examples.join("order/main.rs"), "").unwrap();
        fs::write(examples.join("README.md"), "").unwrap();
        assert_eq!(folders(&workspace).unwrap(), [examples.join("order")]);
    }

    #[test]
    fn a_page_shows_a_picture_when_it_has_all_of_its_groups_and_words() {
        let svg = r#"<svg width="9"><g id="pay"><text x="1">Pay</text></g></svg>"#;
        let page = |id: &str, word: &str| {
            format!(r#"<p><svg width="9" id="diagram-sell"><g id="{id}"><text>{word}</text></g></svg>"#)
        };
        assert!(shows(&page("diagram-sell-pay", "Pay"), svg));
        assert!(!shows(&page("diagram-sell-play", "Pay"), svg));
        assert!(!shows(&page("diagram-sell-pay", "Play it"), svg));
        assert!(!shows("<p>Sell</p>", svg));
    }

    #[test]
    fn no_example_at_all_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        let workspace = Workspace { root: root.path().to_owned(), target: root.path().join("target") };
        let error = draw(&workspace).unwrap_err();
        assert_eq!(error.to_string(), "there is no examples/<idea>/main.rs to draw");
    }
}
