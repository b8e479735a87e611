//! Times the engine at the work of `docs/performance.md`, beside the floor under all engines and, if asked, its peers.
//! This process decides who plays what and in which order; each measurement is a process of its own.

mod cases;
mod contestants;
mod floor;
mod judge;
mod measure;
mod options;
mod ours;
mod process;
mod results;
mod table;

use std::process::ExitCode;

use self::options::{Options, Wish};
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
        Ok(Wish::OnlyEngine(case, store, folder)) => contestants::play_here(&case, store, &folder),
        Ok(Wish::Measure(options)) => measure_all(&options),
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

/// All contestants of a case play in turn, round after round, so that what disturbs the machine disturbs all of them.
fn measure_all(options: &Options) -> Result<(), Failure> {
    let contestants = contestants::of(options)?;
    let mut results = Results::begin();
    for case in &options.cases {
        let sizes = measure::record_sizes(case);
        println!("\n{case}: {}", case.title());
        for round in 0..options.rounds {
            let mut turn: Vec<_> = contestants.iter().filter(|contestant| contestant.plays(case)).collect();
            if round % 2 == 1 {
                turn.reverse();
            }
            for contestant in turn {
                if options.waits_for_quiet {
                    measure::wait_for_quiet();
                }
                match measure::measure(contestant, case, sizes, &options.folder) {
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
