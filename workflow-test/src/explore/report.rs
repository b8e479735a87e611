//! What an exploration tells people: how much was explored, or the smallest schedule that fails.
//! Text; nothing here runs anything.

use std::fmt;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use workflow_core::Definition;

use crate::coverage::{Coverage, Demand, Demanded, Scale, target_folder};
use crate::explore::again::SCHEDULE;
use crate::explore::ending::Ending;
use crate::explore::search::Attempted;
use crate::explore::test_name::TestName;
use crate::places;
use crate::transcript;
use crate::violation::Violation;

/// How much was explored.
#[derive(Clone, Debug)]
pub struct Report {
    /// The workflow.
    pub workflow: &'static str,
    /// How many executions were run, without those that crashed.
    pub executions: usize,
    /// How many of them were drawn from all that can happen, since not all could be tried.
    pub samples: usize,
    /// How many times one of them was run again with a crash.
    pub crashes: usize,
    /// How long that took.
    pub elapsed: Duration,
    /// Whether everything was explored; if not, the budget was used up.
    pub is_complete: bool,
    /// The time was up before the executions were used up: how far the search came depends on the machine.
    pub is_out_of_time: bool,
    /// The schedule that was repeated instead of exploring, if the environment asked for one.
    pub repeated: Option<String>,
    /// The schedule in the environment, which is of another exploration, so that this one was made as usual.
    pub(crate) passed_over: Option<String>,
    /// How many schedules were tried first, since they failed in an earlier run.
    pub kept: usize,
    /// Schedules that were kept and no longer fit the code, one sentence each.
    pub stale: Vec<String>,
    /// What was not explored, and what to say so that it is: errors of which no value is known, waits for messages of
    /// which none is there, detached children without an end.
    pub unsampled: Vec<String>,
    /// Why nothing was executed a second time on another thread; `None` when everything was.
    pub one_thread: Option<String>,
    pub(crate) coverage: Coverage,
    pub(crate) test: TestName,
    /// Which of the explorations of this workflow in its test it is, counted from 1.
    pub(crate) number: usize,
    /// Set where schedules are kept.
    pub(crate) ending: Option<Arc<Ending>>,
}

impl Report {
    pub(crate) fn new(definition: Definition, test: TestName, number: usize) -> Report {
        Report {
            workflow: definition.name,
            executions: 0,
            samples: 0,
            crashes: 0,
            elapsed: Duration::ZERO,
            is_complete: true,
            is_out_of_time: false,
            repeated: None,
            passed_over: None,
            kept: 0,
            stale: Vec::new(),
            unsampled: Vec::new(),
            one_thread: None,
            coverage: Coverage::of(definition),
            test,
            number,
            ending: None,
        }
    }

    /// What the exploration is called where one schedule is repeated.
    pub(crate) fn whose(&self) -> String {
        match (self.number, self.test.path.is_empty()) {
            (_, true) => String::new(),
            (1, false) => self.test.in_program(),
            (number, false) => format!("{}#{number}", self.test.in_program()),
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

    /// Demands a share of the diagram, `report.assert(edges(1.0))`, or that nothing was left out,
    /// `report.assert(complete())`. One schedule that is repeated demands nothing.
    #[track_caller]
    pub fn assert(&self, demand: Demand) -> &Report {
        if self.repeated.is_some() {
            return self;
        }
        let met = match demand.0 {
            Demanded::Share { what, share } => self.coverage.meets(what, share),
            Demanded::Complete => {
                self.ending.iter().for_each(|ending| ending.demand_all());
                self.is_all()
            }
        };
        if let Err(text) = met {
            panic!("{text}");
        }
        self
    }

    fn is_all(&self) -> Result<(), String> {
        let left_out = self.left_out();
        if left_out.is_empty() {
            return Ok(());
        }
        let Report { workflow, executions, .. } = self;
        Err(format!("not all of `{workflow}` was explored, in {executions} executions{}", lines(&left_out)))
    }

    /// What people should know who see that the test has passed: what was not explored, line by line.
    pub(crate) fn left_out(&self) -> Vec<String> {
        let mut left_out = Vec::new();
        if !self.is_complete {
            let what = if self.is_out_of_time {
                "the time was up, and how far the search came depends on the machine"
            } else {
                "the budget was used up"
            };
            left_out.push(format!("NOT ALL WAS EXPLORED: {what}; see `.budget(..)`"));
        }
        left_out.extend(self.stale.iter().map(|stale| format!("STALE: {stale}")));
        left_out.extend(self.unsampled.iter().map(|unsampled| format!("NOT EXPLORED: {unsampled}")));
        left_out
    }

    /// Says it to people. The harness shows nothing of what a test that passes prints; what was left out goes to the
    /// standard error itself, which it does not take.
    pub(crate) fn tell(&self) {
        println!("{self}");
        let mut left_out = self.left_out();
        left_out.extend(self.passed_over.clone());
        if !left_out.is_empty() {
            let text = format!("{} ({}){}\n", self.workflow, self.test.path, lines(&left_out));
            // A closed standard error is no reason to fail a test.
            let _ = io::stderr().write_all(text.as_bytes());
        }
    }
}

/// Each on a line of its own below what was said before.
fn lines(lines: &[String]) -> String {
    lines.iter().map(|line| format!("\n  {line}")).collect()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { workflow, executions, samples, crashes, elapsed, .. } = self;
        if let Some(schedule) = &self.repeated {
            write!(f, "{workflow}: the schedule {schedule} was repeated, and nothing is wrong")?;
            return f.write_str(&lines(&self.left_out()));
        }
        write!(f, "{workflow}: {executions} executions, {crashes} crashes, {:.3} s", elapsed.as_secs_f64())?;
        f.write_str(&lines(&self.left_out()))?;
        if *samples > 0 {
            write!(f, "\n  {samples} of the executions were drawn from all that can happen, orders by PCT")?;
        }
        match self.kept {
            0 => {}
            1 => write!(f, "\n  1 schedule that failed once was tried first")?,
            kept => write!(f, "\n  {kept} schedules that failed once were tried first")?,
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
    /// The same with the places of what it names, as [`Display`](fmt::Display) begins.
    pub(crate) told: String,
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
        let told = violation.to_string();
        Box::new(Failure { violation, schedule: None, told, story: String::new(), kept: None, report })
    }

    pub(crate) fn of(attempted: Attempted, report: Report) -> Box<Failure> {
        let Attempted { schedule, annals, violation } = attempted;
        let violation = violation.expect("only a schedule that fails is a failure");
        let told = places::told(&violation, &annals);
        let mut story = transcript::text(&annals);
        if let Some(writes) = schedule.crash {
            story.push_str(&format!("crash after write {writes}\n"));
        }
        let schedule = Some(format!("{}:{schedule}", report.workflow));
        Box::new(Failure { violation, schedule, told, story, kept: None, report })
    }
}

impl std::error::Error for Failure {}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told)?;
        for line in self.story.lines() {
            write!(f, "\n  {line}")?;
        }
        if let Some(schedule) = &self.schedule {
            let whose = self.report.whose();
            let at = if whose.is_empty() { "" } else { "@" };
            let test = &self.report.test.function;
            // A shell takes parentheses for its own.
            let quote = if schedule.contains('(') { "'" } else { "" };
            let line = format!("again: {SCHEDULE}={quote}{schedule}{at}{whose}{quote} cargo test {test}");
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
