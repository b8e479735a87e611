//! The approval, tested: single stories, then every failure, cancel and crash at once.

#[path = "../../tests/conformance/judge.rs"]
mod judge;

use std::path::Path;

use workflow_core::Event;
use workflow_runtime::prelude::*;
use workflow_test::{End, Explore, Kit, Outcome, compensations, complete, edges, timers};

use crate::workflow::{
    BudgetError, Claim, ClaimError, Decision, approve_claim, ask, pay_out, return_budget, set_budget_aside,
};

fn claim() -> Claim {
    Claim { id: "lunch".into(), employee: "Ada".into(), cents: 4_200 }
}

fn decision(approved: bool) -> Decision {
    Decision { claim_id: "lunch".into(), by: "Grace".into(), approved }
}

/// What was decided, as the run heard it.
fn decisions(end: &End<'_>) -> impl Iterator<Item = Decision> {
    end.writes().filter_map(|write| match &write.record.event {
        Event::MessageReceived { payload, .. } => Some(payload.read().expect("a decision")),
        _ => None,
    })
}

fn kit() -> Kit {
    let kit = Kit::new();
    kit.on(set_budget_aside).returns(Ok(()));
    kit.on(return_budget).returns(());
    kit.on(ask).returns(());
    kit.on(pay_out).returns("transfer".to_owned());
    kit
}

#[test]
fn what_the_manager_approves_is_paid() {
    let run = kit().start(approve_claim(claim()));
    run.until_waiting_for::<Decision>();
    run.deliver(decision(true));
    assert_eq!(run.ok().approved_by, "Grace");
}

#[test]
fn a_silent_manager_is_passed_over_after_two_days() {
    let run = kit().start(approve_claim(claim()));
    run.until_waiting_for::<Decision>();
    run.advance(days(2));
    run.until_waiting_for::<Decision>();
    run.deliver(decision(true));
    run.ok();
    assert!(run.transcript().contains("ask_2: ok"), "{}", run.transcript());
    assert_eq!(run.elapsed(), days(2));
}

#[test]
fn what_nobody_decides_is_refused_and_its_budget_is_free_again() {
    let run = kit().start(approve_claim(claim()));
    assert_eq!(run.err(), ClaimError::Undecided);
    assert_eq!(run.elapsed(), days(5));
    assert_eq!(run.compensated(), ["set_budget_aside"]);
}

#[test]
fn money_leaves_only_with_an_approval_whatever_happens() {
    let explore = Explore::new();
    explore.on(set_budget_aside).returns(Ok(()));
    explore.on(return_budget).returns(());
    explore.on(ask).returns(());
    explore.on(pay_out).returns("transfer".to_owned());
    let exploration = || {
        explore
            .workflow(|| approve_claim(claim()))
            .message(|| decision(true))
            .message(|| decision(false))
            .sample(set_budget_aside, Err(BudgetError::Exhausted { left: 3 }))
            .always("money leaves only with an approval", |end| {
                end.completed(pay_out) <= decisions(end).filter(|decision| decision.approved).count()
            })
            .always("who is refused is paid nothing", |end| {
                !decisions(end).any(|decision| !decision.approved) || !end.ran(pay_out)
            })
            .always("budget is kept only for what was paid", |end| {
                end.completed(set_budget_aside) <= end.completed(return_budget) + end.completed(pay_out)
            })
    };
    let failing = exploration().each_step_fails().crash_at_every_write();
    failing
        .sometimes("a claim is refused", |end| end.outcome() == Outcome::Failed("Refused".to_owned()))
        .sometimes("nobody decides", |end| end.outcome() == Outcome::Failed("Undecided".to_owned()))
        .run()
        .assert(complete())
        .assert(edges(1.0))
        .assert(compensations(1.0));
    let cancelled = exploration().cancel_at_every_write().crash_at_every_write().run();
    cancelled.assert(complete()).assert(timers(1.0));
}

#[test]
fn the_diagram_is_where_an_analyst_can_begin() {
    judge::the_export_conforms(approve_claim.graph());
}

#[test]
fn workflow_diagrams_of_the_gallery() {
    workflow_bpmn::Gallery::of([approve_claim.graph()]).keep("docs/gallery/approval");
}

#[test]
fn the_diagram_beside_the_code_is_the_one_of_the_code() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/approval"));
    let graph = approve_claim.graph();
    for (name, drawn) in
        [("approval.bpmn", workflow_bpmn::to_xml(graph)), ("approval.svg", workflow_bpmn::to_svg(graph))]
    {
        let committed = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert!(committed == drawn, "{name} is stale: run `cargo xtask diagrams` and look at the picture");
    }
}
