//! Defects that were found once: each has a test that failed before it was mended, named as the behaviour.
//! Those of single-step runs are driven by hand, those of control flow are explored against the oracles.
#![allow(missing_docs)]

use std::sync::atomic::{AtomicU32, Ordering};

use workflow_core::{Command, CoreError, Event, OpId, Payload, Record, Run};
use workflow_graph::NodeKind;
use workflow_runtime::prelude::*;
use workflow_test::Explore;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum Trouble {
    #[error("too big")]
    TooBig,
    #[error("gone")]
    Gone,
    #[error("nobody answered in time")]
    Late(#[from] TimedOut),
}

/// Has a variant that `Trouble` has too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum Other {
    #[error("gone")]
    Gone,
    #[error("stuck")]
    Stuck,
}

#[derive(Clone, Debug, Serialize, Deserialize, Message)]
#[message(key = number)]
pub struct Answer {
    number: u32,
}

#[step(read_only)]
pub async fn find(number: u32) -> Option<u32> {
    Some(number)
}

#[step(read_only)]
pub async fn check(number: u32) -> Result<u32, Trouble> {
    Ok(number)
}

#[step(read_only)]
pub async fn count(number: u32) -> u32 {
    number
}

/// Explores a workflow with arguments from 0 to 4.
fn explore<W: workflow_core::Workflow>(
    call: impl Fn(u32) -> workflow_core::WorkflowCall<W> + Copy + 'static,
) {
    for number in 0..5 {
        let kit = Explore::new();
        kit.on(find).then(|number| (number % 2 == 0).then_some(*number));
        kit.on(check).then(|number| Ok(*number));
        kit.on(count).then(|number| *number);
        kit.workflow(move || call(number)).each_step_fails().run();
    }
}

#[workflow]
pub async fn looks_at_an_option(number: u32) -> Result<u32, Trouble> {
    if let Some(found) = find(number).await {
        count(found).await;
    } else {
        check(number).await?;
    }
    let Some(found) = find(number + 1).await else {
        return Err(Trouble::Gone);
    };
    if let Ok(1) | Ok(2) = check(found).await {
        count(found).await;
    }
    check(found).await
}

#[test]
fn an_if_let_over_an_optional_outcome_is_a_decision_with_both_branches() {
    explore(looks_at_an_option);
}

#[workflow]
pub async fn maps_its_errors(number: u32) -> Result<u32, Trouble> {
    match check(number).await.map_err(|_| Other::Gone) {
        Ok(_) => {}
        Err(Other::Gone) => drop(count(number).await),
        Err(Other::Stuck) => return Err(Trouble::TooBig),
    }
    Ok(number)
}

#[test]
fn what_map_err_made_of_an_error_is_no_variant_of_the_step() {
    explore(maps_its_errors);
}

#[workflow]
pub async fn gives_an_option(number: u32) -> Option<u32> {
    let found = find(number).await?;
    let less = found.checked_sub(3)?;
    count(less).await;
    Some(less)
}

#[test]
fn a_question_mark_in_a_workflow_that_returns_an_option_ends_with_a_result() {
    explore(gives_an_option);
}

macro_rules! as_it_is {
    ($value:expr) => {
        $value
    };
}

#[workflow]
pub async fn ends_with_a_macro_in_braces(number: u32) -> Result<u32, Trouble> {
    count(number).await;
    as_it_is! { Err(Trouble::Gone) }
}

#[test]
fn a_macro_in_braces_as_the_result_may_be_an_error() {
    explore(ends_with_a_macro_in_braces);
}

#[workflow]
pub async fn asks_in_every_argument(number: u32) -> Result<u32, Trouble> {
    let wait = receive::<Answer>(check(number).await?).within(seconds(check(3).await?));
    drop(wait);
    let answer = receive::<Answer>(check(number).await?).within(seconds(check(3).await?)).await;
    let answer = answer.map(|answer| answer.number).unwrap_or_default();
    let sum =
        check(answer).await.map(count(number).await.max(1).saturating_add_to()).map_err(Trouble::from)?;
    let mut total = 1;
    total += check(sum % 5).await?;
    Ok(total)
}

trait Adding {
    fn saturating_add_to(self) -> impl FnOnce(u32) -> u32;
}

impl Adding for u32 {
    fn saturating_add_to(self) -> impl FnOnce(u32) -> u32 {
        move |other| self.saturating_add(other)
    }
}

#[test]
fn awaits_in_the_arguments_of_within_and_map_are_drawn_where_they_happen() {
    explore(asks_in_every_argument);
}

#[workflow]
pub async fn guards_a_plain_value(number: u32) -> u32 {
    match count(number).await {
        many if many > 3 => count(many).await,
        some if some > 1 => find(some).await.unwrap_or(9),
        _ => 0,
    }
}

#[test]
fn a_guard_on_the_value_of_a_step_that_cannot_fail_is_drawn() {
    explore(guards_a_plain_value);
}

#[workflow]
pub async fn binds_a_value_under_the_name_of_its_step(number: u32) -> Result<u32, Trouble> {
    let check = check(number).await?;
    for count in 0..check % 2 {
        assert_eq!(count, 0);
    }
    Ok(count(check).await)
}

#[test]
fn a_local_value_hides_a_step_only_where_it_is_in_scope() {
    explore(binds_a_value_under_the_name_of_its_step);
}

mod bakery {
    use workflow_runtime::prelude::*;

    #[step(read_only, name = "bake_bread")]
    pub async fn bake() -> u32 {
        1
    }
}

#[step(read_only)]
pub async fn bake() -> u32 {
    2
}

#[workflow]
pub async fn bakes_twice() -> u32 {
    enum Kind {
        Bread,
    }
    use Kind::Bread;
    let bread = {
        use bakery::bake;
        match Bread {
            Bread => bake().await,
        }
    };
    bread + bake().await
}

#[test]
fn a_use_in_a_block_means_only_what_is_in_the_block() {
    let graph = bakes_twice.graph();
    let step = |id: &str| match &graph.node(id).unwrap().kind {
        NodeKind::Step(step) => step.name.to_string(),
        other => panic!("{other:?}"),
    };
    assert_eq!((step("bake").as_str(), step("bake_2").as_str()), ("bake_bread", "bake"));
    assert_eq!(bakes_twice.definition().steps().len(), 2);
}

#[step(read_only)]
pub async fn r#yield() -> u32 {
    1
}

#[step(read_only, name = "pruefe")]
pub async fn prüfe() -> u32 {
    1
}

#[step(read_only, name = "kensa")]
pub async fn 検査() -> u32 {
    1
}

#[workflow]
pub async fn r#match() -> u32 {
    let sum = r#yield().await + prüfe().await + 検査().await;
    /// 2nd round
    sum
}

#[test]
fn names_in_any_spelling_give_valid_ids() {
    let graph = r#match.graph();
    assert_eq!(graph.defects(), []);
    assert_eq!(graph.workflow, "match");
    let ids: Vec<&str> = graph.nodes.iter().map(|node| node.id.as_ref()).collect();
    assert_eq!(ids, ["started", "yield", "pr_fe", "__", "_2nd_round"]);
}

#[workflow]
#[allow(unreachable_code)]
pub async fn goes_on_after_its_end(number: u32) -> Result<u32, Trouble> {
    return Ok(number);
    if number > 3 {
        return Err(Trouble::TooBig);
    }
    Ok(1)
}

#[test]
fn decisions_that_nobody_comes_to_are_not_drawn() {
    assert_eq!(goes_on_after_its_end.graph().defects(), []);
    assert_eq!(goes_on_after_its_end.graph().nodes.len(), 2);
}

#[workflow]
#[cfg(not(debug_assertions))]
pub async fn is_not_built(number: u32) -> NoSuchType {
    no_such_step(number).await
}

#[workflow]
#[cfg(debug_assertions)]
#[expect(unused_variables, reason = "the attribute reaches the body, and only the body")]
pub async fn is_built(number: u32) {
    let unused = number;
}

#[test]
fn attributes_of_a_workflow_reach_all_that_is_made_of_it() {
    assert_eq!(is_built.graph().defects(), []);
}

/// Steps under names that the expansions of the macros use inside.
mod inner_names {
    use workflow_runtime::prelude::*;

    #[step(read_only)]
    pub async fn args(args: u32) -> u32 {
        args
    }

    #[step(read_only)]
    pub async fn graph(output: u32) -> u32 {
        output
    }

    #[step(read_only)]
    pub async fn result(cx: StepContext, __cx: u32) -> u32 {
        drop(cx);
        __cx
    }

    #[workflow]
    pub async fn cx(cx: u32, __cx: u32, __result: u32) -> u32 {
        args(graph(result(cx + __cx + __result).await).await).await
    }
}

#[test]
fn steps_may_have_the_names_that_the_expansion_uses_inside() {
    assert_eq!(inner_names::cx.graph().defects(), []);
}

static TICKS: AtomicU32 = AtomicU32::new(0);

#[step(compensate = untick(tick))]
pub async fn tick(tick: u32) -> Result<u32, Trouble> {
    Ok(tick)
}

#[step(retriable)]
pub async fn untick(_tick: &u32) {}

/// Not repeatable, as no workflow should be.
#[workflow]
pub async fn asks_the_weather() -> Result<u32, Trouble> {
    #[allow_workflow(shared_static, reason = "the test is about a value that changes")]
    tick(TICKS.fetch_add(1, Ordering::Relaxed)).await?;
    #[allow_workflow(shared_static, reason = "the test is about a time that changes")]
    sleep(seconds(TICKS.load(Ordering::Relaxed))).await;
    Err(Trouble::Gone)
}

#[test]
fn a_replayed_run_uses_the_recorded_arguments_and_times() {
    let completed = Event::StepCompleted {
        op: OpId::from_text("tick"),
        output: Payload::of(&Ok::<u32, Trouble>(1)).unwrap(),
        error: None,
    };
    let mut run = Run::new(asks_the_weather.definition(), "run-1");
    let mut journal: Vec<Record> = Vec::new();
    for event in [Event::started(Payload::null()), completed] {
        let commands = run.feed(0, &event).unwrap();
        journal.push(Record::new(0, event, commands));
    }
    let mut again = Run::replay(asks_the_weather.definition(), "run-1", &journal).unwrap();
    assert_eq!(again.open_operations()[0].request, journal[1].commands[0]);
    let commands = again.feed(9_000, &Event::TimerFired { op: OpId::from_text("sleep") }).unwrap();
    let [Command::StartStep { op, args, .. }] = &commands[..] else { panic!("{commands:?}") };
    assert_eq!((op.as_str(), args.as_json()), ("tick/undo", "[0]"));
}

/// A value that breaks when it is read, or when it is dropped.
#[derive(Serialize)]
pub struct Fragile(u32);

impl<'de> Deserialize<'de> for Fragile {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Fragile, D::Error> {
        let number = u32::deserialize(deserializer)?;
        assert!(number != 13, "broken when read");
        Ok(Fragile(number))
    }
}

impl Drop for Fragile {
    fn drop(&mut self) {
        assert!(self.0 != 14 || std::thread::panicking(), "broken when dropped");
    }
}

#[workflow]
pub async fn carries(fragile: Fragile) {
    sleep(hours(1)).await;
    drop(fragile);
}

fn fragile_run(number: u32) -> (Run, Result<Vec<Command>, CoreError>) {
    let mut run = Run::new(carries.definition(), "run-1");
    let fed = run.feed(0, &Event::started(Payload::of(&(number,)).unwrap()));
    (run, fed)
}

#[test]
fn a_panic_while_the_input_is_read_is_told_as_a_panic_of_the_code() {
    let panicked = CoreError::Panicked { message: "broken when read".to_owned() };
    assert_eq!(fragile_run(13).1, Err(panicked));
}

#[test]
fn a_panic_while_a_cancel_drops_the_code_is_told_as_a_panic_of_the_code() {
    let mut run = fragile_run(14).0;
    let cancelled = run.feed(1, &Event::CancelRequested { reason: "enough".to_owned() });
    assert_eq!(cancelled, Err(CoreError::Panicked { message: "broken when dropped".to_owned() }));
}
