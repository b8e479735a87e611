//! The code as one flow: the graph with the insides of its frames, and of those subflows and children that the model
//! draws in full. It says what leads where; what that means for two operations is worked out elsewhere.

use crate::reading::{flows_of, is_same_graph, nodes_of, text_of};
use std::borrow::Cow;

use super::deadlines;
use super::keys::Keys;
use super::letters::{key, key_behind};
use super::model::{ElementKind, Model, ROOM};
use crate::{
    ChildFacts, ErrorFacts, Flow, FlowKind, Graph, Node, NodeIndex, NodeKind, Outcome, SubflowFacts,
};

/// Most ways between places.
const WAYS: usize = 4 * ROOM;

/// No place.
pub(super) const NOWHERE: usize = usize::MAX;

/// One node of the code, or a place that it stands for beside.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) node: &'static Node,
    /// The graph of the node, and the place of its first node.
    pub(super) graph: &'static Graph,
    pub(super) base: usize,
    /// The node of the workflow itself where this is called.
    pub(super) call: NodeIndex,
    /// The key of its id in the file that we export.
    pub(super) id: u64,
    pub(super) role: Role,
    /// Of a receive: where its deadline is. Of a frame: where it is left.
    pub(super) twin: usize,
    /// Of a frame: where it is left with an error.
    pub(super) failure: usize,
    /// The race with steps in it that it takes part in.
    pub(super) race: usize,
    /// Its flows stand in this stretch of those of the graph, the end not included; others may, too.
    pub(super) first_flow: usize,
    pub(super) end_flow: usize,
}

/// What a place stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// The node itself.
    Node,
    /// A node with an inside that is compared, too.
    Frame,
    /// The deadline of a receive.
    Deadline,
    /// Where a frame is left.
    Exit,
}

/// That one place leads to another.
#[derive(Clone, Copy)]
pub(super) struct Way {
    pub(super) from: usize,
    pub(super) to: usize,
    /// Whether every model has to say so; if not, it may.
    pub(super) is_certain: bool,
}

/// The flow that is compared with the model.
pub(super) struct Plan {
    pub(super) places: [Option<Place>; ROOM],
    /// What each place may be called.
    pub(super) keys: [Keys; ROOM],
    pub(super) count: usize,
    pub(super) ways: [Way; WAYS],
    pub(super) way_count: usize,
    /// Stretches of places that happen many times in parallel: from the first to behind the last.
    pub(super) crowds: [(usize, usize, bool); 64],
    pub(super) crowd_count: usize,
    /// Whether not all of it fitted.
    pub(super) is_cut: bool,
}

/// The graphs around the one that is being added.
struct Around<'a> {
    graph: &'static Graph,
    outer: Option<&'a Around<'a>>,
}

impl Plan {
    /// The flow of this graph, with those insides that the model draws.
    pub(super) const fn of(graph: &'static Graph, model: &Model) -> Plan {
        let mut plan = Plan {
            places: [None; ROOM],
            keys: [Keys::NONE; ROOM],
            count: 0,
            ways: [Way { from: 0, to: 0, is_certain: false }; WAYS],
            way_count: 0,
            crowds: [(0, 0, false); 64],
            crowd_count: 0,
            is_cut: false,
        };
        plan.add(graph, model, NOWHERE, 0, &Around { graph, outer: None });
        plan
    }

    /// The place, which must be one of the plan.
    pub(super) const fn place(&self, place: usize) -> Place {
        match self.places[place] {
            Some(place) => place,
            None => panic!("places are looked at below the count only"),
        }
    }

    /// Adds a graph; gives the place of its first node. `call` is the node of the workflow that leads to it.
    const fn add(
        &mut self,
        graph: &'static Graph,
        model: &Model,
        call: NodeIndex,
        prefix: u64,
        around: &Around<'_>,
    ) -> usize {
        let base = self.count;
        let nodes = nodes_of(graph);
        let mut index = 0;
        while index < nodes.len() {
            let call = if call == NOWHERE { index } else { call };
            let id = key_behind(prefix, text_of(&nodes[index].id));
            self.push(Place::new(&nodes[index], graph, base, call, id));
            index += 1;
        }
        let flows = flows_of(graph);
        let mut index = 0;
        while index < flows.len() && !self.is_cut {
            let from = base + flows[index].from;
            let place = self.place(from);
            let first_flow = if place.end_flow == 0 { index } else { place.first_flow };
            self.places[from] = Some(Place { first_flow, end_flow: index + 1, ..place });
            index += 1;
        }
        if !self.is_cut {
            self.add_twins(graph, model, base);
            self.add_insides(graph, model, base, around);
        }
        if !self.is_cut {
            self.add_flows(graph, base);
        }
        base
    }

    const fn push(&mut self, place: Place) -> usize {
        if self.count == ROOM {
            self.is_cut = true;
            return ROOM - 1;
        }
        self.places[self.count] = Some(place);
        self.keys[self.count] = Keys::of(&place);
        self.count += 1;
        self.count - 1
    }

    const fn lead(&mut self, from: usize, to: usize, is_certain: bool) {
        let mut to = to;
        // Who waits for a message waits for its deadline, too.
        loop {
            if self.way_count == WAYS {
                self.is_cut = true;
                return;
            }
            self.ways[self.way_count] = Way { from, to, is_certain };
            self.way_count += 1;
            let target = self.place(to);
            if !matches!(target.node.kind, NodeKind::Receive { .. })
                || target.twin == NOWHERE
                || !matches!(target.role, Role::Node)
            {
                return;
            }
            to = target.twin;
        }
    }

    const fn change(&mut self, place: usize, twin: usize, failure: usize, role: Role) {
        let old = self.place(place);
        self.places[place] = Some(Place { twin, failure, role, ..old });
    }

    /// The deadlines, the exits of frames, and which operations race.
    const fn add_twins(&mut self, graph: &'static Graph, model: &Model, base: usize) {
        let (nodes, flows) = (nodes_of(graph), flows_of(graph));
        let mut index = 0;
        while index < flows.len() {
            let Flow { from, to, kind } = &flows[index];
            let place = self.place(base + *from);
            if matches!(kind, FlowKind::Timeout) && place.twin == NOWHERE {
                let id = key_behind(place.id, "timeout");
                let twin = self.push(Place { id, ..place.beside(Role::Deadline) });
                self.change(base + *from, twin, NOWHERE, Role::Node);
            }
            if matches!(nodes[*from].kind, NodeKind::Race) && !waits_for_events(nodes, flows, *from) {
                let racer = self.place(base + *to);
                self.places[base + *to] = Some(Place { race: base + *from, ..racer });
            }
            index += 1;
        }
        let mut index = 0;
        while index < nodes.len() && !self.is_cut {
            let place = self.place(base + index);
            let is_race = matches!(place.node.kind, NodeKind::Race) && !waits_for_events(nodes, flows, index);
            if is_race || matches!(place.node.kind, NodeKind::Block) {
                let twin = self.push(place.beside(Role::Exit));
                let failure = self.push(place.beside(Role::Exit));
                self.change(base + index, twin, failure, Role::Frame);
            } else if deadlines::is_kept(&place, index) {
                let id = key_behind(place.id, "timeout");
                // No way of the code says that it is drawn: it is there for those models that do.
                if deadlines::is_drawn(&place, id, model) {
                    let deadline = Place { id, race: place.race, ..place.beside(Role::Deadline) };
                    let twin = self.push(deadline);
                    self.change(base + index, twin, NOWHERE, Role::Node);
                }
            }
            index += 1;
        }
    }

    /// The insides of subflows and children that the model draws.
    const fn add_insides(&mut self, graph: &'static Graph, model: &Model, base: usize, around: &Around<'_>) {
        let nodes = nodes_of(graph);
        let mut index = 0;
        while index < nodes.len() && !self.is_cut {
            let place = self.place(base + index);
            if let Some(inner) = inside(&place, model, around) {
                let twin = self.push(place.beside(Role::Exit));
                let failure = self.push(place.beside(Role::Exit));
                self.change(base + index, twin, failure, Role::Frame);
                let around = Around { graph: inner, outer: Some(around) };
                let first = self.add(inner, model, place.call, place.id, &around);
                let inner = nodes_of(inner);
                let mut node = 0;
                while node < inner.len() && !self.is_cut {
                    if inner[node].scope.is_none() {
                        self.lead_through_border(base + index, first + node);
                    }
                    node += 1;
                }
                if let Some(instances) = &place.node.instances {
                    self.crowd(base + index, base + index + 1, instances.is_in_turn());
                    self.crowd(first, self.count, instances.is_in_turn());
                }
            } else if let Some(instances) = &place.node.instances {
                self.crowd(base + index, base + index + 1, instances.is_in_turn());
            }
            index += 1;
        }
    }

    const fn crowd(&mut self, from: usize, to: usize, is_in_turn: bool) {
        if self.crowd_count == self.crowds.len() {
            self.is_cut = true;
        } else {
            self.crowds[self.crowd_count] = (from, to, is_in_turn);
            self.crowd_count += 1;
        }
    }

    /// A frame leads to the start inside, and the ends inside lead out of it.
    const fn lead_through_border(&mut self, frame: usize, inner: usize) {
        let (around, inside) = (self.place(frame), self.place(inner));
        match &inside.node.kind {
            NodeKind::Start => self.lead(frame, inner, true),
            NodeKind::End(outcome) => {
                let fails = matches!(outcome, Outcome::Failure);
                self.lead(inner, around.twin, !fails);
                self.lead(inner, around.failure, fails);
            }
            _ => {}
        }
    }

    const fn add_flows(&mut self, graph: &'static Graph, base: usize) {
        let (nodes, flows) = (nodes_of(graph), flows_of(graph));
        let mut index = 0;
        while index < nodes.len() {
            if let Some(block) = nodes[index].scope {
                self.lead_through_border(base + block, base + index);
            }
            index += 1;
        }
        let mut index = 0;
        while index < flows.len() && !self.is_cut {
            let Flow { from, to, kind } = &flows[index];
            let (from, to) = (base + *from, base + *to);
            let place = self.place(from);
            match (place.role, kind) {
                (Role::Frame, _) if matches!(place.node.kind, NodeKind::Race) => self.lead(from, to, true),
                (Role::Frame, FlowKind::Error { .. }) => {
                    self.lead(place.failure, to, true);
                    self.lead(place.twin, to, false);
                }
                (Role::Frame, _) => {
                    self.lead(place.twin, to, true);
                    self.lead(place.failure, to, !has_catch_all(flows, from - base));
                }
                (_, FlowKind::Timeout) => {
                    self.lead(place.twin, to, true);
                    self.lead(from, to, false);
                }
                _ => {
                    self.lead(from, to, true);
                    if place.twin != NOWHERE && deadlines::is_kept(&place, from - base) {
                        // A drawing may know already what the code asks about the value.
                        self.lead(place.twin, to, false);
                    }
                }
            }
            if place.race != NOWHERE {
                // A frame around a race does not say outside who won.
                let exit = self.place(place.race).twin;
                self.lead(from, exit, false);
                self.lead(exit, to, false);
            }
            index += 1;
        }
    }

    /// Whether this is a race that is drawn as a frame.
    pub(super) const fn is_boxed_race(&self, place: usize) -> bool {
        let place = self.place(place);
        matches!((place.role, &place.node.kind), (Role::Frame, NodeKind::Race))
    }

    /// Whether these two race each other, in a race that is drawn as work side by side.
    pub(super) const fn are_rivals(&self, one: usize, other: usize) -> bool {
        let race = self.place(one).race;
        race != NOWHERE && race == self.place(other).race && one != other
    }
}

impl Place {
    const fn new(node: &'static Node, graph: &'static Graph, base: usize, call: NodeIndex, id: u64) -> Place {
        let (twin, failure, race) = (NOWHERE, NOWHERE, NOWHERE);
        let (first_flow, end_flow) = (0, 0);
        Place { node, graph, base, call, id, role: Role::Node, twin, failure, race, first_flow, end_flow }
    }

    /// Another place that this node stands for.
    const fn beside(&self, role: Role) -> Place {
        Place { role, ..Place::new(self.node, self.graph, self.base, self.call, 0) }
    }

    /// Whether it takes part in a race that is drawn as work side by side.
    pub(super) const fn is_racing(&self) -> bool {
        self.race != NOWHERE
    }
}

/// The graph inside this node, if the model draws it: as a sub-process, or as a part of the flow around it.
const fn inside(place: &Place, model: &Model, around: &Around<'_>) -> Option<&'static Graph> {
    let (graph, is_subflow) = match &place.node.kind {
        NodeKind::Subflow(SubflowFacts { graph, .. }) => (graph.known(), true),
        NodeKind::Child(ChildFacts { graph, detached: false, .. }) => (graph.known(), false),
        _ => return None,
    };
    let Some(graph) = graph else { return None };
    let mut outer = Some(around);
    while let Some(around) = outer {
        if is_same_graph(around.graph, graph) {
            return None;
        }
        outer = around.outer;
    }
    let keys = Keys::of(place);
    let elements = model.list();
    let mut is_drawn = false;
    let mut index = 0;
    while index < elements.len() {
        if elements[index].kind.is_required()
            && (keys.name(key(text_of(&elements[index].name)))
                || key(text_of(&elements[index].id)) == place.id)
        {
            is_drawn = true;
            if matches!(elements[index].kind, ElementKind::SubProcess) && model.has_contents(index) {
                return Some(graph);
            }
        }
        index += 1;
    }
    if is_subflow && !is_drawn && draws_some_of(model, graph) { Some(graph) } else { None }
}

/// Whether the model has an element named like an operation of this graph.
const fn draws_some_of(model: &Model, graph: &'static Graph) -> bool {
    let (nodes, elements) = (nodes_of(graph), model.list());
    let mut index = 0;
    while index < nodes.len() {
        if is_operation(&nodes[index].kind) {
            let keys = Keys::of(&Place::new(&nodes[index], graph, 0, 0, 0));
            let mut element = 0;
            while element < elements.len() {
                if elements[element].kind.is_required() && keys.name(key(text_of(&elements[element].name))) {
                    return true;
                }
                element += 1;
            }
        }
        index += 1;
    }
    false
}

/// Whether the node is an operation, for constants.
pub(super) const fn is_operation(kind: &NodeKind) -> bool {
    matches!(
        kind,
        NodeKind::Step(_)
            | NodeKind::Timer(_)
            | NodeKind::TimerAt { .. }
            | NodeKind::Receive { .. }
            | NodeKind::Send { .. }
            | NodeKind::Child(_)
            | NodeKind::Subflow(_)
    )
}

/// Whether a race has only events in it: then it is drawn as a gateway, and only one of them happens.
pub(super) const fn waits_for_events(nodes: &[Node], flows: &[Flow], race: NodeIndex) -> bool {
    let mut index = 0;
    while index < flows.len() {
        if flows[index].from == race
            && !matches!(
                nodes[flows[index].to].kind,
                NodeKind::Timer(_) | NodeKind::TimerAt { .. } | NodeKind::Receive { .. }
            )
        {
            return false;
        }
        index += 1;
    }
    true
}

const fn has_catch_all(flows: &[Flow], node: NodeIndex) -> bool {
    let mut index = 0;
    while index < flows.len() {
        if flows[index].from == node
            && let FlowKind::Error { variant, .. } = &flows[index].kind
            && text_of(variant).is_empty()
        {
            return true;
        }
        index += 1;
    }
    false
}

/// The ways in which a node can fail, for constants.
pub(super) const fn errors_of(kind: &'static NodeKind) -> &'static [ErrorFacts] {
    let errors = match kind {
        NodeKind::Step(step) => &step.errors,
        NodeKind::Child(child) => &child.errors,
        NodeKind::Subflow(subflow) => &subflow.errors,
        _ => return &[],
    };
    match errors {
        Cow::Borrowed(errors) => errors,
        Cow::Owned(errors) => errors.as_slice(),
    }
}
