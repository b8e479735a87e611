//! Approval: a wait for a person, a deadline, and somebody else to ask when it has passed.
//! Three claims run through a week of the engine's own clock, in less than a second.

pub mod office;
#[cfg(test)]
mod tests;
pub mod workflow;

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use office::Office;
use workflow::{Claim, Decision, approve_claim};
use workflow_runtime::prelude::*;
use workflow_runtime::{Clock, Memory};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    if let [command, folder] = &std::env::args().skip(1).collect::<Vec<_>>()[..]
        && command == "diagram"
    {
        return Ok(draw(Path::new(folder))?);
    }
    let (office, clock) = (Office::with_budget(100_000), Clock::manual(0));
    let engine = Engine::builder()
        .store(Memory::new())
        .clock(clock.clone())
        .register(approve_claim)
        .resource(office.clone())
        .start()
        .await?;
    let client = engine.client();
    let mut runs = Vec::new();
    for (id, cents) in [("lunch", 4_200), ("flight", 61_000), ("yacht", 30_000)] {
        let claim = Claim { id: id.to_owned(), employee: "Ada".to_owned(), cents };
        runs.push((id, engine.start(approve_claim(claim)).id(id).await?));
    }
    println!("Monday: three claims are waiting for the manager, who approves one of them.");
    let decide =
        |claim: &str, by: &str, approved| Decision { claim_id: claim.into(), by: by.into(), approved };
    client.deliver(decide("lunch", "Grace", true)).message_id("lunch-1").await?;
    waits_for_a_decision(&client, &["flight", "yacht"]).await?;
    clock.advance(Duration::from_secs(2 * 86_400));
    println!("Wednesday: the manager is on holiday, the director is asked.");
    waits_for_a_decision(&client, &["flight", "yacht"]).await?;
    client.deliver(decide("flight", "Linus", true)).message_id("flight-1").await?;
    client.deliver(decide("yacht", "Linus", false)).message_id("yacht-1").await?;
    for (id, run) in runs {
        match run.result().await {
            Ok(payout) => println!("  {id}: approved by {}, {}", payout.approved_by, payout.reference),
            Err(error) => println!("  {id}: {error}"),
        }
    }
    println!("The board said:");
    for notice in office.notices() {
        println!("  {notice}");
    }
    println!("{} cents of the budget are left.", office.budget());
    engine.shutdown().await;
    Ok(())
}

/// Until each of these runs waits for a decision whose deadline lies ahead.
async fn waits_for_a_decision(
    client: &workflow_runtime::Client,
    runs: &[&str],
) -> Result<(), workflow_runtime::Error> {
    for run in runs {
        while client.status(run).await?.waits.is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    Ok(())
}

/// Writes the diagram, as BPMN for tools and as a picture for people.
fn draw(folder: &Path) -> std::io::Result<()> {
    std::fs::write(folder.join("approval.bpmn"), workflow_bpmn::to_xml(approve_claim.graph()))?;
    std::fs::write(folder.join("approval.svg"), workflow_bpmn::to_svg(approve_claim.graph()))
}
