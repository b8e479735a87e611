//! Errors on the border of an activity: which one of the code an event is about, and which events the code need not
//! know.
//! What is missing on a border, and what is told about it, is decided by `strict`.

use std::borrow::Cow;

use super::letters::key;
use super::model::{Element, ElementKind, Model};
use super::passing::{drawn, resolved};
use super::plan::{NOWHERE, Place, Plan, errors_of};
use super::structure::{END, is_end};
use crate::reading::{flows_of, nodes_of, text_of};
use crate::{ErrorFacts, FlowKind, NodeIndex, NodeKind, Outcome};

/// The key of the variant that leaves here, 0 for all others; `None` when the code does not tell it apart.
pub(super) const fn error_of(place: &Place, node: NodeIndex, event: &Element) -> Option<u64> {
    let (flows, drawn) = (flows_of(place.graph), key(text_of(&event.detail)));
    let mut index = 0;
    while index < flows.len() {
        if flows[index].from == node
            && let FlowKind::Error { variant, .. } = &flows[index].kind
        {
            let variant_key = key(text_of(variant));
            if drawn == variant_key || drawn != 0 && drawn == code_of(place, variant_key, false) {
                return Some(variant_key);
            }
            if drawn != 0 && variant_key != 0 && drawn == code_of(place, variant_key, true) {
                return Some(variant_key);
            }
        }
        index += 1;
    }
    None
}

/// The key of a variant's code, or of its label; of a block, the errors of what stands in it.
const fn code_of(place: &Place, variant: u64, wants_label: bool) -> u64 {
    if !matches!(place.node.kind, NodeKind::Block) {
        return code_among(errors_of(&place.node.kind), variant, wants_label);
    }
    let nodes = nodes_of(place.graph);
    let own = code_among(own_errors(place), variant, wants_label);
    if own != 0 {
        return own;
    }
    let mut index = 0;
    while index < nodes.len() {
        let code = code_among(errors_of(&nodes[index].kind), variant, wants_label);
        if code != 0 {
            return code;
        }
        index += 1;
    }
    0
}

const fn code_among(errors: &[ErrorFacts], variant: u64, wants_label: bool) -> u64 {
    let mut index = 0;
    while index < errors.len() {
        if key(text_of(&errors[index].variant)) == variant {
            return key(text_of(if wants_label { &errors[index].label } else { &errors[index].code }));
        }
        index += 1;
    }
    0
}

/// The errors of the function around a block, which has none of its own.
const fn own_errors(place: &Place) -> &'static [ErrorFacts] {
    match &place.graph.errors {
        Cow::Borrowed(errors) => errors,
        Cow::Owned(errors) => errors.as_slice(),
    }
}

/// Whether an event for errors draws what the code does without a word for it: it passes an error on with `?` that is
/// told apart further out, or it keeps the error of a scope as a value and goes on.
pub(super) const fn is_drawn_only(plan: &Plan, model: &Model, place_index: usize, event: usize) -> bool {
    let place = plan.place(place_index);
    let flows = flows_of(place.graph);
    let (mut others, mut is_handled, mut flow) = (NOWHERE, false, 0);
    while flow < flows.len() {
        if flows[flow].from == place_index - place.base
            && let FlowKind::Error { variant, .. } = &flows[flow].kind
        {
            is_handled = true;
            if text_of(variant).is_empty() {
                others = resolved(plan, &[], place.base + flows[flow].to);
            }
        }
        flow += 1;
    }
    let element = &model.list()[event];
    let drawn_to = leads_to(model, event);
    if !is_handled {
        let fails = matches!(place.node.kind, NodeKind::Subflow(_) | NodeKind::Block);
        return fails && goes_on(model, event) && text_of(&element.detail).is_empty();
    }
    let is_passed_on = others != NOWHERE
        && others != END
        && matches!(plan.place(others).node.kind, NodeKind::End(Outcome::Failure));
    let fails = drawn_to < model.list().len()
        && matches!(model.list()[drawn_to].kind, ElementKind::End)
        && !is_success(plan, &model.list()[drawn_to]);
    is_passed_on && fails && is_error_of(&place, key(text_of(&element.detail)))
}

/// Whether an event on a border leads where the flow goes on anyway.
pub(super) const fn goes_on(model: &Model, event: usize) -> bool {
    let drawn_to = leads_to(model, event);
    match model.list()[event].host {
        Some(host) => drawn_to != NOWHERE && drawn_to == leads_to(model, host),
        None => false,
    }
}

/// Whether the code calls an end like this one a success.
const fn is_success(plan: &Plan, end: &Element) -> bool {
    let mut index = 0;
    while index < plan.count {
        let place = plan.place(index);
        if is_end(end, &place) && !matches!(place.node.kind, NodeKind::End(Outcome::Failure)) {
            return true;
        }
        index += 1;
    }
    false
}

/// Where the drawing leads from here.
const fn leads_to(model: &Model, element: usize) -> usize {
    let flows = model.flow_list();
    let mut index = 0;
    while index < flows.len() {
        if flows[index].0 == element {
            return drawn(model, flows[index].1);
        }
        index += 1;
    }
    NOWHERE
}

/// Whether one of the errors has this code, variant or label; of a block, one of what stands in it.
const fn is_error_of(place: &Place, wanted: u64) -> bool {
    if !matches!(place.node.kind, NodeKind::Block) {
        return is_among(errors_of(&place.node.kind), wanted);
    }
    let nodes = nodes_of(place.graph);
    let mut index = 0;
    while index < nodes.len() {
        if is_among(errors_of(&nodes[index].kind), wanted) {
            return true;
        }
        index += 1;
    }
    is_among(own_errors(place), wanted)
}

const fn is_among(errors: &[ErrorFacts], wanted: u64) -> bool {
    let mut index = 0;
    while index < errors.len() {
        let ErrorFacts { variant, code, label, .. } = &errors[index];
        let is_it =
            wanted == key(text_of(code)) || wanted == key(text_of(variant)) || wanted == key(text_of(label));
        if wanted != 0 && is_it {
            return true;
        }
        index += 1;
    }
    false
}
