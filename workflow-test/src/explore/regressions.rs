//! Schedules that have failed: kept in a file beside the test's package, and tried first by every later run.
//! They are added by failing runs, and taken out by people only.
//!
//! A file is shared by all explorations of one test, and by tests of the same name in several files. So each line says
//! of which exploration it is: all of them try it, but only that one can tell that it does not fit any more.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;

use crate::coverage::file_name;
use crate::explore::choices::Schedule;
use crate::explore::report::{Failure, Report};
use crate::explore::search::Search;
use crate::explore::test_name::TestName;

/// The folder in the package.
const FOLDER: &str = "workflow-regressions";

const HEAD: &str = "\
# Schedules that failed once. Every run of the test tries them first. Commit this file; when a schedule no longer
# fits the code, the test says so, and a person takes its line out.
";

/// The file of one test.
pub(crate) struct Regressions {
    file: PathBuf,
    /// Relative to the package.
    name: String,
    workflow: &'static str,
    /// Which exploration it is.
    origin: String,
}

/// A line of the file.
struct Kept {
    /// Without the name of the workflow.
    schedule: String,
    /// Which exploration it failed in; `None` in files of the first releases.
    origin: Option<String>,
}

impl Regressions {
    /// `None` when it is not known which test runs, or where its package is.
    pub(crate) fn of(test: &TestName, workflow: &'static str, options: &str) -> Option<Regressions> {
        let package = test.package().filter(|_| !test.path.is_empty())?;
        let name = format!("{FOLDER}/{}.txt", file_name(&test.path));
        let origin = format!("{}: {options}", test.program());
        Some(Regressions { file: package.join(&name), name, workflow, origin })
    }

    /// Tries what is kept of this workflow.
    pub(crate) fn try_first(&self, search: &Search, mut report: Report) -> Result<Report, Box<Failure>> {
        for Kept { schedule: text, origin } in self.schedules() {
            let Some(schedule) = Schedule::parse(&text) else {
                report.stale.push(format!("`{text}` in {} is no schedule", self.name));
                continue;
            };
            let attempted = search.attempt(&schedule);
            report.kept += 1;
            let is_own = origin.as_ref().is_none_or(|origin| *origin == self.origin);
            let is_same = attempted.schedule == schedule.without_usual_end();
            if attempted.violation.is_some() {
                let mut failure = Failure::of(attempted, report);
                failure.kept = Some(format!("it is kept in {}", self.name));
                return Err(failure);
            }
            if !is_same && is_own {
                let other = match origin {
                    Some(_) => "",
                    None => ", unless it is of another exploration of this test, which lines of today say",
                };
                report.stale.push(format!(
                    "the schedule `{}:{text}` in {} no longer fits the code, which has other choices now; remove the \
                     line once you have seen that what it found cannot happen any more{other}",
                    self.workflow, self.name
                ));
            }
        }
        Ok(report)
    }

    /// Keeps the schedule of a failure, and says where in the failure.
    pub(crate) fn keep(&self, failure: &mut Failure) {
        let Some(schedule) = failure.schedule.as_ref().filter(|_| failure.kept.is_none()) else { return };
        failure.kept = Some(match self.append(schedule, &failure.violation.to_string()) {
            Ok(()) => format!("from now on it is tried first: it is kept in {}", self.name),
            Err(error) => format!("it cannot be kept in {}: {error}", self.file.display()),
        });
    }

    fn append(&self, schedule: &str, why: &str) -> io::Result<()> {
        let known = fs::read_to_string(&self.file).unwrap_or_default();
        let line = format!("{schedule} # {}", self.origin);
        if known.lines().any(|known| known.trim() == line) {
            return Ok(());
        }
        if let Some(folder) = self.file.parent() {
            fs::create_dir_all(folder)?;
        }
        let head = if known.is_empty() { HEAD } else { "" };
        let end = if known.is_empty() || known.ends_with('\n') { "" } else { "\n" };
        let why = why.lines().next().unwrap_or_default();
        let mut file = OpenOptions::new().append(true).create(true).open(&self.file)?;
        file.write_all(format!("{end}{head}\n# {why}\n{line}\n").as_bytes())
    }

    /// The schedules of this workflow.
    fn schedules(&self) -> Vec<Kept> {
        let text = fs::read_to_string(&self.file).unwrap_or_default();
        let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
        let of_this = lines.filter_map(|line| line.strip_prefix(self.workflow)?.strip_prefix(':'));
        let kept = of_this.map(|line| match line.split_once('#') {
            Some((schedule, origin)) => {
                Kept { schedule: schedule.trim().to_owned(), origin: Some(origin.trim().to_owned()) }
            }
            None => Kept { schedule: line.to_owned(), origin: None },
        });
        kept.collect()
    }
}
