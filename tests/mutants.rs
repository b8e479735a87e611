//! Broken cores: each mutant breaks the core in one place, and the test kit has to notice, over programs that nobody
//! wrote to be tested. The core itself knows nothing of it: a copy of it is changed, with all mutants behind a switch.

#[allow(dead_code, reason = "what only the comparison with the compiler needs")]
mod saga_order {
    pub(crate) mod compiler;
    pub(crate) mod crates;
    pub(crate) mod flow;
    pub(crate) mod judge;
    pub(crate) mod machine;
    pub(crate) mod make;
    pub(crate) mod parallel;
    pub(crate) mod render;
    pub(crate) mod sound;
    pub(crate) mod statements;
}

#[path = "programs/mutants.rs"]
mod list;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use list::MUTANTS;
use saga_order::compiler::write;
use saga_order::crates::Harness;
use serde_json::Value;

/// Another seed hunts with other programs: `WORKFLOW_SEED=7 cargo test --test mutants`.
const SEED: &str = "WORKFLOW_SEED";

/// How many programs are explored until a mutant counts as survived; `MUTANTS_PROGRAMS` asks for more.
const PROGRAMS: u64 = 240;

/// How many mutants are hunted at once.
const HUNTERS: usize = 2;

/// The switch, as a module of the copied core.
const SWITCH: &str = r#"//! Which mutant is alive.
use std::sync::atomic::{AtomicUsize, Ordering};

static CHOSEN: AtomicUsize = AtomicUsize::new(0);

/// Brings this one to life, and no other; none is 0.
pub fn choose(mutant: usize) {
    CHOSEN.store(mutant, Ordering::SeqCst);
}

pub(crate) fn is(mutant: usize) -> bool {
    CHOSEN.load(Ordering::Relaxed) == mutant
}
"#;

/// A copy of the crates, in which the core has all mutants.
fn copy_to(folder: &Path) {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let crates =
        ["graph", "core", "macros", "runtime", "bpmn", "test"].map(|name| format!("workflow-{name}"));
    let mut files = BTreeMap::new();
    for name in &crates {
        read_all(&project.join(name).join("src"), &folder.join(name).join("src"), &mut files);
        files.insert(folder.join(name).join("Cargo.toml"), read(&project.join(name).join("Cargo.toml")));
    }
    files.insert(folder.join("Cargo.lock"), read(&project.join("Cargo.lock")));
    let mut manifest: toml::Table = read(&project.join("Cargo.toml")).parse().expect("cargo reads it");
    manifest.retain(|key, _| key == "workspace");
    manifest["workspace"]["members"] = crates.to_vec().into();
    files.insert(folder.join("Cargo.toml"), manifest.to_string());

    let source = folder.join("workflow-core/src");
    for (number, mutant) in (1..).zip(MUTANTS) {
        let text = files.get_mut(&source.join(mutant.file)).expect("the core has this file");
        let count = text.matches(mutant.original).count();
        assert_eq!(count, 1, "`{}` does not stand once in {}: {}", mutant.name, mutant.file, mutant.original);
        let broken = mutant.broken.replace("MUTANT", &format!("crate::mutant::is({number})"));
        *text = text.replace(mutant.original, &broken);
    }
    files.get_mut(&source.join("lib.rs")).expect("the core has a root").push_str("\npub mod mutant;\n");
    files.insert(source.join("mutant.rs"), SWITCH.to_owned());
    files.iter().for_each(|(path, text)| write(path, text));
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).expect("the project is there")
}

fn read_all(from: &Path, to: &Path, files: &mut BTreeMap<PathBuf, String>) {
    for entry in fs::read_dir(from).expect("the project is there") {
        let entry = entry.expect("the project is there");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            read_all(&entry.path(), &target, files);
        } else {
            files.insert(target, read(&entry.path()));
        }
    }
}

fn number(name: &str, otherwise: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is a number, not `{text}`")),
        Err(_) => otherwise,
    }
}

/// What became of each mutant, by its number; the first is the core that is not broken.
fn hunt(program: &Path) -> Vec<Value> {
    let (seed, programs) = (number(SEED, 1), number("MUTANTS_PROGRAMS", PROGRAMS));
    let hunters: Vec<_> = (0..HUNTERS)
        .map(|hunter| {
            let mutants = (hunter..=MUTANTS.len()).step_by(HUNTERS).map(|mutant| mutant.to_string());
            Command::new(program)
                // What a broken core does is nothing for other engines to follow.
                .env_remove("WORKFLOW_SCENARIOS")
                .args([seed.to_string(), programs.to_string()])
                .args(mutants)
                .stdout(Stdio::piped())
                // Whatever a broken core panics about.
                .stderr(Stdio::null())
                .spawn()
                .expect("it can be called")
        })
        .collect();
    let mut catches = vec![Value::Null; MUTANTS.len() + 1];
    for hunter in hunters {
        let output = hunter.wait_with_output().expect("it comes to an end");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{text}");
        for line in text.lines() {
            let catch: Value = serde_json::from_str(line).expect("lines of JSON");
            let mutant = catch["mutant"].as_u64().and_then(|mutant| usize::try_from(mutant).ok());
            catches[mutant.expect("a number")] = catch;
        }
    }
    catches
}

/// The oracles of the design that no broken core wakes, and the tests with a workflow that is broken for them.
const BROKEN_WORKFLOWS: [(&str, &str); 2] = [
    ("round trip", "an_argument_that_does_not_survive_serde_is_found"),
    ("repeat", "a_compensation_that_takes_effect_twice_is_found"),
];

/// The oracles that the design asks for. That of determinism has two: a future that is not durable stops the code, and
/// whatever else differs shows on another thread.
const ORACLES: [&str; 10] =
    ["replay", "saga", "leak", "pivot", "deadlock", "code", "other thread", "round trip", "graph", "repeat"];

/// That each oracle finds something.
fn every_oracle_finds_something(wrong: &mut Vec<String>) {
    let broken = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("workflow-test/tests/broken.rs"));
    for oracle in ORACLES {
        let finds_a_mutant = MUTANTS.iter().any(|mutant| mutant.found_by.contains(&oracle));
        let is_shown =
            |(named, test): &(&str, &str)| *named == oracle && broken.contains(&format!("fn {test}()"));
        if !finds_a_mutant && !BROKEN_WORKFLOWS.iter().any(is_shown) {
            wrong.push(format!("nothing is broken that the oracle `{oracle}` would find"));
        }
    }
}

#[test]
fn the_kit_notices_each_broken_core() {
    let libraries = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mutants/crates");
    copy_to(&libraries);
    let harness = Harness { name: "hunt", root: "hunt", modules: &["scenes"], libraries };
    let (made, _) = harness.build(&[]);
    let catches = hunt(&made.program.expect("it was built"));
    let mut wrong = Vec::new();
    every_oracle_finds_something(&mut wrong);
    if !catches[0]["oracle"].is_null() {
        wrong.push(format!("the core that is not broken is accused: {}", catches[0]));
    }
    for (mutant, catch) in MUTANTS.iter().zip(&catches[1..]) {
        let oracle = catch["oracle"].as_str();
        println!(
            "{} ({}): {} after {}, {} ms: {}",
            mutant.name,
            mutant.file,
            oracle.unwrap_or("-"),
            catch["explored"],
            catch["elapsed_ms"],
            catch["text"]
        );
        if !catch["misplaced"].is_null() {
            wrong.push(format!("{}: the report names the wrong line: {}", mutant.name, catch["misplaced"]));
        }
        if !oracle.is_some_and(|oracle| mutant.found_by.contains(&oracle)) {
            wrong.push(format!(
                "{}: {oracle:?} after {} explorations: {}",
                mutant.name, catch["explored"], catch["text"]
            ));
        }
    }
    if !catches.iter().any(|catch| catch["text"].as_str().is_some_and(|text| text.contains("\n  where: `"))) {
        wrong.push("no report names the line of what it is about".to_owned());
    }
    assert!(
        wrong.is_empty(),
        "{} mutants are not noticed as they should be:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
