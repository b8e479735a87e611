//! What a flow passes without saying anything: merges, milestones, links, and what the author has excused.
//! It finds where a way really comes to; what is told about it is decided by `structure`.

use super::matching::is_waived;
use super::model::{ElementKind, Model, ROOM};
use super::plan::{NOWHERE, Plan, is_operation, waits_for_events};
use super::structure::END;
use crate::reading::{flows_of, nodes_of};
use crate::{FlowKind, NodeIndex, NodeKind};

/// Whether this receive is one of the events that a race waits for: then its deadline is one more of them.
pub(super) const fn is_caught(plan: &Plan, receive: usize) -> bool {
    let place = plan.place(receive);
    let (nodes, flows) = (nodes_of(place.graph), flows_of(place.graph));
    let mut flow = 0;
    while flow < flows.len() {
        let from = flows[flow].from;
        if flows[flow].to == receive - place.base
            && matches!(nodes[from].kind, NodeKind::Race)
            && waits_for_events(nodes, flows, from)
        {
            return true;
        }
        flow += 1;
    }
    false
}

/// Where the code really comes to from here: behind merges and what is excused.
pub(super) const fn resolved(plan: &Plan, waived: &[NodeIndex], place: usize) -> usize {
    let (mut place, mut rounds) = (place, 0);
    while rounds < ROOM {
        let this = plan.place(place);
        let kind = &this.node.kind;
        let is_end = matches!(kind, NodeKind::End(_));
        if is_end {
            return place;
        }
        let flows = flows_of(this.graph);
        let (mut next, mut count, mut flow) = (NOWHERE, 0, this.first_flow);
        while flow < this.end_flow {
            if flows[flow].from == place - this.base {
                // Of what is excused, only the way on counts.
                if count == 0 || matches!(flows[flow].kind, FlowKind::Next) {
                    next = this.base + flows[flow].to;
                }
                count += 1;
            }
            flow += 1;
        }
        let passes = match kind {
            NodeKind::Merge => true,
            NodeKind::Compensate => ends(plan, next),
            kind => is_operation(kind) && is_waived(waived, this.call),
        };
        if !passes || next == NOWHERE {
            return place;
        }
        place = next;
        rounds += 1;
    }
    place
}

/// Whether nothing but an end comes from here on.
const fn ends(plan: &Plan, place: usize) -> bool {
    let (mut place, mut rounds) = (place, 0);
    while place != NOWHERE && rounds < ROOM {
        let this = plan.place(place);
        match &this.node.kind {
            NodeKind::End(_) => return true,
            NodeKind::Merge => {}
            _ => return false,
        }
        let flows = flows_of(this.graph);
        let (mut next, mut flow) = (NOWHERE, this.first_flow);
        while flow < this.end_flow {
            if flows[flow].from == place - this.base {
                next = this.base + flows[flow].to;
            }
            flow += 1;
        }
        place = next;
        rounds += 1;
    }
    false
}

/// Where the model really comes to from here: behind joins, milestones and links.
pub(super) const fn drawn(model: &Model, element: usize) -> usize {
    let elements = model.list();
    let (mut element, mut rounds) = (element, 0);
    while rounds < ROOM {
        let kind = elements[element].kind;
        if matches!(kind, ElementKind::End) {
            return element;
        }
        let next = next(model, element);
        let passes = match kind {
            ElementKind::Milestone => leaving(model, element) == 1,
            ElementKind::ExclusiveGateway | ElementKind::InclusiveGateway | ElementKind::EventGateway => {
                leaving(model, element) == 1
            }
            ElementKind::ParallelGateway => leaving(model, element) == 1 && arriving(model, element) == 1,
            ElementKind::CompensationThrow => next == NOWHERE || drawn_end(model, next),
            _ => false,
        };
        if !passes {
            return element;
        }
        if next == NOWHERE {
            return END;
        }
        element = next;
        rounds += 1;
    }
    element
}

/// Whether nothing but an end comes from here on.
const fn drawn_end(model: &Model, element: usize) -> bool {
    let (mut element, mut rounds) = (element, 0);
    while element != NOWHERE && rounds < ROOM {
        match model.list()[element].kind {
            ElementKind::End => return true,
            ElementKind::ExclusiveGateway | ElementKind::Milestone if leaving(model, element) == 1 => {}
            _ => return false,
        }
        element = next(model, element);
        rounds += 1;
    }
    false
}

const fn next(model: &Model, element: usize) -> usize {
    let flows = model.flow_list();
    let mut index = 0;
    while index < flows.len() {
        if flows[index].0 == element {
            return flows[index].1;
        }
        index += 1;
    }
    NOWHERE
}

pub(super) const fn leaving(model: &Model, element: usize) -> usize {
    let flows = model.flow_list();
    let (mut count, mut index) = (0, 0);
    while index < flows.len() {
        count += (flows[index].0 == element) as usize;
        index += 1;
    }
    count
}

const fn arriving(model: &Model, element: usize) -> usize {
    let flows = model.flow_list();
    let (mut count, mut index) = (0, 0);
    while index < flows.len() {
        count += (flows[index].1 == element) as usize;
        index += 1;
    }
    count
}
