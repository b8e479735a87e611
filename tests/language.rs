//! The operations of the language beside steps: written as the guide says, and what becomes of them in the graph.
//! How they run is tested with the engine and the kit.

#![allow(missing_docs)]

use serde::{Deserialize, Serialize};
use workflow_runtime::prelude::*;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Order {
    id: String,
    lines: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum ShopError {
    #[error("sold out")]
    SoldOut,
}

#[derive(Clone, Debug, Serialize, Deserialize, Message)]
#[message(key = order_id)]
pub struct OrderCompleted {
    order_id: String,
}

impl OrderCompleted {
    fn of(order: &Order) -> OrderCompleted {
        OrderCompleted { order_id: order.id.clone() }
    }
}

#[step(compensate = release(line), timeout = "10s")]
pub async fn reserve(line: &str) -> Result<u32, ShopError> {
    if line.is_empty() { Err(ShopError::SoldOut) } else { Ok(1) }
}

#[step(retriable)]
pub async fn release(line: &str) -> Result<(), ShopError> {
    let _ = line;
    Ok(())
}

/// Reserve everything
#[subflow]
pub async fn reserve_all(order: &Order, lines: Vec<String>) -> Result<u32, ShopError> {
    let mut reserved = 0;
    for line in &lines {
        reserved += reserve(line).timeout(minutes(2)).await?;
    }
    if lines.len() > 1 && order.lines.is_empty() {
        let rest = lines[1..].to_vec();
        reserved += reserve_all(order, rest).label("Reserve the rest").await?;
    }
    Ok(reserved)
}

/// Ship
#[workflow]
pub async fn ship(order: Order) -> Result<u32, ShopError> {
    reserve(&order.id).await
}

#[workflow(deadline = "30d")]
pub async fn sell(order: Order, round: u32) -> Result<u32, ShopError> {
    let began = now().await;
    sleep_until(began + days(1)).await;
    progress(&format!("round {round}")).await;
    if patched("two-warehouses").await {
        reserve(&order.id).without_compensation().await?;
    }
    let reserved = match reserve_all(&order, order.lines.clone()).await {
        Ok(reserved) => reserved,
        Err(ShopError::SoldOut) => {
            compensate().await;
            return Ok(0);
        }
    };
    let shipped = ship(order.clone()).await?;
    let _child = ship(order.clone()).id(format!("{}-again", order.id)).detached().await;
    publish(OrderCompleted::of(&order)).await;
    send(OrderCompleted { order_id: uuid().await.to_string() }).await;
    if random().await == u64::from(shipped) || round < 3 {
        /// Next round
        return continue_as_new(sell(order, round + 1)).await;
    }
    Ok(reserved)
}

#[test]
fn the_graph_shows_what_is_drawn_and_nothing_else() {
    assert_eq!(sell.graph().defects(), []);
    insta::assert_snapshot!(sell.graph().to_string());
    assert_eq!(sell.graph().deadline_ms, Some(30 * 86_400_000));
}

#[test]
fn a_subflow_may_contain_itself() {
    let graph = sell.graph();
    let workflow_runtime::graph::NodeKind::Subflow(subflow) = &graph.node("reserve_all").unwrap().kind else {
        panic!("a subflow")
    };
    insta::assert_snapshot!(subflow.graph.get().to_string());
    assert_eq!(subflow.label, "Reserve everything");
    let steps: Vec<_> = sell.definition().steps().iter().map(|step| step.facts.name.to_string()).collect();
    assert_eq!(steps, ["release", "reserve"]);
    let children: Vec<_> = sell.definition().children().iter().map(|child| child.name).collect();
    assert_eq!(children, ["ship"]);
}

#[test]
fn what_the_call_says_is_known_to_the_graph() {
    let graph = sell.graph();
    let workflow_runtime::graph::NodeKind::Subflow(subflow) = &graph.node("reserve_all").unwrap().kind else {
        panic!("a subflow")
    };
    let workflow_runtime::graph::NodeKind::Step(step) = &subflow.graph.get().node("reserve").unwrap().kind
    else {
        panic!("a step")
    };
    assert_eq!(step.timeout_ms, Some(120_000));
    assert!(step.compensation.is_some());
    let workflow_runtime::graph::NodeKind::Step(stays) = &graph.node("reserve").unwrap().kind else {
        panic!("a step")
    };
    assert!(stays.compensation.is_none());
}
