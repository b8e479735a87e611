//! Names in a test: the kit refuses what an engine would refuse, before anything runs, and says what was meant.

mod shop;

use std::panic::{AssertUnwindSafe, catch_unwind};

use shop::{NewCard, Order, order, thank};
use workflow_runtime::prelude::*;
use workflow_test::{Explore, Kit, Oracle};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
#[message(name = "NewCrad", key = order_id)]
struct NewCrad {
    order_id: u32,
}

/// Another step of that name.
mod other {
    use super::*;

    #[step(read_only)]
    pub(super) async fn thank(order: &Order) -> u32 {
        order.id
    }

    #[workflow]
    pub(super) async fn thank_twice(order: Order) -> u32 {
        thank(&order).await
    }
}

#[workflow]
async fn confused(order: Order) -> u32 {
    super_thank(&order).await;
    other::thank(&order).await
}

use shop::thank as super_thank;

#[workflow]
async fn waiting(order: Order) -> u32 {
    receive::<NewCard>(order.id).forever().await.order_id
}

fn failure_of(test: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(test)).expect_err("the test should fail");
    panic.downcast_ref::<String>().cloned().expect("the kit panics with text")
}

#[test]
fn two_steps_of_one_name_are_refused_with_both_places() {
    let failure = failure_of(|| drop(Kit::new().start(confused(order()))));
    assert!(failure.starts_with("set-up: there are two steps `thank`: at "), "{failure}");
    assert!(failure.contains(file!()) && failure.contains("shop/mod.rs:"), "{failure}");
    assert!(failure.ends_with("(WF070, docs/errors/WF070.md)"), "{failure}");
    let violation = Explore::new().workflow(|| confused(order())).try_run().unwrap_err().violation;
    assert_eq!(violation.oracle, Oracle::Setup, "{violation}");
}

#[test]
fn the_mock_of_another_step_of_the_same_name_answers_for_nobody() {
    let kit = Kit::new();
    kit.on(thank).returns(());
    let run = kit.start(other::thank_twice(order()));
    let failure = failure_of(|| run.run_to_end());
    assert!(failure.starts_with("mock: the mock of `thank` is for the step at "), "{failure}");
    assert!(failure.contains("and the workflow calls another one of that name, at "), "{failure}");
}

#[test]
fn a_message_that_nobody_knows_is_refused_with_the_one_that_was_meant() {
    let kit = Kit::new();
    let run = kit.start(waiting(order()));
    let failure = failure_of(|| run.deliver(NewCrad { order_id: 42 }));
    let expected = "set-up: no registered workflow waits for the message `NewCrad` or begins with it; did you mean \
                    `NewCard`? The workflow `waiting` (";
    assert!(failure.starts_with(expected), "{failure}");
    let failure = failure_of(|| run.until_waiting_for::<NewCrad>());
    assert!(failure.starts_with(expected), "{failure}");
    run.deliver(NewCard { order_id: 42 });
    assert_eq!(run.value(), 42);
    let exploration = Explore::new().workflow(|| waiting(order())).message(|| NewCrad { order_id: 42 });
    let violation = exploration.try_run().unwrap_err().violation;
    assert!(violation.to_string().starts_with(expected), "{violation}");
}
