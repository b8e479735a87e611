//! Detached children go on when the run has ended that started them: that is explored and held against the oracles.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};

use workflow_runtime::prelude::*;
use workflow_test::{Explore, Kit, Outcome, complete, workflow_test};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
enum PrintError {
    #[error("no paper")]
    NoPaper,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
#[message(key = issue)]
struct Approved {
    issue: u32,
}

/// Write it
#[step(compensate = tear_up(output))]
async fn write(issue: u32) -> Result<u32, PrintError> {
    Ok(issue)
}

/// Tear it up
#[step(retriable)]
async fn tear_up(_page: &u32) {}

/// Print it
#[step(read_only)]
async fn print(page: u32) -> Result<u32, PrintError> {
    Ok(page)
}

/// Put it away
#[step(retriable)]
async fn put_away(_page: u32) {}

/// Print one issue, later
#[workflow]
async fn print_issue(issue: u32) -> Result<u32, PrintError> {
    sleep(days(2)).await;
    let page = write(issue).await?;
    print(page).await
}

/// Have an issue printed, and wait for nothing
#[workflow]
async fn order_issue(issue: u32) -> u32 {
    let _printing = print_issue(issue).detached().await;
    issue
}

fn all_goes_well(kit: &Explore) {
    kit.on(write).returns(Ok(1));
    kit.on(print).returns(Ok(1));
    kit.on(put_away).returns(());
}

#[workflow_test(explore)]
fn what_goes_wrong_with_a_detached_child_goes_wrong_in_the_exploration_of_its_parent(kit: Explore) {
    all_goes_well(&kit);
    let exploration = || kit.workflow(|| order_issue(7)).each_step_fails().crash_at_every_write();
    let report = exploration()
        .always("the run itself ends at once, and well", |end| {
            end.outcome() == Outcome::Completed && end.elapsed() == seconds(0)
        })
        .sometimes("it is printed", |end| end.completed(print) == 1)
        .sometimes("it cannot be printed, and is torn up", |end| end.compensated(write))
        .run();
    report.assert(complete());
    let interleaved = exploration().interleave().sometimes("it is torn up", |end| end.compensated(write));
    interleaved.run().assert(complete());
}

/// State that is in no journal.
static PAGES: AtomicU32 = AtomicU32::new(0);

fn next_page() -> u32 {
    PAGES.fetch_add(1, Ordering::Relaxed)
}

/// Number a page tomorrow
#[workflow]
async fn number_tomorrow() -> u32 {
    sleep(days(1)).await;
    let page = next_page();
    put_away(page).await;
    page
}

/// Have a page numbered, and wait for nothing
#[workflow]
async fn order_number() {
    let _numbering = number_tomorrow().detached().await;
}

#[test]
fn what_a_detached_child_does_after_the_end_is_held_against_the_oracles() {
    let kit = Kit::new();
    kit.on(put_away).returns(());
    let run = kit.start(order_number());
    run.run_to_end();
    run.advance(days(3));
    let failure = catch_unwind(AssertUnwindSafe(|| drop(run))).expect_err("the child has a hidden input");
    let failure = failure.downcast_ref::<String>().expect("the kit panics with text");
    assert!(
        failure.contains("replay: after write 2 the code asked for attempt 1 of `put_away`"),
        "{failure}"
    );

    let kit = Explore::new();
    kit.on(put_away).returns(());
    let failure = kit.workflow(order_number).try_run().unwrap_err().to_string();
    assert!(
        failure.contains("replay: after write 2 the code asked for attempt 1 of `put_away`"),
        "{failure}"
    );
}

/// Print an issue when somebody approves of it
#[workflow]
async fn print_when_approved(issue: u32) -> u32 {
    receive::<Approved>(issue).forever().await;
    put_away(issue).await;
    issue
}

/// Order it, and wait for nothing
#[workflow]
async fn order_when_approved(issue: u32) -> u32 {
    let _printing = print_when_approved(issue).detached().await;
    issue
}

#[workflow_test(explore)]
fn a_detached_child_that_waits_for_ever_is_no_deadlock_and_is_told(kit: Explore) {
    all_goes_well(&kit);
    let report = kit.workflow(|| order_when_approved(7)).crash_at_every_write().run();
    assert_eq!(
        report.unsampled,
        ["no `Approved` comes to `approved`: say `.messages::<Approved>()`, or `.message(|| ..)`"]
    );
    let report = kit.workflow(|| order_when_approved(7)).messages::<Approved>().crash_at_every_write();
    report.sometimes("it is printed", |end| end.completed(put_away) == 1).run().assert(complete());
}

/// Put one page away each month, for ever
#[workflow]
async fn every_month(page: u32) -> u32 {
    put_away(page).await;
    sleep(days(30)).await;
    continue_as_new(every_month(page + 1)).await
}

/// Subscribe, and wait for nothing
#[workflow]
async fn subscribe() -> u32 {
    let _pages = every_month(1).detached().await;
    1
}

#[workflow_test(explore)]
fn a_detached_child_without_an_end_is_left_and_told(kit: Explore) {
    all_goes_well(&kit);
    let report = kit.workflow(subscribe).run();
    assert_eq!(report.executions, 1);
    let told = &report.unsampled;
    assert!(told.len() == 1 && told[0].contains("kit.on_child(every_month)"), "{told:?}");
    let mocked = Explore::new();
    mocked.on_child(every_month).returns(1);
    mocked.workflow(subscribe).run().assert(complete());
}
