//! Subscription: a loop that goes on for years, under one id and with a journal that never grows.
//! Fourteen months of the engine's own clock, in less than a second.

pub mod billing;
#[cfg(test)]
mod tests;
pub mod workflow;

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use billing::Billing;
use workflow::{NewCard, Plan, Standing, Unsubscribe, subscription};
use workflow_runtime::prelude::*;
use workflow_runtime::{Client, Clock};

const RUN: &str = "subscription-ada";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    if let [command, folder] = &std::env::args().skip(1).collect::<Vec<_>>()[..]
        && command == "diagram"
    {
        return Ok(draw(Path::new(folder))?);
    }
    let (billing, clock) = (Billing::default(), Clock::manual(0));
    billing.decline("ada", 6);
    let folder = tempfile::tempdir()?;
    let engine = Engine::builder()
        .store(Sqlite::open(folder.path().join("subscriptions.db")).await?)
        .clock(clock.clone())
        .register(subscription)
        .resource(billing.clone())
        .start()
        .await?;
    let client = engine.client();
    let plan = Plan { customer: "ada".to_owned(), cents: 999 };
    let run = engine.start(subscription(plan, 0)).id(RUN).await?;
    for month in 1..=14 {
        if month == 6 {
            until_waiting_for(&client, "NewCard").await?;
            println!("month 6: the card is declined, a new one arrives");
            client
                .deliver(NewCard { customer: "ada".into(), number: "4242".into() })
                .message_id("card")
                .await?;
        }
        until_waiting_for(&client, "Unsubscribe").await?;
        let standing: Option<Standing> = client.progress(RUN).await?;
        let rows = client.journal(RUN).await?.len();
        println!("month {month}: {standing:?}, {rows} rows in the journal");
        if month < 14 {
            clock.advance(Duration::from_secs(30 * 86_400));
            until_months_paid(&client, month + 1).await?;
        }
    }
    client.deliver(Unsubscribe { customer: "ada".to_owned() }).message_id("enough").await?;
    println!("{:?}, paid {:?}, {:?}", run.result().await?, billing.paid_by("ada"), billing.mails());
    engine.shutdown().await;
    Ok(())
}

async fn until_waiting_for(client: &Client, message: &str) -> Result<(), workflow_runtime::Error> {
    while !client.status(RUN).await?.waits.values().any(|wait| wait.message == message) {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Ok(())
}

/// Until the month is paid, or its card was declined.
async fn until_months_paid(client: &Client, month: u32) -> Result<(), workflow_runtime::Error> {
    loop {
        let standing: Option<Standing> = client.progress(RUN).await?;
        let asks = client.status(RUN).await?.waits.values().any(|wait| wait.message == "NewCard");
        if asks || standing.is_some_and(|standing| standing.months_paid >= month) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Writes the diagram, as BPMN for tools and as a picture for people.
fn draw(folder: &Path) -> std::io::Result<()> {
    std::fs::write(folder.join("subscription.bpmn"), workflow_bpmn::to_xml(subscription.graph()))?;
    std::fs::write(folder.join("subscription.svg"), workflow_bpmn::to_svg(subscription.graph()))
}
