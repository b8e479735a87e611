//! The messages on their way out, for people: what waits, what is parked and why, and what to do about it.
//! It reads the store and asks the engine; it hands nothing over.

use super::Client;
use crate::error::{Error, ErrorKind};
use crate::store::{OutboxChange, OutboxEntry, OutboxFilter};

impl Client {
    /// Lists messages that runs sent and that have not been handed over, oldest first. What is parked is not tried
    /// again by itself, and the later messages of its run wait behind it: see [`Client::resend`] and
    /// [`Client::discard_outgoing`].
    ///
    /// # Errors
    /// When the store fails.
    pub async fn outbox(&self, filter: &OutboxFilter) -> Result<Vec<OutboxEntry>, Error> {
        self.read(self.parts.store.outbox(filter).await)
    }

    /// Has a message of the outbox handed over once more, from now on: whatever kept it from that is mended.
    ///
    /// # Errors
    /// When there is no such message in the outbox, or the engine has stopped.
    pub async fn resend(&self, id: &str) -> Result<(), Error> {
        let due_ms = self.parts.clock.over_ms();
        self.change_outbox(OutboxChange::Release { id: id.to_owned(), due_ms }).await
    }

    /// Takes a message out of the outbox: nobody gets it. The later messages of its run go on. One that is just being
    /// handed over may have left all the same.
    ///
    /// # Errors
    /// When there is no such message in the outbox, or the engine has stopped.
    pub async fn discard_outgoing(&self, id: &str) -> Result<(), Error> {
        self.change_outbox(OutboxChange::Remove { id: id.to_owned() }).await
    }

    async fn change_outbox(&self, change: OutboxChange) -> Result<(), Error> {
        self.parts.refuse_when_leaving()?;
        let id = change.id().to_owned();
        let is_there = self.parts.change_outbox(vec![change]).await?;
        if is_there == [true] { Ok(()) } else { Err(unknown(&id)) }
    }
}

fn unknown(id: &str) -> Error {
    let text = format!("there is no message `{id}` in the outbox: it was handed over, or never sent");
    ErrorKind::UnknownMessage(text).into()
}
