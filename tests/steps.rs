//! Steps as `#[step]` makes them: called, described, and run one attempt at a time.
//! No engine and no workflow here; only what the macros leave behind.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use serde_json::{Value, json};
use workflow_core::{Answer, Payload, Resources, Step, StepDef, StepFault, StepFn, def_of, facts_of};
use workflow_graph::{Effect, RetryPolicy, StepFacts, Wire};
use workflow_runtime::prelude::*;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Order {
    id: String,
    total: u64,
}

#[derive(Debug, Serialize, Deserialize, thiserror::Error, StepError)]
enum PaymentError {
    #[error("card declined")]
    Declined,
    /// The card has expired
    #[error("card expired")]
    #[step_error(code = "CARD_EXPIRED")]
    Expired { month: u8 },
    #[error("gateway unavailable: {0}")]
    #[step_error(transient, label = "No gateway")]
    Unavailable(String),
}

#[derive(Debug, Serialize, Deserialize, thiserror::Error, StepError)]
#[error("nothing left of {product}")]
#[step_error(transient)]
struct OutOfStock {
    product: String,
}

#[derive(Debug, Serialize, Deserialize, Message)]
#[message(name = "NewCard", key = order_id)]
struct NewCard {
    order_id: u32,
}

struct Gateway {
    limit: u64,
}

/// Retrieve payment
///
/// From the card of the order.
#[step(
    retry(attempts = 3, initial = "500ms", max = "PT10S"),
    timeout = "1m30s",
    compensate = refund_payment(order, output, order)
)]
async fn retrieve_payment(
    gateway: Resource<Gateway>,
    cx: StepContext,
    order: &Order,
) -> Result<String, PaymentError> {
    match order.total {
        0 => Err(PaymentError::Expired { month: 4 }),
        total if total > gateway.limit => Err(PaymentError::Declined),
        13 => Err(PaymentError::Unavailable("13".to_owned())),
        _ => Ok(format!("{} for {}", cx.idempotency_key(), order.id)),
    }
}

#[step(retriable)]
async fn refund_payment(order: &Order, payment: &str, again: Order) -> Result<u32, OutOfStock> {
    match payment.len() {
        0 => Err(OutOfStock { product: order.id.clone() }),
        length => Ok(length as u32 + u32::from(*order == again)),
    }
}

/// Anything that a signature may hold.
#[step(name = "pick-up", label = "Pick up", read_only)]
async fn collect(
    mut from: u8,
    (low, high): (u8, u8),
    _: bool,
    words: &[String],
    at: &std::path::Path,
) -> usize {
    from += low.max(high);
    usize::from(from) + words.len() + at.as_os_str().len()
}

#[step(pivot)]
async fn hand_over() {}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("these steps wait for nothing"),
    }
}

fn attempt(step: &StepDef, resources: &Resources, args: Value) -> Result<Answer, StepFault> {
    let args = Payload::from_json(args.to_string()).unwrap();
    block_on(step.run.here(StepContext::new("order-42", &step.facts.name, 1), resources, &args))
}

fn supplied() -> Resources {
    let mut resources = Resources::default();
    resources.insert(Gateway { limit: 100 });
    resources
}

fn done(json: Value) -> Answer {
    Answer::Done(Payload::from_json(json.to_string()).unwrap())
}

fn refused(answer: Answer) -> (Value, &'static str, bool, String) {
    let Answer::Refused { output, variant, transient, message } = answer else { panic!("{answer:?}") };
    (output.read().unwrap(), variant, transient, message)
}

fn order(total: u64) -> Value {
    json!({ "id": "42", "total": total })
}

#[test]
fn a_step_runs_with_its_recorded_arguments_and_with_what_the_process_supplies() {
    let answer = attempt(def_of(retrieve_payment), &supplied(), json!([order(7)]));
    assert_eq!(answer.unwrap(), done(json!({ "Ok": "order-42/retrieve_payment for 42" })));
}

#[test]
fn a_refusal_carries_the_error_by_name_and_says_whether_to_try_again() {
    let step = def_of(retrieve_payment);
    let answer = attempt(step, &supplied(), json!([order(0)])).unwrap();
    let output = json!({ "Err": { "Expired": { "month": 4 } } });
    assert_eq!(refused(answer), (output, "Expired", false, "card expired".to_owned()));
    let (_, variant, transient, _) = refused(attempt(step, &supplied(), json!([order(13)])).unwrap());
    assert_eq!((variant, transient), ("Unavailable", true));
}

#[test]
fn a_retriable_step_gives_the_workflow_its_value_and_keeps_its_errors() {
    let step = def_of(refund_payment);
    assert!(!step.returns_result && def_of(retrieve_payment).returns_result);
    let answer = attempt(step, &supplied(), json!([order(7), "paid", order(7)]));
    assert_eq!(answer.unwrap(), done(json!(5)));
    let answer = attempt(step, &supplied(), json!([order(7), "", order(7)])).unwrap();
    let message = "nothing left of 42".to_owned();
    assert_eq!(refused(answer), (json!({ "product": "42" }), "OutOfStock", true, message));
}

#[test]
fn every_kind_of_parameter_reaches_the_body() {
    let args = json!([1, [2, 3], true, ["a", "b"], "/tmp"]);
    assert_eq!(attempt(def_of(collect), &supplied(), args).unwrap(), done(json!(10)));
    assert_eq!(attempt(def_of(hand_over), &supplied(), Value::Null).unwrap(), done(Value::Null));
}

#[test]
fn a_missing_resource_and_arguments_that_do_not_fit_are_faults() {
    let missing = attempt(def_of(retrieve_payment), &Resources::default(), json!([order(7)])).unwrap_err();
    assert!(missing.to_string().contains("Gateway"), "{missing}");
    let unfit = attempt(def_of(retrieve_payment), &supplied(), json!([1])).unwrap_err();
    assert!(matches!(unfit, StepFault::Arguments(_)), "{unfit}");
    let [need] = def_of(retrieve_payment).resources else { panic!("one resource is needed") };
    assert!(supplied().meets(need) && !Resources::default().meets(need));
}

#[test]
fn the_facts_say_what_the_attribute_says() {
    const FACTS: StepFacts = facts_of(retrieve_payment);
    assert_eq!((FACTS.name.as_ref(), FACTS.label.as_ref()), ("retrieve_payment", "Retrieve payment"));
    assert_eq!(FACTS.documentation, "From the card of the order.");
    assert_eq!((FACTS.effect, FACTS.timeout_ms), (Effect::Compensatable, Some(90_000)));
    let retry = RetryPolicy { attempts: Some(3), initial_ms: 500, factor: 2.0, max_ms: 10_000 };
    assert_eq!(FACTS.retry, retry);
    let line = FACTS.source.line as usize;
    let text = include_str!("steps.rs").lines().nth(line - 1).unwrap();
    assert!(FACTS.source.file.ends_with("steps.rs") && text.contains("fn retrieve_payment"), "{text}");
}

#[test]
fn the_facts_say_what_goes_without_saying() {
    const REFUND: StepFacts = facts_of(refund_payment);
    assert_eq!((REFUND.effect, REFUND.retry), (Effect::Retriable, RetryPolicy::UNTIL_SUCCESS));
    assert_eq!((REFUND.label.as_ref(), REFUND.timeout_ms), ("Refund payment", None));
    const COLLECT: StepFacts = facts_of(collect);
    assert_eq!((COLLECT.name.as_ref(), COLLECT.label.as_ref()), ("pick-up", "Pick up"));
    assert_eq!((COLLECT.effect, COLLECT.retry), (Effect::ReadOnly, RetryPolicy::DEFAULT));
    assert!(COLLECT.errors.is_empty());
    assert_eq!(facts_of(hand_over).effect, Effect::Pivot);
}

#[test]
fn the_errors_of_a_step_have_codes_and_labels() {
    let errors: Vec<_> = facts_of(retrieve_payment)
        .errors
        .iter()
        .map(|error| {
            (error.variant.to_string(), error.code.to_string(), error.label.to_string(), error.transient)
        })
        .collect();
    let error = |variant: &str, code: &str, label: &str, transient| {
        (variant.to_owned(), code.to_owned(), label.to_owned(), transient)
    };
    let expected = [
        error("Declined", "Declined", "Declined", false),
        error("Expired", "CARD_EXPIRED", "The card has expired", false),
        error("Unavailable", "Unavailable", "No gateway", true),
    ];
    assert_eq!(errors, expected);
    assert_eq!(facts_of(refund_payment).errors[0].label, "Out of stock");
}

#[test]
fn a_compensation_is_wired_by_name() {
    let facts = facts_of(retrieve_payment).compensation.unwrap();
    assert_eq!((facts.step.as_ref(), facts.label.as_ref()), ("refund_payment", "Refund payment"));
    assert_eq!(facts.wiring.as_ref(), [Wire::Argument(0), Wire::Output, Wire::Argument(0)]);
    let compensation = def_of(retrieve_payment).compensation.unwrap();
    assert!(std::ptr::eq(compensation(), def_of(refund_payment)));
}

#[test]
fn a_call_keeps_copies_of_what_it_was_lent() {
    fn recorded<A, F: StepFn<A> + Copy>(_: F) -> (&'static str, &'static str) {
        use std::any::type_name;
        (type_name::<<F::Step as Step>::Args>(), type_name::<<F::Step as Step>::Output>())
    }
    let (args, output) = recorded(collect);
    let owned = "(u8, (u8, u8), bool, alloc::vec::Vec<alloc::string::String>, std::path::PathBuf)";
    assert_eq!((args, output), (owned, "usize"));
    assert_eq!(recorded(refund_payment).1, "u32");
}

#[test]
fn a_message_has_a_name_and_a_key() {
    let message = NewCard { order_id: 42 };
    assert_eq!((NewCard::NAME, message.key()), ("NewCard", "42".to_owned()));
}
