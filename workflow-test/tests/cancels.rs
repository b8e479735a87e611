//! When a run hears of a cancel: not when it has ended, once for each reason, and whatever round it is in.
//! What is undone then is told elsewhere.

use workflow_core::{Event, Record};
use workflow_runtime::prelude::*;
use workflow_test::{Explore, Kit, Outcome, complete, workflow_test};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
#[message(key = issue)]
struct Approved {
    issue: u32,
}

/// Write it
#[step(compensate = tear_up(output))]
async fn write(issue: u32) -> u32 {
    issue
}

/// Tear it up
#[step(retriable)]
async fn tear_up(_page: &u32) {}

/// Put it away
#[step(retriable)]
async fn put_away(_page: u32) {}

/// Write an issue, later
#[workflow]
async fn write_issue(issue: u32) -> u32 {
    sleep(days(2)).await;
    write(issue).await
}

/// Put a page away
#[workflow]
async fn tidy_up(page: u32) -> u32 {
    put_away(page).await;
    page
}

fn cancels(journal: &[Record]) -> usize {
    journal.iter().filter(|record| matches!(record.event, Event::CancelRequested { .. })).count()
}

#[workflow_test]
fn a_cancel_that_comes_after_the_end_is_not_written(kit: Kit) {
    kit.on(put_away).returns(()).takes(hours(1));
    let run = kit.start(tidy_up(7));
    run.advance(days(1));
    assert!(run.has_ended());
    let rows = run.journal().len();
    run.cancel("late");
    assert_eq!(run.journal().len(), rows);
    assert_eq!(run.outcome(), Outcome::Completed);
    assert!(run.transcript().ends_with("completed\n"), "{}", run.transcript());
}

#[workflow_test]
fn a_cancel_that_is_asked_for_twice_is_written_once(kit: Kit) {
    kit.on(write).returns(1).takes(hours(1));
    let run = kit.start(write_issue(7));
    run.advance(days(2));
    run.cancel("no money");
    run.cancel("no money");
    assert_eq!(cancels(&run.journal()), 1);
    run.cancel("no ink either");
    assert_eq!(cancels(&run.journal()), 2);
    assert_eq!(run.outcome(), Outcome::Cancelled);
    assert_eq!(run.compensated(), ["write"]);
}

/// Begin anew once
#[workflow]
async fn anew(round: u32) -> u32 {
    receive::<Approved>(round).forever().await;
    if round == 1 {
        return continue_as_new(anew(2)).await;
    }
    round
}

#[workflow_test]
fn a_cancel_between_two_generations_is_for_the_one_that_begins(kit: Kit) {
    let run = kit.start(anew(1));
    run.until_waiting_for::<Approved>();
    run.deliver(Approved { issue: 1 });
    run.cancel("enough");
    assert_eq!(run.outcome(), Outcome::Cancelled);
    assert_eq!((run.generation(), cancels(&run.journal())), (2, 1));
}

#[workflow_test(explore)]
fn a_run_that_begins_anew_is_cancelled_at_every_write(kit: Explore) {
    kit.workflow(|| anew(1))
        .message(|| Approved { issue: 1 })
        .message(|| Approved { issue: 2 })
        .cancel_at_every_write()
        .crash_at_every_write()
        .always("a cancel that comes in time is heard", |end| {
            let is_asked =
                end.writes().any(|write| matches!(write.record.event, Event::CancelRequested { .. }));
            is_asked == (end.outcome() == Outcome::Cancelled)
        })
        .sometimes("the second round is cancelled", |end| {
            end.generation() == 2 && end.outcome() == Outcome::Cancelled
        })
        .run()
        .assert(complete());
}
