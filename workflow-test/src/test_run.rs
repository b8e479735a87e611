//! A run in a test: lets it go on, gives it messages, and asks how it went.
//! It never waits: the clock jumps to whatever is due next.

mod story;

use std::cell::RefCell;
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use workflow_core::{
    Conclusion, Definition, Event, Fallible, Message, OpId, Payload, Run, Storable, Timestamp, Workflow,
    explain_unknown_message,
};

use workflow_graph::Trigger;

use crate::agenda::Place;
use crate::annals::Head;
use crate::driver::Driver;
use crate::errands::known_from;
use crate::history::{self, Outcome};
use crate::mail::{Kept, first_in_line};
use crate::oracle::{Oracles, elsewhere};
use crate::outside::Outside;
use crate::places;
use crate::script::{Served, SharedScripts};
use crate::shape::check_value;
use crate::transcript;
use crate::violation::{Oracle, Violation};
use crate::words;

/// The id under which the kit starts runs.
pub(crate) const RUN_ID: &str = "run";

/// A run that a test drives, with its children. Once it has ended, and when it is dropped, it is held against the
/// oracles.
pub struct TestRun<W: Workflow> {
    inside: RefCell<Inside>,
    _workflow: PhantomData<fn() -> W>,
}

struct Inside {
    driver: Driver,
    outside: Outside,
    oracles: Oracles,
    /// Whether it is run again on another thread.
    elsewhere: bool,
    /// How many rows there were when it was last held against the oracles.
    checked_rows: usize,
    /// Whether a failure has shown the story already.
    is_told: bool,
}

/// The head of the run that a test starts.
pub(crate) fn root_head(definition: Definition, before_patches: Arc<[String]>) -> Head {
    Head {
        definition,
        run_id: RUN_ID.into(),
        generation: 1,
        parent: None,
        is_detached: false,
        before_patches,
    }
}

impl<W: Workflow> TestRun<W> {
    #[track_caller]
    pub(crate) fn start(
        head: Head,
        input: Payload,
        scripts: SharedScripts,
        served: Rc<RefCell<Served>>,
        elsewhere: bool,
    ) -> TestRun<W> {
        let definition = head.definition;
        let known = known_from(definition);
        let oracles = Oracles::of(&known).unwrap_or_else(|violation| panic!("{violation}"));
        let mut outside = Outside { definition, scripts, served };
        let mut driver = Driver::new(&known);
        let begun = driver.begin(head, input, &mut outside);
        let inside =
            RefCell::new(Inside { driver, outside, oracles, elsewhere, checked_rows: 0, is_told: false });
        let run = TestRun { inside, _workflow: PhantomData };
        begun.unwrap_or_else(|violation| run.complain(&violation));
        run
    }

    /// Lets the run go on until it waits for this message; at once if it does already.
    #[track_caller]
    pub fn until_waiting_for<M: Message>(&self) {
        self.refuse_unknown::<M>();
        loop {
            if self.inside.borrow().driver.agenda.is_waiting_for(M::NAME, None) {
                return;
            }
            if self.has_ended() {
                self.fail(&format!("the run ended before it waited for `{}`", M::NAME));
            }
            self.advance_or_fail();
        }
    }

    /// Sends a message to the run, or to a child of it that waits for it, now. One that nobody waits for yet is kept
    /// until somebody does, for seven days, as an engine keeps it; a wait that ends otherwise leaves it to the next
    /// one. [`TestRun::unclaimed`] tells of those that nobody has waited for.
    #[track_caller]
    pub fn deliver<M: Message>(&self, message: M) {
        self.deliver_as(None, message);
    }

    /// The same for a message with an id, as a sender gives it who may send a message twice: a second one with the
    /// same id is dropped.
    ///
    /// ```
    /// # use workflow_runtime::prelude::*;
    /// # use workflow_test::Kit;
    /// # #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
    /// # #[message(key = order)]
    /// # struct Paid { order: u32, cents: u32 }
    /// #[workflow]
    /// async fn two_rates(order: u32) -> u32 {
    ///     let first = receive::<Paid>(order).forever().await;
    ///     let second = receive::<Paid>(order).forever().await;
    ///     first.cents + second.cents
    /// }
    /// let run = Kit::new().start(two_rates(7));
    /// run.deliver_with_id("payment-1", Paid { order: 7, cents: 100 });
    /// run.deliver_with_id("payment-1", Paid { order: 7, cents: 100 });
    /// run.deliver_with_id("payment-2", Paid { order: 7, cents: 50 });
    /// assert_eq!(run.value(), 150);
    /// ```
    #[track_caller]
    pub fn deliver_with_id<M: Message>(&self, message_id: &str, message: M) {
        self.deliver_as(Some(message_id), message);
    }

    /// The messages of this type that were delivered and that nobody has waited for, in order: those that came too
    /// late, or with another key.
    #[track_caller]
    pub fn unclaimed<M: Message>(&self) -> Vec<M> {
        let inside = self.inside.borrow();
        let kept = inside.driver.mail.unclaimed(&inside.driver.agenda).filter(|kept| kept.name == M::NAME);
        let kept: Vec<Payload> = kept.map(|kept| kept.payload.clone()).collect();
        drop(inside);
        kept.iter().map(|payload| self.read(payload, &format!("the message `{}`", M::NAME))).collect()
    }

    #[track_caller]
    fn deliver_as<M: Message>(&self, message_id: Option<&str>, message: M) {
        self.refuse_unknown::<M>();
        let key = message.key();
        let payload = Payload::of(&message)
            .unwrap_or_else(|error| panic!("the message `{}` cannot be stored: {error}", M::NAME));
        check_value::<M>(&payload, &format!("the message `{}`", M::NAME))
            .unwrap_or_else(|violation| panic!("{violation}"));
        let waiting = {
            let Inside { driver, outside, .. } = &mut *self.inside.borrow_mut();
            let definition = outside.definition;
            let starts = matches!(&definition.graph().trigger, Trigger::Message(name) if name == M::NAME);
            if starts && !driver.agenda.is_waiting_for(M::NAME, Some(&key)) {
                Err(definition.name)
            } else {
                let kept = driver.mail.deliver(message_id, M::NAME, &key, payload.clone(), driver.now_ms);
                let first = || first_in_line(&driver.agenda, &driver.annals.journals, M::NAME, &key);
                Ok(kept.and_then(|message_id| Some((first()?, message_id))))
            }
        };
        match waiting {
            Ok(Some(((journal, op), message_id))) => {
                self.write(journal, Event::MessageReceived { op, message_id, payload });
            }
            Ok(None) => {}
            Err(workflow) => self.fail(&format!(
                "`{message}` starts another run of `{workflow}` and does not reach this one; start it with \
                 `kit.start({workflow}(..))`",
                message = M::NAME
            )),
        }
    }

    /// Asks the run to stop, now. One that has ended hears nothing of it, nor does one that was just asked for the same
    /// reason; one that is about to begin anew is asked as soon as it has begun.
    #[track_caller]
    pub fn cancel(&self, reason: &str) {
        while self.root_run(|run| run.continuation().is_some()) {
            self.advance_or_fail();
        }
        if self.root_run(|run| run.heeds_cancel(reason)) {
            self.write(self.root(), Event::CancelRequested { reason: reason.to_owned() });
        }
    }

    /// Looks at the first operation that cannot go on by itself and asks for another round of attempts.
    #[track_caller]
    pub fn retry(&self) {
        let stuck = self.inside.borrow().driver.stuck();
        match stuck {
            Some((journal, op)) => self.write(journal, Event::RetryRequested { op }),
            None => self.fail("no step has failed for good, so there is nothing to retry"),
        }
    }

    /// Looks at the operation with this id, which cannot go on by itself, and says what it came to: what the step, or
    /// the child, would have returned.
    #[track_caller]
    pub fn skip<T: Serialize>(&self, op: &str, output: &T) {
        let (journal, op) = self.stuck_at(op);
        let output = Payload::of(output)
            .unwrap_or_else(|error| panic!("the output for `{op}` cannot be stored: {error}"));
        let fits = self.inside.borrow().driver.live[journal].run.fits(&op, &output);
        if let Err(error) = fits {
            self.fail(&format!("the output {output} does not fit what `{op}` gives: {error}"));
        }
        self.write(journal, Event::Skipped { op, output });
    }

    /// Looks at the operation with this id, which cannot go on by itself, and gives the run up: what was done is
    /// undone. For a compensation (`reserve_goods/undo`): only that one is left undone.
    #[track_caller]
    pub fn give_up(&self, op: &str, reason: &str) {
        let (journal, op) = self.stuck_at(op);
        self.write(journal, Event::GivenUp { op, reason: reason.to_owned() });
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
            other => {
                let other = words::conclusion(&other);
                self.fail(&format!("the run should return a value, it came to {other}"))
            }
        }
    }

    /// Lets the run go on to its end; says how it ended.
    #[track_caller]
    pub fn outcome(&self) -> Outcome {
        let conclusion = self.end();
        history::End::new(self.inside.borrow().driver.annals(), &conclusion).outcome()
    }

    /// Whether the run has ended.
    pub fn has_ended(&self) -> bool {
        self.inside.borrow().driver.conclusion().is_some()
    }

    fn root(&self) -> usize {
        self.inside.borrow().driver.root()
    }

    fn root_run<T>(&self, ask: impl FnOnce(&Run) -> T) -> T {
        let inside = self.inside.borrow();
        ask(&inside.driver.live[inside.driver.root()].run)
    }

    /// The stuck operation with this id, in the run or else in a child.
    #[track_caller]
    fn stuck_at(&self, op: &str) -> Place {
        let found =
            self.inside.borrow().driver.all_stuck().into_iter().find(|(_, stuck)| stuck.as_str() == op);
        found.unwrap_or_else(|| {
            let stuck: Vec<String> = self
                .inside
                .borrow()
                .driver
                .all_stuck()
                .iter()
                .map(|(_, op): &(_, OpId)| format!("`{op}`"))
                .collect();
            let others = if stuck.is_empty() { "nothing is".to_owned() } else { stuck.join(", ") };
            self.fail(&format!("`{op}` does not wait for a person; stuck: {others}"))
        })
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
    fn write(&self, journal: usize, event: Event) {
        let written = {
            let Inside { driver, outside, .. } = &mut *self.inside.borrow_mut();
            driver.write_by_hand(journal, event, outside)
        };
        written.unwrap_or_else(|violation| self.complain(&violation));
    }

    #[track_caller]
    fn advance_until(&self, not_after_ms: Timestamp) -> bool {
        let advanced = {
            let Inside { driver, outside, .. } = &mut *self.inside.borrow_mut();
            driver.advance(not_after_ms, outside)
        };
        advanced.unwrap_or_else(|violation| self.complain(&violation))
    }

    #[track_caller]
    fn advance_or_fail(&self) {
        if !self.advance_until(Timestamp::MAX) {
            let mut text = {
                let inside = self.inside.borrow();
                places::told(&inside.driver.deadlock(), inside.driver.annals())
            };
            let inside = self.inside.borrow();
            for Kept { name, key, .. } in inside.driver.mail.unclaimed(&inside.driver.agenda) {
                text.push_str(&format!("\nkept, since nobody waits for it: `{name}` with the key \"{key}\""));
            }
            drop(inside);
            self.fail(&text);
        }
    }

    #[track_caller]
    fn check(&self) {
        let checked = {
            let mut inside = self.inside.borrow_mut();
            let rows = inside.driver.annals().rows.len();
            // What is written behind the end, such as by detached children, is looked at as well.
            if inside.checked_rows == rows {
                Ok(())
            } else {
                inside.checked_rows = rows;
                let annals = inside.driver.annals();
                let checked = inside.oracles.check(annals).map(drop);
                let again = || if inside.elsewhere { elsewhere::check(annals) } else { Ok(()) };
                checked.and_then(|()| again())
            }
        };
        checked.unwrap_or_else(|violation| self.complain(&violation));
    }

    /// A message that no workflow here knows would wait for ever.
    #[track_caller]
    fn refuse_unknown<M: Message>(&self) {
        let unknown = explain_unknown_message(M::NAME, &self.inside.borrow().driver.known);
        if let Some(text) = unknown {
            self.complain(&Violation::new(Oracle::Setup, text));
        }
    }

    #[track_caller]
    fn complain(&self, violation: &Violation) -> ! {
        let told = places::told(violation, self.inside.borrow().driver.annals());
        self.fail(&told)
    }

    #[track_caller]
    fn fail(&self, why: &str) -> ! {
        let transcript = self.transcript();
        if let Ok(mut inside) = self.inside.try_borrow_mut() {
            inside.is_told = true;
        }
        panic!("{why}\n{transcript}")
    }
}

/// A test that leaves a run half way still holds what happened against the oracles. One that fails on an assertion of
/// its own shows the story of the run.
impl<W: Workflow> Drop for TestRun<W> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.check();
        } else if let Ok(inside) = self.inside.try_borrow()
            && !inside.is_told
        {
            eprintln!("what had happened in the run:\n{}", transcript::text(inside.driver.annals()));
        }
    }
}
