//! Schedules that have failed: kept in a file beside the test's package, and tried first by every later run.
//! They are added by failing runs, and taken out by people only.
//!
//! A file is shared by all explorations of one test, and by tests of the same name in several files. So each line says
//! of which exploration it is: all of them try it, but only that one can tell that it does not fit any more. What is
//! left that no exploration is the one of, and that fits none, is told when the test ends.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::coverage::file_name;
use crate::explore::choices::Schedule;
use crate::explore::ending::Ending;
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
#[derive(Clone, Debug)]
pub(crate) struct Regressions {
    file: PathBuf,
    /// Relative to the package.
    name: String,
    workflow: &'static str,
    /// Which exploration it is.
    origin: String,
    program: String,
    test: String,
}

/// A line of the file.
struct Kept {
    /// Without the name of the workflow.
    schedule: String,
    /// Which exploration it failed in; `None` in files of the first releases.
    origin: Option<String>,
    /// As it stands in the file.
    line: String,
}

impl Regressions {
    /// `None` when it is not known which test runs, or where its package is.
    pub(crate) fn of(test: &TestName, workflow: &'static str, options: &str) -> Option<Regressions> {
        let package = test.package().filter(|_| !test.path.is_empty())?;
        let name = format!("{FOLDER}/{}.txt", file_name(&test.path));
        let program = test.program();
        let origin = format!("{program}: {options}");
        let (file, test) = (package.join(&name), test.path.clone());
        Some(Regressions { file, name, workflow, origin, program, test })
    }

    /// Tries what is kept of this workflow.
    pub(crate) fn try_first(
        &self,
        search: &Search,
        ending: &Ending,
        mut report: Report,
    ) -> Result<Report, Box<Failure>> {
        let mut tried = Vec::new();
        for Kept { schedule: text, origin, line } in self.schedules() {
            let Some(schedule) = Schedule::parse(&text) else {
                report.stale.push(format!("`{text}` in {} is no schedule", self.name));
                tried.push(line);
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
            if is_own || is_same {
                tried.push(line);
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
        ending.note_tried(self, tried);
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

    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    pub(crate) fn test(&self) -> &str {
        &self.test
    }

    /// The lines that say that they are of explorations of this program, whatever they explore.
    pub(crate) fn lines_of_program(&self) -> Vec<String> {
        let text = fs::read_to_string(&self.file).unwrap_or_default();
        let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
        let of_program = lines.filter(|line| {
            let origin = line.split_once('#').and_then(|(_, origin)| origin.split_once(':'));
            origin.is_some_and(|(program, _)| program.trim() == self.program)
        });
        of_program.map(str::to_owned).collect()
    }

    /// That no exploration of the test has anything to do with this line any more.
    pub(crate) fn explain_dead(&self, line: &str) -> String {
        let schedule = line.split_once('#').map_or(line, |(schedule, _)| schedule).trim();
        format!(
            "the schedule `{schedule}` in {} fits no exploration of this test, which has others now, and protects \
             nothing any more; explore again what it is of (its line says how), or remove the line once you have \
             seen that what it found cannot happen any more",
            self.name
        )
    }

    /// The schedules of this workflow.
    fn schedules(&self) -> Vec<Kept> {
        let text = fs::read_to_string(&self.file).unwrap_or_default();
        let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
        let of_this =
            lines.filter_map(|line| Some((line, line.strip_prefix(self.workflow)?.strip_prefix(':')?)));
        let kept = of_this.map(|(line, text)| {
            let (schedule, origin) = match text.split_once('#') {
                Some((schedule, origin)) => (schedule.trim(), Some(origin.trim().to_owned())),
                None => (text, None),
            };
            Kept { schedule: schedule.to_owned(), origin, line: line.to_owned() }
        });
        kept.collect()
    }
}
