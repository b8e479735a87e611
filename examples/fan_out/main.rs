//! Fan-out: sixty articles, each priced by a run of its own that asks three suppliers at once, eight runs at a time.
//! The second catalogue holds an article that is sold out: what was ordered before is cancelled again.

pub mod market;
#[cfg(test)]
mod tests;
pub mod workflow;

use std::error::Error;
use std::path::Path;

use market::Market;
use workflow::{Article, buy_catalogue, price_article};
use workflow_runtime::prelude::*;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    if let [command, folder] = &std::env::args().skip(1).collect::<Vec<_>>()[..]
        && command == "diagram"
    {
        return Ok(draw(Path::new(folder))?);
    }
    let market = Market::default();
    let folder = tempfile::tempdir()?;
    // The workflow that prices an article is a child of the other one: it comes along by itself.
    let engine = Engine::builder()
        .store(Sqlite::open(folder.path().join("purchases.db")).await?)
        .register(buy_catalogue)
        .resource(market.clone())
        .start()
        .await?;
    let catalogue = |names: &[&str]| -> Vec<Article> {
        let name = |number: u32| names[number as usize % names.len()];
        (0..60)
            .map(|number| Article { sku: format!("{}-{number}", name(number)), count: number % 5 + 1 })
            .collect()
    };
    let began = std::time::Instant::now();
    let run = engine.start(buy_catalogue(catalogue(&["mug", "shirt", "poster"]))).id("spring").await?;
    let purchase = run.result().await?;
    println!(
        "spring: {} articles for {} cents in {:?}; at most {} questions at a time",
        purchase.offers.len(),
        purchase.cents,
        began.elapsed(),
        market.most_asking()
    );
    println!("on order: {}", market.orders_count());
    let run = engine.start(buy_catalogue(catalogue(&["hat", "scarf", "last-poster"]))).id("autumn").await?;
    match run.result().await {
        Ok(_) => println!("autumn: bought"),
        Err(error) => println!("autumn: {error}"),
    }
    println!("on order: {}", market.orders_count());
    engine.shutdown().await;
    Ok(())
}

/// Writes the diagram, as BPMN for tools and as a picture for people.
fn draw(folder: &Path) -> std::io::Result<()> {
    for (name, graph) in [("fan_out", buy_catalogue.graph()), ("price_article", price_article.graph())] {
        std::fs::write(folder.join(format!("{name}.bpmn")), workflow_bpmn::to_xml(graph))?;
        std::fs::write(folder.join(format!("{name}.svg")), workflow_bpmn::to_svg(graph))?;
    }
    Ok(())
}
