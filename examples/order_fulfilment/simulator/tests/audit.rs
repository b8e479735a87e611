//! The audit finds every kind of damage; each test does some by hand that no caller of the services should be
//! able to do unseen.
//! It must not know about the orders of the example.

use super::*;

impl Lab {
    async fn spoil(&self, sql: &'static str) {
        sqlx::raw_sql(sql).execute(&self.world.pool).await.unwrap();
    }

    async fn sold(order_id: &str) -> Lab {
        let lab = Lab::new().await;
        lab.world.reserve(order_id, &[line("MUG-BLUE", 2)], "reserve").await.unwrap();
        lab.world.charge(order_id, &good_card(), 200, "charge").await.unwrap();
        lab.world.book_shipment(order_id, &berlin(), "ship").await.unwrap();
        lab.world.send_mail(order_id, "aino@post.example", "On its way", "mail").await.unwrap();
        lab
    }
}

#[tokio::test]
async fn a_sold_order_is_clean_and_counted() {
    let lab = Lab::sold("o").await;
    let audit = lab.world.audit().await.unwrap();
    assert_eq!(audit.violations(&[]), [""; 0]);
    assert_eq!(
        audit.totals().to_string(),
        "1 orders, 2.00 EUR charged, 0.00 EUR refunded, 0 reservations open, 0 released, 1 shipments, 1 mails"
    );
    assert_eq!((audit.calls, audit.attempts), (4, 4));
}

#[tokio::test]
async fn a_second_charge_is_found_unless_refunded() {
    let lab = Lab::sold("o").await;
    lab.spoil("INSERT INTO charges VALUES ('c2', 'o', '4242', 200)").await;
    assert_eq!(lab.violations().await, ["o: charged more than once: c2, charge-00001"]);
    lab.spoil("INSERT INTO refunds VALUES ('r', 'c2', 200)").await;
    assert_eq!(lab.violations().await, [""; 0]);
}

#[tokio::test]
async fn an_ended_order_without_goods_gets_its_money_back() {
    let lab = Lab::new().await;
    lab.spoil("INSERT INTO charges VALUES ('c', 'o', '4242', 200)").await;
    assert_eq!(lab.violations().await, ["o: charged, but neither shipped nor refunded"]);
    let audit = lab.world.audit().await.unwrap();
    assert_eq!(audit.violations(&["o".to_owned()]), [""; 0]);
    lab.spoil("INSERT INTO refunds VALUES ('r', 'c', 150)").await;
    assert_eq!(lab.violations().await, ["o: charged, but neither shipped nor refunded"]);
}

#[tokio::test]
async fn a_refund_beyond_the_charge_is_found() {
    let lab = Lab::new().await;
    let charge = lab.world.charge("o", &good_card(), 200, "charge").await.unwrap();
    lab.world.refund(&charge, "undo").await.unwrap();
    lab.world.refund(&charge, "undo again").await.unwrap();
    assert_eq!(lab.violations().await, ["o: charge-00001 took 200 cents, but 400 were refunded"]);
}

#[tokio::test]
async fn a_refund_without_a_charge_is_found() {
    let lab = Lab::new().await;
    lab.world.refund(&ChargeId("never".to_owned()), "undo").await.unwrap();
    assert_eq!(lab.violations().await, ["refund without a charge: refund-00001 of never"]);
}

#[tokio::test]
async fn a_shipment_without_money_or_goods_is_found() {
    let lab = Lab::sold("o").await;
    lab.spoil("INSERT INTO shipments VALUES ('p', 'free', 'DE')").await;
    assert_eq!(lab.violations().await, ["free: shipped without a charge", "free: shipped without goods"]);
    lab.spoil("DELETE FROM shipments WHERE id = 'p'").await;
    lab.world.refund(&ChargeId("charge-00001".to_owned()), "undo").await.unwrap();
    assert_eq!(lab.violations().await, ["o: shipped although refunded"]);
}

#[tokio::test]
async fn a_second_shipment_is_found() {
    let lab = Lab::sold("o").await;
    lab.spoil("INSERT INTO shipments VALUES ('p', 'o', 'DE')").await;
    assert_eq!(lab.violations().await, ["o: shipped more than once: p, parcel-00001"]);
}

#[tokio::test]
async fn goods_that_an_ended_order_holds_are_found() {
    let lab = Lab::new().await;
    lab.world.reserve("o", &[line("MUG-BLUE", 2)], "reserve").await.unwrap();
    assert_eq!(lab.violations().await, ["o: goods are reserved, but neither shipped nor released"]);
    lab.world.reserve("o", &[line("MUG-BLUE", 2)], "reserve again").await.unwrap();
    let audit = lab.world.audit().await.unwrap();
    assert_eq!(audit.violations(&["o".to_owned()]), ["o: goods were reserved 2 times"]);
}

#[tokio::test]
async fn stock_that_does_not_add_up_is_found() {
    let lab = Lab::sold("o").await;
    lab.spoil("UPDATE stock SET on_hand = on_hand + 1 WHERE sku = 'MUG-BLUE'").await;
    assert_eq!(
        lab.violations().await,
        ["MUG-BLUE: 1000 pieces at first, but 999 left, 0 reserved, 2 shipped"]
    );
    lab.spoil("UPDATE stock SET on_hand = on_hand - 1 WHERE sku = 'MUG-BLUE'").await;
    lab.spoil("INSERT INTO reservation_lines VALUES ('never', 'MUG-BLUE', 1)").await;
    assert_eq!(lab.violations().await, ["goods of an unknown reservation: 1 of MUG-BLUE"]);
}

#[tokio::test]
async fn a_release_of_nothing_is_found_and_moves_nothing() {
    let lab = Lab::sold("o").await;
    lab.world.release(&ReservationId("reservation-00001".to_owned()), "undo").await.unwrap();
    lab.world.release(&ReservationId("never".to_owned()), "undo never").await.unwrap();
    assert_eq!(
        lab.violations().await,
        ["release of never, which was never made", "release of reservation-00001, which was shipped"]
    );
    assert_eq!(lab.left("MUG-BLUE").await, 998);
}

#[tokio::test]
async fn a_mail_sent_twice_is_found() {
    let lab = Lab::sold("o").await;
    lab.world.send_mail("o", "aino@post.example", "On its way", "mail again").await.unwrap();
    assert_eq!(lab.violations().await, ["o: the same mail was sent more than once: On its way, On its way"]);
}

#[tokio::test]
async fn a_key_used_for_two_calls_is_refused_and_found() {
    let lab = Lab::sold("o").await;
    let other = lab.world.charge("o", &good_card(), 201, "charge").await;
    let refusal = "the idempotency key charge belongs to another call".to_owned();
    assert_eq!(other, Err(ChargeError::Unavailable(refusal)));
    assert!(lab.world.reserve("o", &[], "charge").await.is_err());
    assert_eq!(lab.violations().await, ["idempotency key used for two calls: charge"]);
}
