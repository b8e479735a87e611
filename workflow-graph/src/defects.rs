//! What makes a graph unusable: checked by the macro's tests, the exporter and the test kit alike.
//! Structure only; whether the saga is in order is a question for the checks of the language.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use crate::{Effect, FlowKind, Graph, Node, NodeIndex, NodeKind, StepFacts, is_node_id};

/// One thing that is wrong with a graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Defect {
    /// The id is no valid XML id, or clashes with a name other tools use.
    BadId(String),
    /// Two nodes carry the same id.
    DuplicateId(String),
    /// A flow refers to a node that does not exist.
    DanglingFlow(usize),
    /// There is not exactly one start.
    Starts(usize),
    /// No way leads from the start to this node.
    Unreachable(String),
    /// No way leads on from this node, though it is no end.
    DeadEnd(String),
    /// This kind of flow cannot leave this kind of node, or too many of a kind do.
    WrongFlow(String),
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Defect::BadId(id) => write!(f, "`{id}` cannot be the id of a node"),
            Defect::DuplicateId(id) => write!(f, "two nodes have the id `{id}`"),
            Defect::DanglingFlow(flow) => {
                write!(f, "flow {flow} leads to or from a node that does not exist")
            }
            Defect::Starts(count) => write!(f, "there are {count} start nodes instead of one"),
            Defect::Unreachable(id) => write!(f, "no way leads to `{id}`"),
            Defect::DeadEnd(id) => write!(f, "no way leads on from `{id}`"),
            Defect::WrongFlow(id) => write!(f, "the flows that leave `{id}` do not fit what it is"),
        }
    }
}

impl Graph {
    /// Everything that is wrong with this graph; empty for every graph that the macro emits.
    pub fn defects(&self) -> Vec<Defect> {
        let mut defects = Vec::new();
        let mut ids = BTreeSet::new();
        for node in self.nodes.iter() {
            if !is_node_id(&node.id) {
                defects.push(Defect::BadId(node.id.to_string()));
            }
            if !ids.insert(node.id.as_ref()) {
                defects.push(Defect::DuplicateId(node.id.to_string()));
            }
        }
        let exists = |node: NodeIndex| node < self.nodes.len();
        let dangling = |flow: &crate::Flow| !exists(flow.from) || !exists(flow.to);
        defects.extend(
            (0..self.flows.len()).filter(|&flow| dangling(&self.flows[flow])).map(Defect::DanglingFlow),
        );
        let starts: Vec<NodeIndex> =
            (0..self.nodes.len()).filter(|&node| self.nodes[node].kind == NodeKind::Start).collect();
        if starts.len() != 1 {
            defects.push(Defect::Starts(starts.len()));
        }
        if !defects.is_empty() {
            return defects; // What follows walks along the flows.
        }
        let reached = self.reachable_from(starts[0]);
        for (index, node) in self.nodes.iter().enumerate() {
            if !reached.contains(&index) {
                defects.push(Defect::Unreachable(node.id.to_string()));
            }
            let ends = matches!(node.kind, NodeKind::End(_));
            if !ends && self.outgoing(index).next().is_none() {
                defects.push(Defect::DeadEnd(node.id.to_string()));
            } else if !self.leaves_properly(index) {
                defects.push(Defect::WrongFlow(node.id.to_string()));
            }
        }
        defects
    }

    fn reachable_from(&self, start: NodeIndex) -> BTreeSet<NodeIndex> {
        let mut reached = BTreeSet::from([start]);
        let mut open = vec![start];
        while let Some(node) = open.pop() {
            for flow in self.outgoing(node) {
                if reached.insert(flow.to) {
                    open.push(flow.to);
                }
            }
        }
        reached
    }

    fn leaves_properly(&self, node: NodeIndex) -> bool {
        let kinds: Vec<&FlowKind> = self.outgoing(node).map(|flow| &flow.kind).collect();
        let next = kinds.iter().filter(|kind| matches!(kind, FlowKind::Next)).count();
        let answers = kinds.iter().filter(|kind| matches!(kind, FlowKind::Answer { .. })).count();
        let defaults =
            kinds.iter().filter(|kind| matches!(kind, FlowKind::Answer { default: true, .. })).count();
        let errors = kinds.iter().filter(|kind| matches!(kind, FlowKind::Error { .. })).count();
        let timeouts = kinds.iter().filter(|kind| matches!(kind, FlowKind::Timeout)).count();
        match &self.nodes[node].kind {
            NodeKind::Start | NodeKind::Merge | NodeKind::Timer(_) => next == 1 && kinds.len() == 1,
            // A step whose every success leaves the function has no `Next` of its own.
            NodeKind::Step(_) => next <= 1 && next + errors == kinds.len(),
            NodeKind::Receive { deadline, .. } => {
                next <= 1
                    && timeouts <= 1
                    && next + timeouts == kinds.len()
                    && (timeouts == 0 || deadline.is_some())
            }
            NodeKind::Decision { .. } => answers == kinds.len() && answers >= 2 && defaults == 1,
            NodeKind::End(_) => kinds.is_empty(),
        }
    }
}

/// Whether this step stands in a saga and does not say what it does to the world (WF030).
pub const fn lacks_effect(graph: &Graph, node: NodeIndex) -> bool {
    let Cow::Borrowed(nodes) = &graph.nodes else { return false };
    let is_undeclared =
        matches!(&nodes[node].kind, NodeKind::Step(StepFacts { effect: Effect::Undeclared, .. }));
    is_undeclared && has_undo_or_pivot(nodes)
}

/// Whether this node is a step that never answers with an error of this variant, or, if it is empty, with any error:
/// then what the code tells apart is no error of the step.
pub const fn lacks_error(graph: &Graph, node: NodeIndex, variant: &str) -> bool {
    let Cow::Borrowed(nodes) = &graph.nodes else { return false };
    let NodeKind::Step(StepFacts { errors: Cow::Borrowed(errors), effect, .. }) = &nodes[node].kind else {
        return false;
    };
    if matches!(effect, Effect::Retriable) {
        return true; // It is repeated until it succeeds.
    }
    let mut index = 0;
    while index < errors.len() {
        if let Cow::Borrowed(known) = &errors[index].variant
            && is_same(known.as_bytes(), variant.as_bytes())
        {
            return false;
        }
        index += 1;
    }
    !variant.is_empty()
}

const fn is_same(left: &[u8], right: &[u8]) -> bool {
    let mut index = 0;
    while index < left.len() && index < right.len() && left[index] == right[index] {
        index += 1;
    }
    index == left.len() && index == right.len()
}

const fn has_undo_or_pivot(nodes: &[Node]) -> bool {
    let mut index = 0;
    while index < nodes.len() {
        if let NodeKind::Step(step) = &nodes[index].kind
            && (step.compensation.is_some() || matches!(step.effect, Effect::Pivot))
        {
            return true;
        }
        index += 1;
    }
    false
}
