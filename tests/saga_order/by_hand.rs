//! Flows written by hand, each with what the judge must find in it: a judge who is wrong proves nothing.
//! Whether the compiler agrees is not asked here.

use super::flow::{
    Arm, Block, Branch, Call, Callee, FailForm, Flow, Function, Handling, LoopKind, Statement,
};
use super::judge::{Wrong, judge};

use Callee::{Charge, Check, Deliver, Hold, Inquire, Look, Order, Reserve, Ship, Subflow, Tell};
use Wrong::{CompensatablePastPivot, FailsPastPivot, KeptWhileOpen, LostEffect, SecondPivot, UndoPastPivot};

/// A call whose error, if it has one, is handed on.
fn call(callee: Callee) -> Statement {
    let cannot_fail = matches!(callee, Look | Hold | Ship | Tell | Deliver);
    let handling = if cannot_fail { Handling::Plain } else { Handling::Question };
    Statement::Call(Call::of(callee), handling)
}

/// A call whose error changes nothing.
fn ignored(callee: Callee) -> Statement {
    Statement::Call(Call::of(callee), Handling::Ignore)
}

fn fail() -> Statement {
    Statement::Fail(FailForm::Return)
}

fn when(yes: Block) -> Statement {
    Statement::If { looks: false, yes, no: vec![] }
}

fn branch(body: Block) -> Branch {
    Branch::Block { is_fallible: true, body }
}

fn try_join(branches: Vec<Branch>) -> Statement {
    Statement::TryJoin(branches, Handling::Question)
}

/// What the judge finds in a workflow with this body, and these subflows.
#[track_caller]
fn finds(bodies: Vec<Block>, expected: &[Wrong]) {
    let functions = bodies.into_iter().map(|body| Function { is_fallible: true, body }).collect();
    let verdict = judge(&Flow { functions }).expect("few states");
    let found: Vec<Wrong> = verdict.keys().copied().collect();
    assert_eq!(found, expected, "{verdict:?}");
}

#[test]
fn the_order_of_a_careful_author_is_right() {
    finds(vec![vec![call(Check), call(Reserve), call(Hold), call(Charge), call(Tell), ignored(Check)]], &[]);
    finds(vec![vec![call(Reserve), call(Ship), call(Look), call(Deliver)]], &[]);
    finds(vec![vec![]], &[]);
}

#[test]
fn an_error_after_a_pivot_is_found() {
    finds(vec![vec![call(Charge), call(Check)]], &[FailsPastPivot]);
    finds(vec![vec![call(Reserve), call(Ship), when(vec![fail()])]], &[FailsPastPivot]);
    finds(vec![vec![when(vec![call(Ship)]), fail()]], &[FailsPastPivot]);
    // The pivot's own error, and ways around it, are none.
    finds(vec![vec![call(Reserve), call(Charge)]], &[]);
    finds(vec![vec![when(vec![call(Ship), Statement::ReturnOk]), fail()]], &[]);
    let tells = Handling::Match { ok: vec![call(Tell)], gone: vec![fail()], late: vec![call(Check), fail()] };
    finds(vec![vec![call(Reserve), Statement::Call(Call::of(Charge), tells)]], &[]);
}

#[test]
fn what_would_have_to_be_undone_after_a_pivot_is_found() {
    finds(vec![vec![call(Ship), call(Hold)]], &[CompensatablePastPivot]);
    finds(vec![vec![call(Charge), ignored(Reserve)]], &[CompensatablePastPivot]);
    finds(vec![vec![call(Ship), Statement::Compensate]], &[UndoPastPivot]);
    finds(vec![vec![call(Ship), call(Ship)]], &[SecondPivot]);
    // One that is meant to stay is none.
    let stays = Statement::Call(Call { callee: Hold, stays: true }, Handling::Plain);
    finds(vec![vec![call(Ship), stays]], &[]);
}

#[test]
fn only_what_can_follow_in_one_execution_counts() {
    let kept = |handling| vec![vec![Statement::Kept(Call::of(Charge), vec![], handling)]];
    finds(kept(Handling::Question), &[]);
    finds(kept(Handling::IsOk(vec![call(Tell)], vec![call(Hold), fail()])), &[]);
    finds(kept(Handling::IsOk(vec![call(Hold)], vec![])), &[CompensatablePastPivot]);
    let between = Statement::Kept(Call::of(Charge), vec![call(Hold)], Handling::Question);
    finds(vec![vec![between]], &[CompensatablePastPivot]);
}

#[test]
fn a_loop_comes_back_to_what_stands_before_the_pivot() {
    for kind in [LoopKind::While, LoopKind::For] {
        let body = vec![ignored(Reserve), call(Ship)];
        finds(vec![vec![Statement::Loop(kind, 1, body)]], &[CompensatablePastPivot, SecondPivot]);
    }
    let once = vec![call(Hold), call(Charge), Statement::Break(1)];
    finds(vec![vec![Statement::Loop(LoopKind::Endless, 1, once)]], &[]);
    let again = vec![
        Statement::Loop(
            LoopKind::For,
            2,
            vec![when(vec![call(Hold), Statement::Continue(1)]), call(Ship), Statement::Break(1)],
        ),
        Statement::Break(1),
    ];
    finds(vec![vec![Statement::Loop(LoopKind::Endless, 1, again)]], &[]);
    let other_label = vec![Statement::Loop(LoopKind::For, 2, vec![call(Ship), Statement::Continue(1)])];
    finds(vec![vec![Statement::Loop(LoopKind::While, 1, other_label)]], &[SecondPivot]);
}

#[test]
fn a_block_is_left_where_its_label_says() {
    let inside = vec![when(vec![call(Ship), Statement::Break(1)]), call(Hold)];
    finds(vec![vec![Statement::Labelled(1, inside.clone())]], &[]);
    finds(vec![vec![Statement::Labelled(1, inside), call(Check)]], &[FailsPastPivot]);
}

#[test]
fn a_subflow_is_a_scope_of_its_own() {
    // It ends with an error and has a pivot: wrong whatever its caller does.
    let fails = vec![call(Ship), when(vec![fail()])];
    finds(vec![vec![ignored(Subflow(1))], fails], &[FailsPastPivot]);
    // Its error is handled after the caller's pivot, and it leaves nothing.
    finds(vec![vec![call(Ship), ignored(Subflow(1))], vec![call(Check)]], &[]);
    finds(vec![vec![call(Ship), call(Subflow(1))], vec![call(Check)]], &[FailsPastPivot]);
    finds(vec![vec![call(Ship), ignored(Subflow(1))], vec![call(Reserve)]], &[CompensatablePastPivot]);
    finds(vec![vec![call(Subflow(1)), call(Hold)], vec![call(Charge)]], &[CompensatablePastPivot]);
    finds(vec![vec![call(Subflow(1)), call(Tell)], vec![call(Charge)]], &[]);
}

#[test]
fn branches_stand_beside_each_other() {
    let beside = |one: Block, other: Block| vec![vec![try_join(vec![branch(one), branch(other)])]];
    finds(beside(vec![call(Hold)], vec![call(Ship)]), &[CompensatablePastPivot]);
    finds(beside(vec![Statement::Sleep], vec![call(Ship)]), &[]);
    finds(beside(vec![call(Ship)], vec![call(Charge)]), &[FailsPastPivot, SecondPivot]);
    finds(beside(vec![call(Check)], vec![call(Ship)]), &[FailsPastPivot]);
    finds(beside(vec![call(Ship), fail()], vec![call(Look)]), &[FailsPastPivot]);
    let handled = Statement::TryJoin(
        vec![Branch::Call(Call::of(Check)), branch(vec![call(Ship)])],
        Handling::IfErr(vec![call(Tell)]),
    );
    finds(vec![vec![handled]], &[]);
    let join = |handling| {
        Statement::Join(
            vec![Branch::Call(Call::of(Check)), Branch::Call(Call::of(Ship))],
            vec![handling, Handling::Plain],
        )
    };
    finds(vec![vec![join(Handling::Ignore)]], &[]);
    finds(vec![vec![join(Handling::Question)]], &[FailsPastPivot]);
    let many = |callee, handling| Statement::Many { call: Call::of(callee), fails_fast: false, handling };
    finds(vec![vec![many(Ship, Handling::Plain)]], &[SecondPivot]);
    finds(vec![vec![call(Ship), many(Check, Handling::Ignore)]], &[]);
    finds(vec![vec![call(Ship), many(Check, Handling::Question)]], &[FailsPastPivot]);
}

#[test]
fn once_a_branch_failed_nothing_new_begins_beside_it() {
    // What had begun is waited for, and may have been the pivot.
    let first = branch(vec![Statement::Call(Call::of(Look), Handling::Plain), fail()]);
    let ends_first = Statement::TryJoin(vec![first, branch(vec![call(Ship)])], Handling::Question);
    finds(vec![vec![ends_first]], &[FailsPastPivot]);
    // Here nothing of the other branch has begun.
    let at_once = branch(vec![fail()]);
    let never = branch(vec![Statement::Sleep, call(Ship)]);
    finds(vec![vec![call(Hold), try_join(vec![at_once, never])]], &[]);
}

#[test]
fn an_effect_that_stays_while_the_end_is_open_is_found() {
    finds(vec![vec![call(Hold), call(Tell), call(Check)]], &[KeptWhileOpen]);
    finds(vec![vec![call(Tell), call(Reserve)]], &[KeptWhileOpen]);
    finds(vec![vec![call(Hold), call(Deliver), call(Check)]], &[KeptWhileOpen]);
    finds(vec![vec![call(Hold), call(Order)]], &[]);
    finds(vec![vec![call(Hold), call(Order), call(Check)]], &[KeptWhileOpen]);
    // After all has been decided, it is right.
    finds(vec![vec![call(Reserve), call(Tell)]], &[]);
    finds(vec![vec![call(Hold), when(vec![call(Tell), fail()])]], &[]);
    // Where nothing is ever undone, it is right as well.
    finds(vec![vec![call(Tell), call(Check)]], &[]);
    // Beside what can still fail.
    let beside = vec![branch(vec![call(Tell)]), Branch::Call(Call::of(Check))];
    finds(vec![vec![call(Hold), try_join(beside)]], &[KeptWhileOpen]);
}

#[test]
fn what_stays_of_a_subflow_stays_in_its_caller() {
    finds(vec![vec![call(Hold), call(Subflow(1)), call(Check)], vec![call(Tell)]], &[KeptWhileOpen]);
    finds(vec![vec![call(Hold), call(Subflow(1))], vec![call(Check), call(Tell)]], &[]);
    finds(vec![vec![call(Hold), call(Subflow(1))], vec![call(Tell), call(Check)]], &[KeptWhileOpen]);
    // It apologises and fails: that was decided in it.
    finds(vec![vec![call(Hold), call(Subflow(1)), call(Check)], vec![when(vec![call(Tell), fail()])]], &[]);
}

#[test]
fn any_arm_of_a_race_may_win() {
    let arm =
        |callee: Option<Callee>, body| Arm { call: callee.map(Call::of), handling: Handling::Plain, body };
    let race = |one: Block, other: Block| Statement::Select(vec![arm(Some(Hold), one), arm(None, other)]);
    finds(vec![vec![race(vec![], vec![fail()])]], &[]);
    finds(vec![vec![race(vec![call(Ship)], vec![]), call(Check)]], &[FailsPastPivot]);
    finds(vec![vec![call(Ship), race(vec![], vec![])]], &[CompensatablePastPivot]);
}

#[test]
fn a_child_that_lost_a_race_keeps_what_it_did() {
    let arm = |callee: Option<Callee>, body| {
        let handling =
            if callee.is_some_and(|callee| callee != Deliver) { Handling::Ignore } else { Handling::Plain };
        Arm { call: callee.map(Call::of), handling, body }
    };
    let race = |child: Callee| Statement::Select(vec![arm(Some(child), vec![]), arm(None, vec![fail()])]);
    finds(vec![vec![race(Deliver)]], &[LostEffect]);
    finds(vec![vec![call(Hold), race(Order)]], &[LostEffect]);
    finds(vec![vec![call(Hold), race(Inquire)]], &[]);
}

#[test]
fn a_trace_tells_how_it_came_about() {
    let functions =
        vec![Function { is_fallible: true, body: vec![call(Ship), Statement::Sleep, call(Check)] }];
    let verdict = judge(&Flow { functions }).unwrap();
    assert_eq!(verdict[&FailsPastPivot].to_string(), "Ship Ok, timer, Check Gone");
}

#[test]
fn a_flow_that_begins_anew_has_succeeded() {
    let anew = when(vec![call(Ship), Statement::ContinueAsNew]);
    finds(vec![vec![anew, call(Check)]], &[]);
    finds(vec![vec![call(Hold), call(Tell), when(vec![Statement::ContinueAsNew]), fail()]], &[KeptWhileOpen]);
}
