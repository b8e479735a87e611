//! The courier: takes the goods that are set aside for an order out of the house.
//! It must not know what the goods are or who paid for them.

use serde::{Deserialize, Serialize};

use super::call::Begun;
use super::{Unavailable, World, outage};
use crate::orders::Address;

/// A parcel on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackingId(pub String);

/// Why no shipment was booked, or none is known to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
pub enum ShipmentError {
    /// Final: nobody delivers there.
    #[error("no courier delivers to this address")]
    NoCourier,
    /// Passing, and the shipment may have been booked: repeat the call under the same key.
    #[error("courier unavailable: {0}")]
    Unavailable(String),
}

impl From<Unavailable> for ShipmentError {
    fn from(Unavailable(reason): Unavailable) -> ShipmentError {
        ShipmentError::Unavailable(reason)
    }
}

/// The countries that the courier serves.
const SERVED: [&str; 10] = ["AT", "BE", "DE", "ES", "FI", "FR", "IE", "IT", "NL", "PT"];

/// Helgoland, whose ferry office misses the first call.
const MISSES_FIRST_CALL: (&str, &str) = ("DE", "27498");

/// Hallig Hooge, whose ferry office books at once but whose line breaks before it can say so.
const LOSES_FIRST_ANSWER: (&str, &str) = ("DE", "25859");

impl World {
    /// Books a shipment and hands over what is set aside for the order. There is no way back from here.
    ///
    /// # Errors
    /// `NoCourier` is final. After `Unavailable` the shipment may be booked: repeat the call under the same
    /// key.
    pub async fn book_shipment(
        &self,
        order_id: &str,
        address: &Address,
        idempotency_key: &str,
    ) -> Result<TrackingId, ShipmentError> {
        let mut call = match self.begin("book_shipment", &(order_id, address), idempotency_key).await? {
            Begun::Answered(answer) => return answer,
            Begun::Open(call) => call,
        };
        let destination = (address.country.as_str(), address.postal_code.as_str());
        if !SERVED.contains(&destination.0) {
            return call.answer(Err(ShipmentError::NoCourier)).await?;
        }
        let is_first = call.attempt == 1;
        if is_first && destination == MISSES_FIRST_CALL {
            call.leave().await?;
            return Err(ShipmentError::Unavailable("nobody in the ferry office".to_owned()));
        }
        let id: String = sqlx::query_scalar(
            "INSERT INTO shipments (id, order_id, country)
             SELECT printf('parcel-%05d', COUNT(*) + 1), ?, ? FROM shipments RETURNING id",
        )
        .bind(order_id)
        .bind(&address.country)
        .fetch_one(&mut *call.tx)
        .await
        .map_err(outage)?;
        sqlx::query("UPDATE reservations SET state = 'shipped' WHERE order_id = ? AND state = 'reserved'")
            .bind(order_id)
            .execute(&mut *call.tx)
            .await
            .map_err(outage)?;
        let answer = call.answer(Ok(TrackingId(id))).await?;
        if is_first && destination == LOSES_FIRST_ANSWER {
            return Err(ShipmentError::Unavailable("timed out".to_owned()));
        }
        answer
    }
}
