//! How many executions per second an exploration makes: a saga of eight steps, with failures, pairs and cancels.
//! Run it with and without `--release`.

#[path = "../tests/travel/mod.rs"]
mod travel;

use std::time::Duration;

use workflow_test::Report;

fn main() {
    let budget = Duration::from_secs(60);
    print("each step fails, crash at every write", travel::explore().run());
    print("pairs, crash at every write", travel::explore().pairs().budget(1_000_000, budget).run());
    print(
        "pairs and cancels, crash at every write",
        travel::explore().pairs().cancel_at_every_write().budget(1_000_000, budget).run(),
    );
}

fn print(what: &str, report: Report) {
    let runs = report.executions + report.crashes;
    println!("  {what}: {:.0} runs/s", runs as f64 / report.elapsed.as_secs_f64());
}
