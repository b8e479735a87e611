//! What `#[workflow]` makes of real functions: the call, the graph, and a body that the core can drive.
//! No engine takes part.
#![allow(missing_docs)]

use workflow_core::{Command, Conclusion, Event, OpId, Payload, Run};
use workflow_runtime::prelude::*;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Order {
    id: u32,
    total: u64,
    lines: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum Trouble {
    #[error("declined")]
    Declined,
    #[error("expired")]
    #[step_error(code = "CARD_EXPIRED")]
    CardExpired,
    #[error("nobody answered in time")]
    NoAnswer(#[from] TimedOut),
    #[error("unavailable")]
    #[step_error(transient)]
    Unavailable,
}

#[derive(Clone, Debug, Serialize, Deserialize, Message)]
#[message(name = "NewCard", key = order)]
pub struct NewCard {
    order: u32,
    number: String,
}

mod payments {
    use super::*;

    /// Charge card
    #[step(compensate = super::refund(order, output), timeout = "30s", retry(attempts = 3))]
    pub async fn charge(order: &Order, _card: &str) -> Result<u64, Trouble> {
        Ok(order.total)
    }
}

#[step(retriable)]
pub async fn refund(_order: &Order, _charge: &u64) -> Result<(), Trouble> {
    Ok(())
}

/// Book courier
#[step(pivot)]
pub async fn book(_lines: &[String], urgent: bool) -> Result<String, Trouble> {
    Ok(format!("parcel, urgent: {urgent}"))
}

#[step(retriable)]
pub async fn thank(_order: &Order) {}

/// Sell things
///
/// As long as there are any.
#[workflow(version = 3, owner = "sales")]
pub async fn sell(order: Order, mut card: String) -> Result<String, Trouble> {
    use payments::charge as pay;
    card.push('!');
    /// Take the money
    let charged = match pay(&order, &card).await {
        Ok(charged) => charged,
        /// Ask for another card
        Err(Trouble::CardExpired) => {
            let new = receive::<NewCard>(order.id).within(days(7)).await?;
            pay(&order, &new.number).await?
        }
        Err(error) => return Err(error),
    };
    if charged > 1_000 {
        sleep(hours(1)).await;
    }
    let parcel = book(&order.lines, charged > 5).await?;
    thank(&order).await;
    /// Things sold
    Ok(parcel)
}

#[workflow]
async fn without_anything() {}

fn order() -> Order {
    Order { id: 42, total: 9, lines: vec!["tea".into()] }
}

fn completed<T: Serialize>(op: &str, output: &T, error: Option<&str>) -> Event {
    let output = Payload::of(output).unwrap();
    Event::StepCompleted { op: OpId::from_text(op), output, error: error.map(str::to_owned) }
}

#[test]
fn the_graph_says_what_the_function_does() {
    assert_eq!(sell.graph().defects(), []);
    insta::assert_snapshot!(sell.graph(), @r#"
    sell v3
      started: start -> pay
      pay: step charge "Take the money" -> merge, error CardExpired -> new_card, error -> pay_failed_2
      new_card: receive NewCard within 7 days -> pay_2, timeout -> new_card_timed_out
      new_card_timed_out: failure "New card timed out"
      pay_2: step charge -> merge, error -> pay_failed
      pay_failed: failure "Pay failed"
      pay_failed_2: failure "Pay failed"
      merge: merge -> if_charged_1000
      if_charged_1000: decision "Charged > 1000?" [yes] -> sleep, [no, default] -> merge_2
      sleep: timer 1 hour -> merge_2
      merge_2: merge -> book
      book: step -> thank, error -> book_failed
      book_failed: failure "Book failed"
      thank: step -> things_sold
      things_sold: success "Things sold"
    "#);
    assert_eq!(without_anything.graph().defects(), []);
}

#[test]
fn the_facts_about_steps_come_from_the_steps_themselves() {
    let graph = sell.graph();
    let workflow_graph::NodeKind::Step(pay) = &graph.node("pay").unwrap().kind else { panic!() };
    assert_eq!(
        (pay.name.as_ref(), pay.label.as_ref(), pay.timeout_ms),
        ("charge", "Charge card", Some(30_000))
    );
    assert_eq!(pay.compensation.as_ref().unwrap().step, "refund");
    assert_eq!(pay.error("CardExpired").unwrap().code, "CARD_EXPIRED");
    assert_eq!((graph.label.as_ref(), graph.owner.as_ref(), graph.version), ("Sell things", "sales", 3));
    assert_eq!(graph.documentation, "As long as there are any.");
    assert_eq!(graph.source.file, file!());
    let steps: Vec<_> = sell.definition().steps().iter().map(|step| step.facts.name.to_string()).collect();
    assert_eq!(steps, ["book", "charge", "refund", "thank"]);
}

#[test]
fn the_body_asks_the_run_for_what_it_awaits() {
    let mut run = Run::new(sell.definition(), "run-1");
    let input = Payload::of(&(order(), "4711")).unwrap();
    let commands = run.feed(0, &Event::started(input)).unwrap();
    let [Command::StartStep { op, step, args, .. }] = &commands[..] else { panic!("{commands:?}") };
    assert_eq!((op.as_str(), &**step), ("pay", "charge"));
    assert_eq!(args.read::<(Order, String)>().unwrap(), (order(), "4711!".to_owned()));

    let expired = completed("pay", &Err::<u64, _>(Trouble::CardExpired), Some("CardExpired"));
    let commands = run.feed(1, &expired).unwrap();
    assert!(
        matches!(&commands[..], [Command::AwaitMessage { message, key, .. }] if message == "NewCard" && key == "42")
    );

    let card = NewCard { order: 42, number: "0815".into() };
    let payload = Payload::of(&card).unwrap();
    let op = OpId::from_text("new_card");
    let commands = run.feed(2, &Event::MessageReceived { op, message_id: "m".into(), payload }).unwrap();
    assert!(matches!(&commands[..], [Command::StartStep { op, .. }] if op.as_str() == "pay_2"));

    run.feed(3, &completed("pay_2", &Ok::<u64, Trouble>(7), None)).unwrap();
    assert_eq!(run.undoable(), [OpId::from_text("pay_2")]);
    run.feed(4, &completed("book", &Ok::<_, Trouble>("parcel"), None)).unwrap();
    let commands = run.feed(5, &completed("thank", &(), None)).unwrap();
    let Command::Finish(Conclusion::Completed(result)) = &commands[0] else { panic!("{commands:?}") };
    assert_eq!(result.read::<String>().unwrap(), "parcel");
}
