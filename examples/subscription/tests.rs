//! The subscription, tested: single stories, then every failure, cancel and crash at once.

#[path = "../../tests/conformance/judge.rs"]
mod judge;

use std::path::Path;
use std::time::Duration;

use workflow_runtime::prelude::*;
use workflow_test::{End, Explore, Kit, Outcome, compensations, edges, errors, timers};

use crate::workflow::{
    BillingError, NewCard, Plan, Standing, SubscriptionError, Unsubscribe, charge_month, refund_month,
    say_goodbye, subscription,
};

/// However busy the machine is.
const NO_LIMIT: Duration = Duration::from_secs(600);

fn plan() -> Plan {
    Plan { customer: "ada".into(), cents: 999 }
}

fn unsubscribe() -> Unsubscribe {
    Unsubscribe { customer: "ada".into() }
}

fn new_card() -> NewCard {
    NewCard { customer: "ada".into(), number: "4242".into() }
}

fn kit() -> Kit {
    let kit = Kit::new();
    kit.on(charge_month).returns(Ok(()));
    kit.on(refund_month).returns(());
    kit.on(say_goodbye).returns(());
    kit
}

#[test]
fn it_goes_on_until_the_customer_has_had_enough() {
    let run = kit().start(subscription(plan(), 0));
    for _ in 0..12 {
        run.until_waiting_for::<Unsubscribe>();
        run.advance(days(30));
    }
    run.until_waiting_for::<Unsubscribe>();
    run.deliver(unsubscribe());
    assert_eq!(run.ok().months_paid, 13);
    assert_eq!(run.progress::<Standing>(), Some(Standing { months_paid: 13 }));
    assert_eq!(run.generation(), 13);
}

#[test]
fn a_declined_card_is_replaced_or_the_subscription_ends() {
    let kit = kit();
    kit.on(charge_month).returns_once(Err(BillingError::Declined)).then(
        |_: &Plan, _: &u32, card: &Option<String>| {
            assert_eq!(card.as_deref(), Some("4242"));
            Ok(())
        },
    );
    let run = kit.start(subscription(plan(), 0));
    run.until_waiting_for::<NewCard>();
    run.deliver(new_card());
    run.until_waiting_for::<Unsubscribe>();

    let kit = self::kit();
    kit.on(charge_month).returns(Err(BillingError::Declined));
    let run = kit.start(subscription(plan(), 5));
    assert_eq!(run.err(), SubscriptionError::NoNewCard(TimedOut));
    assert_eq!(run.elapsed(), days(14));
}

#[test]
fn no_month_is_paid_for_nothing_whatever_happens() {
    let explore = Explore::new();
    explore.on(charge_month).returns(Ok(()));
    explore.on(refund_month).returns(());
    explore.on(say_goodbye).returns(());
    let exploration = || {
        explore
            .workflow(|| subscription(plan(), 0))
            .message(unsubscribe)
            .message(new_card)
            .sample(charge_month, Err(BillingError::Declined))
            .always("no month is paid for nothing", is_paid_for_something)
    };
    // It goes on for as long as nobody unsubscribes: there is no end to what can be explored.
    let failing = exploration().each_step_fails().pairs().crash_at_every_write().budget(1_000, NO_LIMIT);
    failing
        .sometimes("the very first month is declined", |end| is_refused(end, "NoNewCard", 1))
        .sometimes("a later month is declined", |end| is_refused(end, "NoNewCard", 2))
        .sometimes("the other card is declined, too", |end| is_refused(end, "NotPaid", 1))
        .sometimes("another card is charged", |end| {
            end.generation() == 1 && end.elapsed() > days(13) && end.outcome() == Outcome::Completed
        })
        .run()
        .assert(edges(1.0))
        .assert(errors(1.0))
        .assert(timers(1.0));
    let cancelled = exploration().cancel_at_every_write().pairs().crash_at_every_write();
    cancelled
        .budget(600, NO_LIMIT)
        .sometimes("a month is given back", |end| end.compensated(charge_month) && end.generation() == 2)
        .run()
        .assert(compensations(1.0));
}

fn is_refused(end: &End<'_>, code: &str, month: u32) -> bool {
    end.outcome() == Outcome::Failed(code.to_owned()) && end.generation() == month
}

/// A month is kept only by a subscription that goes on, or has come to its good end.
fn is_paid_for_something(end: &End<'_>) -> bool {
    let months = end.generation() as usize;
    let kept = end.completed(charge_month).saturating_sub(end.completed(refund_month));
    match end.outcome() {
        Outcome::Completed => kept == months,
        Outcome::Failed(_) | Outcome::Cancelled => kept < months,
    }
}

#[test]
fn the_diagram_is_where_an_analyst_can_begin() {
    judge::the_export_conforms(subscription.graph());
}

#[test]
fn workflow_diagrams_of_the_gallery() {
    workflow_bpmn::Gallery::of([subscription.graph()]).keep("docs/gallery/subscription");
}

#[test]
fn the_diagram_beside_the_code_is_the_one_of_the_code() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/subscription"));
    let graph = subscription.graph();
    for (name, drawn) in [
        ("subscription.bpmn", workflow_bpmn::to_xml(graph)),
        ("subscription.svg", workflow_bpmn::to_svg(graph)),
    ] {
        let committed = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert!(committed == drawn, "{name} is stale: run `cargo xtask diagrams` and look at the picture");
    }
}
