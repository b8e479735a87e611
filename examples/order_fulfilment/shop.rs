//! The shop: starts a run for every order, plays the customers, and waits until nothing moves any more.
//! Nothing here would be lost by a crash; it is all asked for again at the next start.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use workflow_runtime::prelude::*;
use workflow_runtime::{Client, RunFilter, RunSummary};

use crate::options::Run;
use crate::orders::{Order, read_orders};
use crate::report::{Ending, Report};
use crate::simulator::World;
use crate::workflow::{NewCard, fulfil_order};

/// How often the shop looks around.
const GLANCE: Duration = Duration::from_millis(100);

/// Opens the shop, and closes it when every order has ended or waits for a customer who does not answer.
/// Gives whether engine and world agree about the money.
///
/// # Errors
/// When a file cannot be read or a database cannot be used.
pub async fn open(run: &Run) -> Result<bool, Box<dyn Error>> {
    if run.fresh && run.data.exists() {
        std::fs::remove_dir_all(&run.data)?;
    }
    std::fs::create_dir_all(&run.data)?;
    let orders = read_orders(&run.orders)?;
    let world = World::open(run.data.join("world.db")).await?.with_latency(run.latency);
    let engine = engine(&run.data, world.clone()).await?;
    let began = Instant::now();
    for order in &orders {
        // Idempotent by id: an order that was started before is not started again.
        engine.start(fulfil_order(order.clone())).id(&order.id).await?;
    }
    println!("{} orders are in the books", orders.len());
    let endings = watch(&engine.client(), &orders).await?;
    engine.shutdown().await;
    let report = Report::of(&orders, &endings, &world.audit().await?);
    println!("\n{report}\n\nthis took {:.1} s", began.elapsed().as_secs_f64());
    Ok(report.is_consistent())
}

async fn engine(folder: &Path, world: World) -> Result<Engine, workflow_runtime::Error> {
    let store = Sqlite::open(folder.join("orders.db")).await?;
    Engine::builder().store(store).register(fulfil_order).resource(world).start().await
}

/// Waits until nothing moves any more; meanwhile customers who are asked for another card send it.
async fn watch(client: &Client, orders: &[Order]) -> Result<BTreeMap<String, Ending>, Box<dyn Error>> {
    let by_id: BTreeMap<&str, &Order> = orders.iter().map(|order| (order.id.as_str(), order)).collect();
    let mut told = usize::MAX;
    loop {
        let runs = all_runs(client).await?;
        let mut endings = BTreeMap::new();
        let mut moving = 0;
        for summary in runs {
            let mut ending = Ending::of(&summary.state);
            if ending == Ending::InProgress {
                let is_waiting =
                    wait_or_answer(client, by_id.get(&*summary.run_id).copied(), &summary).await?;
                if is_waiting {
                    ending = Ending::Waiting;
                }
                moving += usize::from(!is_waiting);
            }
            endings.insert(summary.run_id.to_string(), ending);
        }
        if moving != told {
            told = moving;
            println!("{:>4} of {} orders are under way", moving, endings.len());
        }
        if moving == 0 {
            return Ok(endings);
        }
        tokio::time::sleep(GLANCE).await;
    }
}

async fn all_runs(client: &Client) -> Result<Vec<RunSummary>, workflow_runtime::Error> {
    let mut runs: Vec<RunSummary> = Vec::new();
    loop {
        let after = runs.last().map(|run| run.run_id.to_string());
        let page = client.runs(&RunFilter { after, ..RunFilter::default() }).await?;
        if page.is_empty() {
            return Ok(runs);
        }
        runs.extend(page);
    }
}

/// Whether the order waits for somebody who does not act. A customer who has another card sends it.
async fn wait_or_answer(
    client: &Client,
    order: Option<&Order>,
    summary: &RunSummary,
) -> Result<bool, workflow_runtime::Error> {
    if summary.incidents > 0 {
        return Ok(true);
    }
    let status = client.status(&summary.run_id).await?;
    if status.waits.is_empty() {
        return Ok(false);
    }
    match order.and_then(|order| order.replacement_card.clone()) {
        Some(card) => {
            let order_id = summary.run_id.to_string();
            let message_id = format!("new-card-{order_id}");
            client.deliver(NewCard { order_id, card }).message_id(message_id).await?;
            Ok(false)
        }
        None => Ok(true),
    }
}
