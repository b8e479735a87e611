//! The warehouse: takes goods off the shelf for an order, and puts them back.
//! It must not know about money.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sqlx::{Sqlite, Transaction};

use super::call::Begun;
use super::{Unavailable, World, outage};
use crate::orders::Line;

/// Goods that were set aside for an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationId(pub String);

/// Why goods were not reserved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
pub enum ReserveError {
    /// Final: there are fewer pieces than ordered. Nothing was taken.
    #[error("{sku} is out of stock")]
    OutOfStock {
        /// The first article that is short, in the order's own sequence.
        sku: String,
    },
    /// Passing: no hand is free to look.
    #[error("the warehouse is busy")]
    Busy,
    /// Passing: the warehouse does not answer.
    #[error("the warehouse is unavailable: {0}")]
    Unavailable(String),
}

impl From<Unavailable> for ReserveError {
    fn from(Unavailable(reason): Unavailable) -> ReserveError {
        ReserveError::Unavailable(reason)
    }
}

/// An article as the warehouse knows it on its first day.
pub(super) struct Article {
    pub(super) sku: &'static str,
    pub(super) initial: u32,
    /// Heavy articles need the forklift: this many attempts of each call that names one find it taken.
    pub(super) busy_attempts: u32,
}

/// What the warehouse holds on its first day. Two articles are sold out for good.
pub(super) const CATALOGUE: &[Article] = &[
    plenty("APRON-CANVAS"),
    plenty("BOARD-OAK-40"),
    plenty("BOWL-STONEWARE-15"),
    plenty("CANDLE-BEESWAX"),
    plenty("COFFEE-DECAF-500G"),
    plenty("COFFEE-GRINDER-HAND"),
    plenty("COFFEE-HOUSE-500G"),
    plenty("CUTLERY-SET-24"),
    Article { sku: "DINING-TABLE-OAK", initial: 100, busy_attempts: 2 },
    plenty("FILTER-PAPER-100"),
    plenty("FRENCH-PRESS-1L"),
    plenty("KETTLE-GOOSENECK"),
    plenty("KNIFE-CHEF-20"),
    plenty("MUG-BLUE"),
    plenty("MUG-CREAM"),
    Article { sku: "MUG-JUBILEE-2024", initial: 0, busy_attempts: 0 },
    plenty("PLATE-STONEWARE-27"),
    plenty("SCALE-KITCHEN"),
    Article { sku: "SIDEBOARD-OAK", initial: 100, busy_attempts: 1 },
    plenty("TEA-EARL-GREY-100G"),
    plenty("TEA-GREEN-100G"),
    plenty("TEAPOT-CAST-IRON"),
    plenty("TOWEL-LINEN"),
    plenty("VASE-GLASS-30"),
    Article { sku: "VASE-HANDBLOWN", initial: 0, busy_attempts: 0 },
];

const fn plenty(sku: &'static str) -> Article {
    Article { sku, initial: 1_000, busy_attempts: 0 }
}

impl World {
    /// Sets the goods of an order aside: all lines or none.
    ///
    /// # Errors
    /// `OutOfStock` is final. `Busy` and `Unavailable` pass: repeat the call under the same key.
    pub async fn reserve(
        &self,
        order_id: &str,
        lines: &[Line],
        idempotency_key: &str,
    ) -> Result<ReservationId, ReserveError> {
        let mut call = match self.begin("reserve", &(order_id, lines), idempotency_key).await? {
            Begun::Answered(answer) => return answer,
            Begun::Open(call) => call,
        };
        let wanted = pieces_per_sku(lines);
        let shelf = look(&mut call.tx, &wanted).await.map_err(outage)?;
        if shelf.values().any(|article| call.attempt <= article.busy_attempts) {
            call.leave().await?;
            return Err(ReserveError::Busy);
        }
        let is_short = |sku: &str| shelf.get(sku).is_none_or(|article| article.on_hand < wanted[sku]);
        if let Some(line) = lines.iter().find(|line| is_short(&line.sku)) {
            return call.answer(Err(ReserveError::OutOfStock { sku: line.sku.clone() })).await?;
        }
        let reservation = take(&mut call.tx, order_id, &wanted).await.map_err(outage)?;
        call.answer(Ok(reservation)).await?
    }

    /// Puts the goods of a reservation back on the shelf. Goods that have left the house or are back already
    /// stay where they are; the audit shows such a release.
    ///
    /// # Errors
    /// `Unavailable` passes: repeat the call under the same key.
    pub async fn release(
        &self,
        reservation: &ReservationId,
        idempotency_key: &str,
    ) -> Result<(), Unavailable> {
        let mut call = match self.begin("release", reservation, idempotency_key).await? {
            Begun::Answered(answer) => return Ok(answer),
            Begun::Open(call) => call,
        };
        put_back(&mut call.tx, reservation).await.map_err(outage)?;
        call.answer(()).await
    }
}

/// Two lines may name the same article; the shelf must hold enough for both.
fn pieces_per_sku(lines: &[Line]) -> BTreeMap<&str, u64> {
    let mut pieces = BTreeMap::new();
    for line in lines {
        *pieces.entry(line.sku.as_str()).or_default() += u64::from(line.quantity);
    }
    pieces
}

struct OnShelf {
    on_hand: u64,
    busy_attempts: u32,
}

async fn look<'a>(
    tx: &mut Transaction<'static, Sqlite>,
    wanted: &BTreeMap<&'a str, u64>,
) -> Result<BTreeMap<&'a str, OnShelf>, sqlx::Error> {
    let mut shelf = BTreeMap::new();
    for &sku in wanted.keys() {
        let found: Option<(u32, u32)> =
            sqlx::query_as("SELECT on_hand, busy_attempts FROM stock WHERE sku = ?")
                .bind(sku)
                .fetch_optional(&mut **tx)
                .await?;
        if let Some((on_hand, busy_attempts)) = found {
            shelf.insert(sku, OnShelf { on_hand: u64::from(on_hand), busy_attempts });
        }
    }
    Ok(shelf)
}

async fn take(
    tx: &mut Transaction<'static, Sqlite>,
    order_id: &str,
    wanted: &BTreeMap<&str, u64>,
) -> Result<ReservationId, sqlx::Error> {
    let id: String = sqlx::query_scalar(
        "INSERT INTO reservations (id, order_id, state)
         SELECT printf('reservation-%05d', COUNT(*) + 1), ?, 'reserved' FROM reservations RETURNING id",
    )
    .bind(order_id)
    .fetch_one(&mut **tx)
    .await?;
    for (&sku, &pieces) in wanted {
        let pieces = i64::try_from(pieces).expect("no more is taken than a shelf holds");
        sqlx::query("UPDATE stock SET on_hand = on_hand - ? WHERE sku = ?")
            .bind(pieces)
            .bind(sku)
            .execute(&mut **tx)
            .await?;
        sqlx::query("INSERT INTO reservation_lines (reservation_id, sku, quantity) VALUES (?, ?, ?)")
            .bind(&id)
            .bind(sku)
            .bind(pieces)
            .execute(&mut **tx)
            .await?;
    }
    Ok(ReservationId(id))
}

async fn put_back(
    tx: &mut Transaction<'static, Sqlite>,
    reservation: &ReservationId,
) -> Result<(), sqlx::Error> {
    let found: Option<String> = sqlx::query_scalar("SELECT state FROM reservations WHERE id = ?")
        .bind(&reservation.0)
        .fetch_optional(&mut **tx)
        .await?;
    sqlx::query(
        "INSERT INTO releases (id, reservation_id, found)
         SELECT printf('release-%05d', COUNT(*) + 1), ?, ? FROM releases",
    )
    .bind(&reservation.0)
    .bind(&found)
    .execute(&mut **tx)
    .await?;
    if found.as_deref() != Some("reserved") {
        return Ok(());
    }
    sqlx::query(
        "UPDATE stock SET on_hand = on_hand + lines.quantity
         FROM reservation_lines AS lines WHERE lines.reservation_id = ? AND lines.sku = stock.sku",
    )
    .bind(&reservation.0)
    .execute(&mut **tx)
    .await?;
    sqlx::query("UPDATE reservations SET state = 'released' WHERE id = ?")
        .bind(&reservation.0)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
