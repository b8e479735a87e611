//! The promises about compensation, cancelling and incidents, checked on the core turn by turn.
//! No engine and no clock; every event is fed by hand.
#![allow(missing_docs)]

use workflow_core::{
    Answer, AttemptOutcome, Command, Conclusion, CoreError, Event, Failure, FailureKind, OpId, Payload, Run,
};
use workflow_runtime::prelude::*;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum Trouble {
    #[error("no")]
    No,
    #[error("busy")]
    #[step_error(transient)]
    Busy,
}

#[step(compensate = undo_one(name), retry(attempts = 2))]
pub async fn one(name: &str) -> Result<u32, Trouble> {
    Ok(u32::try_from(name.len()).unwrap_or(0))
}

#[step(retriable)]
pub async fn undo_one(_name: &str) {}

#[step(compensate = undo_two(output))]
pub async fn two(_n: u32) -> Result<String, Trouble> {
    Ok(String::new())
}

#[step(retriable, retry(attempts = 2))]
pub async fn undo_two(_two: &str) -> Result<(), Trouble> {
    Ok(())
}

#[step(pivot, retry(attempts = 2))]
pub async fn commit() -> Result<(), Trouble> {
    Ok(())
}

#[step(retriable)]
pub async fn tell() {}

#[workflow]
pub async fn trade(name: String) -> Result<u32, Trouble> {
    let n = one(&name).await?;
    two(n).await?;
    sleep(days(1)).await;
    commit().await?;
    tell().await;
    Ok(n)
}

/// A run of `trade`, with the commands of the last turn.
struct Trade {
    run: Run,
    now_ms: i64,
    commands: Vec<Command>,
}

impl Trade {
    fn start() -> Trade {
        let mut trade = Trade { run: Run::new(trade.definition(), "run-1"), now_ms: 0, commands: Vec::new() };
        trade.feed(Event::started(Payload::of(&("anna",)).unwrap()));
        trade
    }

    fn feed(&mut self, event: Event) -> &mut Trade {
        self.now_ms += 1;
        self.commands = self.run.feed(self.now_ms, &event).unwrap();
        self
    }

    fn ok<T: Serialize>(&mut self, op: &str, value: T) -> &mut Trade {
        let output = Payload::of(&Ok::<T, Trouble>(value)).unwrap();
        self.feed(Event::StepCompleted { op: OpId::from_text(op), output, error: None })
    }

    fn undone(&mut self, op: &str) -> &mut Trade {
        self.feed(Event::StepCompleted { op: OpId::from_text(op), output: Payload::null(), error: None })
    }

    fn refused(&mut self, op: &str) -> &mut Trade {
        let output = Payload::of(&Err::<u32, _>(Trouble::No)).unwrap();
        self.feed(Event::StepCompleted { op: OpId::from_text(op), output, error: Some("No".into()) })
    }

    fn failed(&mut self, op: &str, attempt: u32, kind: FailureKind, retry_at_ms: Option<i64>) -> &mut Trade {
        let failure = Failure { kind, message: "oh".into() };
        self.feed(Event::AttemptFailed { op: OpId::from_text(op), attempt, failure, retry_at_ms })
    }

    fn cancel(&mut self) -> &mut Trade {
        self.feed(Event::CancelRequested { reason: "changed my mind".into() })
    }

    fn before_commit() -> Trade {
        let mut trade = Trade::start();
        trade.ok("one", 4).ok("two", "b").feed(Event::TimerFired { op: OpId::from_text("sleep") });
        trade
    }

    /// The commands of the last turn, in a few words.
    #[track_caller]
    fn asks(&self, expected: &[&str]) {
        let words: Vec<String> = self.commands.iter().map(words).collect();
        assert_eq!(words, expected);
    }
}

fn words(command: &Command) -> String {
    match command {
        Command::StartStep { op, step, args, attempt, .. } => format!("{op} = {step}{args} #{attempt}"),
        Command::SetTimer { op, .. } => format!("timer {op}"),
        Command::AwaitMessage { op, .. } => format!("wait {op}"),
        Command::Withdraw { op } => format!("withdraw {op}"),
        Command::OpenIncident { op, .. } => format!("incident {}", op.as_ref().map_or("run", OpId::as_str)),
        Command::CloseIncident { op } => format!("settled {op}"),
        Command::Finish(Conclusion::Completed(value)) => format!("completed {value}"),
        Command::Finish(Conclusion::Failed { code, .. }) => format!("failed {code}"),
        Command::Finish(Conclusion::Cancelled { .. }) => "cancelled".to_owned(),
        Command::CancelStep { op } => format!("stop {op}"),
        other => format!("{other:?}"),
    }
}

#[test]
fn what_was_done_is_undone_in_reverse_order_one_after_the_other() {
    let mut trade = Trade::before_commit();
    trade.refused("commit").asks(&["two/undo = undo_two[\"b\"] #1"]);
    trade.undone("two/undo").asks(&["one/undo = undo_one[\"anna\"] #1"]);
    trade.undone("one/undo").asks(&["failed No"]);
}

#[test]
fn after_the_pivot_nothing_is_undone_and_a_cancel_is_for_a_person() {
    let mut trade = Trade::before_commit();
    trade.ok("commit", ()).asks(&["tell = tellnull #1"]);
    assert_eq!(trade.run.undoable(), []);
    trade.cancel().asks(&["incident run"]);
    trade.undone("tell").asks(&["completed 4"]);
}

#[test]
fn a_cancel_waits_for_the_step_under_way_and_undoes_it_too() {
    let mut trade = Trade::start();
    trade.ok("one", 4).cancel().asks(&["stop two"]);
    trade.ok("two", "b").asks(&["two/undo = undo_two[\"b\"] #1"]);
    trade.undone("two/undo").asks(&["one/undo = undo_one[\"anna\"] #1"]);
    trade.undone("one/undo").asks(&["cancelled"]);
}

#[test]
fn a_cancel_withdraws_timers_and_attempts_that_have_not_begun() {
    let mut trade = Trade::start();
    trade.ok("one", 4).ok("two", "b").cancel().asks(&["withdraw sleep", "two/undo = undo_two[\"b\"] #1"]);
    let mut trade = Trade::start();
    trade.failed("one", 1, FailureKind::Error, Some(1_000)).cancel().asks(&["withdraw one", "cancelled"]);
}

#[test]
fn a_cancel_while_the_pivot_is_under_way_waits_for_its_outcome() {
    let mut trade = Trade::before_commit();
    trade.cancel().asks(&[]);
    trade.ok("commit", ()).asks(&["incident run", "tell = tellnull #1"]);
    let mut trade = Trade::before_commit();
    trade.cancel().refused("commit").asks(&["two/undo = undo_two[\"b\"] #1"]);
}

#[test]
fn a_step_of_unknown_outcome_is_undone_where_that_needs_no_output() {
    let mut trade = Trade::start();
    trade.failed("one", 1, FailureKind::Timeout, Some(1_000)).cancel();
    trade.asks(&["withdraw one", "one/undo = undo_one[\"anna\"] #1"]);
    let mut trade = Trade::start();
    trade
        .failed("one", 1, FailureKind::Panic, Some(2))
        .refused("one")
        .asks(&["one/undo = undo_one[\"anna\"] #1"]);
    // What cannot be undone without its output is left alone.
    let mut trade = Trade::start();
    trade.ok("one", 4).failed("two", 1, FailureKind::Timeout, Some(9_000)).cancel();
    trade.asks(&["withdraw two", "one/undo = undo_one[\"anna\"] #1"]);
}

#[test]
fn exhausted_attempts_are_an_incident_that_a_person_can_retry() {
    let mut trade = Trade::start();
    trade.failed("one", 1, FailureKind::Timeout, Some(5)).asks(&["one = one[\"anna\"] #2"]);
    trade.failed("one", 2, FailureKind::Timeout, None).asks(&["incident one"]);
    assert!(trade.run.open_operations()[0].is_stuck);
    let again = Event::RetryRequested { op: OpId::from_text("one") };
    trade.feed(again).asks(&["settled one", "one = one[\"anna\"] #1"]);
    trade.ok("one", 4).asks(&["two = two[4] #1"]);
}

#[test]
fn a_stuck_run_can_be_cancelled() {
    let mut trade = Trade::start();
    trade.failed("one", 1, FailureKind::Timeout, Some(5)).failed("one", 2, FailureKind::Timeout, None);
    trade.cancel().asks(&["withdraw one", "settled one", "one/undo = undo_one[\"anna\"] #1"]);
}

#[test]
fn a_compensation_that_fails_for_good_holds_up_the_rest_until_a_person_acts() {
    let mut trade = Trade::before_commit();
    trade
        .refused("commit")
        .failed("two/undo", 1, FailureKind::Error, Some(9))
        .asks(&["two/undo = undo_two[\"b\"] #2"]);
    trade.failed("two/undo", 2, FailureKind::Error, None).asks(&["incident two/undo"]);
    let again = Event::RetryRequested { op: OpId::from_text("two/undo") };
    trade.feed(again).asks(&["settled two/undo", "two/undo = undo_two[\"b\"] #1"]);
    trade.undone("two/undo").asks(&["one/undo = undo_one[\"anna\"] #1"]);
}

fn refusal(transient: bool) -> AttemptOutcome {
    AttemptOutcome::Answered(Answer::Refused {
        output: Payload::null(),
        variant: "No",
        transient,
        message: "no".into(),
    })
}

impl Trade {
    /// `None` when a refusal would be the step's answer, else when it would be tried again, if ever.
    fn verdict(&self, op: &str, transient: bool) -> Option<Option<i64>> {
        match self.run.judge(&OpId::from_text(op), refusal(transient), 100).unwrap() {
            Event::AttemptFailed { retry_at_ms, .. } => Some(retry_at_ms),
            _ => None,
        }
    }
}

#[test]
fn errors_of_steps_that_must_succeed_are_never_their_answer() {
    let mut trade = Trade::start();
    assert_eq!(trade.verdict("one", false), None, "a final error is the answer");
    assert_eq!(trade.verdict("one", true), Some(Some(1_100)), "a transient one is retried");
    trade.failed("one", 1, FailureKind::Error, Some(2));
    assert_eq!(trade.verdict("one", true), None, "until the attempts are used up");
    let mut trade = Trade::before_commit();
    trade.ok("commit", ());
    assert_eq!(trade.verdict("tell", false), Some(Some(1_100)), "a retriable step goes on");
    let mut trade = Trade::before_commit();
    trade.refused("commit").failed("two/undo", 1, FailureKind::Error, Some(9));
    assert_eq!(trade.verdict("two/undo", false), Some(None), "a compensation becomes an incident");
    assert_eq!(trade.run.judge(&OpId::from_text("one"), refusal(true), 100), None, "nobody asked for that");
}

#[test]
fn a_pivot_that_may_have_happened_is_never_given_up_as_failed() {
    let mut trade = Trade::before_commit();
    assert_eq!(trade.verdict("commit", true), Some(Some(1_100)));
    trade.failed("commit", 1, FailureKind::Timeout, Some(5));
    assert_eq!(trade.verdict("commit", true), Some(None), "busy at last: a person has to look");
    assert_eq!(trade.verdict("commit", false), None, "a final answer under the same key is an answer");
    let mut trade = Trade::before_commit();
    trade.failed("commit", 1, FailureKind::Error, Some(5));
    assert_eq!(trade.verdict("commit", true), None, "busy all the time: it did not happen");
}

#[step]
async fn weigh(_weight: f64) -> f64 {
    f64::NAN
}

#[workflow]
async fn with_a_number_json_does_not_know() -> f64 {
    weigh(1.0).await
}

#[workflow]
async fn with_a_panic(fuse: bool) {
    assert!(!fuse, "the fuse is lit");
    tell().await;
}

#[test]
fn a_value_that_does_not_survive_the_journal_stops_the_run_and_says_where() {
    let mut run = Run::new(with_a_number_json_does_not_know.definition(), "run-1");
    run.feed(0, &Event::started(Payload::null())).unwrap();
    let output = Payload::of(&f64::NAN).unwrap();
    let event = Event::StepCompleted { op: OpId::from_text("weigh"), output, error: None };
    let error = run.feed(1, &event).unwrap_err();
    assert!(error.to_string().contains("recorded value of `weigh` does not fit its type"), "{error}");
    assert_eq!(run.feed(2, &event).unwrap_err(), error, "and stays stopped");
}

#[test]
fn a_panic_in_the_code_of_a_workflow_stops_that_run_only() {
    let mut run = Run::new(with_a_panic.definition(), "run-1");
    let error = run.feed(0, &Event::started(Payload::of(&(true,)).unwrap())).unwrap_err();
    assert_eq!(error, CoreError::Panicked { message: "the fuse is lit".into() });
}

#[test]
fn an_event_that_nobody_waits_for_is_refused() {
    let mut trade = Trade::start();
    for (event, said) in [
        (Event::TimerFired { op: OpId::from_text("sleep") }, "that the timer `sleep` fired"),
        (Event::RetryRequested { op: OpId::from_text("one") }, "that a retry of `one` was asked for"),
        (Event::started(Payload::null()), "that the run begins again"),
    ] {
        let mut run = Run::new(self::trade.definition(), "run-1");
        run.feed(0, &Event::started(Payload::of(&("anna",)).unwrap())).unwrap();
        let error = run.feed(1, &event).unwrap_err().to_string();
        assert!(error.contains(said) && error.contains("asks for the step `one`"), "{error}");
    }
    trade.ok("one", 4);
    let output = Payload::of(&Ok::<_, Trouble>(4)).unwrap();
    let twice = Event::StepCompleted { op: OpId::from_text("one"), output, error: None };
    assert!(matches!(trade.run.feed(9, &twice), Err(CoreError::Mismatch(_))), "a step completes once");
}
