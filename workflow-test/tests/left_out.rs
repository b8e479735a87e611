//! What an exploration could not try is told, and then it is not complete: errors of mocked children, and messages that
//! nobody sends.

use workflow_runtime::prelude::*;
use workflow_test::{Explore, Outcome, Report, complete, edges, workflow_test};

/// A value that only its own constructor makes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct Iban(String);

impl TryFrom<String> for Iban {
    type Error = String;

    fn try_from(text: String) -> Result<Iban, String> {
        if text.starts_with("DE") { Ok(Iban(text)) } else { Err("not an IBAN".to_owned()) }
    }
}

impl From<Iban> for String {
    fn from(iban: Iban) -> String {
        iban.0
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
enum TransferError {
    #[error("no cover")]
    NoCover,
    #[error("account closed")]
    #[step_error(code = "CLOSED")]
    AccountClosed(Iban),
}

/// Transfer money
#[step(read_only)]
async fn transfer(cents: u64) -> Result<u64, TransferError> {
    Ok(cents)
}

/// Settle one bill
#[workflow]
async fn settle(cents: u64) -> Result<u64, TransferError> {
    transfer(cents).await
}

/// Settle two bills
#[workflow]
async fn settle_two(cents: u64) -> Result<u64, TransferError> {
    let one = settle(cents).id("one").await?;
    let two = settle(cents).id("two").await?;
    Ok(one + two)
}

/// Settle a bill, and wait for nothing
#[workflow]
async fn settle_later(cents: u64) -> u64 {
    let _settling = settle(cents).detached().await;
    cents
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
#[message(key = bill)]
struct Reminder {
    bill: u32,
}

/// Wait for two reminders
#[workflow]
async fn remind(bill: u32) -> u32 {
    let first = receive::<Reminder>(bill).within(days(7)).await;
    let second = receive::<Reminder>(bill + 1).within(days(7)).await;
    u32::from(first.is_ok()) + u32::from(second.is_ok())
}

/// Remind oneself, in time for the second wait
#[workflow]
async fn remind_oneself(bill: u32) -> u32 {
    send(Reminder { bill }).await;
    u32::from(receive::<Reminder>(bill).within(days(7)).await.is_ok())
}

fn mocked() -> Explore {
    let kit = Explore::new();
    kit.on_child(settle).returns(Ok(7));
    kit
}

fn refused(report: &Report) -> String {
    let demand = std::panic::AssertUnwindSafe(|| {
        report.assert(complete());
    });
    let refusal = std::panic::catch_unwind(demand).expect_err("something was left out");
    refusal.downcast_ref::<String>().expect("the report complains with text").clone()
}

#[test]
fn an_error_of_a_mocked_child_that_cannot_be_made_up_is_named_and_can_be_given() {
    let failed = |code: &str| Outcome::Failed(code.to_owned());
    let explore = || mocked().workflow(|| settle_two(3)).each_step_fails();
    let report = explore().sometimes("no cover", move |end| end.outcome() == failed("NoCover")).run();
    assert_eq!(
        report.unsampled,
        ["no value is known for the error `AccountClosed` of the child `settle`: say \
          `.sample_child(settle, Err(..))`"]
    );
    assert!(refused(&report).contains("NOT EXPLORED: no value is known"), "{report}");
    let closed = || Err(TransferError::AccountClosed(Iban("DE1".to_owned())));
    explore()
        .sample_child(settle, closed())
        .sometimes("closed", move |end| end.outcome() == failed("CLOSED"))
        .run()
        .assert(complete());
    // Where nothing goes wrong, nothing is missing.
    mocked().workflow(|| settle_two(3)).run().assert(complete());
    // Nobody hears how a detached child ends.
    mocked().workflow(|| settle_later(3)).each_step_fails().run().assert(complete());
}

#[test]
#[should_panic(expected = "`settle` is no mocked child; say `kit.on_child(settle)` first")]
fn a_sample_for_a_child_that_is_run_is_refused() {
    let closed = Err(TransferError::AccountClosed(Iban("DE1".to_owned())));
    let _ = Explore::new().workflow(|| settle_two(3)).sample_child(settle, closed);
}

#[test]
#[should_panic(expected = "a sample for the child `settle` is an `Err(..)`")]
fn a_sample_for_a_child_is_an_error() {
    let _ = mocked().workflow(|| settle_two(3)).sample_child(settle, Ok(7));
}

#[workflow_test(explore)]
fn a_message_that_nobody_sends_is_told(kit: Explore) {
    let report = kit.workflow(|| remind(3)).run();
    assert_eq!(
        report.unsampled,
        [
            "no `Reminder` comes to `reminder`: say `.messages::<Reminder>()`, or `.message(|| ..)`",
            "no `Reminder` comes to `reminder_2`: say `.messages::<Reminder>()`, or `.message(|| ..)`"
        ]
    );
    assert!(refused(&report).contains("NOT EXPLORED: no `Reminder` comes to `reminder`"), "{report}");
    let report = kit.workflow(|| remind(3)).message(|| Reminder { bill: 3 }).run();
    assert_eq!(
        report.unsampled,
        ["no `Reminder` with the key \"4\" comes to `reminder_2`, those that may come have \"3\": say \
          `.message(|| ..)`"]
    );
    let report = kit.workflow(|| remind(3)).messages::<Reminder>().run();
    report.assert(complete()).assert(edges(1.0));
}

#[workflow_test(explore)]
fn a_wait_that_mail_from_inside_comes_to_is_explored(kit: Explore) {
    kit.workflow(|| remind_oneself(3)).interleave().run().assert(complete());
}
