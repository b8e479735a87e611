//! Hunts for mutants: a core that is broken in one place after the other, and the kit that has to notice each time.
//! Prints a line of JSON for each of them, the first for a core that is not broken at all.

mod explore;
mod programs;
mod steps;

use std::process::ExitCode;
use std::rc::Rc;

use explore::{Program, Search, keep_quiet_about_explored_panics};
use workflow_test::Failure;

/// How the kit noticed.
#[derive(serde::Serialize)]
struct Catch {
    mutant: usize,
    /// The oracle that complained; `None` when nobody did.
    oracle: Option<String>,
    text: String,
    story: String,
    program: String,
    /// How many programs were explored until then.
    explored: usize,
}

fn main() -> ExitCode {
    let mutants = std::env::args().nth(1).and_then(|mutants| mutants.parse().ok());
    let mutants: usize = mutants.expect("how many mutants there are");
    let only: Vec<usize> = std::env::args().skip(2).map(|number| number.parse().expect("a mutant")).collect();
    keep_quiet_about_explored_panics();
    let programs: Vec<&Program> = programs::PROGRAMS.iter().filter(|program| has_an_end(program)).collect();
    for mutant in (0..=mutants).filter(|mutant| only.is_empty() || only.contains(mutant)) {
        workflow_core::mutant::choose(mutant);
        let catch = hunt(mutant, &programs);
        println!("{}", serde_json::to_string(&catch).expect("texts and numbers"));
    }
    ExitCode::SUCCESS
}

/// Some programs have no end of their own, whoever runs them.
fn has_an_end(program: &Program) -> bool {
    (0..4).all(|number| {
        let search = Search { executions: 10, crashes: false, interleaves: false, kept: Rc::default() };
        (program.explore)(number, &search).is_ok()
    })
}

/// How thoroughly programs are looked at, the quick way first: executions, and whether they crash.
const ROUNDS: [(usize, bool); 3] = [(40, false), (150, false), (40, true)];

fn hunt(mutant: usize, programs: &[&Program]) -> Catch {
    let mut explored = 0;
    // What is not broken is looked at once.
    let rounds = if mutant == 0 { &ROUNDS[2..] } else { &ROUNDS[..] };
    for &(executions, crashes) in rounds {
        for (index, program) in programs.iter().enumerate() {
            explored += 1;
            for interleaves in [false, true] {
                let number = u32::try_from(index % 4).expect("a small number");
                let search = Search { executions, crashes, interleaves, kept: Rc::default() };
                let Err(failure) = (program.explore)(number, &search) else { continue };
                let Failure { violation, story, .. } = *failure;
                return Catch {
                    mutant,
                    oracle: Some(format!("{:?}", violation.oracle)),
                    text: violation.text,
                    story,
                    program: program.name.to_owned(),
                    explored,
                };
            }
        }
    }
    let (text, story, program) = Default::default();
    Catch { mutant, oracle: None, text, story, program, explored }
}
