//! Messages, as those outside see them: sent, published, looked at, redelivered, thrown away.
//! It checks nothing and keeps nothing itself.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use uuid::Uuid;
use workflow_core::{Message, Payload, PayloadError};

use super::Client;
use crate::engine::inbound::{self, Delivery, Inbound, TIME_TO_LIVE};
use crate::engine::parts::Parts;
use crate::error::{Error, ErrorKind};
use crate::store::{MessageFilter, MessageState, MessageStatus};

impl Client {
    /// Sends a message: `client.deliver(NewCard { .. }).message_id("card-7").await?`.
    ///
    /// When this returns, the message is on the disk, and so is every run that begins with it. A workflow that is
    /// declared `on` the message starts, one run for each message, and all workflows that are; then no waiting run
    /// gets it. Otherwise it reaches one run that waits for its name and key, once; if none does, it is kept until
    /// its time to live is over, and then parked.
    pub fn deliver<M: Message>(&self, message: M) -> Deliver<M> {
        Deliver {
            parts: Arc::clone(&self.parts),
            message,
            is_event: false,
            message_id: None,
            time_to_live: TIME_TO_LIVE,
        }
    }

    /// Publishes an event: `client.publish(OrderShipped { .. }).message_id("shipped-7").await?`.
    ///
    /// Every run that waits for its name and key gets it, each run once, and all workflows that are declared `on` it
    /// start. Until its time to live is over it also reaches runs that come to wait for it later, so that no run
    /// misses it for being a moment late; afterwards it is gone, whether anybody heard of it or not. When this
    /// returns, the event is on the disk, and so is every run that begins with it.
    pub fn publish<M: Message>(&self, event: M) -> Deliver<M> {
        Deliver { is_event: true, ..self.deliver(event) }
    }

    /// Lists messages, in the order in which they came: what waits, what was taken by whom, what is parked and why.
    ///
    /// # Errors
    /// When the store fails.
    ///
    /// ```
    /// # async fn f(client: workflow_runtime::Client) -> Result<(), workflow_runtime::Error> {
    /// use workflow_runtime::MessageFilter;
    /// let parked = MessageFilter { only_parked: true, ..MessageFilter::default() };
    /// for message in client.messages(&parked).await? {
    ///     println!("{} {}: {:?}", message.message, message.message_id, message.state);
    /// }
    /// # Ok(()) }
    /// ```
    pub async fn messages(&self, filter: &MessageFilter) -> Result<Vec<MessageStatus>, Error> {
        self.read(self.parts.store.messages(filter, self.parts.clock.now_ms()).await)
    }

    /// Sends a parked message once more, mended where needed: `client.redeliver("card-7").payload(&card).await?`.
    pub fn redeliver(&self, message_id: impl Into<String>) -> Redeliver {
        Redeliver {
            client: self.clone(),
            message_id: message_id.into(),
            payload: None,
            key: None,
            time_to_live: TIME_TO_LIVE,
        }
    }

    /// Throws a message away that waits or is parked. Its id stays known, so that it cannot come again. An event
    /// reaches nobody else from then on.
    ///
    /// # Errors
    /// When there is no such message, when a run has taken it, or when the engine has stopped.
    pub async fn discard(&self, message_id: &str) -> Result<(), Error> {
        self.parts.refuse_when_leaving()?;
        match self.read(self.parts.store.discard(message_id, self.parts.clock.now_ms()).await)? {
            Some(true) => Ok(()),
            Some(false) => {
                let text = format!("the message `{message_id}` was taken; there is nothing left to discard");
                Err(ErrorKind::NotParked(text).into())
            }
            None => Err(unknown(message_id)),
        }
    }
}

fn unknown(message_id: &str) -> Error {
    ErrorKind::UnknownMessage(format!("there is no message with the id `{message_id}`")).into()
}

/// A message to be sent, or an event to be published: await it.
#[must_use = "nothing is sent until this is awaited"]
pub struct Deliver<M: Message> {
    parts: Arc<Parts>,
    message: M,
    is_event: bool,
    message_id: Option<String>,
    time_to_live: Duration,
}

impl<M: Message> Deliver<M> {
    /// Gives the message an id: 1 to 255 bytes without control characters. A second message with the same id
    /// is dropped, for as long as ids are remembered
    /// ([`message_retention`](crate::EngineBuilder::message_retention)). Without this it gets a random one.
    pub fn message_id(mut self, message_id: impl Into<String>) -> Deliver<M> {
        self.message_id = Some(message_id.into());
        self
    }

    /// How long to keep the message while nobody waits for it; seven days unless said otherwise, [`Duration::MAX`]
    /// for ever. Zero is refused.
    pub fn time_to_live(mut self, time_to_live: Duration) -> Deliver<M> {
        self.time_to_live = time_to_live;
        self
    }

    async fn deliver(self) -> Result<Delivery, Error> {
        let Deliver { parts, message, is_event, message_id, time_to_live } = self;
        let what = format!("the message `{}`", M::NAME);
        let payload = match Payload::of(&message) {
            Ok(payload) => payload,
            Err(error) => return Err(ErrorKind::Unstorable { what, error }.into()),
        };
        let message_id = message_id.unwrap_or_else(|| Uuid::now_v7().to_string());
        let inbound =
            Inbound { message_id, name: M::NAME.to_owned(), key: message.key(), payload, time_to_live };
        if is_event {
            inbound::publish(&parts, inbound).await
        } else {
            inbound::deliver(&parts, inbound).await
        }
    }
}

impl<M: Message> IntoFuture for Deliver<M> {
    type Output = Result<Delivery, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    /// # Errors
    /// When the id, the key, the size or the time to live are not taken, when no registered workflow knows a message
    /// of that name (an event need not be known), when the engine has stopped, or when the store fails.
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.deliver())
    }
}

/// A parked message that is to be sent once more: await it.
#[must_use = "nothing is sent until this is awaited"]
pub struct Redeliver {
    client: Client,
    message_id: String,
    payload: Option<Result<Payload, PayloadError>>,
    key: Option<String>,
    time_to_live: Duration,
}

impl Redeliver {
    /// Sends this instead. Any type will do that serde can write, also a `serde_json::Value`: what counts is that the
    /// waiting run can read it.
    pub fn payload<T: Serialize + ?Sized>(mut self, payload: &T) -> Redeliver {
        self.payload = Some(Payload::of(payload));
        self
    }

    /// Sends it with this correlation key.
    pub fn key(mut self, key: impl Into<String>) -> Redeliver {
        self.key = Some(key.into());
        self
    }

    /// How long to keep it from now on while nobody waits for it; seven days unless said otherwise.
    pub fn time_to_live(mut self, time_to_live: Duration) -> Redeliver {
        self.time_to_live = time_to_live;
        self
    }

    async fn redeliver(self) -> Result<Delivery, Error> {
        let Redeliver { client, message_id, payload, key, time_to_live } = self;
        let filter = MessageFilter { message_id: Some(message_id.clone()), ..MessageFilter::default() };
        let found = client.messages(&filter).await?.pop();
        let kept = found.ok_or_else(|| unknown(&message_id))?;
        let refused = match &kept.state {
            MessageState::Parked(_) => None,
            MessageState::Waiting => Some("is not parked: it still waits for a run"),
            MessageState::Taken { .. } => Some("is not parked: it was taken"),
            MessageState::Discarded => Some("was discarded"),
        };
        if let Some(why) = refused {
            return Err(ErrorKind::NotParked(format!("the message `{message_id}` {why}")).into());
        }
        let payload = match payload {
            None => kept.payload,
            Some(Ok(payload)) => payload,
            Some(Err(error)) => {
                let what = format!("the message `{}`", kept.message);
                return Err(ErrorKind::Unstorable { what, error }.into());
            }
        };
        let key = key.unwrap_or(kept.key);
        let inbound = Inbound { message_id, name: kept.message, key, payload, time_to_live };
        inbound::redeliver(&client.parts, inbound, kept.is_event).await
    }
}

impl IntoFuture for Redeliver {
    type Output = Result<Delivery, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    /// # Errors
    /// When there is no such message, when it is not parked, when what is sent instead is not taken, when the engine
    /// has stopped, or when the store fails.
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.redeliver())
    }
}
