//! Crates of generated programs that can be run, not only compiled: their root is a harness in `tests/programs`.
//! It knows which files belong to a crate; what a harness does with the programs is its own affair.

use std::fs;
use std::path::{Path, PathBuf};

use super::compiler::{Made, Project};
use super::flow::Flow;
use super::render::render;

/// What a harness has of the generator, to make programs itself.
const GENERATOR: [&str; 8] =
    ["flow", "judge", "machine", "make", "parallel", "render", "sound", "statements"];

/// The files that run a program without compiling it.
const INTERPRETER: [&str; 5] = ["code", "explore", "interpret", "prepared", "steps"];

/// A crate with this harness, over the libraries in this folder.
#[derive(Clone)]
pub(crate) struct Harness {
    /// The name of the crate.
    pub(crate) name: &'static str,
    /// The file below `tests/programs` that is its root, and those that only it needs.
    pub(crate) root: &'static str,
    pub(crate) modules: &'static [&'static str],
    /// Where the crates of the project lie.
    pub(crate) libraries: PathBuf,
}

impl Harness {
    fn project(&self, seeds: &[u64]) -> Project {
        let project = Path::new(env!("CARGO_MANIFEST_DIR"));
        let read =
            |name: &str| fs::read_to_string(project.join("tests").join(name)).expect("the project is there");
        let mut modules =
            "//! All programs.\n#![allow(unused, clippy::all)]\npub use crate::steps::*;\n".to_owned();
        let mut list = String::new();
        for (number, seed) in seeds.iter().enumerate() {
            modules.push_str(&format!("mod flow_{number};\n"));
            list.push_str(&format!("    crate::program!(flow_{number}::flow_{number}, {seed}),\n"));
        }
        modules.push_str(&format!("pub(crate) static PROGRAMS: &[crate::explore::Program] = &[\n{list}];\n"));
        let generator: String = GENERATOR.map(|name| format!("pub(crate) mod {name};\n")).concat();
        let mut files = vec![
            ("main.rs".to_owned(), read(&format!("programs/{}.rs", self.root))),
            ("programs.rs".to_owned(), modules),
            ("saga_order.rs".to_owned(), format!("//! The generator.\n#![allow(unused)]\n{generator}")),
        ];
        for name in GENERATOR {
            files.push((format!("saga_order/{name}.rs"), read(&format!("saga_order/{name}.rs"))));
        }
        for name in INTERPRETER.iter().chain(self.modules) {
            files.push((format!("{name}.rs"), read(&format!("programs/{name}.rs"))));
        }
        let ours = ["workflow-core", "workflow-graph", "workflow-test"]
            .map(|name| format!("{name} = {{ path = {:?} }}\n", self.libraries.join(name)));
        let others = "async-trait = \"0.1\"\nfastrand = \"2\"\nserde_json = \"1\"\ntempfile = \"3\"\n\
                      lowering = { path = \"lowering\" }\n\
                      tokio = { version = \"1\", features = [\"rt-multi-thread\", \"sync\", \"time\"] }\n";
        let dependencies = ours.concat() + others;
        files.extend(self.lowering());
        let libraries = self.libraries.clone();
        Project { name: self.name, libraries, dependencies, files, flows: "programs" }
    }

    /// The crate of the macros as a library that lowers at run time.
    fn lowering(&self) -> Vec<(String, String)> {
        let project = Path::new(env!("CARGO_MANIFEST_DIR"));
        let text = |path: PathBuf| fs::read_to_string(path).expect("the project is there");
        let manifest = |path: PathBuf| text(path).parse::<toml::Table>().expect("cargo reads it");
        let macros = self.libraries.join("workflow-macros");
        let all = manifest(project.join("Cargo.toml"));
        let mut dependencies = manifest(macros.join("Cargo.toml"))["dependencies"].clone();
        for (name, wanted) in dependencies.as_table_mut().expect("a table") {
            if wanted.get("workspace").is_some() {
                *wanted = all["workspace"]["dependencies"][name].clone();
            }
            if let Some(path) = wanted.get_mut("path") {
                *path = self.libraries.join(name).display().to_string().into();
            }
        }
        let dependencies = toml::Table::from_iter([("dependencies".to_owned(), dependencies)]);
        let package = "[package]\nname = \"lowering\"\nversion = \"0.0.0\"\nedition = \"2024\"\n";
        let mut files = vec![("../lowering/Cargo.toml".to_owned(), format!("{package}\n{dependencies}"))];
        let mut folders = vec![PathBuf::new()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(macros.join("src").join(&folder)).expect("the project is there") {
                let entry = entry.expect("the project is there");
                let path = folder.join(entry.file_name());
                if entry.path().is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = match path.to_str() {
                    Some("lib.rs") => as_library(&text(entry.path())),
                    Some("workflow.rs") => format!("{}\npub mod at_run_time;\n", text(entry.path())),
                    _ => text(entry.path()),
                };
                files.push((format!("../lowering/src/{}", path.display()), text));
            }
        }
        let adapter = text(project.join("tests/programs/lowering.rs"));
        files.push(("../lowering/src/workflow/at_run_time.rs".to_owned(), adapter));
        files
    }

    /// Builds a program that plays all of these but those that the compiler refuses without need.
    pub(crate) fn build(&self, programs: &[(u64, Flow)]) -> (Made, usize) {
        let mut kept: Vec<&(u64, Flow)> = programs.iter().collect();
        for _ in 0..3 {
            // Their names are their places in the list.
            let texts = kept.iter().enumerate().map(|(place, (_, flow))| render(flow, place));
            let texts: Vec<String> = texts.collect();
            let seeds: Vec<u64> = kept.iter().map(|(seed, _)| *seed).collect();
            let made = self.project(&seeds).cargo("build", &texts);
            if made.program.is_some() {
                return (made, programs.len() - kept.len());
            }
            let mut said = made.said.iter();
            kept.retain(|_| said.next().is_some_and(|said| said.errors.is_empty()));
        }
        panic!("some programs do not compile, whatever is left out");
    }
}

/// The root of the macros without the macros: only the modules are left.
fn as_library(root: &str) -> String {
    let modules =
        root.lines().filter(|line| line.starts_with("mod ") || line.starts_with("use workflow_graph"));
    let modules: Vec<&str> = modules.collect();
    format!(
        "//! The macros' lowering, for harnesses.\n#![allow(unused, dead_code, missing_docs)]\n{}\n\
         pub use workflow::at_run_time::{{Drawn, What, draw}};\n",
        modules.join("\n")
    )
}
