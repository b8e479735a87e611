//! Workflows that are broken on purpose: every test finds them, without an assertion of its own.
//! What only a broken core or a doctored journal shows is tested beside the oracles.

mod shop;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use shop::{NewCard, Order, Parcel, order, ship, thank};
use workflow_core::{Cx, Parts, Workflow, WorkflowCall, WorkflowFuture};
use workflow_graph::{Flow, FlowKind, Graph, Node, NodeKind};
use workflow_runtime::prelude::*;
use workflow_test::{Explore, Kit, Oracle};

fn failure_of(test: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(test)).expect_err("the test should fail");
    panic
        .downcast_ref::<String>()
        .cloned()
        .unwrap_or_else(|| panic.downcast_ref::<&str>().unwrap().to_string())
}

/// Where in this file this text stands, in the function that begins with the other one.
fn place(function: &str, text: &str) -> String {
    let own = include_str!("broken.rs");
    let begin = own.find(function).expect("the function is here");
    let at = begin + own[begin..].find(text).expect("it is in the function");
    format!("workflow-test/tests/broken.rs:{}", own[..at].lines().count())
}

/// State that is in no journal.
static ORDERS: AtomicU32 = AtomicU32::new(0);

fn next_number(order: &Order) -> Order {
    Order { id: ORDERS.fetch_add(1, Ordering::Relaxed), ..order.clone() }
}

#[workflow]
async fn number(order: Order) -> u32 {
    let numbered = next_number(&order);
    thank(&numbered).await;
    numbered.id
}

#[test]
fn hidden_state_shows_when_the_journal_is_replayed() {
    let kit = Kit::new();
    kit.on(thank).returns(());
    let run = kit.start(number(order()));
    let failure = failure_of(|| run.run_to_end());
    assert!(
        failure.starts_with("replay: after write 1 the code asked for attempt 1 of `thank` with [{\"id\":"),
        "{failure}"
    );
}

#[test]
fn hidden_state_shows_in_a_test_that_stops_half_way() {
    let kit = Kit::new();
    kit.on(thank).returns(());
    let run = kit.start(number(order()));
    let failure = failure_of(|| drop(run));
    assert!(failure.starts_with("replay: after write 1"), "{failure}");
}

/// The steps that the code goes to depend on how often it has been run.
static RUNS: AtomicU32 = AtomicU32::new(0);

fn is_first_time() -> bool {
    RUNS.fetch_add(1, Ordering::Relaxed).is_multiple_of(2)
}

#[workflow]
async fn fickle(order: Order) -> u32 {
    if is_first_time() {
        thank(&order).await;
    } else {
        sleep(hours(1)).await;
    }
    order.id
}

#[test]
fn other_steps_after_a_crash_are_named_with_both_sides() {
    let kit = Explore::new();
    kit.on(thank).returns(());
    let failure = kit.workflow(|| fickle(order())).crash_at_every_write().try_run().unwrap_err();
    assert_eq!(failure.violation.oracle, Oracle::Replay);
    let text = failure.violation.text;
    assert!(text.contains("`thank`") && text.contains("`sleep`"), "{text}");
}

#[workflow]
async fn wait(order: Order) -> u32 {
    receive::<NewCard>(order.id).forever().await;
    order.id
}

#[test]
fn a_run_that_waits_for_ever_is_named_with_what_it_waits_for() {
    let kit = Kit::new();
    let run = kit.start(wait(order()));
    run.deliver(NewCard { order_id: 43 });
    let failure = failure_of(|| run.run_to_end());
    assert!(
        failure.starts_with(
            "deadlock: the run has not ended and nothing is left to happen: \
             `new_card` waits for the message `NewCard` with the key \"42\"\n  \
             where: `new_card` (workflow-test/tests/broken.rs:"
        ),
        "{failure}"
    );
    let place = place("async fn wait", "receive::<NewCard>");
    assert!(
        failure.contains(&format!(
            "`new_card` ({place})\nkept, since nobody waits for it: `NewCard` with the key \"43\"\n"
        )),
        "{failure}"
    );
}

#[test]
fn an_exploration_says_which_message_it_lacks() {
    let failure = Explore::new().workflow(|| wait(order())).try_run().unwrap_err();
    assert_eq!(
        failure.violation.to_string(),
        "deadlock: the run has not ended and nothing is left to happen: \
         `new_card` waits for the message `NewCard` with the key \"42\"; \
         no `NewCard` can come: say `.messages::<NewCard>()`, or `.message(|| ..)`"
    );
    let exploration = Explore::new().workflow(|| wait(order())).message(|| NewCard { order_id: 43 });
    let failure = exploration.try_run().unwrap_err();
    assert!(
        failure
            .violation
            .text
            .ends_with("it waits for the key \"42\"; the messages that may come have \"43\""),
        "{failure}"
    );
}

#[workflow]
async fn stumble(order: Order) -> u32 {
    thank(&order).await;
    assert!(order.id == 0, "only zero is supported");
    order.id
}

#[test]
fn code_that_panics_is_found_with_the_way_there() {
    let kit = Explore::named("the_test");
    kit.on(thank).returns(());
    let failure = kit.workflow(|| stumble(order())).try_run().unwrap_err();
    assert_eq!(
        failure.to_string(),
        format!(
            "code: the code of the workflow panicked: only zero is supported (WF105, docs/errors/WF105.md)\n  \
             where: after `thank` ({}), before the end of `stumble`\n  \
             0s  start stumble\n  \
             0s  thank: ok\n  \
             again: WORKFLOW_SCHEDULE=stumble:0@broken::the_test cargo test the_test",
            place("async fn stumble", "thank(&order)")
        )
    );
    let kit = Kit::new();
    kit.on(thank).returns(());
    let run = kit.start(stumble(order()));
    let failure = failure_of(|| run.run_to_end());
    assert!(
        failure.contains("\n  where: after `thank`") && failure.ends_with("0s  thank: ok\n"),
        "{failure}"
    );
}

/// It is written with another name than it is read with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Label {
    #[serde(rename(serialize = "txt"), default)]
    text: String,
}

#[step(read_only)]
async fn print_label(order: &Order) -> Label {
    Label { text: order.id.to_string() }
}

#[workflow]
async fn label(order: Order) -> Label {
    print_label(&order).await
}

#[test]
fn a_value_that_does_not_survive_serde_is_refused_in_the_mock() {
    let kit = Kit::new();
    let failure = failure_of(|| drop(kit.on(print_label).returns(Label { text: "42".to_owned() })));
    assert_eq!(
        failure,
        "round trip: the output of `print_label` is written as {\"txt\":\"42\"}, \
         but read back and written again it is {\"txt\":\"\"}"
    );
}

#[test]
fn a_value_that_does_not_survive_serde_is_found_in_the_answer_of_a_closure() {
    let kit = Kit::new();
    kit.on(print_label).then(|order| Label { text: order.id.to_string() });
    let run = kit.start(label(order()));
    let failure = failure_of(|| run.run_to_end());
    assert!(failure.starts_with("round trip: the output of `print_label` is written as"), "{failure}");
}

#[step(read_only)]
async fn stick(label: &Label) -> u32 {
    u32::try_from(label.text.len()).unwrap_or(0)
}

#[workflow]
async fn stick_label(number: u32) -> u32 {
    stick(&Label { text: number.to_string() }).await
}

#[test]
fn an_argument_that_does_not_survive_serde_is_found() {
    let kit = Kit::new();
    kit.on(stick).returns(1);
    let run = kit.start(stick_label(42));
    let failure = failure_of(|| run.run_to_end());
    assert!(
        failure.starts_with("round trip: the arguments of `stick` is written as [{\"txt\":\"42\"}]"),
        "{failure}"
    );
}

#[workflow]
async fn repeat(order: Order) -> u32 {
    #[allow_workflow(unbounded_loop, reason = "shows what the kit says of it")]
    loop {
        thank(&order).await;
    }
}

#[test]
fn a_run_that_never_ends_is_stopped() {
    let kit = Kit::new();
    kit.on(thank).returns(());
    let run = kit.start(repeat(order()));
    let failure = failure_of(|| run.run_to_end());
    assert!(
        failure.starts_with("deadlock: the run does not end: it has written 10000 rows"),
        "{}",
        &failure[..200]
    );
}

#[test]
fn an_order_that_ships_is_not_broken() {
    let kit = Kit::new();
    kit.on(ship).returns(Ok(Parcel(1)));
    assert_eq!(kit.start(deliver_it(order())).ok(), Parcel(1));
}

#[workflow]
async fn deliver_it(order: Order) -> Result<Parcel, shop::ShipError> {
    ship(&order, &shop::Payment { amount: 1 }).await
}

/// The same code with another graph, as a defect of the macro would give it.
struct Lying<W, const BROKEN: bool>(std::marker::PhantomData<W>);

impl<W: Workflow, const BROKEN: bool> Workflow for Lying<W, BROKEN> {
    const NAME: &'static str = W::NAME;
    const VERSION: u32 = W::VERSION;
    const LABEL: &'static str = W::LABEL;
    type Args = W::Args;
    type Output = W::Output;
    type Ending = W::Ending;

    fn graph() -> &'static Graph {
        static WITHOUT_TIMER: OnceLock<Graph> = OnceLock::new();
        static WITHOUT_FLOWS: OnceLock<Graph> = OnceLock::new();
        if BROKEN {
            return WITHOUT_FLOWS.get_or_init(|| Graph { flows: Vec::new().into(), ..W::graph().clone() });
        }
        WITHOUT_TIMER.get_or_init(|| {
            let graph = W::graph();
            let end = graph.nodes.iter().position(|node| matches!(node.kind, NodeKind::End(_))).unwrap();
            let first = graph.flows[0].to;
            let mut flows = graph.flows.to_vec();
            // The first operation leads to the end, the second one stands beside it behind a question.
            let question = NodeKind::Decision { question: "really?".into() };
            let mut nodes = graph.nodes.to_vec();
            nodes.push(Node::new("really", question));
            let really = nodes.len() - 1;
            flows.retain(|flow| flow.from != first && flow.to != first);
            let answer = |label: &'static str, default| FlowKind::Answer {
                label: label.into(),
                condition: label.into(),
                default,
            };
            flows.extend([
                Flow::new(graph.flows[0].from, really, FlowKind::Next),
                Flow::new(really, first, answer("yes", false)),
                Flow::new(really, graph.index_of("sleep").unwrap(), answer("no", true)),
                Flow::new(first, end, FlowKind::Next),
            ]);
            Graph { nodes: nodes.into(), flows: flows.into(), ..graph.clone() }
        })
    }

    fn positions() -> &'static [usize] {
        W::positions()
    }

    fn parts(parts: &mut Parts) {
        W::parts(parts);
    }

    fn run(cx: Cx, args: Self::Args) -> WorkflowFuture<Self::Output> {
        W::run(cx, args)
    }
}

#[workflow]
async fn thank_and_wait(order: Order) -> u32 {
    thank(&order).await;
    sleep(hours(1)).await;
    order.id
}

fn lying<W: Workflow, const BROKEN: bool>(call: WorkflowCall<W>) -> WorkflowCall<Lying<W, BROKEN>> {
    WorkflowCall::new(call.into_args())
}

#[test]
fn a_diagram_that_shows_something_else_fails_every_test_of_the_workflow() {
    let kit = Kit::new();
    kit.on(thank).returns(());
    assert_eq!(kit.start(thank_and_wait(order())).value(), 42);
    let run = kit.start(lying::<_, false>(thank_and_wait(order())));
    let failure = failure_of(|| run.run_to_end());
    assert!(
        failure.starts_with("graph: after `thank` the run came to `sleep`; the graph leads from there to `"),
        "{failure}"
    );
    let place = place("async fn thank_and_wait", "sleep(hours(1))");
    assert!(failure.contains(&format!("`sleep` ({place})")), "{failure}");
}

#[test]
fn a_diagram_that_is_no_graph_fails_before_anything_runs() {
    let kit = Kit::new();
    let failure = failure_of(|| drop(kit.start(lying::<_, true>(thank_and_wait(order())))));
    assert!(failure.starts_with("graph: the graph of `thank_and_wait` is broken: no way leads"), "{failure}");
    let call = || lying::<_, true>(thank_and_wait(order()));
    let explore = Explore::new();
    explore.on(thank).returns(());
    assert_eq!(explore.workflow(call).try_run().unwrap_err().violation.oracle, Oracle::Graph);
}

/// What is reserved and released in the tests below: counted, so that to release twice is once too often.
static FREE: AtomicU32 = AtomicU32::new(10);

#[test]
fn a_compensation_that_takes_effect_twice_is_found() {
    let kit = Explore::new();
    kit.on(shop::reserve_goods).then(|_| {
        FREE.fetch_sub(1, Ordering::Relaxed);
        Ok(shop::Reservation(7))
    });
    kit.on(shop::release_goods).then(|_| {
        FREE.fetch_add(1, Ordering::Relaxed);
    });
    kit.on(shop::retrieve_payment).returns(Err(shop::PaymentError::Declined));
    kit.on(ship).returns(Ok(Parcel(1)));
    kit.on(thank).returns(());
    kit.world(|| FREE.load(Ordering::Relaxed));
    let failure = kit.workflow(|| shop::fulfil_order(order())).try_run().unwrap_err();
    assert_eq!(failure.violation.oracle, Oracle::Repeat);
    let text = failure.violation.text;
    assert!(
        text.starts_with("`release_goods` (workflow-test/tests/shop/mod.rs:")
            && text.contains("the world is another one: 10 before, 11 now"),
        "{text}"
    );
}
