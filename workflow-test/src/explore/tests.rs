//! A crash that changes something is found: each comparison is shown a world or a journal that was tampered with.
//! The executions are real; only what is remembered of them is not.

use workflow_core::{Command, Event, OpId, Payload, WorkflowCall, WorkflowFn};

use super::aftermath::Aftermath;
use super::choices::Choices;
use super::crash::crash;
use super::execution::{Execution, execute};
use super::plan::Plan;
use crate::Explore;
use crate::shop::*;
use crate::test_run::root_head;
use crate::trip::price;
use workflow_runtime::prelude::*;

fn plan() -> Plan {
    let kit = Explore::new();
    kit.on(reserve_goods).returns(Ok(Reservation(7)));
    kit.on(retrieve_payment).returns(Ok(Payment { amount: 7 })).takes(std::time::Duration::from_secs(20));
    kit.on(ship).returns(Ok(Parcel(1)));
    kit.on(thank).returns(());
    let input = Payload::of(&WorkflowCall::into_args(fulfil_order(order()))).unwrap();
    Plan::new(fulfil_order.definition(), input, kit.scripts).unwrap()
}

/// What a crash after the second write shows, while the payment is under way.
fn after_crash(tamper: impl Fn(&mut Execution)) -> Result<(), String> {
    let plan = plan();
    let mut execution = execute(&plan, Choices::default(), None);
    assert!(execution.verdict.is_ok(), "{:?}", execution.verdict);
    tamper(&mut execution);
    let told = |verdict: Result<(), crate::Violation>| verdict.map_err(|violation| violation.to_string());
    let verdict = told(Aftermath::of(&plan, &execution).crash(2));
    assert_eq!(verdict, told(crash(&plan, &execution, 2)), "the short way and the long way");
    verdict
}

#[test]
fn the_short_way_finds_no_difference_where_the_long_one_finds_none() {
    let mut plan = plan();
    (plan.faults, plan.cancels) = (2, true);
    let (mut executions, mut frontier) = (0, super::frontier::Frontier::new());
    while let Some(choices) = frontier.next().filter(|_| executions < 200) {
        let given = choices.len();
        let execution = execute(&plan, Choices::given(choices), None);
        let aftermath = Aftermath::of(&plan, &execution);
        for writes in 1..execution.annals.rows.len() {
            assert!(aftermath.go_on(writes).is_ok(), "{writes} of {:?}", execution.made);
            assert_eq!(crash(&plan, &execution, writes).map_err(|violation| violation.text), Ok(()));
        }
        executions += 1;
        frontier.add(&execution.made, given, 200);
    }
    assert_eq!(executions, 200);
}

#[test]
fn an_operation_that_is_open_only_after_the_crash_is_noticed() {
    let plan = plan();
    let mut execution = execute(&plan, Choices::default(), None);
    execution.open[1][0].is_stuck = true;
    let error = Aftermath::of(&plan, &execution).crash(2).unwrap_err();
    assert_eq!(
        error.to_string(),
        "replay: after the crash another state was rebuilt from the first 2 writes"
    );
}

#[test]
fn a_crash_while_a_step_is_under_way_changes_nothing() {
    assert_eq!(after_crash(|_| {}), Ok(()));
}

#[test]
fn an_attempt_that_was_not_made_before_the_crash_is_named() {
    let error = after_crash(|execution| drop(execution.memory.deeds.remove(&(0, OpId::from_text("ship")))));
    assert_eq!(
        error.unwrap_err(),
        "replay: after the crash attempt 1 of `ship` was made, which was not made before"
    );
}

#[test]
fn another_time_after_the_crash_is_named() {
    let error = after_crash(|execution| execution.annals.rows[3].record.at_ms += 1).unwrap_err();
    assert!(
        error.starts_with("replay: write 4 was the answer of `ship`, {\"Ok\":1} at 20001 ms the"),
        "{error}"
    );
    assert!(error.contains(" first time, and the answer of `ship`, {\"Ok\":1} at 20000 ms"), "{error}");
}

#[test]
fn other_commands_after_the_crash_are_named() {
    let error = after_crash(|execution| execution.annals.rows[2].record.commands.clear()).unwrap_err();
    assert!(
        error.starts_with(
            "replay: after write 3 the code asked for nothing the first time, and for attempt 1 of `ship`"
        ),
        "{error}"
    );
}

#[test]
fn a_run_that_stands_still_after_the_crash_is_named() {
    let error = after_crash(|execution| {
        let again = execution.annals.rows.last().unwrap().clone();
        execution.annals.rows.push(again);
    });
    assert_eq!(
        error.unwrap_err(),
        "replay: after the crash nothing happened any more, where write 6 came the first time"
    );
}

#[test]
fn a_journal_that_other_code_wrote_is_refused_with_both_sides() {
    let error = after_crash(|execution| {
        for command in &mut execution.annals.rows[0].record.commands {
            if let Command::StartStep { step, .. } = command {
                *step = "check_stock".into();
            }
        }
    });
    let error = error.unwrap_err();
    assert!(error.contains("the journal says the step `check_stock` at `reserve_goods`"), "{error}");
}

#[test]
fn what_is_left_open_at_the_end_is_named() {
    let plan = plan();
    let execution = execute(&plan, Choices::default(), None);
    let mut driver = crate::driver::Driver::new(&plan.known);
    let mut world = Nobody;
    let journal = driver.add(root_head(plan.definition, std::sync::Arc::from([])));
    let event = |row: usize| execution.annals.rows[row].record.event.clone();
    for row in 0..4 {
        driver.write(journal, event(row), &mut world).unwrap();
    }
    // Nobody settled the steps with this driver, so their attempts are still on its agenda.
    let error = driver.write(journal, event(4), &mut world).unwrap_err();
    assert_eq!(
        error.to_string(),
        "leak: the run ended while `reserve_goods`, `retrieve_payment`, `ship`, `thank` \
         had not been settled or withdrawn"
    );
    assert!(matches!(event(4), Event::StepCompleted { .. }));
}

/// Two branches of two steps, and many calls
#[workflow]
async fn side_by_side() -> u32 {
    let (first, second) =
        join!(async { price("a").await.unwrap_or(0) + price("b").await.unwrap_or(0) }, async {
            price("c").await.unwrap_or(0) + price("d").await.unwrap_or(0)
        });
    let many = join_all(["e", "f"].iter().map(|part| price(part))).await;
    first + second + many.into_iter().flatten().sum::<u32>()
}

#[test]
fn what_goes_on_one_after_the_other_is_one_branch() {
    let walker = crate::oracle::walk::Walker::new(side_by_side.graph());
    let branch = |op: &str| walker.branch_of(&OpId::from_text(op));
    assert_eq!(branch("price"), branch("price_2"));
    assert_eq!(branch("price_3"), branch("price_4"));
    assert_ne!(branch("price"), branch("price_3"));
    assert_ne!(branch("price_5[0]"), branch("price_5[1]"));
    assert_ne!(branch("price_5[0]"), branch("price_4"));
}

struct Nobody;

impl crate::driver::World for Nobody {
    fn attempt(&mut self, _: &crate::driver::Call<'_>) -> Result<crate::driver::Deed, crate::Violation> {
        unreachable!("no attempt is made")
    }

    fn message(
        &mut self,
        _: &crate::driver::Wait<'_>,
    ) -> Result<Option<crate::agenda::Delivery>, crate::Violation> {
        Ok(None)
    }

    fn child(
        &mut self,
        _: &crate::driver::ChildCall<'_>,
    ) -> Result<Option<crate::driver::ChildDeed>, crate::Violation> {
        Ok(None)
    }

    fn choose(&mut self, _: &crate::driver::Driver, _: &[crate::agenda::Place]) -> Option<usize> {
        Some(0)
    }
}
