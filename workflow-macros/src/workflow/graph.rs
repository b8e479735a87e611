//! Building the flow graph: nodes are added where ways lead to them, and get their ids at the end.
//! It knows flows and nodes, and nothing of Rust syntax.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::Span;
use workflow_graph::{Flow, FlowKind, Instances, Node, NodeIndex, NodeKind, Thrown};

use super::fingerprints::Basis;
use super::merges::Merges;

/// A flow that has left a node and not arrived yet.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    pub(crate) from: NodeIndex,
    pub(crate) kind: FlowKind,
}

/// All flows that lead to the place being lowered; empty where nothing leads.
pub(crate) type Ways = Vec<Way>;

/// The plain way on from a node.
pub(crate) fn next(from: NodeIndex) -> Ways {
    vec![Way { from, kind: FlowKind::Next }]
}

/// A graph under construction.
#[derive(Default)]
pub(crate) struct Builder {
    pub(super) nodes: Vec<Draft>,
    /// The block that each node stands in.
    scopes: Vec<Option<NodeIndex>>,
    pub(super) flows: Vec<Flow>,
    /// The block that is being lowered.
    scope: Option<NodeIndex>,
}

/// A node without its final id.
pub(crate) struct Draft {
    /// What its id is made of.
    pub(crate) name: String,
    pub(crate) kind: NodeKind,
    pub(crate) label: String,
    pub(crate) line: usize,
    /// Where an error about it stands.
    pub(crate) span: Span,
    pub(crate) instances: Option<Instances>,
    /// The text that decides how the flow goes on here.
    pub(crate) basis: Basis,
    /// Of an end that fails: which error leaves there.
    pub(crate) thrown: Thrown,
}

impl Draft {
    pub(crate) fn new(name: &str, kind: NodeKind) -> Draft {
        Draft {
            name: name.to_owned(),
            kind,
            label: String::new(),
            line: 0,
            span: Span::call_site(),
            instances: None,
            basis: Basis::default(),
            thrown: Thrown::Arriving,
        }
    }
}

/// A finished graph, and where the drafts went.
pub(crate) struct Built {
    pub(crate) nodes: Vec<Node>,
    pub(crate) flows: Vec<Flow>,
    /// Where an error about each node stands.
    pub(crate) spans: Vec<Span>,
    /// The text that decides how the flow goes on at each node.
    pub(crate) bases: Vec<Basis>,
    /// The final index of each draft that was kept.
    pub(crate) places: Vec<Option<NodeIndex>>,
}

impl Builder {
    /// Adds a node to which these ways lead. Several ways come together in a merge first.
    pub(crate) fn add(&mut self, ways: Ways, draft: Draft) -> NodeIndex {
        let ways = if ways.len() > 1 { next(self.add_merge(ways, "merge")) } else { ways };
        self.push(draft, ways)
    }

    fn push(&mut self, draft: Draft, ways: Ways) -> NodeIndex {
        self.nodes.push(draft);
        self.scopes.push(self.scope);
        let node = self.nodes.len() - 1;
        self.connect(ways, node);
        node
    }

    /// What is added from here on stands in this block; gives the block around it, to go back to.
    pub(crate) fn enter(&mut self, block: Option<NodeIndex>) -> Option<NodeIndex> {
        std::mem::replace(&mut self.scope, block)
    }

    /// Adds a place where ways come together; more may be connected later.
    pub(crate) fn add_merge(&mut self, ways: Ways, name: &str) -> NodeIndex {
        self.push(Draft::new(name, NodeKind::Merge), ways)
    }

    /// Adds the place where the branches of a fork arrive; each of them has one way.
    pub(crate) fn add_join(&mut self, ways: Ways) -> NodeIndex {
        self.push(Draft::new("join", NodeKind::Join), ways)
    }

    /// Leads ways to a node that exists.
    pub(crate) fn connect(&mut self, ways: Ways, to: NodeIndex) {
        self.flows.extend(ways.into_iter().map(|way| Flow { from: way.from, to, kind: way.kind }));
    }

    pub(crate) fn set_span(&mut self, node: NodeIndex, span: Span) {
        self.nodes[node].span = span;
    }

    pub(crate) fn set_label(&mut self, node: NodeIndex, label: String) {
        self.nodes[node].label = label;
    }

    /// The last way that was led to this node.
    pub(crate) fn way_to(&self, node: NodeIndex) -> Option<Way> {
        let flow = self.flows.iter().rev().find(|flow| flow.to == node)?;
        Some(Way { from: flow.from, kind: flow.kind.clone() })
    }

    pub(crate) fn name_of(&self, node: NodeIndex) -> &str {
        &self.nodes[node].name
    }

    pub(crate) fn kind_of(&self, node: NodeIndex) -> &NodeKind {
        &self.nodes[node].kind
    }

    pub(crate) fn instances_of(&self, node: NodeIndex) -> Option<&Instances> {
        self.nodes[node].instances.as_ref()
    }

    /// Drops what nobody comes to and merges that merge nothing, and gives every node its id.
    pub(crate) fn finish(mut self) -> Built {
        let mut dropped = self.drop_unreachable();
        self.drop_needless_merges(&mut dropped);
        let mut places: Vec<Option<NodeIndex>> = Vec::new();
        let mut kept = 0;
        for &is_dropped in &dropped {
            places.push((!is_dropped).then_some(kept));
            kept += usize::from(!is_dropped);
        }
        let ids = self.ids(&dropped);
        let place = |node: NodeIndex| places[node].expect("flows lead between nodes that are kept");
        let mut flows: Vec<Flow> = self
            .flows
            .iter()
            .map(|flow| Flow { from: place(flow.from), to: place(flow.to), kind: flow.kind.clone() })
            .collect();
        flows.sort_by_key(|flow| (flow.from, rank(&flow.kind)));
        let kept = self.nodes.iter().zip(&dropped).filter(|(_, dropped)| !**dropped);
        let (spans, bases) = kept.map(|(draft, _)| (draft.span, draft.basis.clone())).unzip();
        let nodes = self
            .nodes
            .into_iter()
            .zip(ids)
            .zip(self.scopes)
            .enumerate()
            .filter(|(node, _)| !dropped[*node])
            .map(|(_, ((draft, id), scope))| Node {
                id: Cow::Owned(id),
                kind: draft.kind,
                label: Cow::Owned(draft.label),
                line: u32::try_from(draft.line).unwrap_or(0),
                scope: scope.and_then(|block| places[block]),
                guard: 0,
                instances: draft.instances,
                thrown: draft.thrown,
            })
            .collect();
        Built { nodes, flows, spans, bases, places }
    }

    /// Code behind a `return` may decide this and that; nobody ever comes there.
    fn drop_unreachable(&mut self) -> Vec<bool> {
        let mut leading: Vec<Vec<NodeIndex>> = vec![Vec::new(); self.nodes.len()];
        for flow in &self.flows {
            leading[flow.from].push(flow.to);
        }
        for (node, scope) in self.scopes.iter().enumerate() {
            if let Some(block) = scope.filter(|_| self.nodes[node].kind == NodeKind::Start) {
                leading[block].push(node);
            }
        }
        let mut dropped = vec![true; self.nodes.len()];
        let mut open = vec![0];
        while let Some(node) = open.pop() {
            if std::mem::replace(&mut dropped[node], false) {
                open.extend(&leading[node]);
            }
        }
        self.flows.retain(|flow| !dropped[flow.from]);
        dropped
    }

    fn drop_needless_merges(&mut self, dropped: &mut [bool]) {
        let targets = Merges::of(self).drop_needless(dropped);
        self.flows.retain(|flow| !dropped[flow.from]);
        let kept = |mut node: NodeIndex| {
            while dropped[node] {
                node = targets[node];
            }
            node
        };
        for flow in &mut self.flows {
            flow.to = kept(flow.to);
        }
        // Only the head of a loop carries a label; it stays where the loop begins.
        for merge in (0..targets.len()).filter(|&node| dropped[node] && targets[node] != node) {
            let (label, to) = (std::mem::take(&mut self.nodes[merge].label), kept(merge));
            if self.nodes[to].kind == NodeKind::Merge && self.nodes[to].label.is_empty() {
                self.nodes[to].label = label;
            }
        }
    }

    /// Operations are numbered first: a new `if` must not change the journal key of an operation.
    fn ids(&self, dropped: &[bool]) -> Vec<String> {
        let mut taken = Taken::default();
        let mut ids = vec![String::new(); self.nodes.len()];
        let is_operation = |draft: &Draft| draft.kind.is_operation();
        for operations in [true, false] {
            for (node, draft) in self.nodes.iter().enumerate() {
                if is_operation(draft) == operations && !dropped[node] {
                    ids[node] = taken.unique(&id_of(&draft.name));
                }
            }
        }
        ids
    }
}

/// The order in which the flows out of one node are listed: as people would tell them.
fn rank(kind: &FlowKind) -> u8 {
    match kind {
        FlowKind::Next => 0,
        FlowKind::Answer { default: false, .. } => 1,
        FlowKind::Answer { default: true, .. } => 2,
        FlowKind::Error { variant, .. } if !variant.is_empty() => 3,
        FlowKind::Error { .. } => 4,
        FlowKind::Timeout => 5,
    }
}

/// A valid id close to this name, which may be a word of any language or begin with a digit.
fn id_of(name: &str) -> String {
    let id: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if workflow_graph::is_node_id(&id) { id } else { format!("_{id}") }
}

/// The ids that are given away.
#[derive(Default)]
struct Taken {
    ids: BTreeSet<String>,
    /// For each name, the number that was given last.
    numbers: BTreeMap<String, usize>,
}

impl Taken {
    fn unique(&mut self, name: &str) -> String {
        let number = self.numbers.entry(name.to_owned()).or_insert(0);
        loop {
            *number += 1;
            let id = if *number == 1 { name.to_owned() } else { format!("{name}_{number}") };
            // Another name may look like this one with a number.
            if self.ids.insert(id.clone()) {
                return id;
            }
        }
    }
}
