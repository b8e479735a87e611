//! One attempt of one logical call: counts it, finds the recorded answer, and ends it in the same transaction
//! as its effect.
//! It must not know what the services do.

use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::{Sqlite, Transaction};

use super::{Unavailable, World, outage};

/// What [`World::begin`] found under an idempotency key.
pub(super) enum Begun<T> {
    /// The call was answered before; nothing may change.
    Answered(T),
    /// The call has no answer yet.
    Open(Call),
}

/// A call without an answer. Dropping it undoes everything, the attempt included, as if the call had never
/// arrived.
pub(super) struct Call {
    /// Where the effect belongs.
    pub(super) tx: Transaction<'static, Sqlite>,
    /// Counted from 1, over all processes that ever repeated this call.
    pub(super) attempt: u32,
    key: String,
    world: World,
}

impl World {
    /// Begins an attempt. Half of the latency passes on the way in, half on the way out, so that a caller can
    /// die on both sides of the effect.
    pub(super) async fn begin<T: DeserializeOwned>(
        &self,
        method: &str,
        request: &impl Serialize,
        idempotency_key: &str,
    ) -> Result<Begun<T>, Unavailable> {
        let request = serde_json::to_string(request).expect("requests are plain data");
        self.travel().await;
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(outage)?;
        let (attempt, answer, is_same): (u32, Option<String>, bool) = sqlx::query_as(
            "INSERT INTO calls (idempotency_key, method, request, attempts) VALUES (?1, ?2, ?3, 1)
             ON CONFLICT (idempotency_key) DO UPDATE SET attempts = attempts + 1
             RETURNING attempts, answer, method = ?2 AND request = ?3",
        )
        .bind(idempotency_key)
        .bind(method)
        .bind(&request)
        .fetch_one(&mut *tx)
        .await
        .map_err(outage)?;

        let call = Call { tx, attempt, key: idempotency_key.to_owned(), world: self.clone() };
        if !is_same {
            return Err(call.refuse_misuse().await);
        }
        match answer {
            None => Ok(Begun::Open(call)),
            Some(answer) => {
                call.leave().await?;
                let answer = serde_json::from_str(&answer)
                    .map_err(|error| Unavailable(format!("recorded answer of {idempotency_key}: {error}")))?;
                Ok(Begun::Answered(answer))
            }
        }
    }

    async fn travel(&self) {
        if !self.latency.is_zero() {
            tokio::time::sleep(self.latency / 2).await;
        }
    }
}

impl Call {
    /// Records the answer for all later attempts, commits it together with the effect, and gives it back.
    pub(super) async fn answer<T: Serialize>(mut self, answer: T) -> Result<T, Unavailable> {
        let json = serde_json::to_string(&answer).expect("answers are plain data");
        sqlx::query("UPDATE calls SET answer = ? WHERE idempotency_key = ?")
            .bind(json)
            .bind(&self.key)
            .execute(&mut *self.tx)
            .await
            .map_err(outage)?;
        self.leave().await?;
        Ok(answer)
    }

    /// Ends the attempt without an answer; the next one tries again.
    pub(super) async fn leave(self) -> Result<(), Unavailable> {
        self.tx.commit().await.map_err(outage)?;
        self.world.travel().await;
        Ok(())
    }

    /// Real services refuse a key that comes back with another request; this one also remembers it for the
    /// audit.
    async fn refuse_misuse(mut self) -> Unavailable {
        let refusal = Unavailable(format!("the idempotency key {} belongs to another call", self.key));
        let counted = sqlx::query("UPDATE calls SET misuses = misuses + 1 WHERE idempotency_key = ?")
            .bind(&self.key)
            .execute(&mut *self.tx)
            .await;
        match counted {
            Ok(_) => self.leave().await.err().unwrap_or(refusal),
            Err(error) => outage(error),
        }
    }
}
