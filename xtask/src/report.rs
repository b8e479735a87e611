//! The summary at the end of a run: one row per stage, and the line that other programs read.
//! Knows outcomes; must not know what the stages do.

use std::fmt;
use std::time::{Duration, Instant};

use crate::outcome::{Outcome, Tally};

#[derive(Debug, Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    stage: &'static str,
    took: Duration,
    outcome: Outcome,
}

impl Report {
    /// Runs one stage under its title, and keeps what it found.
    pub(crate) fn stage(&mut self, stage: &'static str, run: impl FnOnce() -> Outcome) {
        println!("\n==> {stage}");
        let begin = Instant::now();
        let outcome = run();
        if let Some(reason) = &outcome.reason {
            println!("==> {stage} failed: {reason}");
        }
        self.rows.push(Row { stage, took: begin.elapsed(), outcome });
    }

    /// Whether nothing failed. A run that checked nothing has proven nothing, and does not pass.
    pub(crate) fn all_passed(&self) -> bool {
        let total = self.total();
        total.failed == 0 && total.passed > 0
    }

    fn total(&self) -> Tally {
        let mut total = Tally::default();
        for row in &self.rows {
            total += row.outcome.tally;
        }
        total
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or_default();
        let stages = width(&mut self.rows.iter().map(|row| row.stage.len())).max("stage".len());
        let results = width(&mut self.rows.iter().map(|row| row.outcome.result.len())).max("result".len());
        writeln!(f, "\n{:stages$}  {:>7}  result", "stage", "seconds")?;
        for Row { stage, took, outcome } in &self.rows {
            write!(f, "{stage:stages$}  {:>7.1}  ", took.as_secs_f64())?;
            match &outcome.reason {
                Some(reason) => writeln!(f, "{:results$}  {reason}", outcome.result)?,
                None => writeln!(f, "{}", outcome.result)?,
            }
        }
        writeln!(f, "\n{}", self.total())
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;
    use crate::outcome::TestRun;

    fn report(outcomes: [(&'static str, Outcome); 3]) -> Report {
        let rows = outcomes.into_iter().enumerate().map(|(seconds, (stage, outcome))| Row {
            stage,
            took: Duration::from_millis(1500 * seconds as u64),
            outcome,
        });
        Report { rows: rows.collect() }
    }

    fn tests(passed: u64, failed: u64) -> Outcome {
        let tally = Tally { passed, failed, ignored: 0 };
        let complaint = (failed > 0).then(|| "`cargo test` ended with exit status: 101".to_owned());
        Outcome::of_tests(Ok(TestRun { tally, complaint }))
    }

    #[test]
    fn the_summary_shows_every_stage_and_ends_with_the_sum() {
        let failed = Outcome::of(Err(anyhow!("`cargo clippy` ended with exit status: 101")));
        let report =
            report([("formatting", Outcome::of(Ok(()))), ("clippy", failed), ("tests", tests(12, 0))]);
        let expected = "
stage       seconds  result
formatting      0.0  ok
clippy          1.5  FAILED               `cargo clippy` ended with exit status: 101
tests           3.0  12 passed, 0 failed

13 passed, 1 failed
";
        assert_eq!(report.to_string(), expected);
        assert!(!report.all_passed());
    }

    #[test]
    fn one_failed_test_fails_the_run() {
        let stages = |failed| [("a", tests(1, 0)), ("b", tests(5, failed)), ("c", Outcome::of(Ok(())))];
        assert!(report(stages(0)).all_passed());
        assert!(!report(stages(1)).all_passed());
    }

    #[test]
    fn a_run_without_checks_does_not_pass() {
        assert!(!Report::default().all_passed());
        assert!(Report::default().to_string().ends_with("\n0 passed, 0 failed\n"));
    }

    #[test]
    fn a_stage_is_run_and_kept() {
        let mut report = Report::default();
        report.stage("clippy", || Outcome::of(Ok(())));
        assert!(report.all_passed());
        assert!(report.to_string().contains("\nclippy"));
    }
}
