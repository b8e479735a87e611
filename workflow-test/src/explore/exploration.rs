//! The builder of an exploration, and what it comes to.
//! In which order the search goes, and what is looked at in each execution, is told elsewhere.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use workflow_core::{Conclusion, Definition, Message, Payload, Step, StepFn, Workflow, WorkflowFn};

use crate::child_mock::ending_of;
use crate::explore::again::{self, Again};
use crate::explore::ending::Ending;
use crate::explore::order::Budget;
use crate::explore::plan::{Plan, Sample, SampleValue};
use crate::explore::regressions::Regressions;
use crate::explore::report::{Failure, Report};
use crate::explore::search::{Audience, Holds, Search};
use crate::explore::test_name::TestName;
use crate::histories::{Folder, Gallery, in_package};
use crate::history::End;
use crate::invent::invent_message;
use crate::oracle::elsewhere;
use crate::scenarios::Scenarios;
use crate::script::SharedScripts;
use crate::shape::{Shape, check_value};
use crate::violation::{Oracle, Violation};

/// The variable that lifts the budget: `WORKFLOW_EXPLORE=thorough`.
const EXPLORE: &str = "WORKFLOW_EXPLORE";

/// A number for these texts, the same on every machine and with every compiler (FNV-1a).
fn fingerprint<'a>(texts: impl Iterator<Item = &'a str>) -> u32 {
    let bytes = texts.flat_map(|text| text.bytes().chain([0]));
    bytes.fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// What is explored; made by [`crate::Explore::workflow`].
#[must_use = "nothing is explored before `.run()`"]
pub struct Exploration {
    definition: Definition,
    input: Payload,
    scripts: SharedScripts,
    test: TestName,
    ending: Option<Arc<Ending>>,
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
    histories: Option<PathBuf>,
}

impl Exploration {
    pub(crate) fn new(
        definition: Definition,
        input: Payload,
        scripts: SharedScripts,
        test: TestName,
        ending: Option<Arc<Ending>>,
    ) -> Exploration {
        Exploration {
            definition,
            input,
            scripts,
            test,
            ending,
            messages: Vec::new(),
            faults: 0,
            cancels: false,
            interleaves: false,
            before_patches: Vec::new(),
            crashes: false,
            always: Vec::new(),
            sometimes: Vec::new(),
            most_executions: 20_000,
            longest: Duration::from_secs(60),
            one_thread: None,
            histories: None,
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
    /// are gone on from once, unless what the test says about ends reads the order ([`End::writes`], [`End::sent`],
    /// [`End::published`], [`End::incidents`]): then each order counts. Of the samples that are drawn where the budget
    /// does not suffice, see [`Exploration::budget`], most take their orders by PCT: branches have priorities, which
    /// change at up to three places.
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

    /// A message of this type may come when the run waits for one; its value is made up, with the key that is waited
    /// for. Where that cannot be done, or the value matters, say [`Exploration::message`].
    ///
    /// Each wait is explored with a message that was there before, with one that comes in the last moment, and without
    /// one, so that the deadline passes. What comes later, or a second time, is there for the next wait.
    pub fn messages<M: Message>(mut self) -> Exploration {
        self.messages.push(Sample { name: M::NAME, value: SampleValue::MadeUp(invent_message::<M>) });
        self
    }

    /// This very message may come when the run waits for it; like [`Exploration::messages`].
    #[track_caller]
    pub fn message<M: Message>(mut self, sample: impl FnOnce() -> M) -> Exploration {
        let message = sample();
        let payload = Payload::of(&message)
            .unwrap_or_else(|error| panic!("the message `{}` cannot be stored: {error}", M::NAME));
        check_value::<M>(&payload, &format!("the message `{}`", M::NAME))
            .unwrap_or_else(|violation| panic!("{violation}"));
        let value = SampleValue::Given { key: message.key(), payload };
        self.messages.push(Sample { name: M::NAME, value });
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

    /// A value for an error of this mocked child, where none can be made up or the made-up one does not do.
    #[track_caller]
    pub fn sample_child<A, F: WorkflowFn<A>>(
        self,
        _workflow: F,
        output: <F::Workflow as Workflow>::Output,
    ) -> Exploration {
        let name = <F::Workflow as Workflow>::NAME;
        let ending = ending_of::<F::Workflow>(output).unwrap_or_else(|violation| panic!("{violation}"));
        assert!(
            matches!(ending, Conclusion::Failed { .. }),
            "a sample for the child `{name}` is an `Err(..)`; say how else it ends with `kit.on_child(..)`"
        );
        let is_mocked = self.scripts.borrow_mut().add_child_error(name, ending);
        assert!(is_mocked, "`{name}` is no mocked child; say `kit.on_child({name})` first");
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

    /// When the search ends though there is more: after 20,000 executions unless said otherwise. The time is a safety
    /// net, a minute unless said otherwise: where it ends the search, how far it came depends on the machine.
    ///
    /// The search begins with the execution in which all is usual, goes on with those in which one thing is not, at
    /// every place in turn, then two, and so on. As soon as more is left than the budget allows, every other execution
    /// is a sample of all instead; those are drawn, and are the same in every run of the test.
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

    /// Holds the golden histories of the workflow to what is explored: those in this folder, under
    /// `<workflow>/v<version>`, go through with the code of today, and every flow and compensation that an execution
    /// takes is in one of them. With `WORKFLOW_HISTORIES=write` in the environment what is missing is written, as few
    /// journals as possible; none is ever changed or removed. Relative paths begin at the test's package.
    ///
    /// [`replay_histories`](crate::replay_histories) replays them without exploring.
    pub fn histories(self, folder: impl AsRef<Path>) -> Exploration {
        Exploration { histories: Some(folder.as_ref().to_owned()), ..self }
    }

    /// Explores. Prints how much was explored; panics with the smallest failing schedule if one fails.
    ///
    /// What was left out, since the budget was used up, no value of an error is known, or no message is there that the
    /// run waits for, is written to the standard error, where it shows although the test passes. `.assert(complete())`
    /// makes it a failure.
    ///
    /// A schedule that fails is kept in `workflow-regressions/<test>.txt` in the package of the test, and tried first
    /// by every later run, until a person takes its line out.
    #[track_caller]
    pub fn run(self) -> Report {
        let again = again::given();
        let regressions = Regressions::of(&self.test, self.definition.name, &self.options());
        let regressions = regressions.filter(|_| again.is_none());
        match self.explore(again.as_deref(), regressions.as_ref()) {
            Ok(report) => {
                report.tell();
                report
            }
            Err(mut failure) => {
                regressions.iter().for_each(|regressions| regressions.keep(&mut failure));
                panic!("{failure}")
            }
        }
    }

    /// Explores, and gives a failure back instead of panicking with it. No schedule is kept, and none that was kept is
    /// tried first.
    ///
    /// # Errors
    /// The smallest failing schedule.
    pub fn try_run(self) -> Result<Report, Box<Failure>> {
        let again = again::given();
        self.explore(again.as_deref(), None)
    }

    /// What tells this exploration from others of the same test: what the numbers of a schedule depend on.
    fn options(&self) -> String {
        let said = [
            (self.faults == 1, "each_step_fails"),
            (self.faults > 1, "pairs"),
            (self.cancels, "cancel_at_every_write"),
            (self.interleaves, "interleave"),
            (self.crashes, "crash_at_every_write"),
        ];
        let mut options: Vec<&str> = said.into_iter().filter(|(is, _)| *is).map(|(_, name)| name).collect();
        options.extend(self.before_patches.iter().map(String::as_str));
        let values = self.messages.iter().flat_map(|sample| {
            let payload = match &sample.value {
                SampleValue::Given { payload, .. } => payload.as_json(),
                SampleValue::MadeUp(_) => "",
            };
            [sample.name, payload]
        });
        let values = fingerprint([self.input.as_json()].into_iter().chain(values));
        let values = format!("values {values:08x}");
        options.push(&values);
        options.join(", ")
    }

    fn explore(self, again: Option<&str>, regressions: Option<&Regressions>) -> Result<Report, Box<Failure>> {
        let name = self.definition.name;
        let number = self.test.count(name);
        let mut report = Report::new(self.definition, self.test, number);
        if let Some(regressions) = regressions {
            report.ending = Some(self.ending.unwrap_or_else(|| Ending::of_thread(regressions)));
        }
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
            reads_order: Cell::new(false),
        };
        match again.map(|again| Again::of(again, name, &report.whose())) {
            Some(Ok(Again::This(schedule))) => return search.repeat(schedule, report),
            Some(Ok(Again::Other(other))) => report.passed_over = Some(other),
            Some(Err(text)) => return Err(Failure::before(Violation::new(Oracle::Setup, text), report)),
            None => {}
        }
        if let (Some(regressions), Some(ending)) = (regressions, report.ending.clone()) {
            report = regressions.try_first(&search, &ending, report)?;
        }
        let (most_executions, longest) = match std::env::var(EXPLORE).as_deref() {
            Ok("thorough") => (self.most_executions.saturating_mul(50), self.longest.saturating_mul(50)),
            _ => (self.most_executions, self.longest),
        };
        let mut audience = Audience {
            gallery: self.histories.as_ref().map(|_| Gallery::of(&report.coverage)),
            scenarios: Scenarios::wanted(self.definition, &report.test),
        };
        report = search.explore(Budget { most_executions, longest }, &mut audience, report)?;
        report.unsampled.extend(search.plan.not_tried());
        let report = search.check_sometimes(report)?;
        let Audience { gallery, scenarios } = audience;
        if let Some(scenarios) = scenarios
            && let Err(error) = scenarios.write()
        {
            let text = format!("the scenarios cannot be written: {error}");
            return Err(Failure::before(Violation::new(Oracle::Setup, text), report));
        }
        let (Some(gallery), Some(folder)) = (gallery, &self.histories) else { return Ok(report) };
        let folder = Folder::of(&in_package(folder, report.test.package()), &self.definition);
        match folder.hold(&gallery, &report.coverage, search.plan.oracles.walker(), &report.test.function) {
            Ok(()) => Ok(report),
            Err(text) => Err(Failure::before(Violation::new(Oracle::History, text), report)),
        }
    }
}
