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
use saga_order::sound::{programs, seeds};
use workflow_test::Failure;

/// How the kit noticed.
#[derive(serde::Serialize)]
struct Catch {
    mutant: usize,
    /// The oracle that complained; `None` when nobody did.
    oracle: Option<String>,
    text: String,
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
    let sound = programs(seeds(seed)).filter_map(|(seed, flow)| Some((seed, Prepared::of::<0>(&flow, 0).ok()?)));
    let programs: Vec<(u64, &'static Prepared)> = sound.take(usize::try_from(count).expect("a few")).collect();
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

/// How thoroughly programs are looked at, the quick way first: executions, and whether they crash.
const ROUNDS: [(usize, bool); 3] = [(40, false), (20, true), (300, false)];

fn hunt(mutant: usize, programs: &[(u64, &'static Prepared)]) -> Catch {
    for (name, scene) in scenes::SCENES {
        let Some(text) = scenes::play(*scene) else { continue };
        // A test that fails says first who found it.
        let oracle = text.split_once(':').map(|(oracle, _)| oracle.to_owned());
        return Catch {
            mutant,
            oracle: Some(oracle.unwrap_or_else(|| text.clone())),
            text,
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
                    story,
                    program: *seed,
                    explored,
                    elapsed_ms: 0,
                };
            }
        }
    }
    let (text, story, program) = Default::default();
    Catch { mutant, oracle: None, text, story, program, explored, elapsed_ms: 0 }
}
