//! How many executions per second the test kit makes: of the flagship, of a saga of eight steps with a crash at every
//! write, and of three branches of four steps in all orders. It measures; what is explored stands in files of its own.
//!
//! `cargo xtask bench explore` runs it in release and in debug; `cargo bench --bench explore -- saga --once` makes one
//! exploration and nothing else, for a profiler.

mod branches;
#[allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "an exploration needs the workflow, not the shop"
)]
#[path = "../../examples/order_fulfilment"]
mod example {
    pub mod orders;
    pub mod simulator;
    pub mod workflow;
}
mod flagship;
#[path = "../../workflow-test/tests/travel/mod.rs"]
mod travel;

use example::{orders, simulator, workflow};

use std::process::ExitCode;
use std::time::Duration;

use cpu_time::ProcessTime;
use workflow_test::{Exploration, Report};

/// How long each case is repeated, of the processor's time.
const ROUND: Duration = Duration::from_secs(2);

/// Rounds per case; the median counts.
const ROUNDS: usize = 5;

struct Case {
    name: &'static str,
    what: &'static str,
    exploration: fn() -> Exploration,
    /// Executions per second to be reached, in release and in debug.
    goal: Option<(f64, f64)>,
}

const CASES: [Case; 4] = [
    Case {
        name: "saga",
        what: "eight steps, each fails, crash at every write",
        exploration: || unbounded(travel::explore()),
        goal: Some((100_000.0, 20_000.0)),
    },
    Case {
        name: "pairs",
        what: "the same, two things go wrong",
        exploration: || unbounded(travel::explore().pairs()),
        goal: None,
    },
    Case {
        name: "flagship",
        what: "`fulfil_order`, each step fails, crash at every write",
        exploration: || unbounded(flagship::explore()),
        goal: None,
    },
    Case {
        name: "branches",
        what: "3 x 4 steps side by side in all orders, crash at every write",
        exploration: || unbounded(branches::explore()),
        goal: None,
    },
];

fn main() -> ExitCode {
    let arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let (options, names): (Vec<String>, Vec<String>) =
        arguments.partition(|argument| argument.starts_with("--"));
    let is_known = |name: &String| CASES.iter().any(|case| case.name == *name);
    if !names.iter().all(is_known) || options.iter().any(|option| option != "--once") {
        let known: Vec<&str> = CASES.iter().map(|case| case.name).collect();
        eprintln!("usage: explore [--once] [{}]..", known.join("|"));
        return ExitCode::from(2);
    }
    let wanted =
        || CASES.iter().filter(|case| names.is_empty() || names.iter().any(|name| name == case.name));
    if options.is_empty() {
        let (profile, _) = profile();
        println!("| {profile} | | executions/s | µs each | goal |\n|---|---|---|---|---|");
        wanted().for_each(measure);
    } else {
        wanted().for_each(|case| drop(explore(case)));
    }
    ExitCode::SUCCESS
}

/// On a loaded machine, or under a profiler, a search shall not end before all is tried.
fn unbounded(exploration: Exploration) -> Exploration {
    exploration.budget(1_000_000, Duration::from_secs(3_600))
}

/// How this program was compiled; and whether with the optimisations of a release.
fn profile() -> (&'static str, bool) {
    if cfg!(debug_assertions) { ("debug", false) } else { ("release", true) }
}

fn explore(case: &Case) -> Report {
    (case.exploration)().try_run().unwrap_or_else(|failure| panic!("{}: {failure}", case.name))
}

/// An execution is a run from its start to its end; one that is crashed and goes on counts like one that is not.
fn measure(case: &Case) {
    explore(case); // Not counted: it warms the caches.
    let mut rates: Vec<f64> = (0..ROUNDS).map(|_| rate(case)).collect();
    rates.sort_by(f64::total_cmp);
    let median = rates[ROUNDS / 2];
    let (_, is_release) = profile();
    let goal = match case.goal {
        Some((release, debug)) => {
            let goal = if is_release { release } else { debug };
            format!("{goal:.0} ({:.2} of it)", median / goal)
        }
        None => String::new(),
    };
    println!("| {} | {} | {median:.0} | {:.1} | {goal} |", case.name, case.what, 1e6 / median);
}

/// Executions per second of the processor's time, of all threads together: other processes do not count.
fn rate(case: &Case) -> f64 {
    let begun = ProcessTime::now();
    let mut executions = 0;
    while begun.elapsed() < ROUND {
        let report = explore(case);
        executions += report.executions + report.crashes;
    }
    executions as f64 / begun.elapsed().as_secs_f64()
}
