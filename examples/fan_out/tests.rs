//! The fan-out, tested: single stories, then every failure, cancel and crash at once.

#[path = "../../tests/conformance/judge.rs"]
mod judge;

use std::path::Path;

use workflow_runtime::prelude::*;
use workflow_test::{Explore, Kit, Outcome, complete};

use crate::workflow::{
    Article, Offer, OrderError, PurchaseError, ask, buy_catalogue, cancel_order, order, price_article,
};

fn articles(count: u32) -> Vec<Article> {
    (0..count).map(|number| Article { sku: format!("mug-{number}"), count: 1 }).collect()
}

fn offer(supplier: &str, article: &Article) -> Option<Offer> {
    let cents = match supplier {
        "near" => 130,
        "far" => 100,
        _ => 110,
    };
    Some(Offer { sku: article.sku.clone(), supplier: supplier.to_owned(), cents })
}

fn kit() -> Kit {
    let kit = Kit::new();
    kit.on(ask).then(|supplier: &String, article: &Article| offer(supplier, article));
    kit.on(order).returns(Ok(()));
    kit.on(cancel_order).returns(());
    kit
}

#[test]
fn the_best_offer_of_three_is_taken_for_each_article() {
    let purchase = kit().start(buy_catalogue(articles(20))).ok();
    assert_eq!(purchase.cents, 2_000);
    let skus: Vec<&str> = purchase.offers.iter().map(|offer| offer.sku.as_str()).collect();
    assert_eq!(skus[..3], ["mug-0", "mug-1", "mug-2"], "in the order of the catalogue");
    assert!(purchase.offers.iter().all(|offer| offer.supplier == "far"));
}

#[test]
fn an_article_that_nobody_offers_buys_nothing() {
    let kit = kit();
    kit.on(ask).returns(None);
    let run = kit.start(buy_catalogue(articles(3)));
    assert!(matches!(run.err(), PurchaseError::NoOffer { .. }));
    assert_eq!(run.compensated(), [] as [&str; 0]);
}

#[test]
fn nothing_stays_on_order_when_the_purchase_fails_whatever_happens() {
    let explore = Explore::new();
    explore.on(ask).returns(offer("far", &articles(1)[0]));
    explore.on(order).returns(Ok(()));
    explore.on(cancel_order).returns(());
    let sold_out = OrderError::SoldOut { sku: "mug-1".into(), supplier: "far".into() };
    let exploration = || {
        explore.workflow(|| buy_catalogue(articles(2))).sample(order, Err(sold_out.clone())).always(
            "orders are kept only with the whole catalogue",
            |end| {
                let kept = if end.outcome() == Outcome::Completed { 2 } else { 0 };
                end.completed(order) <= end.completed(cancel_order) + kept
            },
        )
    };
    exploration().each_step_fails().crash_at_every_write().run().assert(complete());
    exploration().cancel_at_every_write().crash_at_every_write().run().assert(complete());
}

#[test]
fn the_diagram_is_where_an_analyst_can_begin() {
    judge::the_export_conforms(buy_catalogue.graph());
    judge::the_export_conforms(price_article.graph());
}

#[test]
fn workflow_diagrams_of_the_gallery() {
    workflow_bpmn::Gallery::of([buy_catalogue.graph(), price_article.graph()]).keep("docs/gallery/fan_out");
}

#[test]
fn the_diagram_beside_the_code_is_the_one_of_the_code() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/fan_out"));
    for (name, graph) in [("fan_out", buy_catalogue.graph()), ("price_article", price_article.graph())] {
        for (kind, drawn) in [("bpmn", workflow_bpmn::to_xml(graph)), ("svg", workflow_bpmn::to_svg(graph))] {
            let committed =
                std::fs::read_to_string(folder.join(format!("{name}.{kind}"))).unwrap_or_default();
            assert!(
                committed == drawn,
                "{name}.{kind} is stale: run `cargo xtask diagrams` and look at the picture"
            );
        }
    }
}
