//! Who else takes part: the other parties of steps and messages, and what passes between them and the workflow.
//! It collects what the model says; where pools stand is decided elsewhere.

use std::collections::BTreeMap;

use super::ids::Ids;
use super::{Element, ElementKind, Ending, Process, Scope, Start};
use crate::text;

/// The other party of messages of which nobody is named.
const OTHERS: &str = "Other parties";

/// The workflow among others.
#[derive(Debug)]
pub(crate) struct Collaboration {
    pub(crate) id: String,
    /// The id of the workflow's own pool.
    pub(crate) pool: String,
    /// The pools of the others, in the order in which the flow meets them.
    pub(crate) parties: Vec<Party>,
    pub(crate) flows: Vec<MessageFlow>,
}

/// A pool of which nobody here knows the inside.
#[derive(Debug)]
pub(crate) struct Party {
    pub(crate) id: String,
    pub(crate) name: String,
}

/// What passes between an element and a party.
#[derive(Debug)]
pub(crate) struct MessageFlow {
    pub(crate) id: String,
    /// The id of the element; of the sub-process around it, where its inside has a page of its own.
    pub(crate) element: String,
    pub(crate) party: usize,
    /// Whether it comes from the party.
    pub(crate) arrives: bool,
    pub(crate) message: Option<usize>,
}

impl Collaboration {
    /// Keeps its ids from being given out again.
    pub(crate) fn reserve(&self, ids: &mut Ids) {
        let parties = self.parties.iter().map(|party| &party.id);
        let flows = self.flows.iter().map(|flow| &flow.id);
        for id in [&self.id, &self.pool].into_iter().chain(parties).chain(flows) {
            ids.give(id);
        }
    }
}

/// Everything that passes between a process and others. `named` says who sends or takes which message.
pub(crate) fn collaboration(process: &Process, named: &BTreeMap<String, String>) -> Collaboration {
    let mut ids = process.ids();
    let id = ids.give(&format!("collaboration_{}", process.id));
    let pool = ids.give(&format!("pool_{}", process.id));
    let mut found = Collaboration { id, pool, parties: Vec::new(), flows: Vec::new() };
    collect(process, &process.scope, named, None, &mut ids, &mut found);
    found
}

fn collect(
    process: &Process,
    scope: &Scope,
    named: &BTreeMap<String, String>,
    page: Option<&str>,
    ids: &mut Ids,
    found: &mut Collaboration,
) {
    for element in &scope.elements {
        if let Some((party, arrives, message)) = passes(process, element, named) {
            let known = found.parties.iter().position(|other| other.name == party);
            let party = known.unwrap_or_else(|| {
                let id = ids.give(&format!("party_{party}"));
                found.parties.push(Party { id, name: party });
                found.parties.len() - 1
            });
            let at = page.unwrap_or(&element.id).to_owned();
            let is_known = found
                .flows
                .iter()
                .any(|flow| flow.element == at && flow.party == party && flow.arrives == arrives);
            if !is_known {
                let id = ids.give(&format!("message_flow_{at}"));
                found.flows.push(MessageFlow { id, element: at, party, arrives, message });
            }
        }
        match &element.kind {
            ElementKind::SubProcess { inside, expanded } => {
                let own = (!expanded).then_some(element.id.as_str());
                collect(process, inside, named, page.or(own), ids, found);
            }
            ElementKind::EventSubProcess { inside } => collect(process, inside, named, page, ids, found),
            _ => {}
        }
    }
}

/// The party that an element has to do with, whether something comes from there, and which message it is.
fn passes(
    process: &Process,
    element: &Element,
    named: &BTreeMap<String, String>,
) -> Option<(String, bool, Option<usize>)> {
    let of_message = |message: usize, arrives: bool| {
        let definition = &process.messages[message];
        let party = text::name(named.get(&definition.name).unwrap_or(&definition.participant));
        let party = if party.is_empty() { OTHERS.to_owned() } else { party };
        Some((party, arrives, Some(message)))
    };
    match element.kind {
        ElementKind::StartEvent(Start::Message { message })
        | ElementKind::ReceiveTask { message }
        | ElementKind::MessageCatchEvent { message } => of_message(message, true),
        ElementKind::SendTask { message: Some(message) }
        | ElementKind::MessageThrowEvent { message }
        | ElementKind::EndEvent { ending: Ending::Message { message }, .. } => of_message(message, false),
        ElementKind::Task(_) | ElementKind::CompensationHandler(_) => {
            let job = element.job.as_ref().filter(|job| !job.participant.is_empty())?;
            Some((text::name(&job.participant), false, None))
        }
        _ => None,
    }
}
