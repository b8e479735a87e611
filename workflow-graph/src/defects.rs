//! What makes a graph unusable: checked by the macro's tests, the exporter and the test kit alike.
//! Structure only; whether the saga is in order is a question for the checks of the language.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use crate::reading::is_same_text;
use crate::{
    ChildFacts, Effect, FlowKind, Graph, Node, NodeIndex, NodeKind, Notice, StepFacts, SubflowFacts,
    is_node_id, saga,
};

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
    /// The node stands in something that is no block, or a flow crosses the border of a block.
    WrongScope(String),
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
            Defect::WrongScope(id) => write!(f, "`{id}` does not stand in the block that its flows stand in"),
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
        let blocks = (0..self.nodes.len()).filter(|&node| self.nodes[node].kind == NodeKind::Block).map(Some);
        for scope in std::iter::once(None).chain(blocks) {
            let starts = self.starts(scope).count();
            if starts != 1 {
                defects.push(Defect::Starts(starts));
            }
        }
        if defects.is_empty() {
            self.wrong_scopes(&mut defects);
        }
        if !defects.is_empty() {
            return defects; // What follows walks along the flows.
        }
        let reached = self.reachable();
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

    /// The start nodes of a block, or of the flow itself.
    fn starts(&self, scope: Option<NodeIndex>) -> impl Iterator<Item = NodeIndex> {
        (0..self.nodes.len())
            .filter(move |&node| self.nodes[node].kind == NodeKind::Start && self.nodes[node].scope == scope)
    }

    fn wrong_scopes(&self, defects: &mut Vec<Defect>) {
        for (index, node) in self.nodes.iter().enumerate() {
            let is_block = |scope: NodeIndex| {
                scope < index && self.nodes.get(scope).is_some_and(|block| block.kind == NodeKind::Block)
            };
            let leaves = self.outgoing(index).any(|flow| self.nodes[flow.to].scope != node.scope);
            if !node.scope.is_none_or(is_block) || leaves {
                defects.push(Defect::WrongScope(node.id.to_string()));
            }
        }
    }

    /// In how many blocks the node stands.
    pub(crate) fn depth(&self, node: NodeIndex) -> usize {
        // A block comes before what stands in it, so this ends.
        let outer = self.nodes[node].scope.filter(|&scope| scope < node);
        outer.map_or(0, |scope| 1 + self.depth(scope))
    }

    fn reachable(&self) -> BTreeSet<NodeIndex> {
        let mut open: Vec<NodeIndex> = self.starts(None).collect();
        let mut reached: BTreeSet<NodeIndex> = open.iter().copied().collect();
        while let Some(node) = open.pop() {
            let inner = if self.nodes[node].kind == NodeKind::Block { Some(node) } else { None };
            let inner = inner.into_iter().flat_map(|block| self.starts(Some(block)));
            for next in self.outgoing(node).map(|flow| flow.to).chain(inner) {
                if reached.insert(next) {
                    open.push(next);
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
            NodeKind::Start
            | NodeKind::Merge
            | NodeKind::Join
            | NodeKind::Compensate
            | NodeKind::Send { .. }
            | NodeKind::Timer(_)
            | NodeKind::TimerAt { .. } => next == 1 && kinds.len() == 1,
            NodeKind::Fork => next >= 2 && next == kinds.len() && self.joins_properly(node),
            NodeKind::Race => next >= 2 && next == kinds.len() && self.races_properly(node),
            // What never succeeds, or whose every success leaves the function, has no `Next` of its own.
            NodeKind::Step(_) | NodeKind::Child(_) | NodeKind::Subflow(_) | NodeKind::Block => {
                next <= 1 && next + errors == kinds.len()
            }
            NodeKind::Receive { deadline, .. } => {
                next <= 1
                    && timeouts <= 1
                    && next + timeouts == kinds.len()
                    && (timeouts == 0 || deadline.is_some())
            }
            NodeKind::Decision { .. } | NodeKind::VersionSwitch { .. } => {
                answers == kinds.len() && answers >= 2 && defaults == 1
            }
            NodeKind::End(_) => kinds.is_empty(),
        }
    }
}

/// Whether this step stands in a saga and does not say what it does to the world (WF030).
pub const fn lacks_effect(graph: &Graph, node: NodeIndex) -> bool {
    let Cow::Borrowed(nodes) = &graph.nodes else { return false };
    let is_undeclared =
        matches!(&nodes[node].kind, NodeKind::Step(StepFacts { effect: Effect::Undeclared, .. }));
    is_undeclared && saga::is_saga(graph)
}

/// What to say about a subflow in a saga when a step inside of it does not say what it does to the world (WF030); empty
/// when there is none, or when the subflow is a saga by itself, so that it is said there.
pub const fn lacks_effect_inside(graph: &Graph, node: NodeIndex) -> Notice {
    let silent = match &graph.nodes {
        Cow::Borrowed(nodes) if saga::is_saga(graph) => saga::undeclared_inside(&nodes[node]),
        _ => None,
    };
    match silent {
        Some((subflow, step)) => Notice::new("WF030: `")
            .with(subflow)
            .with("` takes part in a saga, but its step `")
            .with(step)
            .with("` does not say what it does to the world; write `#[step(read_only)]`, `#[step(compensate = ..)]`, ")
            .with("`#[step(pivot)]` or `#[step(retriable)]`; see docs/errors/WF030.md"),
        None => Notice::new(""),
    }
}

/// What to say about this call of `name` when it, or a step inside of it, stands in a saga and does not say what it
/// does to the world (WF030); empty when all is well.
pub(crate) const fn undeclared_effect(graph: &Graph, node: NodeIndex, name: &str) -> Notice {
    if !lacks_effect(graph, node) {
        return lacks_effect_inside(graph, node);
    }
    Notice::new("WF030: `")
        .with(name)
        .with(
            "` takes part in a saga but does not say what it does to the world; write `#[step(read_only)]`, ",
        )
        .with(
            "`#[step(compensate = ..)]`, `#[step(pivot)]` or `#[step(retriable)]`; see docs/errors/WF030.md",
        )
}

/// Fails the constant that asks, at the place of its text, when the call never answers with this error (WF044).
///
/// # Panics
/// With what to say to the user.
#[doc(hidden)]
#[track_caller]
pub const fn check_error(graph: &Graph, node: NodeIndex, variant: &str) {
    if !lacks_error(graph, node, variant) {
        return;
    }
    let why = match variant.is_empty() {
        true => Notice::new(
            "this never answers with an error; bind the value with `let` before it is taken apart",
        ),
        false => Notice::new("`")
            .with(variant)
            .with("` is no variant of the error of this call; name the variant as its enum does"),
    };
    panic!("{}", Notice::new("WF044: ").with(why.text()).with("; see docs/errors/WF044.md").text())
}

/// Whether this node is a step, child or subflow that never answers with an error of this variant, or, if it is empty,
/// with any error: then what the code tells apart is no error of the step.
pub const fn lacks_error(graph: &Graph, node: NodeIndex, variant: &str) -> bool {
    let Cow::Borrowed(nodes) = &graph.nodes else { return false };
    let errors = match &nodes[node].kind {
        NodeKind::Step(StepFacts { effect: Effect::Retriable, .. }) => return true, // Repeated until it succeeds.
        NodeKind::Step(StepFacts { errors: Cow::Borrowed(errors), .. })
        | NodeKind::Child(ChildFacts { errors: Cow::Borrowed(errors), .. })
        | NodeKind::Subflow(SubflowFacts { errors: Cow::Borrowed(errors), .. }) => errors,
        _ => return false,
    };
    let mut index = 0;
    while index < errors.len() {
        if let Cow::Borrowed(known) = &errors[index].variant
            && is_same_text(known, variant)
        {
            return false;
        }
        index += 1;
    }
    !variant.is_empty()
}

/// What to say about this call of `name` when it may lose a race after it ran, and nothing undoes it then (WF006);
/// empty when all is well. A child that has ended keeps what it did, and so does one that is past its point of no
/// return.
const fn lost_effect(graph: &Graph, node: NodeIndex, name: &str) -> Notice {
    let Cow::Borrowed(nodes) = &graph.nodes else { return Notice::new("") };
    let notice = Notice::new("WF006: `").with(name);
    let remedy = match &nodes[node].kind {
        // A compensatable step whose call says `.without_compensation()` is meant to stay.
        NodeKind::Step(step)
            if !step.cancellable && !matches!(step.effect, Effect::ReadOnly | Effect::Compensatable) =>
        {
            notice
                .with("` may lose this `select!` after it ran, and nothing undoes it then; write ")
                .with("`#[step(read_only)]`, `#[step(compensate = ..)]` or, if it heeds a cancel, ")
                .with("`#[step(cancellable)]`, or call it inside an arm")
        }
        NodeKind::Child(ChildFacts { detached: true, .. }) => match saga::trace_of_child(&nodes[node]) {
            Some(_) => notice
                .with("` may lose this `select!` and goes on all the same, since nobody waits for it; start it before ")
                .with("the `select!`, or inside an arm"),
            None => return Notice::new(""),
        },
        NodeKind::Child(_) => match saga::trace_of_child(&nodes[node]) {
            Some((Node { kind: NodeKind::Send { .. }, .. }, message)) => notice
                .with("` may lose this `select!` when its message `")
                .with(message)
                .with("` has left, and nobody takes that back; call it inside an arm, or start it before with ")
                .with("`.detached()` and receive its message"),
            Some((_, step)) => notice
                .with("` may lose this `select!` when its step `")
                .with(step)
                .with("` has happened, and a workflow that has ended, or is past its point of no return, is not ")
                .with("undone; call it inside an arm, or start it before with `.detached()` and receive its message"),
            None => return Notice::new(""),
        },
        _ => return Notice::new(""),
    };
    remedy.with("; see docs/errors/WF006.md")
}

/// Fails the constant that asks, at the place of its text, when this call may lose a race and leave something (WF006).
///
/// # Panics
/// With what to say to the user.
#[doc(hidden)]
#[track_caller]
pub const fn check_loser(graph: &Graph, node: NodeIndex, name: &str) {
    let notice = lost_effect(graph, node, name);
    if !notice.is_empty() {
        panic!("{}", notice.text())
    }
}

/// Whether this node is a subflow, which cannot be withdrawn as a whole.
pub const fn is_subflow(graph: &Graph, node: NodeIndex) -> bool {
    let Cow::Borrowed(nodes) = &graph.nodes else { return false };
    matches!(nodes[node].kind, NodeKind::Subflow(_))
}
