//! What the shop may rely on: a repeated call changes nothing, and trouble is the same in every run and after
//! every restart.
//! It must not know how the services are stored, apart from the rows that a test of the audit spoils on
//! purpose.

mod audit;
mod orders_file;

use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::orders::{Address, Card, Line};

/// A world in a folder of its own, that can be closed and opened again as a crash would.
struct Lab {
    world: World,
    path: PathBuf,
    _folder: TempDir,
}

impl Lab {
    async fn new() -> Lab {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("world.db");
        let world = World::open(&path).await.unwrap().with_latency(Duration::ZERO);
        Lab { world, path, _folder: folder }
    }

    async fn restart(&mut self) {
        self.world.pool.close().await;
        self.world = World::open(&self.path).await.unwrap().with_latency(Duration::ZERO);
    }

    async fn order(&self, order_id: &str) -> AuditedOrder {
        self.world.audit().await.unwrap().orders.remove(order_id).unwrap_or_default()
    }

    async fn left(&self, sku: &str) -> i64 {
        let stock = self.world.audit().await.unwrap().stock;
        stock.into_iter().find(|article| article.sku == sku).unwrap().left
    }

    async fn violations(&self) -> Vec<String> {
        self.world.audit().await.unwrap().violations(&[])
    }
}

fn line(sku: &str, quantity: u32) -> Line {
    Line { sku: sku.to_owned(), quantity, unit_price_cents: 100 }
}

fn card(number: &str, expires: &str) -> Card {
    Card { number: number.to_owned(), expires: expires.to_owned() }
}

fn good_card() -> Card {
    card("4242424242424242", "2030-01")
}

fn address(postal_code: &str, city: &str, country: &str) -> Address {
    Address {
        street: "Kerkstraat 1".to_owned(),
        postal_code: postal_code.to_owned(),
        city: city.to_owned(),
        country: country.to_owned(),
    }
}

fn berlin() -> Address {
    address("10437", "Berlin", "DE")
}

#[test]
fn a_world_may_be_shared_between_tasks() {
    fn shared<T: Clone + Send + Sync + 'static>() {}
    fn sent(_: impl Send) {}
    shared::<World>();
    let _ = |world: World| {
        sent(async move { world.reserve("o", &[], "k").await });
    };
    let _ = |world: World, id: ReservationId| sent(async move { world.release(&id, "k").await });
    let _ = |world: World| sent(async move { world.charge("o", &good_card(), 1, "k").await });
    let _ = |world: World, id: ChargeId| sent(async move { world.refund(&id, "k").await });
    let _ = |world: World| sent(async move { world.book_shipment("o", &berlin(), "k").await });
    let _ = |world: World| sent(async move { world.send_mail("o", "t", "s", "k").await });
    let _ = |world: World| sent(async move { world.audit().await });
}

#[tokio::test]
async fn a_repeated_reservation_takes_goods_once() {
    let mut lab = Lab::new().await;
    let lines = [line("MUG-BLUE", 3), line("TOWEL-LINEN", 1), line("MUG-BLUE", 1)];
    let first = lab.world.reserve("o", &lines, "k").await.unwrap();
    lab.restart().await;
    assert_eq!(lab.world.reserve("o", &lines, "k").await.unwrap(), first);
    assert_eq!((lab.left("MUG-BLUE").await, lab.left("TOWEL-LINEN").await), (996, 999));
}

#[tokio::test]
async fn a_repeated_release_puts_goods_back_once() {
    let lab = Lab::new().await;
    let reservation = lab.world.reserve("o", &[line("MUG-BLUE", 3)], "k").await.unwrap();
    for _ in 0..2 {
        lab.world.release(&reservation, "undo").await.unwrap();
        assert_eq!(lab.left("MUG-BLUE").await, 1_000);
    }
    assert_eq!(lab.violations().await, [""; 0]);
}

#[tokio::test]
async fn a_repeated_charge_takes_money_once_and_a_repeated_refund_returns_it_once() {
    let mut lab = Lab::new().await;
    let first = lab.world.charge("o", &good_card(), 1_290, "k").await.unwrap();
    lab.restart().await;
    assert_eq!(lab.world.charge("o", &good_card(), 1_290, "k").await.unwrap(), first);
    assert_eq!(lab.order("o").await.charged_cents(), 1_290);
    for _ in 0..2 {
        lab.world.refund(&first, "undo").await.unwrap();
        assert_eq!(lab.order("o").await.refunded_cents(), 1_290);
    }
    assert_eq!(lab.violations().await, [""; 0]);
}

#[tokio::test]
async fn a_repeated_booking_ships_once_and_a_repeated_mail_is_sent_once() {
    let lab = Lab::new().await;
    lab.world.reserve("o", &[line("MUG-BLUE", 3)], "reserve").await.unwrap();
    lab.world.charge("o", &good_card(), 300, "charge").await.unwrap();
    let first = lab.world.book_shipment("o", &berlin(), "ship").await.unwrap();
    assert_eq!(lab.world.book_shipment("o", &berlin(), "ship").await.unwrap(), first);
    for _ in 0..2 {
        lab.world.send_mail("o", "aino@post.example", "On its way", "mail").await.unwrap();
    }
    let order = lab.order("o").await;
    assert_eq!((order.shipments, order.mails), (vec![first.0], vec!["On its way".to_owned()]));
    assert_eq!(lab.violations().await, [""; 0]);
}

#[tokio::test]
async fn a_final_refusal_is_repeated_too() {
    let lab = Lab::new().await;
    for _ in 0..2 {
        let short =
            lab.world.reserve("o", &[line("MUG-BLUE", 1), line("MUG-JUBILEE-2024", 1)], "reserve").await;
        assert_eq!(short, Err(ReserveError::OutOfStock { sku: "MUG-JUBILEE-2024".to_owned() }));
        let declined = lab.world.charge("o", &card("4000000000000002", "2030-01"), 1, "declined").await;
        assert_eq!(declined, Err(ChargeError::Declined));
        let expired = lab.world.charge("o", &card("4242424242424242", "2026-05"), 1, "expired").await;
        assert_eq!(expired, Err(ChargeError::Expired));
        let nowhere = lab.world.book_shipment("o", &address("3900", "Nuuk", "GL"), "ship").await;
        assert_eq!(nowhere, Err(ShipmentError::NoCourier));
    }
    assert_eq!(lab.left("MUG-BLUE").await, 1_000);
    assert_eq!(lab.order("o").await, AuditedOrder::default());
}

#[tokio::test]
async fn two_lines_of_one_article_need_goods_for_both() {
    let lab = Lab::new().await;
    let short = lab.world.reserve("o", &[line("MUG-BLUE", 600), line("MUG-BLUE", 600)], "k").await;
    assert_eq!(short, Err(ReserveError::OutOfStock { sku: "MUG-BLUE".to_owned() }));
    let unknown = lab.world.reserve("o", &[line("SPOON", 1)], "k2").await;
    assert_eq!(unknown, Err(ReserveError::OutOfStock { sku: "SPOON".to_owned() }));
}

#[tokio::test]
async fn passing_trouble_is_counted_per_call_and_over_restarts() {
    let mut lab = Lab::new().await;
    let table = [line("DINING-TABLE-OAK", 1)];
    let unreachable = Err(ChargeError::Unavailable("no route to the bank".to_owned()));
    let flaky = card("4000000000000135", "2030-01");
    for _ in 0..2 {
        assert_eq!(lab.world.reserve("o", &table, "reserve").await, Err(ReserveError::Busy));
        assert_eq!(lab.world.charge("o", &flaky, 1, "charge").await, unreachable);
        assert!(lab.world.send_mail("o", "a@greylisting-twice.example", "Hello", "mail").await.is_err());
        lab.restart().await;
    }
    assert_eq!(lab.order("o").await, AuditedOrder::default());
    lab.world.reserve("o", &table, "reserve").await.unwrap();
    lab.world.charge("o", &flaky, 1, "charge").await.unwrap();
    lab.world.send_mail("o", "a@greylisting-twice.example", "Hello", "mail").await.unwrap();
    // Another call begins from the start.
    assert_eq!(lab.world.charge("o", &flaky, 1, "another charge").await, unreachable);
}

#[tokio::test]
async fn a_lost_answer_is_found_again_under_the_same_key() {
    let mut lab = Lab::new().await;
    let timed_out = "timed out".to_owned();
    let losing = card("4000000000000234", "2030-01");
    lab.world.reserve("o", &[line("MUG-BLUE", 1)], "reserve").await.unwrap();
    let lost = lab.world.charge("o", &losing, 100, "charge").await;
    assert_eq!(lost, Err(ChargeError::Unavailable(timed_out.clone())));
    let hooge = address("25859", "Hallig Hooge", "DE");
    let lost = lab.world.book_shipment("o", &hooge, "ship").await;
    assert_eq!(lost, Err(ShipmentError::Unavailable(timed_out)));
    assert!(lab.world.send_mail("o", "a@lost-answer.example", "Hello", "mail").await.is_err());

    lab.restart().await;
    let before = lab.order("o").await;
    assert_eq!(lab.world.charge("o", &losing, 100, "charge").await.unwrap().0, before.charges[0].id);
    assert_eq!(lab.world.book_shipment("o", &hooge, "ship").await.unwrap().0, before.shipments[0]);
    lab.world.send_mail("o", "a@lost-answer.example", "Hello", "mail").await.unwrap();
    assert_eq!(lab.order("o").await, before);
    assert_eq!(lab.violations().await, [""; 0]);
}

#[tokio::test]
async fn many_callers_of_one_call_get_one_charge() {
    let lab = Lab::new().await;
    let callers: Vec<_> = (0..20)
        .map(|_| {
            let world = lab.world.clone();
            tokio::spawn(async move { world.charge("o", &good_card(), 100, "charge").await.unwrap() })
        })
        .collect();
    for caller in callers {
        assert_eq!(caller.await.unwrap(), ChargeId("charge-00001".to_owned()));
    }
    assert_eq!(lab.order("o").await.charges.len(), 1);
}

#[tokio::test]
async fn two_processes_share_a_world() {
    let lab = Lab::new().await;
    let other = World::open(&lab.path).await.unwrap().with_latency(Duration::ZERO);
    let first = lab.world.charge("o", &good_card(), 100, "charge").await.unwrap();
    assert_eq!(other.charge("o", &good_card(), 100, "charge").await.unwrap(), first);
}

#[tokio::test]
async fn a_world_that_cannot_be_opened_is_named() {
    let error = World::open("no/such/world.db").await.unwrap_err();
    assert!(error.0.starts_with("cannot open no/such/world.db: "), "{error}");
}
