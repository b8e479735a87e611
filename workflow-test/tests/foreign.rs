//! What a workflow must not await and the compiler cannot see: the accusing waker finds it, with the line.
//! It is hidden as somebody's library may hide it: behind hand-written traits that say it were durable.

mod shop;

use std::backtrace::Backtrace;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use shop::{Order, order, thank};
use workflow_core::{Call, Cx, Durable, Parts};
use workflow_graph::NodeKind;
use workflow_runtime::prelude::*;
use workflow_test::{Explore, Oracle, Violation};

/// A future of somebody's runtime: it keeps the waker until something outside happens, which may be at once.
struct Foreign {
    is_ready: bool,
    forgets: bool,
}

impl Future for Foreign {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let waker = context.waker().clone();
        if !self.forgets {
            std::mem::forget(waker);
        }
        if self.is_ready { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// What a library makes durable by saying so.
struct Ask(Foreign);

impl Durable for Ask {
    type Output = ();
    type Running = Foreign;

    fn start(self, _: &Cx, _: usize) -> Foreign {
        self.0
    }
}

impl Call for Ask {
    const KIND: NodeKind = workflow_core::kind_of(thank);

    fn parts(_: &mut Parts) {}
}

fn ask(is_ready: bool, forgets: bool) -> Ask {
    Ask(Foreign { is_ready, forgets })
}

#[workflow]
async fn quote(order: Order) -> u32 {
    thank(&order).await;
    ask(order.id == 1, order.total == 1).await;
    thank(&order).await;
    order.id
}

#[subflow]
async fn look_up(order: &Order) -> u32 {
    let number = order.id;
    ask(false, false).await;
    number
}

#[workflow]
async fn quote_in_parts(order: Order) -> u32 {
    let (number, ()) = join!(
        async {
            thank(&order).await;
            look_up(&order).await
        },
        sleep(hours(1))
    );
    number
}

#[workflow]
async fn quote_first(order: Order) -> u32 {
    ask(false, false).await;
    thank(&order).await;
    order.id
}

fn finding<W: workflow_core::Workflow>(call: workflow_core::WorkflowCall<W>) -> Violation {
    let kit = Explore::new();
    kit.on(thank).returns(());
    kit.workflow(|| call).try_run().expect_err("it awaits what is not durable").violation
}

/// Whether this program carries debug information, as it does unless somebody turned it off.
fn has_lines() -> bool {
    Backtrace::force_capture().to_string().contains("foreign.rs:")
}

#[track_caller]
fn assert_accused(violation: &Violation, workflow: &str, line_of_the_await: u32, between: &str) {
    assert_eq!(violation.oracle, Oracle::Core);
    let text = &violation.text;
    assert!(
        text.starts_with(&format!("the code of `{workflow}` awaits something that is not durable")),
        "{text}"
    );
    assert!(text.contains(between), "{text}");
    assert!(text.contains("by way of `<foreign::Foreign as core::future::future::Future>::poll`"), "{text}");
    if has_lines() {
        let at = format!(" at {}:{line_of_the_await}:", file!());
        assert!(text.contains(&at), "{at}: {text}");
    }
}

#[test]
fn a_foreign_future_is_accused_in_the_same_poll_with_its_line_and_the_operations_around_it() {
    const LINE: u32 = 60;
    let (file, before) = (file!(), LINE - 1);
    let between = format!(
        "it stands after `thank` ({file}:{before}), before `ask` ({file}:{LINE}) (WF103, docs/errors/WF103.md)"
    );
    assert_accused(&finding(quote(order())), "quote", LINE, &between);
}

#[test]
fn one_that_was_ready_at_once_or_left_nothing_behind_is_accused_as_well() {
    for (id, total) in [(1, 2), (2, 1), (1, 1)] {
        assert_accused(&finding(quote(Order { id, total })), "quote", 60, "it stands after `thank`");
    }
}

#[test]
fn one_in_a_subflow_in_a_branch_is_accused_with_its_line() {
    let violation = finding(quote_in_parts(order()));
    assert_accused(&violation, "quote_in_parts", 68, "it stands after `thank`");
}

#[test]
fn one_at_the_beginning_is_accused() {
    assert_accused(&finding(quote_first(order())), "quote_first", 86, "it stands before `ask`");
}
