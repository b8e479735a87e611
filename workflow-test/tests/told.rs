//! What the harness shows of a test: the story behind an assertion that fails, and what a test that passes has left
//! out. Each test runs another one of this file in a process of its own.

mod shop;
mod shop_mocks;

use std::process::{Command, Output};
use std::time::Duration;

use shop::*;
use shop_mocks::all_goes_well;
use workflow_test::{Exploration, Explore, Kit, complete, edges};

/// Set for the test that the others run; it does nothing by itself.
const ROLE: &str = "WORKFLOW_TEST_ROLE";

fn explore() -> Exploration {
    let kit = Explore::new();
    all_goes_well(&kit);
    kit.workflow(|| fulfil_order(order())).message(|| NewCard { order_id: 42 }).each_step_fails()
}

#[test]
fn played() {
    match std::env::var(ROLE).as_deref() {
        Ok("asserts") => {
            let kit = Kit::new();
            kit.on(reserve_goods).returns(Err(StockError::OutOfStock));
            kit.on(retrieve_payment).returns(Err(PaymentError::Declined));
            kit.on(ship).returns(Ok(Parcel(1)));
            kit.on(thank).returns(());
            let run = kit.start(fulfil_order(order()));
            run.run_to_end();
            assert_eq!(run.compensated(), ["reserve_goods"]);
        }
        Ok("asks for what is not there") => Kit::new().start(fulfil_order(order())).retry(),
        Ok("leaves out") => drop(explore().budget(3, Duration::from_secs(60)).run()),
        Ok("leaves nothing out") => drop(explore().run().assert(complete())),
        Ok("demands all") => drop(explore().budget(3, Duration::from_secs(60)).run().assert(complete())),
        Ok("has no time") => drop(explore().budget(20_000, Duration::ZERO).run().assert(edges(0.0))),
        _ => {}
    }
}

/// What the harness shows of it, on both of its outputs.
fn play(role: &str) -> (String, String, bool) {
    let mut test = Command::new(std::env::current_exe().unwrap());
    let test = test.args(["--exact", "played"]).env(ROLE, role);
    let test = test.env_remove("WORKFLOW_SCHEDULE").env_remove("WORKFLOW_EXPLORE");
    let Output { status, stdout, stderr } = test.output().unwrap();
    (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap(), status.success())
}

#[test]
fn an_assertion_that_fails_shows_the_story_of_the_run() {
    let (shown, _, passed) = play("asserts");
    assert!(!passed);
    let story = "what had happened in the run:\n0s  start fulfil_order\n0s  reserve_goods: OutOfStock\n\
                 0s  failed with Stock\n";
    assert!(shown.contains(story), "{shown}");
}

#[test]
fn what_the_kit_complains_about_is_shown_with_one_story() {
    let (shown, _, passed) = play("asks for what is not there");
    assert!(!passed);
    assert!(shown.contains("no step has failed for good, so there is nothing to retry"), "{shown}");
    assert_eq!(shown.matches("start fulfil_order").count(), 1, "{shown}");
}

#[test]
fn what_a_test_leaves_out_shows_although_it_passes() {
    let (_, shown, passed) = play("leaves out");
    assert!(passed, "{shown}");
    assert_eq!(
        shown,
        "fulfil_order (played)\n  NOT ALL WAS EXPLORED: the budget was used up; see `.budget(..)`\n"
    );
    let (_, shown, passed) = play("leaves nothing out");
    assert!(passed && shown.is_empty(), "{shown}");
    let (_, shown, passed) = play("has no time");
    assert!(passed && shown.contains("how far the search came depends on the machine"), "{shown}");
}

#[test]
fn a_thorough_exploration_gets_fifty_times_the_budget() {
    let mut test = Command::new(std::env::current_exe().unwrap());
    test.args(["--exact", "played", "--nocapture"])
        .env(ROLE, "leaves out")
        .env("WORKFLOW_EXPLORE", "thorough");
    let output = test.env_remove("WORKFLOW_SCHEDULE").output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains(" executions, 0 crashes") && !said.contains("NOT ALL WAS EXPLORED"), "{said}");
    assert!(!said.contains("fulfil_order: 3 executions"), "{said}");
}

#[test]
fn a_test_can_demand_that_nothing_is_left_out() {
    let (shown, _, passed) = play("demands all");
    assert!(!passed);
    assert!(
        shown.contains(
            "not all of `fulfil_order` was explored, in 3 executions\n  NOT ALL WAS EXPLORED: the budget was used up"
        ),
        "{shown}"
    );
}
