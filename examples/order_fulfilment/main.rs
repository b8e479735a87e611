//! Order fulfilment: runs a file of orders through a durable workflow, against a simulated outside world.
//! Kill it at any moment and start it again: it carries on, and nobody is charged twice.

pub mod options;
pub mod orders;
pub mod report;
pub mod shop;
pub mod simulator;
#[cfg(test)]
mod tests;
pub mod workflow;

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use options::Options;
use workflow_runtime::prelude::*;

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).with_writer(std::io::stderr).init();
    let done = match Options::read(std::env::args().skip(1)) {
        Ok(Options::Diagram { folder }) => draw(&folder),
        Ok(Options::Run(run)) => shop::open(&run).await,
        Err(usage) => {
            eprintln!("{usage}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(is_consistent) if is_consistent => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Writes the diagram, as BPMN for tools and as a picture for people.
fn draw(folder: &Path) -> Result<bool, Box<dyn Error>> {
    let graph = workflow::fulfil_order.graph();
    for (name, text) in
        [("order.bpmn", workflow_bpmn::to_xml(graph)), ("order.svg", workflow_bpmn::to_svg(graph))]
    {
        let path = folder.join(name);
        std::fs::write(&path, text)?;
        println!("wrote {}", path.display());
    }
    Ok(true)
}
