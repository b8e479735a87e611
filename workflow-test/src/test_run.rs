//! A run in a test: lets it go on, gives it messages, and asks how it went.
//! It never waits: the clock jumps to whatever is due next.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::rc::Rc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use workflow_core::{
    Conclusion, Definition, Event, Fallible, Message, Payload, Record, Storable, Timestamp, Workflow,
};

use workflow_graph::Trigger;

use crate::agenda::Delivery;
use crate::driver::{Call, Deed, Driver, Wait, World};
use crate::history::{self, Names, Outcome};
use crate::oracle::Oracles;
use crate::script::{Served, SharedScripts};
use crate::shape::check_value;
use crate::transcript;
use crate::violation::Violation;

/// The id under which the kit starts runs.
pub(crate) const RUN_ID: &str = "run";

/// A run that a test drives. Once it has ended, and when it is dropped, it is held against the oracles.
pub struct TestRun<W: Workflow> {
    inside: RefCell<Inside>,
    _workflow: PhantomData<fn() -> W>,
}

struct Inside {
    definition: Definition,
    driver: Driver,
    outside: Outside,
    oracles: Oracles,
    is_checked: bool,
}

/// The world of a test: mocks, and messages that came before anybody waited for them.
struct Outside {
    definition: Definition,
    scripts: SharedScripts,
    served: Rc<RefCell<Served>>,
    kept: Vec<Kept>,
    messages: u32,
}

struct Kept {
    name: &'static str,
    key: String,
    message_id: String,
    payload: Payload,
}

impl World for Outside {
    fn attempt(&mut self, call: &Call<'_>) -> Result<Deed, Violation> {
        self.served.borrow_mut().serve(&self.scripts, &self.definition, call)
    }

    fn message(&mut self, wait: &Wait<'_>) -> Result<Option<Delivery>, Violation> {
        let found = self.kept.iter().position(|kept| kept.name == wait.message && kept.key == wait.key);
        Ok(found.map(|position| {
            let Kept { message_id, payload, .. } = self.kept.remove(position);
            Delivery { at_ms: wait.now_ms, message_id, payload }
        }))
    }
}

impl<W: Workflow> TestRun<W> {
    #[track_caller]
    pub(crate) fn start(
        definition: Definition,
        input: Payload,
        scripts: SharedScripts,
        served: Rc<RefCell<Served>>,
    ) -> TestRun<W> {
        let oracles = Oracles::of(definition).unwrap_or_else(|violation| panic!("{violation}"));
        let outside = Outside { definition, scripts, served, kept: Vec::new(), messages: 0 };
        let driver = Driver::new(definition, RUN_ID);
        let inside = RefCell::new(Inside { definition, driver, outside, oracles, is_checked: false });
        let run = TestRun { inside, _workflow: PhantomData };
        run.write(Event::started(input));
        run
    }

    /// Lets the run go on until it waits for this message; at once if it does already.
    #[track_caller]
    pub fn until_waiting_for<M: Message>(&self) {
        loop {
            if self.inside.borrow().driver.waits_for(M::NAME, None).is_some() {
                return;
            }
            if self.has_ended() {
                self.fail(&format!("the run ended before it waited for `{}`", M::NAME));
            }
            self.advance_or_fail();
        }
    }

    /// Sends a message to the run, now. One that nobody waits for yet is kept until somebody does.
    #[track_caller]
    pub fn deliver<M: Message>(&self, message: M) {
        let key = message.key();
        let payload = Payload::of(&message)
            .unwrap_or_else(|error| panic!("the message `{}` cannot be stored: {error}", M::NAME));
        check_value::<M>(&payload, &format!("the message `{}`", M::NAME))
            .unwrap_or_else(|violation| panic!("{violation}"));
        let waiting = {
            let mut inside = self.inside.borrow_mut();
            inside.outside.messages += 1;
            let message_id = format!("message-{}", inside.outside.messages);
            let op = inside.driver.waits_for(M::NAME, Some(&key));
            let starts =
                matches!(&inside.definition.graph().trigger, Trigger::Message(name) if name == M::NAME);
            if op.is_none() && starts {
                let (message, workflow) = (M::NAME, inside.definition.name);
                drop(inside);
                self.fail(&format!(
                    "`{message}` starts another run of `{workflow}` and does not reach this one; start it with \
                     `kit.start({workflow}(..))`"
                ));
            }
            if op.is_none() {
                let (message_id, payload) = (message_id.clone(), payload.clone());
                inside.outside.kept.push(Kept { name: M::NAME, key, message_id, payload });
            }
            op.map(|op| (op, message_id))
        };
        if let Some((op, message_id)) = waiting {
            self.write(Event::MessageReceived { op, message_id, payload });
        }
    }

    /// Asks the run to stop, now.
    #[track_caller]
    pub fn cancel(&self, reason: &str) {
        self.write(Event::CancelRequested { reason: reason.to_owned() });
    }

    /// Looks at the first step that failed for good and asks for another round of attempts.
    #[track_caller]
    pub fn retry(&self) {
        let stuck = self.inside.borrow().driver.stuck();
        match stuck {
            Some(op) => self.write(Event::RetryRequested { op }),
            None => self.fail("no step has failed for good, so there is nothing to retry"),
        }
    }

    /// Lets this much time pass, and everything happen that comes due in it.
    #[track_caller]
    pub fn advance(&self, duration: Duration) {
        let passed_ms = Timestamp::try_from(duration.as_millis()).unwrap_or(Timestamp::MAX);
        let until_ms = self.inside.borrow().driver.now_ms().saturating_add(passed_ms);
        while self.advance_until(until_ms) {}
        self.inside.borrow_mut().driver.wait_until(until_ms);
    }

    /// Lets everything happen until the run has ended.
    #[track_caller]
    pub fn run_to_end(&self) {
        while !self.has_ended() {
            self.advance_or_fail();
        }
        self.check();
    }

    /// Lets the run go on to its end; gives what it returned, which must be `Ok`.
    #[track_caller]
    pub fn ok(&self) -> <W::Output as Fallible>::Ok
    where
        W::Output: Fallible,
        <W::Output as Fallible>::Ok: Serialize + DeserializeOwned,
    {
        match self.end() {
            Conclusion::Completed(value) => self.read(&value, "the result"),
            Conclusion::Failed { code, message, .. } => {
                self.fail(&format!("the run should return `Ok`, it failed with `{code}`: {message}"))
            }
            Conclusion::Cancelled { reason } => {
                self.fail(&format!("the run should return `Ok`, it was cancelled: {reason}"))
            }
        }
    }

    /// Lets the run go on to its end; gives what it returned, which must be an error.
    #[track_caller]
    pub fn err(&self) -> <W::Output as Fallible>::Error
    where
        W::Output: Fallible,
        <W::Output as Fallible>::Error: Serialize + DeserializeOwned,
    {
        match self.end() {
            Conclusion::Failed { error, .. } => self.read(&error, "the error"),
            Conclusion::Completed(value) => self.fail(&format!("the run should fail, it returned {value}")),
            Conclusion::Cancelled { reason } => {
                self.fail(&format!("the run should fail, it was cancelled: {reason}"))
            }
        }
    }

    /// Lets the run go on to its end; gives what it returned. For workflows that cannot fail.
    #[track_caller]
    pub fn value(&self) -> W::Output
    where
        W::Output: Storable,
    {
        match self.end() {
            Conclusion::Completed(value) => self.read(&value, "the result"),
            other => self.fail(&format!("the run should return a value, it ended with {other:?}")),
        }
    }

    /// Lets the run go on to its end; says how it ended.
    #[track_caller]
    pub fn outcome(&self) -> Outcome {
        let conclusion = self.end();
        history::End::new(self.inside.borrow().driver.journal(), &conclusion).outcome()
    }

    /// Whether the run has ended.
    pub fn has_ended(&self) -> bool {
        self.inside.borrow().driver.conclusion().is_some()
    }

    /// How much virtual time has passed.
    pub fn elapsed(&self) -> Duration {
        history::elapsed(self.inside.borrow().driver.now_ms())
    }

    /// The names of the steps that have been called, in the order of the calls; without compensations.
    pub fn executed(&self) -> Names {
        history::executed(self.inside.borrow().driver.journal())
    }

    /// The names of the steps that have been undone, in the order in which they were undone.
    pub fn compensated(&self) -> Names {
        history::compensated(self.inside.borrow().driver.journal())
    }

    /// What a person has to look at now.
    pub fn incidents(&self) -> Vec<String> {
        let inside = self.inside.borrow();
        inside.driver.incidents().iter().map(|incident| incident.cause.clone()).collect()
    }

    /// What has happened, one line per event: the virtual time, the node, what came of it. Stable text, made
    /// for snapshots.
    pub fn transcript(&self) -> String {
        let inside = self.inside.borrow();
        transcript::text(inside.definition.name, inside.driver.journal())
    }

    /// The journal as the engine would have written it.
    pub fn journal(&self) -> Vec<Record> {
        self.inside.borrow().driver.journal().to_vec()
    }

    #[track_caller]
    fn end(&self) -> Conclusion {
        self.run_to_end();
        let conclusion = self.inside.borrow().driver.conclusion().cloned();
        conclusion.expect("the run has been driven to its end")
    }

    #[track_caller]
    fn read<T: Serialize + DeserializeOwned>(&self, payload: &Payload, what: &str) -> T {
        let read = check_value::<T>(payload, what).map_err(|violation| violation.to_string());
        match read.and_then(|()| payload.read().map_err(|error| error.to_string())) {
            Ok(value) => value,
            Err(error) => self.fail(&error),
        }
    }

    #[track_caller]
    fn write(&self, event: Event) {
        let written = {
            let Inside { driver, outside, .. } = &mut *self.inside.borrow_mut();
            driver.write(event, outside)
        };
        written.unwrap_or_else(|violation| self.fail(&violation.to_string()));
    }

    #[track_caller]
    fn advance_until(&self, not_after_ms: Timestamp) -> bool {
        let advanced = {
            let Inside { driver, outside, .. } = &mut *self.inside.borrow_mut();
            driver.advance(not_after_ms, outside)
        };
        advanced.unwrap_or_else(|violation| self.fail(&violation.to_string()))
    }

    #[track_caller]
    fn advance_or_fail(&self) {
        if !self.advance_until(Timestamp::MAX) {
            let mut text = self.inside.borrow().driver.deadlock().to_string();
            for Kept { name, key, .. } in &self.inside.borrow().outside.kept {
                text.push_str(&format!("\nkept, since nobody waits for it: `{name}` with the key \"{key}\""));
            }
            self.fail(&text);
        }
    }

    #[track_caller]
    fn check(&self) {
        let checked = {
            let mut inside = self.inside.borrow_mut();
            if inside.is_checked {
                Ok(())
            } else {
                inside.is_checked = true;
                inside.oracles.check(RUN_ID, inside.driver.journal()).map(drop)
            }
        };
        checked.unwrap_or_else(|violation| self.fail(&violation.to_string()));
    }

    #[track_caller]
    fn fail(&self, why: &str) -> ! {
        panic!("{why}\n{}", self.transcript())
    }
}

/// A test that leaves a run half way still holds what happened against the oracles.
impl<W: Workflow> Drop for TestRun<W> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.check();
        }
    }
}
