//! Exploring: every failure, every crash, messages and deadlines, and what is said about all ends.
//! What the oracles find is in tests of their own.

mod shop;
mod shop_mocks;
mod travel;

use std::process::Command;
use std::time::Duration;

use shop::*;
use shop_mocks::all_goes_well;
use workflow_runtime::prelude::*;
use workflow_test::{
    Exploration, Explore, Oracle, Outcome, compensations, edges, messages, timers, workflow_test,
};

/// However busy the machine is: all is explored.
const PATIENT: Duration = Duration::from_secs(120);

fn explore() -> Exploration {
    explore_with(Explore::new())
}

fn explore_with(kit: Explore) -> Exploration {
    all_goes_well(&kit);
    kit.workflow(|| fulfil_order(order())).message(|| NewCard { order_id: 42 })
}

#[workflow_test(explore)]
fn an_order_survives_everything(kit: Explore) {
    let report = explore_with(kit)
        .each_step_fails()
        .pairs()
        .crash_at_every_write()
        .budget(20_000, PATIENT)
        .always("goods are kept exactly when the order goes through", |end| {
            let kept = end.completed(reserve_goods) > end.completed(release_goods);
            kept == (end.outcome() == Outcome::Completed)
        })
        .sometimes("a refund", |end| end.ran(refund_payment))
        .sometimes("goods go back", |end| end.compensated(reserve_goods))
        .sometimes("a cancel", |end| end.outcome() == Outcome::Cancelled)
        .sometimes("nobody sent a card", |end| end.outcome() == Outcome::Failed("NoCard".to_owned()))
        .run();
    assert!(report.is_complete);
    assert_eq!(report.unsampled, [""; 0]);
    report.assert(edges(1.0)).assert(compensations(1.0)).assert(timers(1.0));
}

#[test]
fn without_failures_there_is_one_execution() {
    let report = explore().run();
    assert_eq!((report.executions, report.crashes), (1, 0));
    assert_eq!(report.taken().node("ship"), 1);
    assert_eq!(report.taken().node("new_card"), 0);
    assert_eq!(report.taken().flow("flow_ship_to_thank"), 1);
}

#[test]
fn a_run_is_crashed_after_each_of_its_writes_but_the_last() {
    // Started, and four steps; after the fifth write there is nothing left to go on with.
    assert_eq!(explore().crash_at_every_write().run().crashes, 4);
}

#[test]
fn what_was_never_taken_is_named() {
    let report = explore().run();
    let gaps = report.taken().gaps().join("\n");
    assert!(
        gaps.contains("never taken: error `CardExpired` of `retrieve_payment` (workflow-test/tests/shop/"),
        "{gaps}"
    );
    assert!(gaps.contains("never taken: deadline of `new_card`"), "{gaps}");
    assert!(gaps.contains("never undone: `reserve_goods`"), "{gaps}");
}

#[workflow_test(explore)]
fn what_does_not_hold_is_shown_with_the_smallest_schedule(kit: Explore) {
    let kit = explore_with(kit).each_step_fails().crash_at_every_write();
    let failure = kit.always("no refund", |end| !end.ran(refund_payment)).try_run().unwrap_err();
    assert_eq!(failure.violation.oracle, Oracle::Always);
    assert_eq!(
        failure.to_string(),
        "always: `no refund` does not hold at the end
  0s  start fulfil_order
  0s  reserve_goods: ok
  0s  retrieve_payment: ok
  0s  ship: NoSuchAddress
  0s  undo retrieve_payment by refund_payment: ok
  0s  undo reserve_goods by release_goods: ok
  0s  failed with Ship
  again: WORKFLOW_SCHEDULE=fulfil_order:002@explore::TEST cargo test TEST"
            .replace("   0s", "  0s")
            .replace("TEST", "what_does_not_hold_is_shown_with_the_smallest_schedule")
    );
}

#[test]
fn a_message_comes_at_once_in_the_last_moment_or_never() {
    let report = explore()
        .each_step_fails()
        .sometimes("at once", |end| end.completed(retrieve_payment) == 1 && end.elapsed() < seconds(60))
        .sometimes("in the last moment", |end| {
            end.outcome() == Outcome::Completed && end.elapsed() + Duration::from_millis(1) == days(7)
        })
        .sometimes("never", |end| end.outcome() == Outcome::Failed("NoCard".to_owned()))
        .run();
    assert!(report.is_complete);
}

#[test]
fn a_message_is_made_up_with_the_key_that_is_waited_for() {
    let kit = Explore::new();
    all_goes_well(&kit);
    let report = kit.workflow(|| fulfil_order(order())).messages::<NewCard>().each_step_fails().run();
    assert_eq!(report.unsampled, [""; 0]);
    report.assert(messages(1.0)).assert(timers(1.0));
}

/// A message whose key no field is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Vote {
    house: String,
    seat: u32,
}

impl Message for Vote {
    const NAME: &'static str = "Vote";

    fn key(&self) -> String {
        format!("{}-{}", self.house, self.seat)
    }
}

#[workflow]
async fn poll(order: Order) -> Result<u32, TimedOut> {
    let vote = receive::<Vote>(format!("upper-{}", order.id)).within(days(1)).await?;
    Ok(vote.seat)
}

#[test]
fn a_message_that_cannot_be_made_up_is_named_and_can_be_given() {
    let report = Explore::new().workflow(|| poll(order())).messages::<Vote>().run();
    assert_eq!(
        report.unsampled,
        ["no `Vote` with the key \"upper-42\" can be made up: say `.message(|| ..)`"]
    );
    let given = || Vote { house: "upper".to_owned(), seat: 42 };
    let report = Explore::new().workflow(|| poll(order())).messages::<Vote>().message(given).run();
    assert_eq!(report.unsampled, [""; 0]);
    report.assert(edges(1.0));
}

#[test]
fn what_never_happens_is_named() {
    let failure = explore().sometimes("a refund", |end| end.ran(refund_payment)).try_run().unwrap_err();
    assert_eq!(failure.violation.to_string(), "sometimes: `a refund` held in none of 1 executions");
}

#[test]
fn a_cancel_may_come_after_each_write() {
    let report = explore()
        .cancel_at_every_write()
        .crash_at_every_write()
        .sometimes("a cancel", |end| end.outcome() == Outcome::Cancelled)
        .sometimes("the cancel comes too late", |end| end.outcome() == Outcome::Completed)
        .run();
    assert!(report.is_complete);
}

#[test]
fn two_things_and_a_cancel_may_go_wrong_at_once() {
    let report = explore().pairs().cancel_at_every_write().crash_at_every_write();
    let report = report.budget(20_000, PATIENT).run();
    assert!(report.is_complete);
}

#[test]
fn a_budget_that_is_used_up_is_said_loudly() {
    let report = explore().each_step_fails().budget(3, Duration::from_secs(60)).run();
    assert_eq!(report.executions, 3);
    assert!(!report.is_complete);
    assert!(report.to_string().contains("NOT ALL WAS EXPLORED"), "{report}");
}

#[test]
fn eight_steps_are_explored_within_the_default_budget() {
    let report = travel::explore().run();
    assert!(report.is_complete);
    report.assert(edges(1.0)).assert(compensations(1.0));
}

#[test]
fn every_mock_that_is_missing_is_listed_before_anything_runs() {
    let kit = Explore::new();
    kit.on(reserve_goods).returns(Ok(Reservation(7)));
    let failure = kit.workflow(|| fulfil_order(order())).try_run().unwrap_err();
    assert_eq!(
        failure.to_string(),
        "mock: `fulfil_order` comes to steps without a mock; write:
    kit.on(retrieve_payment).returns(Ok(..));
    kit.on(ship).returns(Ok(..));
    kit.on(thank).returns(..);"
    );
}

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
#[serde(rename_all = "camelCase")]
enum TransferError {
    #[error("no cover")]
    NoCover,
    #[error("account closed")]
    AccountClosed(Iban),
}

#[step(read_only)]
async fn transfer(order: &Order) -> Result<u64, TransferError> {
    Ok(order.total)
}

#[workflow]
async fn settle(order: Order) -> Result<u64, TransferError> {
    transfer(&order).await
}

fn explore_transfer() -> Exploration {
    let kit = Explore::new();
    kit.on(transfer).returns(Ok(7));
    kit.workflow(|| settle(order())).each_step_fails()
}

#[test]
fn an_error_whose_value_cannot_be_made_up_is_named_and_can_be_given() {
    let failed = |code: &str| Outcome::Failed(code.to_owned());
    let report =
        explore_transfer().sometimes("no cover", move |end| end.outcome() == failed("NoCover")).run();
    assert_eq!(
        report.unsampled,
        ["no value is known for the error `AccountClosed` of `transfer`: say `.sample(transfer, Err(..))`"]
    );
    assert!(report.to_string().contains("NOT EXPLORED: no value is known"), "{report}");
    let closed = TransferError::AccountClosed(Iban("DE1".to_owned()));
    let report = explore_transfer()
        .sample(transfer, Err(closed))
        .sometimes("closed", move |end| end.outcome() == failed("AccountClosed"))
        .run();
    assert_eq!(report.unsampled, [""; 0]);
}

/// Run by the test below with a schedule in its environment; explores everything otherwise.
#[workflow_test(explore)]
fn repeatable(kit: Explore) {
    match explore_with(kit).each_step_fails().always("no refund", |end| !end.ran(refund_payment)).try_run() {
        Ok(report) => println!("{report}"),
        Err(failure) => println!("{} executions\n{failure}", failure.report.executions),
    }
}

#[test]
fn the_schedule_in_the_environment_is_repeated_alone() {
    let repeat = |schedule: &str| {
        let mut tests = Command::new(std::env::current_exe().unwrap());
        let tests = tests.args(["--exact", "repeatable", "--nocapture"]).env("WORKFLOW_SCHEDULE", schedule);
        let output = tests.output().unwrap();
        String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap()
    };
    let failing = repeat("fulfil_order:002");
    assert!(failing.contains("1 executions\nalways: `no refund` does not hold at the end\n"), "{failing}");
    assert!(
        failing
            .contains("again: WORKFLOW_SCHEDULE=fulfil_order:002@explore::repeatable cargo test repeatable"),
        "{failing}"
    );
    let passing = repeat("fulfil_order:0.2");
    assert!(
        passing.contains("fulfil_order: the schedule 0.2 was repeated, and nothing is wrong"),
        "{passing}"
    );
    let wrong = repeat("fulfil_order:?");
    assert!(wrong.contains("WORKFLOW_SCHEDULE does not hold a schedule: `?`"), "{wrong}");
    let stale = repeat("fulfil_order:0000000000009");
    assert!(stale.contains("\n  STALE: the schedule 0000000000009 does not fit"), "{stale}");
    let misspelt = repeat("fulfil_ordr:002");
    assert!(!misspelt.contains("\n1 executions"), "{misspelt}");
    let named = repeat("fulfil_order:002@explore::repeatable");
    assert!(named.contains("1 executions\nalways: `no refund` does not hold at the end\n"), "{named}");
    // Tests with longer names run along with this one, and a test may explore more than once.
    for another in ["fulfil_order:002@explore::repeatable_twice", "fulfil_order:002@explore::repeatable#2"] {
        let passed_over = repeat(another);
        assert!(!passed_over.contains("\n1 executions"), "{passed_over}");
    }
    let nameless = repeat("002");
    assert!(nameless.contains("say `fulfil_order:002`"), "{nameless}");
    let other = repeat("another_workflow:003");
    assert!(!other.contains("\n1 executions"), "{other}");
}
