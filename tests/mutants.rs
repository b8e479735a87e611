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
    pub(crate) mod statements;
}

#[path = "programs/mutants.rs"]
mod list;

use std::fs;
use std::path::Path;
use std::process::Command;

use list::MUTANTS;
use saga_order::crates::{Harness, programs};
use saga_order::flow::{Callee, Flow};
use serde_json::Value;

/// How many programs are explored until a mutant counts as survived.
const PROGRAMS: usize = 160;

/// How many of them undo something inside of a subflow, which hardly any would by chance.
const WITH_SCOPES: usize = 120;

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
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).expect("the target folder can be written");
    let crates =
        ["graph", "core", "macros", "runtime", "bpmn", "test"].map(|name| format!("workflow-{name}"));
    for name in &crates {
        copy(&project.join(name).join("src"), &folder.join(name).join("src"));
        fs::copy(project.join(name).join("Cargo.toml"), folder.join(name).join("Cargo.toml"))
            .expect("a manifest");
    }
    fs::copy(project.join("Cargo.lock"), folder.join("Cargo.lock")).expect("the project has a lock file");
    let manifest = fs::read_to_string(project.join("Cargo.toml")).expect("the project has a manifest");
    let mut manifest: toml::Table = manifest.parse().expect("cargo reads it");
    manifest.retain(|key, _| key == "workspace");
    manifest["workspace"]["members"] = crates.to_vec().into();
    fs::write(folder.join("Cargo.toml"), manifest.to_string()).expect("the target folder can be written");

    let source = folder.join("workflow-core/src");
    for (number, mutant) in (1..).zip(MUTANTS) {
        let file = source.join(mutant.file);
        let text = fs::read_to_string(&file).expect("the core has this file");
        let count = text.matches(mutant.original).count();
        assert_eq!(count, 1, "`{}` does not stand once in {}: {}", mutant.name, mutant.file, mutant.original);
        let broken = mutant.broken.replace("MUTANT", &format!("crate::mutant::is({number})"));
        fs::write(&file, text.replace(mutant.original, &broken)).expect("the target folder can be written");
    }
    let root = source.join("lib.rs");
    let text = fs::read_to_string(&root).expect("the core has a root");
    fs::write(&root, text + "\npub mod mutant;\n").expect("the target folder can be written");
    fs::write(source.join("mutant.rs"), SWITCH).expect("the target folder can be written");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("the target folder can be written");
    for entry in fs::read_dir(from).expect("the project is there") {
        let entry = entry.expect("the project is there");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).expect("the target folder can be written");
        }
    }
}

/// Whether a subflow that can fail does what can be undone.
fn undoes_in_a_subflow(flow: &Flow) -> bool {
    let mut parts = flow.functions.iter().skip(1).filter(|part| part.is_fallible);
    parts.any(|part| {
        let mut found = false;
        for statement in &part.body {
            statement.walk(&mut |inner| {
                let calls = inner.calls();
                found |= calls
                    .iter()
                    .any(|call| matches!(call.callee, Callee::Reserve | Callee::Hold) && !call.stays);
            });
        }
        found
    })
}

#[test]
fn the_kit_notices_each_broken_core() {
    let libraries = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mutants/crates");
    copy_to(&libraries);
    let harness = Harness { name: "hunt", root: "hunt.rs", modules: &["explore.rs", "steps.rs"], libraries };
    let (made, _) =
        harness.build(programs(2, PROGRAMS, |place, flow| place >= WITH_SCOPES || undoes_in_a_subflow(flow)));
    let program = made.program.expect("it was built");
    let output = Command::new(program).arg(MUTANTS.len().to_string()).output().expect("it can be called");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    let catches: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("lines of JSON")).collect();
    assert_eq!(catches.len(), MUTANTS.len() + 1, "{text}");
    let mut wrong = Vec::new();
    if !catches[0]["oracle"].is_null() {
        wrong.push(format!("the core that is not broken is accused: {}", catches[0]));
    }
    for (mutant, catch) in MUTANTS.iter().zip(&catches[1..]) {
        let oracle = catch["oracle"].as_str();
        println!("{} ({}): {} after {}", mutant.name, mutant.file, oracle.unwrap_or("-"), catch["explored"]);
        if !oracle.is_some_and(|oracle| mutant.found_by.contains(&oracle)) {
            wrong.push(format!(
                "{}: {oracle:?} after {} programs: {}",
                mutant.name, catch["explored"], catch["text"]
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} mutants are not noticed as they should be:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
