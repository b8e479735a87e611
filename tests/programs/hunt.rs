//! Hunts for mutants: a core that is broken in one place after the other, and the kit that has to notice each time.
//! Prints a line of JSON for each of them; 0 is a core that is not broken at all. No program is compiled for it.

mod code;
mod explore;
mod interpret;
mod prepared;
mod saga_order;
mod scenes;
mod steps;

use std::process::ExitCode;

use explore::{Search, interpret, keep_quiet_about_explored_panics};
use prepared::Prepared;
use saga_order::flow::{Branch, Call, Callee, Flow, Function, Handling, Statement};
use saga_order::make::make;
use saga_order::sound::{programs, seeds};
use workflow_test::Failure;

/// How the kit noticed.
#[derive(serde::Serialize)]
struct Catch {
    mutant: usize,
    /// The oracle that complained; `None` when nobody did.
    oracle: Option<String>,
    text: String,
    /// A place that the report names, where something else stands.
    misplaced: Option<String>,
    story: String,
    /// The seed of the program.
    program: u64,
    /// How many explorations there were until then.
    explored: usize,
    elapsed_ms: u128,
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u64>().expect("a number"));
    let seed = arguments.next().expect("a seed, how many programs there are, and the mutants");
    let count = arguments.next().expect("how many programs there are");
    keep_quiet_about_explored_panics();
    let count = usize::try_from(count).expect("a few");
    let programs: Vec<(u64, &'static Prepared)> =
        AIMS.iter().flat_map(|aim| aimed(seed, count / AIMS.len(), *aim)).collect();
    for mutant in arguments {
        let mutant = usize::try_from(mutant).expect("one of a few");
        workflow_core::mutant::choose(mutant);
        let began = std::time::Instant::now();
        let mut catch = hunt(mutant, &programs);
        catch.elapsed_ms = began.elapsed().as_millis();
        println!("{}", serde_json::to_string(&catch).expect("texts and numbers"));
    }
    ExitCode::SUCCESS
}

/// What some programs have in them that hardly any have by chance.
const AIMS: [fn(&Flow) -> bool; 6] =
    [|_| true, undoes_in_a_subflow, undoes_on_purpose, breaks_subflows_off, risks_a_pivot, fails_behind_a_race];

/// So many programs of this kind.
fn aimed(seed: u64, count: usize, aim: fn(&Flow) -> bool) -> Vec<(u64, &'static Prepared)> {
    let seeds = seeds(seed).filter(|seed| aim(&make(*seed)));
    let sound = programs(seeds).filter_map(|(seed, flow)| Some((seed, Prepared::of::<0>(&flow, 0).ok()?)));
    sound.take(count).collect()
}

/// Whether a statement is there, in any function.
fn has(flow: &Flow, is_it: impl Fn(&Statement) -> bool) -> bool {
    let mut found = false;
    for statement in flow.functions.iter().flat_map(|function| &function.body) {
        statement.walk(&mut |inner| found |= is_it(inner));
    }
    found
}

fn undoes(statement: &Statement) -> bool {
    statement.calls().iter().any(|call| matches!(call.callee, Callee::Reserve | Callee::Hold) && !call.stays)
}

/// Whether a subflow that can fail does what can be undone.
fn undoes_in_a_subflow(flow: &Flow) -> bool {
    let mut parts = flow.functions.iter().skip(1).filter(|part| part.is_fallible);
    parts.any(|part| has(&Flow { functions: vec![part.clone()] }, undoes))
}

fn undoes_on_purpose(flow: &Flow) -> bool {
    has(flow, |statement| matches!(statement, Statement::Compensate)) && has(flow, undoes)
}

/// Whether a subflow that does what can be undone stands in a branch, and what becomes of a failure beside it is looked
/// at.
fn breaks_subflows_off(flow: &Flow) -> bool {
    undoes_in_a_subflow(flow)
        && has(flow, |statement| match statement {
            Statement::TryJoin(branches, handling) => {
                let calls = branches.iter().any(|branch| match branch {
                    Branch::Call(call) => matches!(call.callee, Callee::Subflow(_)),
                    Branch::Block { body, .. } => {
                        let body = Function { is_fallible: true, body: body.clone() };
                        let is_call = |call: &Call| matches!(call.callee, Callee::Subflow(_));
                        has(&Flow { functions: vec![body] }, |inner| inner.calls().iter().any(is_call))
                    }
                });
                calls && !matches!(handling, Handling::Question | Handling::MappedQuestion | Handling::Return)
            }
            _ => false,
        })
}

/// Whether a pivot stands beside what may fail.
fn risks_a_pivot(flow: &Flow) -> bool {
    has(flow, |statement| match statement {
        Statement::TryJoin(branches, _) => branches.iter().any(|branch| match branch {
            Branch::Call(call) => matches!(call.callee, Callee::Ship | Callee::Charge),
            Branch::Block { body, .. } => {
                let is_pivot = |call: &Call| matches!(call.callee, Callee::Ship | Callee::Charge);
                body.iter().any(|inner| inner.calls().iter().any(is_pivot))
            }
        }),
        _ => false,
    })
}

/// Whether a subflow fails when a race in it is over, perhaps while the loser is still under way.
fn fails_behind_a_race(flow: &Flow) -> bool {
    let races = |statement: &Statement| match statement {
        Statement::Select(arms) => {
            let leaves_a_loser = |call: &Call| call.callee != Callee::Receive;
            arms.iter().filter_map(|arm| arm.call.as_ref()).any(leaves_a_loser)
        }
        _ => false,
    };
    let fails = |statement: &Statement| {
        let passes_on = |handling: &&Handling| {
            matches!(handling, Handling::Question | Handling::MappedQuestion | Handling::Return)
        };
        matches!(statement, Statement::Fail(_)) || statement.handlings().iter().any(passes_on)
    };
    let mut parts = flow.functions.iter().skip(1).filter(|part| part.is_fallible);
    parts.any(|part| {
        let race = part.body.iter().position(races);
        race.is_some_and(|race| {
            let behind = Function { is_fallible: true, body: part.body[race..].to_vec() };
            has(&Flow { functions: vec![behind] }, fails)
        })
    })
}

/// The oracles that need no assertion, as failures name them.
const ORACLES: [&str; 10] =
    ["replay", "other thread", "saga", "pivot", "leak", "deadlock", "round trip", "graph", "code", "repeat"];

/// How thoroughly programs are looked at, the quick way first: executions, and whether they crash.
const ROUNDS: [(usize, bool); 3] = [(40, false), (20, true), (300, false)];

fn hunt(mutant: usize, programs: &[(u64, &'static Prepared)]) -> Catch {
    for (name, scene) in scenes::SCENES {
        let Some(text) = scenes::play(*scene) else { continue };
        // A test that fails says first who found it; that the scene cannot go on as it was meant to is for no oracle.
        let Some((oracle, text)) = text.split_once(": ").filter(|(oracle, _)| ORACLES.contains(oracle))
        else {
            continue;
        };
        return Catch {
            mutant,
            oracle: Some(oracle.to_owned()),
            text: text.to_owned(),
            misplaced: misplaced(text),
            story: (*name).to_owned(),
            program: 0,
            explored: 0,
            elapsed_ms: 0,
        };
    }
    let mut explored = 0;
    // What is not broken is looked at once.
    let rounds = if mutant == 0 { &ROUNDS[1..2] } else { &ROUNDS[..] };
    for &(executions, crashes) in rounds {
        for (place, (seed, program)) in programs.iter().enumerate() {
            for interleaves in [false, true] {
                explored += 1;
                let number = u32::try_from(place % 4).expect("a small number");
                let search = Search { executions, crashes, interleaves, kept: None };
                let Err(failure) = interpret::<0>(program, number, &search) else { continue };
                let Failure { violation, story, .. } = *failure;
                return Catch {
                    mutant,
                    oracle: violation.to_string().split_once(':').map(|(oracle, _)| oracle.to_owned()),
                    text: violation.text,
                    misplaced: None,
                    story,
                    program: *seed,
                    explored,
                    elapsed_ms: 0,
                };
            }
        }
    }
    let (text, story, program) = Default::default();
    Catch { mutant, oracle: None, text, misplaced: None, story, program, explored, elapsed_ms: 0 }
}

/// The first of the places that a report names, `` `ship` (src/scenes.rs:29) ``, in whose line nothing of that name
/// stands. The scenes are compiled, so that their lines are those of the text; programs that are interpreted have none.
fn misplaced(text: &str) -> Option<String> {
    let places = text.lines().find_map(|line| line.strip_prefix("  where: "))?;
    let is_wrong = |place: &&str| {
        // Code that breaks off stands between two operations; that place is told in other words.
        if place.starts_with("after ") || place.starts_with("before ") {
            return false;
        }
        let Some((name, (file, line))) = place.strip_prefix('`').and_then(|place| {
            let (name, source) = place.split_once("` (")?;
            Some((name, source.trim_end_matches(')').rsplit_once(':')?))
        }) else {
            return true;
        };
        let source = if file.ends_with("scenes.rs") { include_str!("scenes.rs") } else { include_str!("steps.rs") };
        let line = line.parse::<usize>().ok().and_then(|line| source.lines().nth(line.checked_sub(1)?));
        let called = name.split(['/', '[']).next().unwrap_or(name).trim_end_matches(|end: char| end.is_ascii_digit());
        !line.is_some_and(|line| line.contains(called.trim_end_matches('_')))
    };
    places.split(", ").find(is_wrong).map(str::to_owned)
}
