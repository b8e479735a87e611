//! The transport of an engine that has no other: messages go to the runs of this engine and of its fleet.
//! The one place where a message that was sent inside meets the way of those that come from outside.

use std::sync::Arc;

use super::inbound::{self, Inbound, TIME_TO_LIVE};
use super::parts::Parts;
use crate::store::Outgoing;
use crate::transport::TransportError;

/// Takes a message in under the id that it left with, by which a second delivery of it is dropped.
pub(super) async fn hand_over(parts: &Arc<Parts>, message: &Outgoing) -> Result<(), TransportError> {
    let inbound = Inbound {
        message_id: message.id.clone(),
        name: message.message.clone(),
        key: message.key.clone(),
        payload: message.payload.clone(),
        time_to_live: TIME_TO_LIVE,
    };
    let taken = if message.publishes {
        inbound::publish(parts, inbound).await
    } else {
        inbound::deliver(parts, inbound).await
    };
    match taken {
        Ok(_) => Ok(()),
        // Offered once more, it would be the same message with the same fault.
        Err(error) if error.is_bad_input() => Err(TransportError::refused(error)),
        // In a fleet, whoever knows it may only be away for now.
        Err(error) if error.is_unknown_message() && !parts.membership.is_shared() => {
            Err(TransportError::refused(error))
        }
        Err(error) => Err(TransportError::unavailable(error)),
    }
}
