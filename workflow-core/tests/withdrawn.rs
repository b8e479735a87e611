//! What the code has dropped is not waited for any more: a worker that rebuilds the run must not begin it again.
//! The race is written by hand, as an operation of the language would do it.
#![allow(non_camel_case_types, missing_docs)]

use std::borrow::Cow;

use workflow_core::*;
use workflow_graph::*;

fn ask() -> StepCall<__ask> {
    StepCall::new(())
}
struct __ask;
impl Step for __ask {
    const NAME: &'static str = "ask";
    const LABEL: &'static str = "Ask";
    const FACTS: StepFacts = StepFacts {
        name: Cow::Borrowed("ask"),
        was: Cow::Borrowed(&[]),
        label: Cow::Borrowed("Ask"),
        documentation: Cow::Borrowed(""),
        signature: Signature::UNKNOWN,
        effect: Effect::ReadOnly,
        retry: RetryPolicy::DEFAULT,
        timeout_ms: None,
        heartbeat_ms: None,
        concurrency: None,
        rate: None,
        fallible: false,
        errors: Cow::Borrowed(&[]),
        compensation: None,
        transactional: false,
        cancellable: false,
        kept: false,
        task: workflow_graph::Task::Service,
        participant: Cow::Borrowed(""),
        computed: Computed::NOTHING,
        source: Source::UNKNOWN,
    };
    type Args = ();
    type Output = u32;
    const BODY: StepBody = StepBody::Async(|_, _, _| Box::pin(async { Answer::of_value(&7_u32) }));
}

/// Asks for at most half a second, then waits for an hour.
fn hurry() -> WorkflowCall<__hurry> {
    WorkflowCall::new(())
}
struct __hurry;
impl Workflow for __hurry {
    const NAME: &'static str = "hurry";
    const VERSION: u32 = 1;
    const LABEL: &'static str = "Hurry";
    type Args = ();
    type Output = u32;
    type Ending = EndsWithValue;

    fn run(__cx: Cx, (): Self::Args) -> WorkflowFuture<u32> {
        use workflow_core::AwaitExt as _;
        Box::pin(async move {
            let first = {
                let __cx = __cx.__region();
                let sleep = sleep(std::time::Duration::from_millis(500));
                __cx.__race((ask().__durable(&__cx, 0), sleep.__durable(&__cx, 1))).await
            };
            let answer = match first {
                Raced2::First(answer) => answer,
                Raced2::Second(()) => 0,
            };
            sleep(hours(1)).__durable(&__cx, 2).await;
            answer
        })
    }

    fn graph() -> &'static Graph {
        const fn node(id: &'static str, kind: NodeKind) -> Node {
            Node {
                id: Cow::Borrowed(id),
                kind,
                label: Cow::Borrowed(""),
                line: 0,
                scope: None,
                guard: 0,
                instances: None,
                thrown: Thrown::Arriving,
            }
        }
        const NODES: [Node; 3] = [
            node("ask", NodeKind::Step(<__ask as Step>::FACTS)),
            node("sleep", NodeKind::Timer(Span::literal("PT0.5S", "half a second"))),
            node("sleep_2", NodeKind::Timer(Span::literal("PT1H", "1 hour"))),
        ];
        static GRAPH: Graph = Graph {
            signature: Signature::UNKNOWN,
            workflow: Cow::Borrowed("hurry"),
            version: 1,
            label: Cow::Borrowed("Hurry"),
            documentation: Cow::Borrowed(""),
            owner: Cow::Borrowed(""),
            trigger: Trigger::None,
            deadline_ms: None,
            priority: 0,
            source: Source::UNKNOWN,
            nodes: Cow::Borrowed(&NODES),
            flows: Cow::Borrowed(&[]),
            messages: Cow::Borrowed(&[]),
            errors: Cow::Borrowed(&[]),
            allowances: Cow::Borrowed(&[]),
        };
        &GRAPH
    }
    fn positions() -> &'static [usize] {
        &[0, 1, 2]
    }
    fn parts(parts: &mut Parts) {
        parts.call(ask);
    }
}

/// A run whose step was withdrawn between two attempts, because the other branch won.
fn withdrawn() -> (Run, Vec<Command>) {
    let mut run = Run::new(hurry.definition(), "run");
    run.feed(0, &Event::started(Payload::null())).unwrap();
    let failure = Failure { kind: FailureKind::Error, message: "busy".to_owned() };
    let op = OpId::from_text("ask");
    run.feed(0, &Event::AttemptFailed { op, attempt: 1, failure, retry_at_ms: Some(1_000) }).unwrap();
    let commands = run.feed(500, &Event::TimerFired { op: OpId::from_text("sleep") }).unwrap();
    (run, commands)
}

#[test]
fn an_attempt_that_was_withdrawn_is_not_open_any_more() {
    let (run, commands) = withdrawn();
    assert!(commands.contains(&Command::Withdraw { op: OpId::from_text("ask") }), "{commands:?}");
    let open: Vec<_> = run.open_operations().iter().filter_map(|open| open.request.op().cloned()).collect();
    assert_eq!(open, [OpId::from_text("sleep_2")]);
}

#[test]
fn an_attempt_that_was_withdrawn_does_not_come_under_way_when_its_time_comes() {
    let (mut run, _) = withdrawn();
    // Long after the second attempt would have been due, the run ends without waiting for it.
    let commands = run.feed(3_600_500, &Event::TimerFired { op: OpId::from_text("sleep_2") }).unwrap();
    assert_eq!(commands, [Command::Finish(Conclusion::Completed(Payload::of(&0).unwrap()))]);
}

#[test]
fn a_late_answer_of_an_attempt_that_was_withdrawn_is_taken_note_of() {
    let (mut run, _) = withdrawn();
    let op = OpId::from_text("ask");
    // The worker had begun it in the very moment in which it was withdrawn.
    let late = Event::StepCompleted { op, output: Payload::of(&7).unwrap(), error: None };
    assert_eq!(run.feed(2_000, &late).unwrap(), []);
}

#[test]
fn a_retry_of_what_was_withdrawn_is_refused() {
    let (mut run, _) = withdrawn();
    let retry = Event::RetryRequested { op: OpId::from_text("ask") };
    assert!(matches!(run.feed(2_000, &retry), Err(CoreError::Mismatch(_))));
}
