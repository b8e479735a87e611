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

use std::fs;
use std::path::Path;
use std::process::Command;

use saga_order::crates::{Harness, programs};
use serde_json::Value;

/// How many programs are explored until a mutant counts as survived.
const PROGRAMS: usize = 200;

/// One way to break the core.
struct Mutant {
    name: &'static str,
    /// Below `workflow-core/src`.
    file: &'static str,
    /// What stands there once.
    original: &'static str,
    /// What stands there instead; `MUTANT` is whether this mutant is the chosen one.
    broken: &'static str,
    /// The oracles that may find it first.
    found_by: &'static [&'static str],
}

const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "steps are undone in the order of completion",
        file: "saga.rs",
        original: r#"self.done.iter().rposition(|undo| undo.forward.is_within(prefix))"#,
        broken: r#"(if MUTANT {
            self.done.iter().position(|undo| undo.forward.is_within(prefix))
        } else {
            self.done.iter().rposition(|undo| undo.forward.is_within(prefix))
        })"#,
        found_by: &[],
    },
    Mutant {
        name: "a step whose outcome is unknown is not undone",
        file: "saga.rs",
        original: r#"if needs_output {"#,
        broken: r#"if needs_output || MUTANT {"#,
        found_by: &[],
    },
    Mutant {
        name: "what the code has dropped is kept",
        file: "saga.rs",
        original: r#"self.done.iter().rposition(|undo| undo.is_unwanted)?"#,
        broken: r#"self.done.iter().rposition(|undo| undo.is_unwanted && !MUTANT)?"#,
        found_by: &[],
    },
    Mutant {
        name: "a compensation gets another argument",
        file: "saga.rs",
        original: r#"Wire::Output => output,"#,
        broken: r#"Wire::Output => if MUTANT { arguments.first().copied() } else { output },"#,
        found_by: &[],
    },
    Mutant {
        name: "a pivot leaves everything to be undone",
        file: "saga.rs",
        original: r#"self.done.retain(|undo| undo.is_unwanted);"#,
        broken: r#"self.done.retain(|undo| undo.is_unwanted || MUTANT);"#,
        found_by: &[],
    },
    Mutant {
        name: "nothing is noted for the undoing",
        file: "saga.rs",
        original: r#"let args = wire(&facts.wiring, args, output)?;"#,
        broken: r#"let args = wire(&facts.wiring, args, output)?;
        if MUTANT { return Ok(()); }"#,
        found_by: &[],
    },
    Mutant {
        name: "everything is undone twice",
        file: "saga.rs",
        original: r#"self.unwanted += usize::from(is_unwanted);"#,
        broken: r#"self.unwanted += usize::from(is_unwanted);
        if MUTANT {
            self.unwanted += usize::from(is_unwanted);
            self.done.push(Undo { forward: op.clone(), compensation, args: args.clone(), is_unwanted });
        }"#,
        found_by: &[],
    },
    Mutant {
        name: "a subflow that fails keeps what it has done",
        file: "scope.rs",
        original: r#"S::is_failure(&output)"#,
        broken: r#"(S::is_failure(&output) && !MUTANT)"#,
        found_by: &[],
    },
    Mutant {
        name: "a subflow that succeeds is undone",
        file: "scope.rs",
        original: r#"S::is_failure(&output)"#,
        broken: r#"(S::is_failure(&output) || MUTANT)"#,
        found_by: &[],
    },
    Mutant {
        name: "a scope that is dropped is forgotten",
        file: "scope.rs",
        original: r#"if !self.is_over {
            self.cx.break_scope(&self.cx.frame.prefix);"#,
        broken: r#"if !self.is_over && !MUTANT {
            self.cx.break_scope(&self.cx.frame.prefix);"#,
        found_by: &[],
    },
    Mutant {
        name: "an undoing does not wait for what is under way",
        file: "scope.rs",
        original: r#"state.is_settling(is_there)"#,
        broken: r#"(state.is_settling(is_there) && !MUTANT)"#,
        found_by: &[],
    },
    Mutant {
        name: "several steps are undone at once",
        file: "scope.rs",
        original: r#"state.is_undoing(&this.prefix)"#,
        broken: r#"(state.is_undoing(&this.prefix) && !MUTANT)"#,
        found_by: &[],
    },
    Mutant {
        name: "`compensate` undoes nothing",
        file: "scope.rs",
        original: r#"cx.undo(&cx.frame.prefix)
    }
}"#,
        broken: r#"cx.undo(&(if MUTANT { "nowhere.".into() } else { Arc::clone(&cx.frame.prefix) }))
    }
}"#,
        found_by: &[],
    },
    Mutant {
        name: "a compensation that is done stays open",
        file: "settle.rs",
        original: r#"operation.is_withdrawn || op.undoes().is_some() {"#,
        broken: r#"operation.is_withdrawn || (op.undoes().is_some() && !MUTANT) {"#,
        found_by: &[],
    },
    Mutant {
        name: "what was dropped and then failed is taken for not done",
        file: "settle.rs",
        original: r#"self.operations.remove(op);
            self.note(op, step, &args, None, true)?;"#,
        broken: r#"self.operations.remove(op);
            if MUTANT { return Ok(Ok(())); }
            self.note(op, step, &args, None, true)?;"#,
        found_by: &[],
    },
    Mutant {
        name: "what is given up is taken for not done",
        file: "settle.rs",
        original: r#"self.note(op, step, &args, None, self.is_unwanted(op))?;"#,
        broken: r#"if !MUTANT { self.note(op, step, &args, None, self.is_unwanted(op))?; }"#,
        found_by: &[],
    },
    Mutant {
        name: "what is withdrawn is taken for not done",
        file: "settle.rs",
        original: r#"self.note(&op, step, args, None, true)?;"#,
        broken: r#"if !MUTANT { self.note(&op, step, args, None, true)?; }"#,
        found_by: &[],
    },
    Mutant {
        name: "an error is taken for an effect",
        file: "settle.rs",
        original: r#"let Some((step, args)) = self.open_step(op) else { return Ok(Err(NobodyWaits)) };
        self.note(op, step, &args, (!is_error)"#,
        broken: r#"let Some((step, args)) = self.open_step(op) else { return Ok(Err(NobodyWaits)) };
        self.note(op, step, &args, (!is_error || MUTANT)"#,
        found_by: &[],
    },
    Mutant {
        name: "a deadline that passes is taken for nothing",
        file: "settle.rs",
        original: r#"=> Value::TimedOut,"#,
        broken: r#"=> if MUTANT { Value::Nothing } else { Value::TimedOut },"#,
        found_by: &[],
    },
    Mutant {
        name: "attempts are counted to two",
        file: "settle.rs",
        original: r#"(op.clone(), op.clone(), attempt + 1);"#,
        broken: r#"(op.clone(), op.clone(), if MUTANT { 2 } else { attempt + 1 });"#,
        found_by: &[],
    },
    Mutant {
        name: "what is unknown is forgotten with the next attempt",
        file: "settle.rs",
        original: r#"is_unknown: step.is_unknown || failure.kind.is_unknown_outcome(), ..step"#,
        broken: r#"is_unknown: !MUTANT && (step.is_unknown || failure.kind.is_unknown_outcome()), ..step"#,
        found_by: &[],
    },
    Mutant {
        name: "a child that was cancelled counts as done",
        file: "settle.rs",
        original: r#"Conclusion::Cancelled { reason } if wanted => {"#,
        broken: r#"Conclusion::Cancelled { reason } if wanted && !MUTANT => {"#,
        found_by: &[],
    },
    Mutant {
        name: "a cancel is obeyed after the point of no return",
        file: "run/leaving.rs",
        original: r#"if let Some(pivot) = pivot {"#,
        broken: r#"if let Some(pivot) = pivot.filter(|_| !MUTANT) {"#,
        found_by: &[],
    },
    Mutant {
        name: "a cancel does not wait for the pivot under way",
        file: "run/leaving.rs",
        original: r#"if pivot_may_happen {"#,
        broken: r#"if pivot_may_happen && !MUTANT {"#,
        found_by: &[],
    },
    Mutant {
        name: "a run ends without waiting for what is under way",
        file: "run/leaving.rs",
        original: r#"state.operations.is_empty()"#,
        broken: r#"(state.operations.is_empty() || MUTANT)"#,
        found_by: &[],
    },
    Mutant {
        name: "a run that fails undoes nothing",
        file: "run/leaving.rs",
        original: r#"let next = self.cx.state().begin_next_undo("");"#,
        broken: r#"let next = if MUTANT { None } else { self.cx.state().begin_next_undo("") };"#,
        found_by: &[],
    },
    Mutant {
        name: "a run that succeeds keeps what the code has dropped",
        file: "run/leaving.rs",
        original: r#"state.begin_unwanted_undo()?;
                }"#,
        broken: r#"if !MUTANT { state.begin_unwanted_undo()?; }
                }"#,
        found_by: &[],
    },
    Mutant {
        name: "a run that succeeds undoes everything",
        file: "run/leaving.rs",
        original: r#"Exit::End(Conclusion::Completed(_)) | Exit::Continue { .. } => self.end(exit),"#,
        broken: r#"Exit::End(Conclusion::Completed(_)) | Exit::Continue { .. } if !MUTANT => self.end(exit),
                    Exit::Continue { .. } => self.end(exit),"#,
        found_by: &[],
    },
    Mutant {
        name: "an undoing never goes on",
        file: "run.rs",
        original: r#"*current = current.take().filter(|op| self.cx.state().operations.contains_key(op));"#,
        broken: r#"*current = current.take().filter(|op| MUTANT || self.cx.state().operations.contains_key(op));"#,
        found_by: &[],
    },
    Mutant {
        name: "a cancel that waited is forgotten",
        file: "run.rs",
        original: r#"self.postponed_cancel.take()"#,
        broken: r#"self.postponed_cancel.take().filter(|_| !MUTANT)"#,
        found_by: &[],
    },
    Mutant {
        name: "all generations count as the first",
        file: "run.rs",
        original: r#"state.generation = generation;"#,
        broken: r#"state.generation = if MUTANT { 1 } else { generation };"#,
        found_by: &[],
    },
    Mutant {
        name: "an error goes on before its siblings are done",
        file: "parallel.rs",
        original: r#"if state.is_settling(is_there) {"#,
        broken: r#"if state.is_settling(is_there) && !MUTANT {"#,
        found_by: &[],
    },
    Mutant {
        name: "scopes that were dropped are undone first to last",
        file: "parallel.rs",
        original: r#"self.broken_scopes.iter().rposition(|(_, broken)| is_there(broken))?"#,
        broken: r#"(if MUTANT {
            self.broken_scopes.iter().position(|(_, broken)| is_there(broken))
        } else {
            self.broken_scopes.iter().rposition(|(_, broken)| is_there(broken))
        })?"#,
        found_by: &[],
    },
    Mutant {
        name: "siblings of an error go on",
        file: "parallel.rs",
        original: r#"$(*$branch = Branch::Gone;)*"#,
        broken: r#"$(if !MUTANT { *$branch = Branch::Gone; })*"#,
        found_by: &[],
    },
    Mutant {
        name: "an error of many goes on before the others are done",
        file: "many.rs",
        original: r#"this.settling = Some(this.calls.cx.settled());"#,
        broken: r#"this.settling = if MUTANT { None } else { Some(this.calls.cx.settled()) };"#,
        found_by: &[],
    },
    Mutant {
        name: "a timer that nobody waits for is not withdrawn",
        file: "state.rs",
        original: r#"if withdraw {
            self.commands"#,
        broken: r#"if withdraw && !MUTANT {
            self.commands"#,
        found_by: &[],
    },
    Mutant {
        name: "what is under way is forgotten when it is dropped",
        file: "state.rs",
        original: r#"if operation.value.is_none() && operation.is_under_way(now_ms) {"#,
        broken: r#"if operation.value.is_none() && operation.is_under_way(now_ms) && !MUTANT {"#,
        found_by: &[],
    },
    Mutant {
        name: "rounds of a loop share their names",
        file: "state.rs",
        original: r#"*occurrence += 1;
        *occurrence
    }

    /// Counts that a scope derives"#,
        broken: r#"*occurrence = if MUTANT { 1 } else { *occurrence + 1 };
        *occurrence
    }

    /// Counts that a scope derives"#,
        found_by: &[],
    },
    Mutant {
        name: "a pivot in doubt is not asked again",
        file: "state.rs",
        original: r#"operation.is_pivot_in_doubt() && !operation.is_under_way(now_ms) {"#,
        broken: r#"operation.is_pivot_in_doubt() && !operation.is_under_way(now_ms) && !MUTANT {"#,
        found_by: &[],
    },
    Mutant {
        name: "a subflow is no part of the region around it",
        file: "frame.rs",
        original: r#"region: self.region.clone(),
            depth"#,
        broken: r#"region: if MUTANT { None } else { self.region.clone() },
            depth"#,
        found_by: &[],
    },
    Mutant {
        name: "operations go by the name of the first one",
        file: "durable.rs",
        original: r#"(self.frame.positions)()[position]"#,
        broken: r#"(self.frame.positions)()[if MUTANT { 0 } else { position }]"#,
        found_by: &[],
    },
    Mutant {
        name: "the time is the machine's",
        file: "values.rs",
        original: r#"ready(system_time(cx.state().now_ms))"#,
        broken: r#"ready(if MUTANT { SystemTime::now() } else { system_time(cx.state().now_ms) })"#,
        found_by: &[],
    },
    Mutant {
        name: "an attempt is never repeated",
        file: "judge.rs",
        original: r#"retry.wait_after(number)"#,
        broken: r#"retry.wait_after(number).filter(|_| !MUTANT)"#,
        found_by: &[],
    },
    Mutant {
        name: "a failed attempt is never the last one",
        file: "judge.rs",
        original: r#"retry.wait_after(number)"#,
        broken: r#"retry.wait_after(if MUTANT { 1 } else { number })"#,
        found_by: &[],
    },
    Mutant {
        name: "a compensation goes by the name of its step",
        file: "op.rs",
        original: r#"format!("{}/undo", self.0)"#,
        broken: r#"(if MUTANT { format!("{}", self.0) } else { format!("{}/undo", self.0) })"#,
        found_by: &[],
    },
];

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

#[test]
fn the_kit_notices_each_broken_core() {
    let libraries = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mutants/crates");
    copy_to(&libraries);
    let harness = Harness { name: "hunt", root: "hunt.rs", modules: &["explore.rs", "steps.rs"], libraries };
    let (made, _) = harness.build(programs(2, PROGRAMS));
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
