//! Messages on their way in: checked, kept together with the runs that begin with them, and only then acknowledged.
//! Which run gets a message is decided by the store; this knows no types and drives nothing.

use std::sync::Arc;
use std::time::Duration;

use tracing::Instrument;
use uuid::Uuid;
use workflow_core::{Payload, Timestamp};

use super::driver::{Beginning, Driver};
use super::elsewhere;
use super::parts::{Backoff, Parts};
use crate::error::{Error, ErrorKind};
use crate::limits::{LONGEST_ID, check_id, check_size};
use crate::store::{NewMessage, ParkReason, TurnOutcome};

pub(crate) use workflow_core::TIME_TO_LIVE;

/// A message on its way in, its type forgotten.
pub(crate) struct Inbound {
    /// By which duplicates are known.
    pub(crate) message_id: String,
    pub(crate) name: String,
    pub(crate) key: String,
    pub(crate) payload: Payload,
    /// How long it is kept while nobody takes it.
    pub(crate) time_to_live: Duration,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delivery {
    /// One or more runs began with it.
    Started,
    /// A run waits for such a message and is being woken.
    Awaited,
    /// No run waits for it yet; it is kept.
    Buffered,
    /// A message with this id is there already; this one was dropped. Also said of the first one when the store
    /// failed after it had kept it, and was asked again.
    Duplicate,
    /// A workflow should begin with it, but cannot: it is kept, set aside with the reason, for
    /// [`Client::messages`](crate::Client::messages) to show.
    Parked,
}

/// Takes a message for one run that waits for it, or for the workflows that begin with it. When this returns, it is
/// on the disk, and so are the runs that began.
pub(crate) async fn deliver(parts: &Arc<Parts>, message: Inbound) -> Result<Delivery, Error> {
    if let Some(text) = parts.registry.explain_unknown_message(&message.name)
        && elsewhere::known(parts, &message.name).await?.is_empty()
    {
        return Err(ErrorKind::UnknownMessage(text).into());
    }
    take_in(parts, checked(parts, message)?).await
}

/// Takes an event for all runs that wait for it, and for the workflows that begin with it. Nobody need know it.
pub(crate) async fn publish(parts: &Arc<Parts>, event: Inbound) -> Result<Delivery, Error> {
    take_in(parts, NewMessage { is_event: true, ..checked(parts, event)? }).await
}

/// Takes a message once more that was parked.
pub(crate) async fn redeliver(
    parts: &Arc<Parts>,
    message: Inbound,
    is_event: bool,
) -> Result<Delivery, Error> {
    take_in(parts, NewMessage { is_event, is_redelivery: true, ..checked(parts, message)? }).await
}

fn checked(parts: &Parts, message: Inbound) -> Result<NewMessage, Error> {
    let Inbound { message_id, name, key, payload, time_to_live } = message;
    check_id("the name of a message", &name)?;
    check_id("the id of a message", &message_id)?;
    check_id("the key of a message", &key)?;
    check_size(&format!("the message `{name}`"), &payload, parts.payload_limit)?;
    if time_to_live.is_zero() {
        let text = "the time to live of a message is zero, so that nobody could take it; the shortest is a millisecond";
        return Err(ErrorKind::BadInput(text.to_owned()).into());
    }
    // Rounded up, and what is too long for any clock is for ever.
    let live_ms = Timestamp::try_from(time_to_live.as_nanos().div_ceil(1_000_000)).unwrap_or(Timestamp::MAX);
    let expires_ms = parts.clock.now_ms().saturating_add(live_ms);
    Ok(NewMessage::new(&message_id, &name, &key, payload, expires_ms))
}

async fn take_in(parts: &Arc<Parts>, message: NewMessage) -> Result<Delivery, Error> {
    parts.refuse_when_leaving()?;
    // On a task of its own: whoever waits here may lose patience, a run that has begun must not.
    let taking = tokio::spawn(keep_and_start(Arc::clone(parts), message).in_current_span());
    let delivery = taking.await.unwrap_or_else(|_| Err(ErrorKind::Stopped.into()))?;
    parts.telemetry.message_in(delivery);
    Ok(delivery)
}

async fn keep_and_start(parts: Arc<Parts>, message: NewMessage) -> Result<Delivery, Error> {
    let mut backoff = Backoff::new();
    loop {
        if let Some(delivery) = keep_and_start_once(&parts, message.clone()).await? {
            return Ok(delivery);
        }
        parts.membership.doubt();
        parts.membership.can_join_anew()?;
        if !backoff.wait(&parts).await {
            return Err(ErrorKind::Stopped.into());
        }
    }
}

/// `None` when this engine was given up, so that nothing was kept and nothing began.
async fn keep_and_start_once(parts: &Arc<Parts>, mut message: NewMessage) -> Result<Option<Delivery>, Error> {
    let mut beginnings: Vec<Beginning> = Vec::new();
    for definition in parts.registry.started_by(&message.message) {
        let run_id = run_id(definition.name, &message.message_id);
        check_id("the id of a run", &run_id)?;
        match Driver::prepare(parts, *definition, run_id.into(), arguments(&message.payload)) {
            Ok(Some((beginning, turn))) => {
                beginnings.push(beginning);
                message.starts.push(turn);
            }
            Ok(None) => return Err(ErrorKind::Stopped.into()),
            Err(error) => {
                // None of them begins: once the message is mended, all of them do.
                let (workflow, error) = (definition.name.to_owned(), error.to_string());
                tracing::error!(message_id = message.message_id, workflow, error, "a message is set aside");
                message.parked = Some(ParkReason::CannotStart { workflow, error });
                message.starts.clear();
                beginnings.clear();
                break;
            }
        }
    }
    if message.parked.is_none() {
        let starts = elsewhere::starts(parts, &message).await?;
        message.starts.extend(starts);
    }
    let (is_event, is_parked) = (message.is_event, message.parked.is_some());
    let has_starts = !message.starts.is_empty();
    let seats = beginnings.iter().map(Beginning::seat).collect();
    let delivered = parts.deliver(message, seats).await?;
    if delivered.starts.contains(&TurnOutcome::LostLease) {
        return Ok(None);
    }
    let mut has_started = false;
    let mut beginnings = beginnings.into_iter();
    for outcome in delivered.starts {
        let beginning = beginnings.next();
        let TurnOutcome::Written(offers) = outcome else { continue };
        match beginning {
            Some(beginning) => {
                has_started = true;
                beginning.go_on(offers);
            }
            // It goes on wherever there is code for it. One that is repeated word for word looks written, too.
            None => has_started |= !delivered.is_duplicate,
        }
    }
    Ok(Some(match () {
        () if has_started => Delivery::Started,
        () if delivered.is_duplicate => Delivery::Duplicate,
        () if is_parked => Delivery::Parked,
        // Its runs outlive the id by which it would be known.
        () if has_starts && !is_event => Delivery::Duplicate,
        () if delivered.offers.is_empty() => Delivery::Buffered,
        () => Delivery::Awaited,
    }))
}

/// The id of the run of this workflow that begins with this message: `fulfil_order:order-placed-17`. It depends on
/// nothing else, so that a message which comes twice starts nothing twice.
pub(super) fn run_id(workflow: &str, message_id: &str) -> String {
    let readable = format!("{workflow}:{message_id}");
    if readable.len() <= LONGEST_ID {
        return readable;
    }
    format!("{workflow}:{}", Uuid::new_v5(&Uuid::NAMESPACE_OID, message_id.as_bytes()))
}

/// The arguments of a workflow are a list; it has one parameter.
pub(super) fn arguments(payload: &Payload) -> Payload {
    Payload::from_json(format!("[{}]", payload.as_json())).expect("a list of what is JSON is JSON")
}
