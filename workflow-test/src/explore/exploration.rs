//! The builder of an exploration, and its search: depth first over the traces of choices, crashes for each.
//! What an execution is, and how a failure is made small, is told elsewhere.

use std::cell::Cell;
use std::time::{Duration, Instant};

use workflow_core::{Definition, Message, Payload, Step, StepFn};

use crate::annals::Annals;
use crate::explore::batch::Batch;
use crate::explore::choices::{self, Choices, Schedule};
use crate::explore::crash::crash;
use crate::explore::execution::{Execution, Known, execute};
use crate::explore::plan::{Plan, Sample};
use crate::explore::report::{Failure, Report};
use crate::explore::shrink::shrink;
use crate::explore::test_name::TestName;
use crate::history::End;
use crate::oracle::elsewhere;
use crate::script::SharedScripts;
use crate::shape::{Shape, check_value};
use crate::violation::{Oracle, Violation};

/// The variable that repeats one schedule: `WORKFLOW_SCHEDULE=fulfil_order:2.5`.
const SCHEDULE: &str = "WORKFLOW_SCHEDULE";

/// The variable that lifts the budget: `WORKFLOW_EXPLORE=thorough`.
const EXPLORE: &str = "WORKFLOW_EXPLORE";

type Holds = Box<dyn Fn(&End<'_>) -> bool>;

/// What is explored; made by [`crate::Explore::workflow`].
#[must_use = "nothing is explored before `.run()`"]
pub struct Exploration {
    definition: Definition,
    input: Payload,
    scripts: SharedScripts,
    test: TestName,
    messages: Vec<Sample>,
    faults: u32,
    cancels: bool,
    interleaves: bool,
    before_patches: Vec<String>,
    crashes: bool,
    always: Vec<(String, Holds)>,
    sometimes: Vec<(String, Holds, Cell<bool>)>,
    most_executions: usize,
    longest: Duration,
    one_thread: Option<String>,
}

impl Exploration {
    pub(crate) fn new(
        definition: Definition,
        input: Payload,
        scripts: SharedScripts,
        test: TestName,
    ) -> Exploration {
        Exploration {
            definition,
            input,
            scripts,
            test,
            messages: Vec::new(),
            faults: 0,
            cancels: false,
            interleaves: false,
            before_patches: Vec::new(),
            crashes: false,
            always: Vec::new(),
            sometimes: Vec::new(),
            most_executions: 20_000,
            longest: Duration::from_secs(2),
            one_thread: None,
        }
    }

    /// Each attempt of each step may go wrong in each of its ways: every variant of its error, a panic, and a
    /// timeout where it has one; what is retried goes wrong once, and until its policy gives up. One thing goes
    /// wrong per execution.
    pub fn each_step_fails(self) -> Exploration {
        Exploration { faults: self.faults.max(1), ..self }
    }

    /// Two things go wrong per execution.
    pub fn pairs(self) -> Exploration {
        Exploration { faults: 2, ..self }
    }

    /// A cancel may come after each write; it counts as one of the things that go wrong.
    pub fn cancel_at_every_write(self) -> Exploration {
        Exploration { cancels: true, faults: self.faults.max(1), ..self }
    }

    /// Which of several things happens first is a choice: steps and children take as long as they like, messages come
    /// when they come, and only timers are punctual. All orders are tried, except that two which lead to the same state
    /// are gone on from once; where that takes more than half the budget, the rest of it is spent on samples of all
    /// orders, which are the same in every run of the test.
    ///
    /// Without this, what is due at the same time happens in the order in which it was asked for.
    pub fn interleave(self) -> Exploration {
        Exploration { interleaves: true, ..self }
    }

    /// The run passed the place of this change before it was made: `patched(id)` is false for it.
    pub fn before_patch(mut self, id: &str) -> Exploration {
        self.before_patches.push(id.to_owned());
        self
    }

    /// After each write of each execution the run is dropped, rebuilt from its journal, and compared with the
    /// run that was not dropped.
    pub fn crash_at_every_write(self) -> Exploration {
        Exploration { crashes: true, ..self }
    }

    /// This message may come while the run waits for it; that its deadline passes instead is explored, too.
    #[track_caller]
    pub fn messages<M: Message>(mut self, sample: impl FnOnce() -> M) -> Exploration {
        let message = sample();
        let payload = Payload::of(&message)
            .unwrap_or_else(|error| panic!("the message `{}` cannot be stored: {error}", M::NAME));
        check_value::<M>(&payload, &format!("the message `{}`", M::NAME))
            .unwrap_or_else(|violation| panic!("{violation}"));
        self.messages.push(Sample { name: M::NAME, key: message.key(), payload });
        self
    }

    /// A value for an error of this step, where none can be made up or the made-up one does not do.
    #[track_caller]
    pub fn sample<A, F: StepFn<A>>(self, _step: F, output: <F::Step as Step>::Output) -> Exploration {
        let shape = Shape::of::<F::Step>();
        let name = &shape.def.facts.name;
        let output = Payload::of(&output)
            .unwrap_or_else(|error| panic!("the output for `{name}` cannot be stored: {error}"));
        let error = shape.error_in(&output).unwrap_or_else(|violation| panic!("{violation}"));
        assert!(
            error.is_some(),
            "a sample for `{name}` is an `Err(..)`; say what it returns with `kit.on(..)`"
        );
        self.scripts.borrow_mut().of(&shape).samples.insert(0, output);
        self
    }

    /// This holds at the end of every execution.
    pub fn always(mut self, name: &str, holds: impl Fn(&End<'_>) -> bool + 'static) -> Exploration {
        self.always.push((name.to_owned(), Box::new(holds)));
        self
    }

    /// This holds at the end of at least one execution.
    pub fn sometimes(mut self, name: &str, holds: impl Fn(&End<'_>) -> bool + 'static) -> Exploration {
        self.sometimes.push((name.to_owned(), Box::new(holds), Cell::new(false)));
        self
    }

    /// When the search ends though there is more: 20,000 executions or two seconds unless said otherwise.
    pub fn budget(self, executions: usize, duration: Duration) -> Exploration {
        Exploration { most_executions: executions, longest: duration, ..self }
    }

    /// The executions are not run a second time on another thread, for this reason; the report repeats it.
    #[track_caller]
    pub fn on_one_thread(mut self, reason: &str) -> Exploration {
        elsewhere::assert_reason(reason);
        self.one_thread = Some(reason.to_owned());
        self
    }

    /// Explores. Prints how much was explored; panics with the smallest failing schedule if one fails.
    #[track_caller]
    pub fn run(self) -> Report {
        match self.try_run() {
            Ok(report) => {
                println!("{report}");
                report
            }
            Err(failure) => panic!("{failure}"),
        }
    }

    /// Explores, and gives a failure back instead of panicking with it.
    ///
    /// # Errors
    /// The smallest failing schedule.
    pub fn try_run(self) -> Result<Report, Box<Failure>> {
        let again = std::env::var(SCHEDULE).ok();
        self.explore(again.as_deref())
    }

    fn explore(self, again: Option<&str>) -> Result<Report, Box<Failure>> {
        let name = self.definition.name;
        let mut report = Report::new(self.definition, self.test);
        let plan = match Plan::new(self.definition, self.input, self.scripts) {
            Ok(plan) => plan,
            Err(violation) => return Err(Failure::before(violation, report)),
        };
        let plan = Plan {
            faults: self.faults,
            cancels: self.cancels,
            interleaves: self.interleaves,
            before_patches: self.before_patches.into(),
            messages: self.messages,
            ..plan
        };
        if let Err(violation) = plan.check_messages() {
            return Err(Failure::before(violation, report));
        }
        report.unsampled = plan.unsampled();
        report.one_thread = self.one_thread.clone();
        let search = Search {
            plan,
            crashes: self.crashes,
            elsewhere: self.one_thread.is_none(),
            always: self.always,
            sometimes: self.sometimes,
        };
        if let Some(schedule) = again.and_then(|again| again.strip_prefix(name)?.strip_prefix(':')) {
            return search.repeat(schedule, report);
        }
        let (most_executions, longest) = match std::env::var(EXPLORE).as_deref() {
            Ok("thorough") => (self.most_executions.saturating_mul(50), self.longest.saturating_mul(50)),
            _ => (self.most_executions, self.longest),
        };
        // What is left when all cannot be tried goes to samples of all.
        let (in_order, until) =
            if self.interleaves { (most_executions / 2, longest / 2) } else { (most_executions, longest) };
        let begun = Instant::now();
        let mut known = Known::new();
        let mut batch = Batch::default();
        let mut given = Some(Vec::new());
        while let Some(choices) = given {
            if report.executions >= in_order || begun.elapsed() >= until {
                report.is_complete = false;
                break;
            }
            let known = self.interleaves.then_some(&mut known);
            let execution = execute(&search.plan, Choices::given(choices), known);
            report.executions += 1;
            given = choices::next(execution.made.clone());
            report = batch.look_at(&search, execution, report)?;
            report.elapsed = begun.elapsed();
        }
        while !report.is_complete
            && self.interleaves
            && report.executions < most_executions
            && begun.elapsed() < longest
        {
            let execution = execute(&search.plan, Choices::drawn(report.samples as u64), None);
            report.executions += 1;
            report.samples += 1;
            report = batch.look_at(&search, execution, report)?;
            report.elapsed = begun.elapsed();
        }
        report = batch.look_elsewhere(&search, report)?;
        report.elapsed = begun.elapsed();
        search.check_sometimes(report)
    }
}

/// A plan with what the test says about its ends.
pub(crate) struct Search {
    plan: Plan,
    crashes: bool,
    /// Whether everything is run again on another thread.
    elsewhere: bool,
    always: Vec<(String, Holds)>,
    sometimes: Vec<(String, Holds, Cell<bool>)>,
}

/// One schedule, tried.
pub(crate) struct Attempted {
    pub(crate) schedule: Schedule,
    pub(crate) annals: Annals,
    pub(crate) violation: Option<Violation>,
}

impl Search {
    /// Tries one schedule.
    pub(crate) fn attempt(&self, schedule: &Schedule) -> Attempted {
        let execution = execute(&self.plan, Choices::given(schedule.choices.clone()), None);
        let crash_after = schedule.crash.filter(|&writes| writes < execution.annals.rows.len());
        let again = || if self.elsewhere { elsewhere::check(&execution.annals).err() } else { None };
        let crashed = || crash(&self.plan, &execution, crash_after?).err();
        let violation = self.judge(&execution).or_else(crashed).or_else(again);
        Attempted {
            schedule: Schedule::of(&execution.made, crash_after),
            annals: execution.annals,
            violation,
        }
    }

    /// Counts an execution, crashes it, and says what is wrong with it if anything is.
    pub(crate) fn look_at(&self, execution: &Execution, mut report: Report) -> Result<Report, Box<Failure>> {
        let mut violation = self.judge(execution);
        let mut crashed_after = None;
        if let Ok(paths) = &execution.verdict {
            paths.iter().for_each(|path| report.coverage.count(path));
            report.coverage.count_compensations(&execution.annals, self.plan.oracles.walker());
        }
        if self.crashes && violation.is_none() {
            // What an execution that is cut short has in common with another one was crashed there.
            let first = if execution.is_cut_short { execution.given_rows.max(1) } else { 1 };
            for writes in first..execution.annals.rows.len() {
                report.crashes += 1;
                report.coverage.count_crash(&execution.annals, writes, self.plan.oracles.walker());
                if let Err(found) = crash(&self.plan, execution, writes) {
                    (violation, crashed_after) = (Some(found), Some(writes));
                    break;
                }
            }
        }
        if violation.is_none() {
            return Ok(report);
        }
        let schedule = Schedule::of(&execution.made, crashed_after);
        let found = Attempted { schedule, annals: execution.annals.clone(), violation };
        Err(Failure::of(shrink(self, found), report))
    }

    pub(crate) fn looks_elsewhere(&self) -> bool {
        self.elsewhere
    }

    /// What is wrong with an execution that did not crash.
    fn judge(&self, execution: &Execution) -> Option<Violation> {
        if let Err(violation) = &execution.verdict {
            return Some(violation.clone());
        }
        let root = execution.annals.of_root().last()?;
        let end = End::new(&execution.annals, execution.annals.conclusion(root)?);
        for (_, holds, seen) in &self.sometimes {
            if !seen.get() {
                seen.set(holds(&end));
            }
        }
        let broken = self.always.iter().find(|(_, holds)| !holds(&end));
        broken.map(|(name, _)| Violation::new(Oracle::Always, format!("`{name}` does not hold at the end")))
    }

    fn repeat(&self, schedule: &str, mut report: Report) -> Result<Report, Box<Failure>> {
        let Some(schedule) = Schedule::parse(schedule) else {
            let text = format!("{SCHEDULE} does not hold a schedule: `{schedule}`");
            return Err(Failure::before(Violation::new(Oracle::Mock, text), report));
        };
        let attempted = self.attempt(&schedule);
        report.executions = 1;
        report.crashes = usize::from(attempted.schedule.crash.is_some());
        report.repeated = Some(attempted.schedule.to_string());
        if attempted.violation.is_some() {
            return Err(Failure::of(attempted, report));
        }
        Ok(report)
    }

    fn check_sometimes(&self, report: Report) -> Result<Report, Box<Failure>> {
        let Some((name, ..)) = self.sometimes.iter().find(|(_, _, seen)| !seen.get()) else {
            return Ok(report);
        };
        let limit = if report.is_complete { "" } else { ", but the budget was used up before all had been" };
        let text = format!("`{name}` held in none of {} executions{limit}", report.executions);
        Err(Failure::before(Violation::new(Oracle::Sometimes, text), report))
    }
}
