//! The results as tables: for the terminal while it runs, and as markdown for the documentation.
//! Knows which values matter in which case; must not know how they came about.

use bench_kit::Values;

use crate::cases::{CASES, Case, Work};
use crate::contestants::Role;
use crate::goals::GOALS;
use crate::measure::is_quiet;
use crate::results::Results;

/// A value that is shown.
struct Column {
    title: &'static str,
    value: &'static str,
    decimals: usize,
    factor: f64,
}

const fn column(title: &'static str, value: &'static str, decimals: usize, factor: f64) -> Column {
    Column { title, value, decimals, factor }
}

/// What is shown of a case; the first column is the one that the ratios are about.
fn columns(work: &Work) -> &'static [Column] {
    match work {
        Work::Throughput { .. } => {
            &const {
                [
                    column("runs/s", "runs_per_second", 0, 1.0),
                    column("steps/s", "steps_per_second", 0, 1.0),
                    column("CPU s", "cpu_seconds", 2, 1.0),
                    column("CPU s of the server", "service_cpu_seconds", 2, 1.0),
                ]
            }
        }
        Work::Latency { .. } => {
            &const {
                [
                    column("run p50 ms", "run_p50_ms", 2, 1.0),
                    column("run p99 ms", "run_p99_ms", 2, 1.0),
                    column("step p50 ms", "step_p50_ms", 3, 1.0),
                    column("CPU s", "cpu_seconds", 2, 1.0),
                ]
            }
        }
        Work::FanOut { .. } => {
            &const {
                [
                    column("ms", "seconds", 1, 1e3),
                    column("CPU ms", "cpu_seconds", 1, 1e3),
                    column("CPU ms of the server", "service_cpu_seconds", 0, 1e3),
                ]
            }
        }
        Work::Parked { .. } => {
            &const {
                [
                    column("s to start", "seconds", 2, 1.0),
                    column("starts/s", "runs_per_second", 0, 1.0),
                    column("memory each, bytes", "memory_per_run_bytes", 0, 1.0),
                    column("disk each, bytes", "disk_per_run_bytes", 0, 1.0),
                ]
            }
        }
        Work::Recovery { .. } => {
            &const {
                [
                    column("s to recover", "recover_seconds", 3, 1.0),
                    column("CPU s", "cpu_seconds", 2, 1.0),
                    column("completed steps repeated", "repeated_steps", 0, 1.0),
                    column("steps in flight", "steps_in_flight", 0, 1.0),
                    column("lost", "lost", 0, 1.0),
                ]
            }
        }
        Work::LongRun { .. } => {
            &const {
                [
                    column("s", "seconds", 3, 1.0),
                    column("first tenth ms/step", "first_tenth_step_ms", 3, 1.0),
                    column("last tenth ms/step", "last_tenth_step_ms", 3, 1.0),
                    column("s to recover", "recover_seconds", 3, 1.0),
                    column("CPU s", "cpu_seconds", 2, 1.0),
                ]
            }
        }
    }
}

/// One measurement in one line.
pub(crate) fn line(case: &Case, values: &Values) -> String {
    let mut words: Vec<String> = columns(&case.work)
        .iter()
        .filter_map(|column| Some((column, values.get(column.value)?)))
        .map(|(column, value)| format!("{} {:.*}", column.title, column.decimals, value * column.factor))
        .collect();
    if !is_quiet(values) {
        let share = values.get("others_share").copied().unwrap_or_default();
        words.push(format!("others used {:.0} % of the machine", share * 100.0));
    }
    words.join(", ")
}

/// The medians of a case.
pub(crate) fn of_case(results: &Results, case: &Case) -> String {
    let mut text = format!("  medians, rounds without noise where there are any\n{}", rows(results, case));
    text = text.replace("\n|", "\n  |");
    text
}

/// The goals, then all cases that were measured.
pub(crate) fn markdown(results: &Results) -> String {
    let mut text = format!("{}\n\n{}\n", results.occasion(), goals(results));
    text.push_str("| contestant | what a power failure leaves |\n|---|---|\n");
    for (name, durability) in results.durabilities() {
        text.push_str(&format!("| {name} | {durability} |\n"));
    }
    text.push('\n');
    for case in CASES.iter().filter(|case| !results.contestants(case.name).is_empty()) {
        text.push_str(&format!("**{case}**: {}\n\n{}\n", case.title(), rows(results, case)));
    }
    text
}

/// What is to be reached, and what is.
pub(crate) fn goals(results: &Results) -> String {
    let mut text = String::from("| work | store | goal | reached | |\n|---|---|---|---|---|\n");
    for goal in GOALS {
        for engine in results.contestants(goal.case).iter().filter(|other| other.role == Role::Engine) {
            if goal.store.is_some_and(|store| store != engine.store) {
                continue;
            }
            let (case, store, asked) = (goal.case, engine.store, goal.words());
            let (reached, verdict) = match goal.reached(results, engine) {
                Some(reached) => (goal.show(reached), if goal.is_met(reached) { "met" } else { "missed" }),
                None => ("-".to_owned(), "not measured"),
            };
            text.push_str(&format!("| {case} | {store} | {asked} | {reached} | {verdict} |\n"));
        }
    }
    text
}

fn rows(results: &Results, case: &Case) -> String {
    let columns = columns(&case.work);
    let titles: Vec<&str> = columns.iter().map(|column| column.title).collect();
    let mut text = format!(
        "| | {} | to the floor | CPU to the floor | rounds |\n|---|{}---|---|---|\n",
        titles.join(" | "),
        "---|".repeat(columns.len())
    );
    let all = results.contestants(case.name);
    for contestant in &all {
        let name = &contestant.contestant;
        let cells: Vec<String> = columns
            .iter()
            .map(|column| match results.median(case.name, name, column.value) {
                Some(median) => format!("{:.*}", column.decimals, median * column.factor),
                None => "-".to_owned(),
            })
            .collect();
        let floor = all.iter().find(|other| other.role == Role::Floor && other.store == contestant.store);
        let ratio = |value| {
            floor
                .and_then(|floor| results.ratio(case.name, name, &floor.contestant, value))
                .map_or("-".to_owned(), |ratio| format!("{ratio:.2}"))
        };
        let (ratio, cpu_ratio) = (ratio(columns[0].value), ratio("all_cpu_seconds"));
        let rounds = results.rounds(case.name, name);
        let noise = if rounds.iter().any(|round| !is_quiet(&round.values)) { " noisy" } else { "" };
        text.push_str(&format!(
            "| {name} | {} | {ratio} | {cpu_ratio} | {}{noise} |\n",
            cells.join(" | "),
            rounds.len()
        ));
    }
    text
}
