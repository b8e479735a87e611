//! Scenes for what no exploration does by itself: what a person decides about a step or a child that is stuck.
//! Each is an ordinary test of the kit, without an assertion.

use std::panic::{AssertUnwindSafe, catch_unwind};

use workflow_runtime::RetryPolicy;
use workflow_test::Kit;

use crate::steps::*;

pub(crate) const SCENES: &[(&str, fn())] = &[
    ("a step is given up behind the point of no return", given_up_behind_the_pivot),
    ("a step that may have taken effect is given up", given_up_in_doubt),
    ("a child is cancelled by somebody else", child_cancelled),
    ("an attempt that fails is repeated", repeated),
    ("a pivot in doubt stands beside a failure", in_doubt),
];

/// What the kit says of a scene; `None` when it is in order.
pub(crate) fn play(scene: fn()) -> Option<String> {
    let panic = catch_unwind(AssertUnwindSafe(scene)).err()?;
    let text = panic.downcast_ref::<String>().cloned();
    Some(text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default())
}

#[workflow]
async fn sold(number: u32) -> u32 {
    let held = hold(number).await;
    let shipped = ship(held).await;
    tell(shipped).retry(RetryPolicy::attempts(1)).await
}

fn given_up_behind_the_pivot() {
    let kit = Kit::new();
    kit.on(hold).returns(1);
    kit.on(ship).returns(2);
    kit.on(tell).panics();
    kit.on(free).returns(());
    let run = kit.start(sold(0));
    run.advance(days(1));
    run.give_up("tell", "nobody is there to be told");
    run.run_to_end();
}

#[workflow]
async fn held(number: u32) -> u32 {
    hold(number).retry(RetryPolicy::attempts(2)).await
}

fn given_up_in_doubt() {
    let kit = Kit::new();
    kit.on(hold).times_out();
    kit.on(free).returns(());
    let run = kit.start(held(0));
    // Long enough for thousands of attempts, if they did not come to an end.
    run.advance(days(30));
    run.give_up("hold", "it is no use");
    run.run_to_end();
}

#[workflow]
async fn asked(number: u32) -> Result<u32, Trouble> {
    let reserved = reserve(number).await?;
    inquire(reserved).await
}

fn child_cancelled() {
    let kit = Kit::new();
    kit.on(reserve).returns(Ok(1));
    kit.on(free).returns(());
    kit.on_child(inquire).is_cancelled("it took too long");
    let run = kit.start(asked(0));
    run.advance(days(1));
    run.give_up("inquire", "without an answer there is no deal");
    run.run_to_end();
}

fn repeated() {
    let kit = Kit::new();
    kit.on(hold).times_out_once().returns(1);
    kit.start(held(0)).run_to_end();
}

#[workflow]
async fn risked(number: u32) -> u32 {
    if let Err(_) = try_join!(
        async {
            let shipped = ship(number).await;
            Ok::<u32, Trouble>(shipped)
        },
        check(number),
    ) {
        tell(number).await;
    }
    number
}

fn in_doubt() {
    let kit = Kit::new();
    kit.on(ship).panics_once().returns(2);
    // The pivot waits for its next attempt by then.
    kit.on(check).returns(Err(Trouble::Gone)).takes(std::time::Duration::from_millis(500));
    kit.on(tell).returns(3);
    kit.start(risked(0)).run_to_end();
}
