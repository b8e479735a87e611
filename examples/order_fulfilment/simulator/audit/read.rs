//! Reads an audit from the world's own tables.
//! It must not judge what it reads.

use sqlx::{Sqlite, Transaction};

use super::{Audit, AuditedCharge, AuditedReservation, AuditedStock, GoodsState};
use crate::simulator::{Unavailable, World, outage};

impl World {
    /// Reads what happened so far, in one consistent look.
    ///
    /// # Errors
    /// When the world's file cannot be read.
    pub async fn audit(&self) -> Result<Audit, Unavailable> {
        self.look_back().await.map_err(outage)
    }

    async fn look_back(&self) -> Result<Audit, sqlx::Error> {
        let mut tx = self.pool.begin().await?;
        let mut audit =
            Audit { strays: strays(&mut tx).await?, stock: stock(&mut tx).await?, ..Audit::default() };
        (audit.calls, audit.attempts) =
            sqlx::query_as("SELECT COUNT(*), COALESCE(SUM(attempts), 0) FROM calls")
                .fetch_one(&mut *tx)
                .await?;

        let charges: Vec<(String, String, i64, i64)> = sqlx::query_as(
            "SELECT order_id, charges.id, charges.amount_cents, COALESCE(SUM(refunds.amount_cents), 0)
             FROM charges LEFT JOIN refunds ON refunds.charge_id = charges.id GROUP BY charges.id ORDER BY charges.id",
        )
        .fetch_all(&mut *tx)
        .await?;
        for (order_id, id, amount_cents, refunded_cents) in charges {
            audit.order(order_id).charges.push(AuditedCharge { id, amount_cents, refunded_cents });
        }
        for (order_id, id, state) in
            rows(&mut tx, "SELECT order_id, id, state FROM reservations ORDER BY id").await?
        {
            let goods = match state.as_str() {
                "reserved" => GoodsState::Reserved,
                "shipped" => GoodsState::Shipped,
                _ => GoodsState::Released,
            };
            audit.order(order_id).reservations.push(AuditedReservation { id, goods });
        }
        for (order_id, id, _) in
            rows(&mut tx, "SELECT order_id, id, country FROM shipments ORDER BY id").await?
        {
            audit.order(order_id).shipments.push(id);
        }
        for (order_id, _, subject) in
            rows(&mut tx, "SELECT order_id, id, subject FROM mails ORDER BY id").await?
        {
            audit.order(order_id).mails.push(subject);
        }
        Ok(audit)
    }
}

async fn rows(
    tx: &mut Transaction<'static, Sqlite>,
    sql: &'static str,
) -> Result<Vec<(String, String, String)>, sqlx::Error> {
    sqlx::query_as(sql).fetch_all(&mut **tx).await
}

async fn stock(tx: &mut Transaction<'static, Sqlite>) -> Result<Vec<AuditedStock>, sqlx::Error> {
    let rows: Vec<(String, i64, i64, i64, i64)> = sqlx::query_as(
        "SELECT stock.sku, initial, on_hand,
                COALESCE(SUM(lines.quantity) FILTER (WHERE state = 'reserved'), 0),
                COALESCE(SUM(lines.quantity) FILTER (WHERE state = 'shipped'), 0)
         FROM stock
         LEFT JOIN reservation_lines AS lines ON lines.sku = stock.sku
         LEFT JOIN reservations ON reservations.id = lines.reservation_id
         GROUP BY stock.sku ORDER BY stock.sku",
    )
    .fetch_all(&mut **tx)
    .await?;
    let article =
        |(sku, initial, left, reserved, shipped)| AuditedStock { sku, initial, left, reserved, shipped };
    Ok(rows.into_iter().map(article).collect())
}

async fn strays(tx: &mut Transaction<'static, Sqlite>) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT 'refund without a charge: ' || id || ' of ' || charge_id FROM refunds
         WHERE charge_id NOT IN (SELECT id FROM charges)
         UNION ALL
         SELECT 'release of ' || reservation_id || ', which was ' || COALESCE(found, 'never made') FROM releases
         WHERE found IS NOT 'reserved'
         UNION ALL
         SELECT 'idempotency key used for two calls: ' || idempotency_key FROM calls WHERE misuses > 0
         UNION ALL
         SELECT 'goods of an unknown reservation: ' || quantity || ' of ' || sku FROM reservation_lines
         WHERE reservation_id NOT IN (SELECT id FROM reservations)
         ORDER BY 1",
    )
    .fetch_all(&mut **tx)
    .await
}
