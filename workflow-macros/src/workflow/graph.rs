//! Building the flow graph: nodes are added where ways lead to them, and get their ids at the end.
//! It knows flows and nodes, and nothing of Rust syntax.

use std::borrow::Cow;
use std::collections::BTreeSet;

use workflow_graph::{Flow, FlowKind, Instances, Node, NodeIndex, NodeKind};

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
    nodes: Vec<Draft>,
    /// The block that each node stands in.
    scopes: Vec<Option<NodeIndex>>,
    flows: Vec<Flow>,
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
    pub(crate) instances: Option<Instances>,
}

impl Draft {
    pub(crate) fn new(name: &str, kind: NodeKind) -> Draft {
        Draft { name: name.to_owned(), kind, label: String::new(), line: 0, instances: None }
    }
}

/// A finished graph, and where the drafts went.
pub(crate) struct Built {
    pub(crate) nodes: Vec<Node>,
    pub(crate) flows: Vec<Flow>,
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

    /// Leads ways to a node that exists.
    pub(crate) fn connect(&mut self, ways: Ways, to: NodeIndex) {
        self.flows.extend(ways.into_iter().map(|way| Flow { from: way.from, to, kind: way.kind }));
    }

    pub(crate) fn name_of(&self, node: NodeIndex) -> &str {
        &self.nodes[node].name
    }

    pub(crate) fn kind_of(&self, node: NodeIndex) -> &NodeKind {
        &self.nodes[node].kind
    }

    /// Drops what nobody comes to and merges that merge nothing, and gives every node its id.
    pub(crate) fn finish(mut self) -> Built {
        let mut dropped = self.drop_unreachable();
        self.drop_needless_merges(&mut dropped);
        let mut places: Vec<Option<NodeIndex>> = Vec::new();
        let mut kept = 0;
        for node in 0..self.nodes.len() {
            places.push((!dropped.contains(&node)).then_some(kept));
            kept += usize::from(!dropped.contains(&node));
        }
        let ids = self.ids(&dropped);
        let place = |node: NodeIndex| places[node].expect("flows lead between nodes that are kept");
        let mut flows: Vec<Flow> = self
            .flows
            .iter()
            .map(|flow| Flow { from: place(flow.from), to: place(flow.to), kind: flow.kind.clone() })
            .collect();
        flows.sort_by_key(|flow| (flow.from, rank(&flow.kind)));
        let nodes = self
            .nodes
            .into_iter()
            .zip(ids)
            .zip(self.scopes)
            .enumerate()
            .filter(|(node, _)| !dropped.contains(node))
            .map(|(_, ((draft, id), scope))| Node {
                id: Cow::Owned(id),
                kind: draft.kind,
                label: Cow::Owned(draft.label),
                line: u32::try_from(draft.line).unwrap_or(0),
                scope: scope.and_then(|block| places[block]),
                instances: draft.instances,
            })
            .collect();
        Built { nodes, flows, places }
    }

    /// Code behind a `return` may decide this and that; nobody ever comes there.
    fn drop_unreachable(&mut self) -> BTreeSet<NodeIndex> {
        let mut reached = BTreeSet::from([0]);
        let mut open = vec![0];
        while let Some(node) = open.pop() {
            let leaving = self.flows.iter().filter(|flow| flow.from == node).map(|flow| flow.to);
            let starts = (0..self.nodes.len()).filter(|&inner| {
                self.nodes[inner].kind == NodeKind::Start && self.scopes[inner] == Some(node)
            });
            open.extend(leaving.chain(starts).filter(|&to| reached.insert(to)));
        }
        self.flows.retain(|flow| reached.contains(&flow.from));
        (0..self.nodes.len()).filter(|node| !reached.contains(node)).collect()
    }

    fn drop_needless_merges(&mut self, dropped: &mut BTreeSet<NodeIndex>) {
        while let Some((merge, to)) = self.needless_merge(dropped) {
            self.flows.retain(|flow| flow.from != merge);
            for flow in self.flows.iter_mut().filter(|flow| flow.to == merge) {
                flow.to = to;
            }
            dropped.insert(merge);
        }
    }

    /// A merge to which one way leads, or that leads straight to a later merge.
    fn needless_merge(&self, dropped: &BTreeSet<NodeIndex>) -> Option<(NodeIndex, NodeIndex)> {
        let merges = (0..self.nodes.len())
            .filter(|node| !dropped.contains(node) && self.nodes[*node].kind == NodeKind::Merge);
        for merge in merges {
            let incoming = self.flows.iter().filter(|flow| flow.to == merge).count();
            let Some(to) = self.flows.iter().find(|flow| flow.from == merge).map(|flow| flow.to) else {
                continue;
            };
            // Ways back to a loop's head are gathered first: one line back is easier to follow than many.
            let joins_later = self.nodes[to].kind == NodeKind::Merge && to > merge;
            if to != merge && (incoming == 1 || joins_later) {
                return Some((merge, to));
            }
        }
        None
    }

    /// Operations are numbered first: a new `if` must not change the journal key of an operation.
    fn ids(&self, dropped: &BTreeSet<NodeIndex>) -> Vec<String> {
        let mut taken: BTreeSet<String> = BTreeSet::new();
        let mut ids = vec![String::new(); self.nodes.len()];
        let is_operation = |draft: &Draft| draft.kind.is_operation();
        for operations in [true, false] {
            for (node, draft) in self.nodes.iter().enumerate() {
                if is_operation(draft) == operations && !dropped.contains(&node) {
                    ids[node] = unique(&id_of(&draft.name), &mut taken);
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

fn unique(name: &str, taken: &mut BTreeSet<String>) -> String {
    let mut id = name.to_owned();
    let mut number = 2;
    while !taken.insert(id.clone()) {
        id = format!("{name}_{number}");
        number += 1;
    }
    id
}
