//! Crates of generated flows that can be run, not only compiled: their root is one of the harnesses in `tests/programs`.
//! It knows which files belong to a crate; what a harness does with the flows is its own affair.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::compiler::{Made, Project};
use super::flow::Flow;
use super::judge::judge;
use super::make::make;
use super::render::render;

/// Programs that are all different, wanted at their places in the list, and right as far as a slow judge can tell.
pub(crate) fn programs(seed: u64, count: usize, is_wanted: impl Fn(usize, &Flow) -> bool) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut texts = Vec::new();
    for seed in seed.wrapping_mul(1_000_000).. {
        if texts.len() == count {
            break;
        }
        let flow = make(seed);
        if !is_wanted(texts.len(), &flow) {
            continue;
        }
        let is_right = judge(&flow).is_some_and(|wrong| wrong.is_empty());
        if is_right && seen.insert(render(&flow, 0)) {
            texts.push(render(&flow, texts.len()));
        }
    }
    texts
}

/// A crate with this harness, over the libraries in this folder.
#[derive(Clone)]
pub(crate) struct Harness {
    /// The name of the crate.
    pub(crate) name: &'static str,
    /// The file below `tests/programs` that is its root, and those that it needs.
    pub(crate) root: &'static str,
    pub(crate) modules: &'static [&'static str],
    /// Where the crates of the project lie.
    pub(crate) libraries: PathBuf,
}

impl Harness {
    fn project(&self, count: usize) -> Project {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs");
        let read = |name: &'static str| {
            (name, fs::read_to_string(sources.join(name)).expect("the project is there"))
        };
        let mut modules =
            "//! All programs.\n#![allow(unused, clippy::all)]\npub use crate::steps::*;\n".to_owned();
        let mut list = String::new();
        for number in 0..count {
            modules.push_str(&format!("mod flow_{number};\n"));
            list.push_str(&format!("    crate::program!(flow_{number}::flow_{number}),\n"));
        }
        modules.push_str(&format!("pub(crate) const PROGRAMS: &[crate::explore::Program] = &[\n{list}];\n"));
        let mut files = vec![("main.rs", read(self.root).1), ("programs.rs", modules)];
        files.extend(self.modules.iter().map(|name| read(name)));
        let ours = ["workflow-core", "workflow-test"]
            .map(|name| format!("{name} = {{ path = {:?} }}\n", self.libraries.join(name)));
        let others = "serde_json = \"1\"\ntempfile = \"3\"\n\
                  tokio = { version = \"1\", features = [\"rt-multi-thread\", \"sync\", \"time\"] }\n";
        let dependencies = ours.concat() + others;
        let libraries = self.libraries.clone();
        Project { name: self.name, libraries, dependencies, files, flows: "programs" }
    }

    /// Builds a program that plays all of these but those that the compiler refuses without need.
    pub(crate) fn build(&self, mut texts: Vec<String>) -> (Made, usize) {
        let asked = texts.len();
        for _ in 0..3 {
            let made = self.project(texts.len()).cargo("build", &texts);
            if made.program.is_some() {
                let left_out = asked - texts.len();
                return (made, left_out);
            }
            // Their names are their places in the list.
            let kept = texts.iter().zip(&made.said).filter(|(_, said)| said.errors.is_empty());
            let kept: Vec<&String> = kept.map(|(text, _)| text).collect();
            texts = kept.into_iter().enumerate().map(|(place, text)| renumbered(text, place)).collect();
        }
        panic!("some programs do not compile, whatever is left out");
    }
}

/// The same program under another number.
fn renumbered(text: &str, number: usize) -> String {
    let first = text.lines().next().expect("a program has lines");
    let old = first.trim_start_matches("//! Flow ").trim_end_matches('.');
    text.replace(&format!("flow_{old}("), &format!("flow_{number}("))
        .replace(&format!("part_{old}_"), &format!("part_{number}_"))
        .replace(first, &format!("//! Flow {number}."))
}
