//! What an exploration tells people: how much was explored, or the smallest schedule that fails.
//! Text; nothing here runs anything.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use workflow_core::Definition;

use crate::coverage::{Coverage, Demand, Scale, target_folder};
use crate::explore::search::Attempted;
use crate::explore::test_name::TestName;
use crate::transcript;
use crate::violation::Violation;

/// How much was explored.
#[derive(Clone, Debug)]
pub struct Report {
    /// The workflow.
    pub workflow: &'static str,
    /// How many executions were run, without those that crashed.
    pub executions: usize,
    /// How many of them were drawn from all orders, most of them by PCT, since not all orders could be tried.
    pub samples: usize,
    /// How many times one of them was run again with a crash.
    pub crashes: usize,
    /// How long that took.
    pub elapsed: Duration,
    /// Whether everything was explored; if not, the budget was used up.
    pub is_complete: bool,
    /// The schedule that was repeated instead of exploring, if the environment asked for one.
    pub repeated: Option<String>,
    /// How many schedules were tried first, since they failed in an earlier run.
    pub kept: usize,
    /// Schedules that were kept and no longer fit the code, one sentence each.
    pub stale: Vec<String>,
    /// Errors that were not explored, since no value of them is known.
    pub unsampled: Vec<String>,
    /// Why nothing was executed a second time on another thread; `None` when everything was.
    pub one_thread: Option<String>,
    pub(crate) coverage: Coverage,
    pub(crate) test: TestName,
}

impl Report {
    pub(crate) fn new(definition: Definition, test: TestName) -> Report {
        Report {
            workflow: definition.name,
            executions: 0,
            samples: 0,
            crashes: 0,
            elapsed: Duration::ZERO,
            is_complete: true,
            repeated: None,
            kept: 0,
            stale: Vec::new(),
            unsampled: Vec::new(),
            one_thread: None,
            coverage: Coverage::of(definition),
            test,
        }
    }

    /// Which parts of the diagram the executions took.
    pub fn taken(&self) -> &Coverage {
        &self.coverage
    }

    /// Writes which parts of the diagram were taken: below this folder, in `<workflow>/v<version>`, the page
    /// `index.html` with the picture, `coverage.json`, and `lcov.info`. What other tests have written of the same
    /// workflow counts as well. A path that begins with `target` means cargo's target folder; another relative one
    /// begins at the test's package. One schedule that is repeated writes nothing.
    ///
    /// # Panics
    /// When the files cannot be written.
    #[track_caller]
    pub fn coverage(&self, folder: impl AsRef<Path>) -> &Report {
        if self.repeated.is_some() {
            return self;
        }
        let folder = target_folder(folder.as_ref(), self.test.package());
        let scale = Scale { executions: self.executions, crashes: self.crashes };
        match self.coverage.write(&folder, &self.test.in_program(), scale) {
            Ok(page) => println!("{}: the coverage is drawn in {}", self.workflow, page.display()),
            Err(error) => panic!("the coverage cannot be written to {}: {error}", folder.display()),
        }
        self
    }

    /// Demands a share of the diagram: `report.assert(edges(1.0))`. One schedule that is repeated demands nothing.
    #[track_caller]
    pub fn assert(&self, demand: Demand) -> &Report {
        if self.repeated.is_none()
            && let Err(text) = self.coverage.meets(&demand)
        {
            panic!("{text}");
        }
        self
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { workflow, executions, samples, crashes, elapsed, .. } = self;
        if let Some(schedule) = &self.repeated {
            return write!(f, "{workflow}: the schedule {schedule} was repeated, and nothing is wrong");
        }
        write!(f, "{workflow}: {executions} executions, {crashes} crashes, {:.3} s", elapsed.as_secs_f64())?;
        if !self.is_complete {
            write!(f, "\n  NOT ALL WAS EXPLORED: the budget was used up; see `.budget(..)`")?;
            if *samples > 0 {
                let in_order = executions - samples;
                write!(
                    f,
                    "\n  after {in_order} executions the search went over from all orders to PCT: {samples} of the "
                )?;
                write!(
                    f,
                    "executions were drawn from all orders, by priorities that change at up to three places"
                )?;
            }
        }
        match self.kept {
            0 => {}
            1 => write!(f, "\n  1 schedule that failed once was tried first")?,
            kept => write!(f, "\n  {kept} schedules that failed once were tried first")?,
        }
        for stale in &self.stale {
            write!(f, "\n  STALE: {stale}")?;
        }
        for unsampled in &self.unsampled {
            write!(f, "\n  NOT EXPLORED: {unsampled}")?;
        }
        if let Some(reason) = &self.one_thread {
            write!(f, "\n  NOT RUN ON ANOTHER THREAD: {reason}")?;
        }
        Ok(())
    }
}

/// What an exploration found.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What is wrong.
    pub violation: Violation,
    /// The smallest schedule found that shows it: `fulfil_order:2.5`; `None` when no run shows it.
    pub schedule: Option<String>,
    /// What happens under that schedule, one line per event.
    pub story: String,
    /// Where the schedule is kept, in words; `None` when it is not.
    pub kept: Option<String>,
    /// How much was explored until it was found.
    pub report: Report,
}

impl Failure {
    /// A failure that no schedule shows.
    pub(crate) fn before(violation: Violation, report: Report) -> Box<Failure> {
        Box::new(Failure { violation, schedule: None, story: String::new(), kept: None, report })
    }

    pub(crate) fn of(attempted: Attempted, report: Report) -> Box<Failure> {
        let Attempted { schedule, annals, violation } = attempted;
        let violation = violation.expect("only a schedule that fails is a failure");
        let mut story = transcript::text(&annals);
        if let Some(writes) = schedule.crash {
            story.push_str(&format!("crash after write {writes}\n"));
        }
        let schedule = Some(format!("{}:{schedule}", report.workflow));
        Box::new(Failure { violation, schedule, story, kept: None, report })
    }
}

impl std::error::Error for Failure {}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.violation)?;
        for line in self.story.lines() {
            write!(f, "\n  {line}")?;
        }
        if let Some(schedule) = &self.schedule {
            let line =
                format!("again: WORKFLOW_SCHEDULE={schedule} cargo test {}", self.report.test.function);
            write!(f, "\n  {}", line.trim_end())?;
        }
        if let Some(kept) = &self.kept {
            write!(f, "\n  {kept}")?;
        }
        for stale in &self.report.stale {
            write!(f, "\n  STALE: {stale}")?;
        }
        for unsampled in &self.report.unsampled {
            write!(f, "\n  NOT EXPLORED: {unsampled}")?;
        }
        Ok(())
    }
}
