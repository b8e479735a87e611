//! Application assignment: started by a message, an event for all, a command to a service, and an answer to wait for.
//! One application works out; one gets no answer in four hours of the engine's own clock; one is nobody's business.

pub mod bank;
pub mod service;
#[cfg(test)]
mod tests;
pub mod workflow;

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use bank::Bank;
use service::WorkOrderService;
use workflow::{Application, ApplicationReceived, Assignment, assign_application};
use workflow_runtime::prelude::*;
use workflow_runtime::{Client, Clock, MessageFilter};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    if let [command, folder] = &std::env::args().skip(1).collect::<Vec<_>>()[..]
        && command == "diagram"
    {
        return Ok(draw(Path::new(folder))?);
    }
    let (bank, clock) = (Bank::default(), Clock::manual(0));
    let service = WorkOrderService::new(bank.clone());
    let folder = tempfile::tempdir()?;
    let engine = Engine::builder()
        .store(Sqlite::open(folder.path().join("applications.db")).await?)
        .clock(clock.clone())
        .transport(service.clone())
        .register(assign_application)
        .resource(bank.clone())
        .start()
        .await?;
    let client = engine.client();
    service.answer_to(client.clone());

    println!("A-1 comes in, and the work order service answers:");
    let run = receive_application(&client, "A-1", "north").await?;
    println!("  {}", tell(&client, &run).await);

    println!("A-2 comes in, and the work order service does its work but says nothing:");
    service.answer_at_once(false);
    let run = receive_application(&client, "A-2", "south").await?;
    while client.status(&run).await?.waits.is_empty() || !bank.has_work_order("A-2") {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    println!("  on the desk of {:?}, work order: {}", bank.desk_of("A-2"), bank.has_work_order("A-2"));
    clock.advance(Duration::from_secs(4 * 3_600));
    println!("  {}", tell(&client, &run).await);
    println!("  on the desk of {:?}, work order: {}", bank.desk_of("A-2"), bank.has_work_order("A-2"));

    println!("its answer comes a day too late:");
    service.answer_late().await?;
    clock.advance(Duration::from_secs(8 * 86_400));
    for message in client.messages(&MessageFilter { only_parked: true, ..MessageFilter::default() }).await? {
        println!("  parked: {} for {}: {:?}", message.message, message.key, message.state);
    }

    println!("A-3 comes in, from where nobody may decide:");
    let run = receive_application(&client, "A-3", "moon").await?;
    println!("  {}", tell(&client, &run).await);
    engine.shutdown().await;
    Ok(())
}

/// Hands an application in; gives the id of the run that it starts.
async fn receive_application(
    client: &Client,
    id: &str,
    region: &str,
) -> Result<String, workflow_runtime::Error> {
    let application = Application { id: id.to_owned(), region: region.to_owned(), euros: 30_000 };
    client.deliver(ApplicationReceived { id: id.to_owned(), application }).message_id(id).await?;
    Ok(format!("assign_application:{id}"))
}

/// How the run ended.
async fn tell(client: &Client, run: &str) -> String {
    match client.result::<Assignment>(run).await {
        Ok(Assignment { adviser, work_order }) => format!("{adviser} looks after it: {work_order}"),
        Err(error) => format!("not assigned: {error}"),
    }
}

/// Writes the diagram, as BPMN for tools and as a picture for people.
fn draw(folder: &Path) -> std::io::Result<()> {
    let graph = assign_application.graph();
    std::fs::write(folder.join("application_assignment.bpmn"), workflow_bpmn::to_xml(graph))?;
    std::fs::write(folder.join("application_assignment.svg"), workflow_bpmn::to_svg(graph))
}
