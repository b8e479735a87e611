//! What one stage found, in numbers: tests count one by one, any other stage is one check.
//! Reads libtest's words; must not know which command printed them.

use std::fmt;
use std::ops::AddAssign;

use anyhow::Result;

/// How many tests ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) ignored: u64,
}

impl Tally {
    /// The numbers in a line such as `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; ..`,
    /// and `None` for every other line.
    pub(crate) fn of_libtest_line(line: &str) -> Option<Tally> {
        let (_verdict, counts) = line.trim_end().strip_prefix("test result: ")?.split_once(". ")?;
        let count = |what: &str| {
            counts.split("; ").find_map(|part| part.strip_suffix(what)?.trim_end().parse::<u64>().ok())
        };
        Some(Tally { passed: count("passed")?, failed: count("failed")?, ignored: count("ignored")? })
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Tally) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
    }
}

/// The last line of a run, in the form that other programs read.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// What the tests of one command did: the numbers, and what was wrong with the command itself.
#[derive(Debug)]
pub(crate) struct TestRun {
    pub(crate) tally: Tally,
    pub(crate) complaint: Option<String>,
}

/// One row of the summary.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) tally: Tally,
    /// The word in the result column.
    pub(crate) result: String,
    /// Why it failed; a command that can be repeated, where there is one.
    pub(crate) reason: Option<String>,
}

impl Outcome {
    /// A stage that is one check.
    pub(crate) fn of(result: Result<()>) -> Outcome {
        match result {
            Ok(()) => Outcome {
                tally: Tally { passed: 1, ..Tally::default() },
                result: "ok".to_owned(),
                reason: None,
            },
            Err(error) => Outcome {
                tally: Tally { failed: 1, ..Tally::default() },
                result: "FAILED".to_owned(),
                reason: Some(format!("{error:#}")),
            },
        }
    }

    /// A stage that counts by its tests.
    pub(crate) fn of_tests(result: Result<TestRun>) -> Outcome {
        let TestRun { mut tally, complaint } = match result {
            Ok(run) => run,
            Err(error) => return Outcome::of(Err(error)),
        };
        // Tests that did not compile, or a test program that died, print no numbers: that is a failure all the same.
        if complaint.is_some() && tally.failed == 0 {
            tally.failed = 1;
        }
        let mut result = tally.to_string();
        if tally.ignored > 0 {
            result.push_str(&format!(", {} ignored", tally.ignored));
        }
        Outcome { tally, result, reason: complaint }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_line_is_read() {
        let line = "test result: ok. 31 passed; 0 failed; 2 ignored; 0 measured; 4 filtered out; finished in 0.02s\n";
        assert_eq!(Tally::of_libtest_line(line), Some(Tally { passed: 31, failed: 0, ignored: 2 }));
        let line =
            "test result: FAILED. 1 passed; 12 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0s";
        assert_eq!(Tally::of_libtest_line(line), Some(Tally { passed: 1, failed: 12, ignored: 0 }));
    }

    #[test]
    fn other_lines_are_no_results() {
        for line in [
            "",
            "running 3 tests",
            "test result: ok",
            "test result: ok. 3 passed",
            "test result_is_read ... ok",
            "note: test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured",
        ] {
            assert_eq!(Tally::of_libtest_line(line), None, "{line}");
        }
    }

    #[test]
    fn a_check_counts_once() {
        let passed = Outcome::of(Ok(()));
        assert_eq!((passed.tally.to_string().as_str(), passed.result.as_str()), ("1 passed, 0 failed", "ok"));
        let failed = Outcome::of(Err(anyhow::anyhow!("inner").context("outer")));
        assert_eq!(failed.tally.to_string(), "0 passed, 1 failed");
        assert_eq!(failed.reason.as_deref(), Some("outer: inner"));
    }

    #[test]
    fn tests_that_do_not_compile_count_as_a_failure() {
        let complaint = Some("`cargo test` ended with exit status: 101".to_owned());
        let outcome = Outcome::of_tests(Ok(TestRun { tally: Tally::default(), complaint }));
        assert_eq!(outcome.tally.to_string(), "0 passed, 1 failed");
    }

    #[test]
    fn ignored_tests_are_shown() {
        let tally = Tally { passed: 2, failed: 0, ignored: 1 };
        let outcome = Outcome::of_tests(Ok(TestRun { tally, complaint: None }));
        assert_eq!(outcome.result, "2 passed, 0 failed, 1 ignored");
    }
}
