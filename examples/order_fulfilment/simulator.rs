//! The world outside of the shop: a warehouse, a payment gateway, a courier and a mail server, in a SQLite file
//! of their own.
//! It must not know that workflows exist: it sees single calls with idempotency keys, as real services do.
//!
//! Trouble comes from the data, as with the test card numbers of real gateways: the same order meets the same
//! trouble in every run. The file is separate from the shop's own, so that a charge made twice stays visible
//! whatever the shop believes.

mod audit;
mod call;
mod courier;
mod gateway;
mod mail;
#[cfg(test)]
mod tests;
mod warehouse;

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sqlx::Connection as _;
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

pub use audit::{Audit, AuditedCharge, AuditedOrder, AuditedReservation, AuditedStock, GoodsState, Totals};
pub use courier::{ShipmentError, TrackingId};
pub use gateway::{ChargeError, ChargeId};
pub use warehouse::{ReservationId, ReserveError};

/// How long a call takes unless [`World::with_latency`] says otherwise.
const LATENCY: Duration = Duration::from_millis(4);

/// All outside services at once. Clones share one database; every method can be called from any task.
///
/// Every method that changes something takes an idempotency key. A repeated call with the same key gets the
/// recorded answer and changes nothing, whether the first answer was a success or a final refusal; only trouble
/// that passes is not recorded.
#[derive(Debug, Clone)]
pub struct World {
    pool: SqlitePool,
    latency: Duration,
}

/// A service could not be reached or did not answer; whether the call took effect is unknown, so the same call
/// may be repeated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("unavailable: {0}")]
pub struct Unavailable(pub String);

impl World {
    /// Opens the world in this file, and creates the file with a full warehouse if there is none.
    ///
    /// # Errors
    /// When the file cannot be opened or is no world.
    pub async fn open(path: impl AsRef<Path>) -> Result<World, Unavailable> {
        let path = path.as_ref();
        // FULL, since an answer that was given must not be forgotten: the shop would rightly rely on it.
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(10));
        // One connection: SQLite has one writer anyway, and the pool's queue is fair where its lock is not.
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(Duration::from_secs(60))
            // After a commit that the disk had no room for, the driver takes the transaction for an open one.
            .after_release(|connection, _| {
                Box::pin(async move {
                    connection.ping().await?;
                    Ok(!connection.is_in_transaction())
                })
            })
            .connect_with(options)
            .await
            .map_err(|error| Unavailable(format!("cannot open {}: {error}", path.display())))?;
        let world = World { pool, latency: LATENCY };
        world.found().await.map_err(outage)?;
        Ok(world)
    }

    /// The same world with calls that take this long; zero suits tests.
    pub fn with_latency(self, latency: Duration) -> World {
        World { latency, ..self }
    }

    async fn found(&self) -> Result<(), sqlx::Error> {
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::raw_sql(include_str!("simulator/schema.sql")).execute(&mut *tx).await?;
        for article in warehouse::CATALOGUE {
            sqlx::query(
                "INSERT OR IGNORE INTO stock (sku, initial, on_hand, busy_attempts) VALUES (?1, ?2, ?2, ?3)",
            )
            .bind(article.sku)
            .bind(article.initial)
            .bind(article.busy_attempts)
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await
    }
}

/// A fault of the world's own storage looks to its callers like any service that is down.
fn outage(error: sqlx::Error) -> Unavailable {
    Unavailable(error.to_string())
}
