//! Where a search looks first, and what it tries there: every place before any place deeply, each call by its own
//! limits, and the same executions whenever it is run.

mod trip;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use trip::*;
use workflow_core::{Event, FailureKind};
use workflow_runtime::prelude::*;
use workflow_test::{Exploration, Explore, Outcome, complete, edges, errors, workflow_test};

const PATIENT: Duration = Duration::from_secs(120);

/// Rent by the month
#[workflow]
async fn rent(month: u32) -> Result<u32, TripError> {
    book("rent").await?;
    match receive::<Paid>(7).within(days(30)).await {
        Ok(_) => Ok(month),
        Err(TimedOut) => continue_as_new(rent(month + 1)).await,
    }
}

fn rented(kit: &Explore) -> Exploration {
    kit.on(book).returns(Ok(1));
    kit.workflow(|| rent(1)).message(|| Paid { trip: 7, amount: 1 }).each_step_fails()
}

#[workflow_test(explore)]
fn a_tree_without_an_end_is_explored_at_every_place(kit: Explore) {
    let refused_in = |month: u32| {
        move |end: &workflow_test::End<'_>| {
            end.outcome() == Outcome::Failed("FullyBooked".to_owned()) && end.generation() == month
        }
    };
    let report = rented(&kit)
        .crash_at_every_write()
        .budget(300, PATIENT)
        .sometimes("the first month is not paid", refused_in(1))
        .sometimes("the second", refused_in(2))
        .sometimes("the fourth", refused_in(4))
        .sometimes("it goes on for long", |end| end.generation() > 6)
        .run();
    assert!(!report.is_complete && !report.is_out_of_time, "{report}");
    assert_eq!(report.executions, 300);
    assert!((1..=150).contains(&report.samples), "{report}");
    report.assert(edges(1.0)).assert(errors(1.0));
}

#[workflow_test(explore)]
fn the_same_executions_are_made_in_every_run(kit: Explore) {
    let run = || {
        let seen = Rc::new(RefCell::new(Vec::new()));
        let log = Rc::clone(&seen);
        let look = move |end: &workflow_test::End<'_>| {
            log.borrow_mut().push((end.outcome(), end.generation(), end.elapsed()));
            true
        };
        drop(rented(&kit).budget(200, PATIENT).always("it is noted", look).run());
        seen.take()
    };
    assert_eq!(run(), run());
}

/// A step that is tried once, and has all the time in the world
#[step(read_only, retry(attempts = 1))]
async fn look_once(part: &str) -> Result<u32, TripError> {
    Ok(part.len() as u32)
}

/// Look with patience
#[workflow]
async fn look_patiently() -> Result<u32, TripError> {
    look_once("castle").retry(RetryPolicy::attempts(3)).timeout(seconds(5)).await
}

fn fails(end: &workflow_test::End<'_>, kinds: &[FailureKind]) -> bool {
    let failed = end.writes().filter_map(|write| match &write.record.event {
        Event::AttemptFailed { failure, .. } => Some(failure.kind),
        _ => None,
    });
    failed.eq(kinds.iter().copied())
}

#[workflow_test(explore)]
fn a_call_goes_wrong_by_its_own_limits(kit: Explore) {
    kit.on(look_once).returns(Ok(6));
    kit.workflow(look_patiently)
        .each_step_fails()
        .crash_at_every_write()
        .sometimes("it is late once", |end| fails(end, &[FailureKind::Timeout]))
        .sometimes("it breaks once", |end| fails(end, &[FailureKind::Panic]))
        .sometimes("it is late each time, until somebody looks", |end| fails(end, &[FailureKind::Timeout; 3]))
        .sometimes("it is busy each time", |end| {
            fails(end, &[FailureKind::Error; 2]) && end.outcome() == Outcome::Failed("Busy".to_owned())
        })
        .run()
        .assert(complete());
}
