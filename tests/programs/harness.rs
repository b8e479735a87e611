//! Explores each generated program with the kit, and has the engine on SQLite do the same for some of what was found.
//! Prints one line of JSON with what was done; everything before it is what went wrong.

mod explore;
mod order;
mod play;
mod programs;
mod steps;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::rc::Rc;

use explore::{Program, Row, Search, keep_quiet_about_explored_panics};
use order::why_not;
use workflow_core::Event;

/// What was done in all.
#[derive(Default, serde::Serialize)]
struct Sum {
    programs: usize,
    executions: usize,
    crashes: usize,
    played: usize,
    restarted: usize,
    rows: usize,
    /// Programs of which the engine has played something.
    programs_played: usize,
    /// By the kind of event, how often the engine did the same.
    events: BTreeMap<String, usize>,
    /// Why executions could not be played.
    left_out: BTreeMap<&'static str, usize>,
    failures: usize,
    /// Programs that nothing brings to an end but a failure, or a cancel.
    endless: usize,
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse().expect("a number"));
    let mut argument = || arguments.next().expect("executions, and of how many programs how many are played");
    let (executions, played_programs, to_be_played) = (argument(), argument(), argument());
    keep_quiet_about_explored_panics();
    let mut sum = Sum::default();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    for (index, program) in programs::PROGRAMS.iter().enumerate() {
        let number = u32::try_from(index % 4).expect("a small number");
        let mut found = Vec::new();
        for interleaves in [false, true] {
            let kept = Rc::default();
            let search = Search { executions, crashes: true, interleaves, kept: Rc::clone(&kept) };
            match (program.explore)(number, &search) {
                Ok(report) => {
                    sum.executions += report.executions;
                    sum.crashes += report.crashes;
                }
                Err(failure) if failure.violation.text.contains("the run does not end") => {
                    sum.endless += usize::from(!interleaves);
                }
                Err(failure) => {
                    sum.failures += 1;
                    println!("{} with {number}, interleaved {interleaves}: {failure}\n", program.name);
                }
            }
            found.append(&mut kept.borrow_mut());
        }
        sum.programs += 1;
        if index < played_programs {
            runtime.block_on(play_some(program, number, found, to_be_played, &mut sum));
        }
    }
    println!("{}", serde_json::to_string(&sum).expect("numbers and names"));
    if sum.failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Plays so many of these, as different as they can be had: at even distances among those that can be played.
async fn play_some(program: &Program, number: u32, found: Vec<Vec<Row>>, count: usize, sum: &mut Sum) {
    let mut fit: Vec<Vec<Row>> = Vec::new();
    for rows in found {
        match why_not(&rows) {
            None => fit.push(rows),
            Some(why) => *sum.left_out.entry(why).or_default() += 1,
        }
    }
    sum.programs_played += usize::from(!fit.is_empty());
    let distance = fit.len().div_ceil(count.max(1)).max(1);
    for (index, rows) in fit.iter().enumerate().filter(|(index, _)| index % distance == distance / 2) {
        let folder = tempfile::tempdir().expect("a folder");
        // Every other one goes on with another engine half way.
        let restart = (index / distance % 2 == 1).then_some(rows.len() / 2).filter(|rows| *rows > 0);
        match play::play(program, number, rows, restart, folder.path()).await {
            Ok(()) => {
                sum.played += 1;
                sum.restarted += usize::from(restart.is_some());
                sum.rows += rows.len();
                for row in rows {
                    *sum.events.entry(kind(&row.record.event)).or_default() += 1;
                }
            }
            Err(error) => {
                sum.failures += 1;
                let events = rows.iter().enumerate().map(|(index, row)| {
                    format!("  {index} {}+{} {:?} {:?}\n", row.run_id, row.generation, row.record.at_ms, row.record)
                });
                println!(
                    "{} with {number}, restarted {restart:?}: {error}\n{}",
                    program.name,
                    events.collect::<String>()
                );
            }
        }
    }
}

fn kind(event: &Event) -> String {
    let text = format!("{event:?}");
    text.split([' ', '{', '(']).next().unwrap_or_default().to_owned()
}
