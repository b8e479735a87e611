//! Times the engine at the work of `docs/performance.md`, beside the floor under all engines and, if asked, its peers.
//! This process decides who plays what and in which order; each measurement is a process of its own.

mod cases;
mod contestants;
mod document;
mod floor;
mod goals;
mod measure;
mod options;
mod ours;
mod peers;
mod place;
mod process;
mod restate;
mod results;
mod table;

use std::collections::BTreeSet;
use std::process::{Command, ExitCode};

use self::contestants::Contestant;
use self::options::{Options, Wish};
use self::place::Places;
use self::results::Results;

/// What can go wrong has nobody to handle it but a person who reads it.
type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    // Cargo adds it for harnesses that also run tests.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let [word, name, order] = arguments.as_slice()
        && word == measure::PLAY
    {
        contestants::play(name, order);
        return ExitCode::SUCCESS;
    }
    let done = match options::read(&arguments) {
        Ok(Wish::Help) => {
            println!("{}", options::USAGE);
            Ok(())
        }
        Ok(Wish::Table(file)) => Results::read(&file).map(|results| print!("{}", table::markdown(&results))),
        Ok(Wish::Document(file)) => Results::read(&file).and_then(|results| document::write(&results)),
        Ok(Wish::OnlyEngine(case, store, folder)) => {
            contestants::play_here(&case, store, &Places::below(&folder))
        }
        Ok(Wish::Measure(options)) => prepare_and_measure(&options, &arguments),
        Err(mistake) => {
            eprintln!("error: {mistake}\n\n{}", options::USAGE);
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Builds before anything is measured, and begins anew with a higher priority if that is asked for: servers and
/// contestants inherit it.
fn prepare_and_measure(options: &Options, arguments: &[String]) -> Result<(), Failure> {
    let contestants = contestants::of(options)?;
    let peers: BTreeSet<_> = contestants.iter().filter_map(|contestant| contestant.peer).collect();
    peers::build(&peers)?;
    if !options.goes_first {
        return measure_all(options, &contestants);
    }
    let others = arguments.iter().filter(|argument| *argument != options::GOES_FIRST);
    // A realtime priority: `nice` only weighs processes of one session against each other.
    let mut first = Command::new("chrt");
    let status = first.args(["--rr", "1"]).arg(std::env::current_exe()?).args(others).status()?;
    if status.success() { Ok(()) } else { Err("some of it failed".into()) }
}

/// All contestants of a case play in turn, round after round, so that what disturbs the machine disturbs all of them.
fn measure_all(options: &Options, contestants: &[Contestant]) -> Result<(), Failure> {
    let places = Places::below(&options.folder);
    let mut results = Results::begin();
    for case in &options.cases {
        let sizes = measure::record_sizes(case);
        println!("\n{case}: {}", case.title());
        for round in 0..options.rounds {
            let mut turn: Vec<_> = contestants.iter().filter(|one| one.plays(case, round)).collect();
            if round % 2 == 1 {
                turn.reverse();
            }
            for contestant in turn {
                if options.waits_for_quiet {
                    measure::wait_for_quiet();
                }
                match measure::measure(contestant, case, sizes, &places) {
                    Ok(values) => {
                        println!(
                            "  round {}: {:24} {}",
                            round + 1,
                            contestant.name,
                            table::line(case, &values)
                        );
                        results.add(case, contestant, round, values);
                    }
                    Err(failure) => {
                        println!("  round {}: {:24} failed: {failure}", round + 1, contestant.name);
                        results.add_failure(case, contestant, round, failure.to_string());
                    }
                }
            }
        }
        print!("{}", table::of_case(&results, case));
        results.write(&options.json)?;
    }
    println!("\nwritten to {}", options.json.display());
    results.verdict()
}
