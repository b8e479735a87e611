//! Waits whose end the code looks at as a value: no way of the flow says so, and yet a drawing shows the timer.
//! It finds whether a model draws one; what that means for the order is decided by `plan`, for the drawing by `strict`.

use super::keys::Keys;
use super::letters::key;
use super::model::{Element, ElementKind, Model};
use super::plan::Place;
use crate::reading::{flows_of, text_of};
use crate::{FlowKind, NodeIndex, NodeKind};

/// Whether this node has a way for the end of its time.
pub(super) const fn has_timeout(place: &Place, node: NodeIndex) -> bool {
    let flows = flows_of(place.graph);
    let mut index = 0;
    while index < flows.len() {
        if flows[index].from == node && matches!(flows[index].kind, FlowKind::Timeout) {
            return true;
        }
        index += 1;
    }
    false
}

/// Whether this is a wait with a deadline and no way for it: what came of it is a value.
pub(super) const fn is_kept(place: &Place, node: NodeIndex) -> bool {
    matches!(place.node.kind, NodeKind::Receive { deadline: Some(_), .. }) && !has_timeout(place, node)
}

/// Whether the model draws the deadline of this wait: with the id that we export, on the border of what waits for the
/// message, or beside that behind a gateway.
pub(super) const fn is_drawn(place: &Place, id: u64, model: &Model) -> bool {
    let (elements, keys) = (model.list(), Keys::of(place));
    let mut index = 0;
    while index < elements.len() {
        let event = &elements[index];
        if event.kind.is_timer() {
            let is_its_own = match event.host {
                Some(host) => waits(&elements[host], place, &keys),
                None => stands_beside(model, index, place, &keys),
            };
            if is_its_own || key(text_of(&event.id)) == id {
                return true;
            }
        }
        index += 1;
    }
    false
}

/// Whether this element waits for the message.
const fn waits(element: &Element, place: &Place, keys: &Keys) -> bool {
    let NodeKind::Receive { message, .. } = &place.node.kind else { return false };
    let detail = key(text_of(&element.detail));
    matches!(element.kind, ElementKind::ReceiveTask | ElementKind::MessageCatch)
        && (key(text_of(&element.id)) == place.id
            || keys.name(key(text_of(&element.name)))
            || detail != 0 && detail == key(text_of(message)))
}

/// Whether the gateway in front of this event also leads to what waits for the message.
const fn stands_beside(model: &Model, event: usize, place: &Place, keys: &Keys) -> bool {
    let (elements, flows) = (model.list(), model.flow_list());
    let mut flow = 0;
    while flow < flows.len() {
        let (gateway, to) = flows[flow];
        if to == event && matches!(elements[gateway].kind, ElementKind::EventGateway) {
            let mut other = 0;
            while other < flows.len() {
                if flows[other].0 == gateway && waits(&elements[flows[other].1], place, keys) {
                    return true;
                }
                other += 1;
            }
        }
        flow += 1;
    }
    false
}
