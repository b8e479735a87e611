//! Has the compiler judge many flows at once: one crate, a file for each, and one call of cargo.
//! It knows what the compiler said about which file; it must not know whether that is right.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::render::STEPS;

/// What was said about one file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    /// The codes of the errors: `WF033`.
    pub(crate) codes: BTreeSet<String>,
    /// Errors in full, each with its line.
    pub(crate) errors: Vec<(u64, String)>,
    /// Errors that carry no code of ours.
    pub(crate) foreign: Vec<String>,
}

/// A crate of its own below the target folder, with a file for each flow.
pub(crate) struct Project {
    pub(crate) name: &'static str,
    /// Where the crates of the project lie.
    pub(crate) libraries: PathBuf,
    /// Besides `workflow-runtime` and serde, as lines of a manifest.
    pub(crate) dependencies: String,
    /// The other files, by their names below `src`.
    pub(crate) files: Vec<(String, String)>,
    /// The folder below `src` in which the flows are.
    pub(crate) flows: &'static str,
}

/// What cargo made of it.
pub(crate) struct Made {
    /// What was said about each flow.
    pub(crate) said: Vec<Said>,
    pub(crate) program: Option<PathBuf>,
}

/// What was said about each of these texts, in their order.
///
/// # Panics
/// When the compiler cannot be asked, or complains about what is none of these files.
pub(crate) fn check(texts: &[String]) -> Vec<Said> {
    let modules: String = (0..texts.len()).map(|number| format!("pub mod flow_{number};\n")).collect();
    let files = vec![("lib.rs".to_owned(), format!("{STEPS}\n{modules}"))];
    let project = Project {
        name: "saga-flows",
        libraries: env!("CARGO_MANIFEST_DIR").into(),
        dependencies: String::new(),
        files,
        flows: "",
    };
    project.cargo("check", texts).said
}

impl Project {
    /// Has cargo do this with these flows. What `check` leaves stays with the crate; everything else goes where the
    /// libraries are that tests were built with.
    ///
    /// # Panics
    /// When the compiler cannot be asked, or complains about what is none of these files.
    pub(crate) fn cargo(&self, task: &str, texts: &[String]) -> Made {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(self.name);
        self.write(&folder, texts);
        let shared = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("it is in the target folder");
        let target = if task == "check" { folder.join("target") } else { shared.to_owned() };
        let output = Command::new(env!("CARGO"))
            .args([task, "--offline", "--message-format=json", "--target-dir"])
            .arg(target)
            .current_dir(&folder)
            // What another run left half done would be of no use; the rest is as this workspace has it, so that what
            // both need is built once.
            .env("CARGO_INCREMENTAL", "0")
            .env("CARGO_PROFILE_DEV_DEBUG", "false")
            .output()
            .expect("cargo can be called");
        let mut made = Made { said: vec![Said::default(); texts.len()], program: None };
        let mut strays = Vec::new();
        let mut has_finished = false;
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let Ok(line) = serde_json::from_str::<Value>(line) else { continue };
            match line["reason"].as_str() {
                Some("build-finished") => has_finished = true,
                Some("compiler-message") => note(&line["message"], &mut made.said, &mut strays),
                Some("compiler-artifact") if line["target"]["name"] == self.name => {
                    made.program = line["executable"].as_str().map(PathBuf::from);
                }
                _ => {}
            }
        }
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(has_finished, "cargo did not {task} the crate of the flows:\n{complaint}");
        assert!(strays.is_empty(), "errors outside of the flows:\n{}", strays.join("\n"));
        let is_refused = made.said.iter().any(|said| !said.errors.is_empty());
        assert_eq!(output.status.success(), !is_refused, "cargo and its messages disagree:\n{complaint}");
        made
    }

    fn write(&self, folder: &Path, texts: &[String]) {
        let source = folder.join("src");
        let manifest = format!(
            "[package]\nname = \"{}\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n\
             [dependencies]\nworkflow-runtime = {{ path = {:?} }}\nserde = {{ version = \"1\", features = \
             [\"derive\"] }}\n{}\n[workspace]\n",
            self.name,
            self.libraries.join("workflow-runtime"),
            self.dependencies,
        );
        write(&folder.join("Cargo.toml"), &manifest);
        // The same versions of everything: they are there already, so that no network is needed.
        let lock =
            fs::read_to_string(self.libraries.join("Cargo.lock")).expect("the project has a lock file");
        write(&folder.join("Cargo.lock"), &lock);
        // Files of an earlier run with more flows would only confuse who looks at them.
        for number in texts.len().. {
            if fs::remove_file(source.join(self.flows).join(format!("flow_{number}.rs"))).is_err() {
                break;
            }
        }
        for (name, text) in &self.files {
            write(&source.join(name), text);
        }
        for (number, text) in texts.iter().enumerate() {
            write(&source.join(self.flows).join(format!("flow_{number}.rs")), text);
        }
    }
}

/// Writes a file below the target folder, unless it says that already: what has not changed is not built again.
pub(crate) fn write(path: &Path, text: &str) {
    if fs::read_to_string(path).is_ok_and(|there| there == text) {
        return;
    }
    fs::create_dir_all(path.parent().expect("it is in a folder")).expect("the target folder can be written");
    fs::write(path, text).expect("the target folder can be written");
}

fn note(message: &Value, said: &mut [Said], strays: &mut Vec<String>) {
    let text = message["message"].as_str().unwrap_or_default();
    let place = message["spans"]
        .as_array()
        .and_then(|spans| spans.iter().filter(|span| span["is_primary"] == true).find_map(place_of));
    match (message["level"].as_str(), place) {
        (Some("error"), Some((flow, line))) => {
            let said = &mut said[flow];
            match code_in(text) {
                Some(code) => {
                    said.codes.insert(code);
                }
                None => said.foreign.push(rendered(message)),
            }
            said.errors.push((line, text.to_owned()));
        }
        (Some("error"), None) if !is_summary(text) => strays.push(rendered(message)),
        (Some("error: internal compiler error"), _) => strays.push(rendered(message)),
        _ => {}
    }
}

fn rendered(message: &Value) -> String {
    message["rendered"].as_str().unwrap_or_default().to_owned()
}

fn is_summary(text: &str) -> bool {
    text.starts_with("aborting due to") || text.starts_with("could not compile")
}

/// The first `WFnnn` of a text.
fn code_in(text: &str) -> Option<String> {
    text.match_indices("WF").find_map(|(at, _)| {
        let code = text.get(at..at + 5)?;
        code[2..].bytes().all(|digit| digit.is_ascii_digit()).then(|| code.to_owned())
    })
}

/// The flow and the line that a span stands in, or else the code that was expanded to it.
fn place_of(span: &Value) -> Option<(usize, u64)> {
    let file = Path::new(span["file_name"].as_str()?).file_stem()?.to_str()?;
    match file.strip_prefix("flow_").and_then(|number| number.parse().ok()) {
        Some(flow) => Some((flow, span["line_start"].as_u64()?)),
        None => place_of(&span["expansion"]["span"]),
    }
}
