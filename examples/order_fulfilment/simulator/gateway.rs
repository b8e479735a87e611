//! The payment gateway: charges cards and gives money back.
//! It must not know about goods.

use serde::{Deserialize, Serialize};

use super::call::Begun;
use super::{Unavailable, World, outage};
use crate::orders::Card;

/// Money that was taken from a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeId(pub String);

/// Why a card was not charged, or is not known to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
pub enum ChargeError {
    /// Final: the bank says no.
    #[error("card declined")]
    Declined,
    /// Final for this card: the customer needs another one.
    #[error("card expired")]
    Expired,
    /// Passing, and the card may have been charged: repeat the call under the same key.
    #[error("gateway unavailable: {0}")]
    Unavailable(String),
}

impl From<Unavailable> for ChargeError {
    fn from(Unavailable(reason): Unavailable) -> ChargeError {
        ChargeError::Unavailable(reason)
    }
}

/// The month that it always is at the gateway, so that the cards of the example never age.
const THIS_MONTH: &str = "2026-06";

/// What the gateway does with a card that is not expired.
enum Behaviour {
    Charge,
    Decline,
    /// Does not answer this many attempts, and then charges.
    Fail {
        attempts: u32,
    },
    /// Charges at once, but the answer to the first attempt is lost on the way.
    LoseAnswer,
}

fn behaviour_of(card: &Card) -> Behaviour {
    match card.number.as_str() {
        "4000000000000002" => Behaviour::Decline,
        "4000000000000119" => Behaviour::Fail { attempts: 1 },
        "4000000000000135" => Behaviour::Fail { attempts: 2 },
        "4000000000000234" => Behaviour::LoseAnswer,
        _ => Behaviour::Charge,
    }
}

impl World {
    /// Takes money from a card. The gateway does not care whether the order was paid before: that is the
    /// caller's business.
    ///
    /// # Errors
    /// `Declined` and `Expired` are final. After `Unavailable` the card may have been charged: repeat the call
    /// under the same key.
    pub async fn charge(
        &self,
        order_id: &str,
        card: &Card,
        amount_cents: u32,
        idempotency_key: &str,
    ) -> Result<ChargeId, ChargeError> {
        let mut call = match self.begin("charge", &(order_id, card, amount_cents), idempotency_key).await? {
            Begun::Answered(answer) => return answer,
            Begun::Open(call) => call,
        };
        if card.expires.as_str() < THIS_MONTH {
            return call.answer(Err(ChargeError::Expired)).await?;
        }
        let is_answer_lost = match behaviour_of(card) {
            Behaviour::Decline => return call.answer(Err(ChargeError::Declined)).await?,
            Behaviour::Fail { attempts } if call.attempt <= attempts => {
                call.leave().await?;
                return Err(ChargeError::Unavailable("no route to the bank".to_owned()));
            }
            Behaviour::Charge | Behaviour::Fail { .. } => false,
            Behaviour::LoseAnswer => call.attempt == 1,
        };
        let id: String = sqlx::query_scalar(
            "INSERT INTO charges (id, order_id, card_last4, amount_cents)
             SELECT printf('charge-%05d', COUNT(*) + 1), ?, ?, ? FROM charges RETURNING id",
        )
        .bind(order_id)
        .bind(last_four(&card.number))
        .bind(amount_cents)
        .fetch_one(&mut *call.tx)
        .await
        .map_err(outage)?;
        let answer = call.answer(Ok(ChargeId(id))).await?;
        if is_answer_lost {
            return Err(ChargeError::Unavailable("timed out".to_owned()));
        }
        answer
    }

    /// Gives back what a charge took. The gateway does not care whether that happened before, and for a charge
    /// that it never made it gives back nothing; the audit shows both.
    ///
    /// # Errors
    /// `Unavailable` passes: repeat the call under the same key.
    pub async fn refund(&self, charge: &ChargeId, idempotency_key: &str) -> Result<(), Unavailable> {
        let mut call = match self.begin("refund", charge, idempotency_key).await? {
            Begun::Answered(answer) => return Ok(answer),
            Begun::Open(call) => call,
        };
        sqlx::query(
            "INSERT INTO refunds (id, charge_id, amount_cents)
             SELECT printf('refund-%05d', COUNT(*) + 1), ?1,
                    COALESCE((SELECT amount_cents FROM charges WHERE charges.id = ?1), 0)
             FROM refunds",
        )
        .bind(&charge.0)
        .execute(&mut *call.tx)
        .await
        .map_err(outage)?;
        call.answer(()).await
    }
}

fn last_four(number: &str) -> &str {
    number.char_indices().rev().nth(3).map_or(number, |(start, _)| &number[start..])
}
