//! Messages that this engine takes in and another engine of the fleet has the code for.
//! It begins runs without knowing what they do; whoever has the code finds them due, and goes on.

use std::collections::BTreeMap;

use workflow_core::{Event, Record};

use super::committer::persist;
use super::inbound::{arguments, run_id};
use super::parts::Parts;
use crate::error::{Error, ErrorKind};
use crate::limits::check_id;
use crate::store::{Changes, KnownMessage, NewMessage, NewRun, Turn};

/// What engines of the fleet know of messages of this name; nothing, if this engine is alone on its store.
///
/// # Errors
/// When the store fails for good, or the engine stops.
pub(super) async fn known(parts: &Parts, message: &str) -> Result<Vec<KnownMessage>, Error> {
    if !parts.membership.is_shared() {
        return Ok(Vec::new());
    }
    Ok(persist(parts, || parts.store.known_messages(message)).await.ok_or(ErrorKind::Stopped)??)
}

/// The first turns of the runs that begin with this message elsewhere: of workflows that do not begin with it here, and
/// that this engine does not have, or not in so new a version. Nobody holds them, and they are due at once. What the
/// code asks for first is not in their journals; whoever takes them records it.
///
/// # Errors
/// When the store fails for good, or the engine stops.
pub(super) async fn starts(parts: &Parts, message: &NewMessage) -> Result<Vec<Turn>, Error> {
    let (ours, mut newest) = (parts.registry.started_by(&message.message), BTreeMap::<String, u32>::new());
    let known = known(parts, &message.message).await?.into_iter().filter_map(|known| known.starts);
    for (workflow, version) in known.filter(|(workflow, _)| ours.iter().all(|ours| ours.name != *workflow)) {
        if parts.registry.newest_version(&workflow).is_none_or(|newest| newest < version) {
            let known = newest.entry(workflow).or_default();
            *known = version.max(*known);
        }
    }
    let starts = newest.into_iter().map(|(workflow, version)| start(parts, message, workflow, version));
    starts.collect()
}

fn start(parts: &Parts, message: &NewMessage, workflow: String, version: u32) -> Result<Turn, Error> {
    let run_id = run_id(&workflow, &message.message_id);
    check_id("the id of a run", &run_id)?;
    let now_ms = parts.clock.now_ms();
    let (generation, parent) = (1, None);
    let started = Event::Started { input: arguments(&message.payload), generation, parent: None };
    Ok(Turn {
        lease: parts.first_lease(run_id.into()),
        begins: Some(NewRun { workflow, version, generation, parent, parks_until: Some(now_ms) }),
        at_ms: now_ms,
        first_seq: 1,
        records: vec![Record::broken_off(now_ms, started)],
        changes: Changes::default(),
    })
}
