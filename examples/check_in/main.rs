//! Check-in over HTTP, without the HTTP: ready within half a second is answered at once, else by a status and a mail.
//! `desk.rs` is what a handler would do; here the barcode service is taken down and brought back.

pub mod airline;
pub mod desk;
#[cfg(test)]
mod tests;
pub mod workflow;

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use airline::Airline;
use desk::Desk;
use workflow::{Passenger, check_in};
use workflow_runtime::prelude::*;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    if let [command, folder] = &std::env::args().skip(1).collect::<Vec<_>>()[..]
        && command == "diagram"
    {
        return Ok(draw(Path::new(folder))?);
    }
    let airline = Airline::default();
    let folder = tempfile::tempdir()?;
    let engine = Engine::builder()
        .store(Sqlite::open(folder.path().join("check_in.db")).await?)
        .register(check_in)
        .resource(airline.clone())
        .start()
        .await?;
    let desk = Desk::new(engine.clone());
    let passenger = |booking: &str, name: &str| Passenger {
        booking: booking.to_owned(),
        name: name.to_owned(),
        email: format!("{}@example.org", name.to_lowercase()),
    };
    println!("POST /check-in/AB12  {}", desk.check_in(passenger("AB12", "Ada")).await?);
    airline.set_barcode_service_down(true);
    println!("the barcode service is down");
    println!("POST /check-in/CD34  {}", desk.check_in(passenger("CD34", "Grace")).await?);
    println!("POST /check-in/CD34  {}", desk.check_in(passenger("CD34", "Grace")).await?);
    println!("GET  /check-in/CD34  {}", desk.status("CD34").await?);
    airline.set_barcode_service_down(false);
    println!("the barcode service is back");
    while airline.mails().len() < 2 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!("GET  /check-in/CD34  {}", desk.status("CD34").await?);
    for mail in airline.mails() {
        println!("mail {mail}");
    }
    engine.shutdown().await;
    Ok(())
}

/// Writes the diagram, as BPMN for tools and as a picture for people.
fn draw(folder: &Path) -> std::io::Result<()> {
    std::fs::write(folder.join("check_in.bpmn"), workflow_bpmn::to_xml(check_in.graph()))?;
    std::fs::write(folder.join("check_in.svg"), workflow_bpmn::to_svg(check_in.graph()))
}
