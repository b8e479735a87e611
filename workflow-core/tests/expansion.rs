//! What the macros write, written by hand: the contract between `workflow-macros` and this crate.
//! It uses no macro, so that a failure here is a failure of the core.
#![allow(non_camel_case_types, missing_docs)]

use std::borrow::{Borrow, Cow};

use serde::{Deserialize, Serialize};
use workflow_core::attempt::{answer, arguments, retried, supplied};
use workflow_core::*;
use workflow_graph::*;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Order {
    id: String,
    total: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
pub enum PaymentError {
    #[error("card declined")]
    Declined,
    #[error("card expired")]
    CardExpired,
    #[error("gateway unavailable: {0}")]
    Unavailable(String),
}

impl StepError for PaymentError {
    const ERRORS: &'static [ErrorFacts] = &[
        ErrorFacts {
            variant: Cow::Borrowed("Declined"),
            code: Cow::Borrowed("Declined"),
            label: Cow::Borrowed("Declined"),
            transient: false,
            wraps: &[],
        },
        ErrorFacts {
            variant: Cow::Borrowed("CardExpired"),
            code: Cow::Borrowed("CARD_EXPIRED"),
            label: Cow::Borrowed("Card expired"),
            transient: false,
            wraps: &[],
        },
        ErrorFacts {
            variant: Cow::Borrowed("Unavailable"),
            code: Cow::Borrowed("Unavailable"),
            label: Cow::Borrowed("Unavailable"),
            transient: true,
            wraps: &[],
        },
    ];

    fn index(&self) -> usize {
        match self {
            Self::Declined { .. } => 0,
            Self::CardExpired { .. } => 1,
            Self::Unavailable { .. } => 2,
        }
    }
}

impl From<TimedOut> for PaymentError {
    fn from(_: TimedOut) -> Self {
        PaymentError::CardExpired
    }
}

// #[step(compensate = refund_payment(order, output), retry(attempts = 2, ..))]
// pub async fn retrieve_payment(gateway: Resource<u64>, cx: StepContext, order: &Order) -> Result<u64, PaymentError>
const _: () = {
    #[allow(dead_code)]
    fn __recorded(_: Lent<Order>, _: Stored<u64>) {}
};
pub fn retrieve_payment(order: &Order) -> StepCall<__retrieve_payment> {
    StepCall::new((<Order as ToOwned>::to_owned(order),))
}
#[doc(hidden)]
pub struct __retrieve_payment;
impl Step for __retrieve_payment {
    const NAME: &'static str = "retrieve_payment";
    const LABEL: &'static str = "Retrieve payment";
    const FACTS: StepFacts = StepFacts {
        name: Cow::Borrowed("retrieve_payment"),
        was: Cow::Borrowed(&[]),
        label: Cow::Borrowed("Retrieve payment"),
        documentation: Cow::Borrowed(""),
        signature: Signature::UNKNOWN,
        effect: Effect::Compensatable,
        retry: RetryPolicy { attempts: Some(2), initial_ms: 1_000, factor: 2.0, max_ms: 60_000 },
        timeout_ms: Some(30_000),
        heartbeat_ms: None,
        concurrency: None,
        rate: None,
        fallible: true,
        errors: Cow::Borrowed(<<Result<u64, PaymentError> as Fallible>::Error as StepError>::ERRORS),
        compensation: Some(compensation_of::<(Order, u64), _, _>(
            refund_payment,
            &[Wire::Argument(0), Wire::Output],
        )),
        transactional: false,
        cancellable: false,
        kept: false,
        task: workflow_graph::Task::Service,
        participant: Cow::Borrowed(""),
        computed: Computed::NOTHING,
        source: Source::at(file!(), line!()),
    };
    type Args = (<Order as ToOwned>::Owned,);
    type Output = Result<u64, PaymentError>;
    const COMPENSATION: Option<fn() -> &'static StepDef> = Some(|| undo_def_of(refund_payment));
    const RESOURCES: &'static [ResourceNeed] = &[ResourceNeed::of::<u64>()];
    const BODY: StepBody = StepBody::Async(|cx, resources, args| {
        async fn retrieve_payment(
            gateway: Resource<u64>,
            cx: StepContext,
            order: &Order,
        ) -> Result<u64, PaymentError> {
            let _ = (cx.idempotency_key(), order);
            Ok(*gateway)
        }
        let args = arguments::<__retrieve_payment>(args);
        let resource_0 = supplied::<u64>(resources);
        Box::pin(async move {
            let args = args?;
            let resource_0 = resource_0?;
            let output = retrieve_payment(resource_0, cx, <Order as ToOwned>::Owned::borrow(&args.0)).await;
            answer::<__retrieve_payment>(&output)
        })
    });
}

// #[step(retriable)] pub fn refund_payment(order: &Order, payment: &u64) -> Result<(), PaymentError>
pub fn refund_payment(order: &Order, payment: &u64) -> StepCall<__refund_payment> {
    StepCall::new((order.to_owned(), payment.to_owned()))
}
#[doc(hidden)]
pub struct __refund_payment;
impl Step for __refund_payment {
    const NAME: &'static str = "refund_payment";
    const LABEL: &'static str = "Refund payment";
    const FACTS: StepFacts = StepFacts {
        name: Cow::Borrowed("refund_payment"),
        was: Cow::Borrowed(&[]),
        label: Cow::Borrowed("Refund payment"),
        documentation: Cow::Borrowed(""),
        signature: Signature::UNKNOWN,
        effect: Effect::Retriable,
        retry: RetryPolicy::UNTIL_SUCCESS,
        timeout_ms: None,
        heartbeat_ms: None,
        concurrency: None,
        rate: None,
        fallible: true,
        errors: Cow::Borrowed(PaymentError::ERRORS),
        compensation: None,
        transactional: false,
        cancellable: false,
        kept: false,
        task: workflow_graph::Task::Service,
        participant: Cow::Borrowed(""),
        computed: Computed::NOTHING,
        source: Source::at(file!(), line!()),
    };
    type Args = (Order, u64);
    type Output = ();
    const BODY: StepBody = StepBody::Blocking(|_, _, args| {
        let _args = arguments::<__refund_payment>(args)?;
        retried::<__refund_payment>(&Ok::<(), PaymentError>(()))
    });
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewCard {
    order_id: String,
}
impl Message for NewCard {
    const NAME: &'static str = "NewCard";
    fn key(&self) -> String {
        self.order_id.to_string()
    }
}

// #[workflow] pub async fn pay(order: Order) -> Result<u64, PaymentError> { .. }
pub fn pay(order: Order) -> WorkflowCall<__pay> {
    WorkflowCall::new((order,))
}
#[doc(hidden)]
pub struct __pay;
impl Workflow for __pay {
    const NAME: &'static str = "pay";
    const VERSION: u32 = 1;
    const LABEL: &'static str = "Pay";
    type Args = (Order,);
    type Output = Result<u64, PaymentError>;
    type Ending = EndsWithResult;

    fn run(__cx: Cx, (order,): Self::Args) -> WorkflowFuture<Self::Output> {
        use workflow_core::AwaitExt as _;
        Box::pin(async move {
            if let Some(__result) = None::<Result<u64, PaymentError>> {
                return __result;
            }
            let payment = match retrieve_payment(&order).__durable(&__cx, 0).await {
                Ok(payment) => payment,
                Err(PaymentError::CardExpired) => {
                    let _card = receive::<NewCard>(&order.id).within(days(7)).__durable(&__cx, 1).await?;
                    retrieve_payment(&order).__durable(&__cx, 2).await?
                }
                Err(error) => return Err(error),
            };
            sleep(hours(1)).__durable(&__cx, 3).await;
            if payment > 10 {
                return Err(PaymentError::Declined);
            }
            Ok(payment)
        })
    }

    fn graph() -> &'static Graph {
        const NODES: [Node; 5] = [
            Node {
                id: Cow::Borrowed("started"),
                kind: NodeKind::Start,
                label: Cow::Borrowed(""),
                line: 0,
                scope: None,
                guard: 0,
                instances: None,
                thrown: Thrown::Arriving,
            },
            node("retrieve_payment", kind_of(retrieve_payment)),
            node(
                "new_card",
                NodeKind::Receive {
                    message: Cow::Borrowed(<NewCard as Message>::NAME),
                    deadline: Some(Span::literal("P7D", "7 days")),
                },
            ),
            node("retrieve_payment_2", kind_of(retrieve_payment)),
            node("sleep", NodeKind::Timer(Span::literal("PT1H", "1 hour"))),
        ];
        static GRAPH: Graph = Graph {
            signature: Signature::UNKNOWN,
            workflow: Cow::Borrowed("pay"),
            version: 1,
            label: Cow::Borrowed("Pay"),
            documentation: Cow::Borrowed(""),
            owner: Cow::Borrowed(""),
            trigger: Trigger::None,
            deadline_ms: None,
            priority: 0,
            source: Source::at(file!(), line!()),
            nodes: Cow::Borrowed(&NODES),
            flows: Cow::Borrowed(&[]),
            messages: Cow::Borrowed(&[]),
            errors: Cow::Borrowed(&[]),
            allowances: Cow::Borrowed(&[]),
        };
        &GRAPH
    }
    fn positions() -> &'static [usize] {
        &[1, 2, 3, 4]
    }
    fn parts(parts: &mut Parts) {
        parts.call(retrieve_payment);
        parts.call(retrieve_payment);
    }
}

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

fn order() -> Order {
    Order { id: "42".into(), total: 7 }
}

fn completed_with(op: &str, output: Result<u64, PaymentError>) -> Event {
    let error = output.as_ref().err().map(|error| error.facts().variant.to_string());
    Event::StepCompleted { op: OpId::from_text(op), output: Payload::of(&output).unwrap(), error }
}

fn start() -> (Run, Vec<Command>) {
    let mut run = Run::new(pay.definition(), "run-1");
    let commands = run.feed(0, &Event::started(Payload::of(&(order(),)).unwrap())).unwrap();
    (run, commands)
}

#[test]
fn the_function_value_names_the_step_and_the_workflow() {
    assert_eq!(pay.graph().workflow, "pay");
    let names: Vec<_> = pay.definition().steps().iter().map(|step| step.facts.name.clone()).collect();
    assert_eq!(names, ["refund_payment", "retrieve_payment"]);
}

#[test]
fn a_failure_undoes_what_was_done_with_the_recorded_arguments() {
    let (mut run, commands) = start();
    assert!(matches!(&commands[..], [Command::StartStep { step, .. }] if step == "retrieve_payment"));
    let commands = run.feed(5, &completed_with("retrieve_payment", Ok(11))).unwrap();
    assert_eq!(commands, [Command::SetTimer { op: OpId::from_text("sleep"), due_ms: 5 + 3_600_000 }]);
    let commands = run.feed(3_600_005, &Event::TimerFired { op: OpId::from_text("sleep") }).unwrap();
    let [Command::StartStep { op, step, args, .. }] = &commands[..] else { panic!("{commands:?}") };
    assert_eq!((op.as_str(), &**step), ("retrieve_payment/undo", "refund_payment"));
    assert_eq!(args.read::<(Order, u64)>().unwrap(), (order(), 11));
    let undone = Event::StepCompleted { op: op.clone(), output: Payload::null(), error: None };
    let commands = run.feed(3_600_006, &undone).unwrap();
    assert!(
        matches!(&commands[..], [Command::Finish(Conclusion::Failed { code, .. })] if code == "Declined")
    );
}

#[test]
fn a_deadline_reaches_the_code_as_timed_out() {
    let (mut run, _) = start();
    let commands = run.feed(1, &completed_with("retrieve_payment", Err(PaymentError::CardExpired))).unwrap();
    let [Command::AwaitMessage { op, key, due_ms, .. }] = &commands[..] else { panic!("{commands:?}") };
    assert_eq!((key.as_str(), *due_ms), ("42", Some(1 + 7 * 86_400_000)));
    let commands = run.feed(9, &Event::TimerFired { op: op.clone() }).unwrap();
    assert!(
        matches!(&commands[..], [Command::Finish(Conclusion::Failed { code, .. })] if code == "CARD_EXPIRED")
    );
}

#[test]
fn other_code_than_the_journal_knows_is_refused_with_both_sides_named() {
    let started = Event::started(Payload::of(&(order(),)).unwrap());
    let asked = Command::StartStep {
        op: OpId::from_text("check_stock"),
        step: "check_stock".into(),
        args: Payload::null(),
        attempt: 1,
        due_ms: 0,
        timeout_ms: None,
    };
    let journal = [Record::new(0, started, vec![asked])];
    let error = Run::replay(pay.definition(), "run-1", &journal).err().unwrap();
    assert_eq!(
        error.to_string(),
        "run run-1, journal row 1: the journal says the step `check_stock`, \
         the code asks for the step `retrieve_payment` (WF101, docs/errors/WF101.md)"
    );
}
