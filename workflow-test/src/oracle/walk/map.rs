//! A graph, prepared for being walked: from each flow, where it leads without an operation between.
//! Facts of the graph alone.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use workflow_graph::{FlowKind, Graph, NodeIndex, NodeKind, Outcome};

/// See the module.
pub(crate) struct Map {
    pub(crate) graph: &'static Graph,
    /// For each flow, the operations, splits and ends that it leads to without another one between, each with the
    /// flows on the way.
    pub(crate) ways: Vec<BTreeMap<NodeIndex, Rc<[usize]>>>,
    /// For each flow, those of them that it leads to only through a `compensate()`.
    pub(crate) compensating: Vec<BTreeSet<NodeIndex>>,
    /// The flows that leave each node.
    pub(crate) leaving: Vec<Vec<usize>>,
    /// The start of the flow itself, and of each block.
    pub(crate) starts: BTreeMap<Option<NodeIndex>, Start>,
    /// The map of the graph inside each node that is a subflow.
    pub(crate) inside: Vec<Option<usize>>,
    /// By node, the branch that it stands in: what a fork or a race leads to.
    pub(crate) branches: Vec<usize>,
    /// The ends that can be come to from the start without any operation.
    pub(crate) silent_ends: Vec<Outcome>,
}

/// A start node, and the flow that leaves it.
#[derive(Clone, Copy)]
pub(crate) struct Start {
    pub(crate) node: NodeIndex,
    pub(crate) flow: usize,
}

impl Map {
    /// The maps of these graphs, in the same order.
    pub(crate) fn all(graphs: &[&'static Graph]) -> Vec<Map> {
        let mut maps: Vec<Map> = graphs.iter().map(|graph| Map::of(graph, graphs)).collect();
        // A subflow that can be passed silently may make another one so.
        loop {
            let ends: Vec<Vec<Outcome>> = maps.iter().map(|map| map.ends_in_silence(&maps)).collect();
            let before: usize = maps.iter().map(|map| map.silent_ends.len()).sum();
            let after: usize = ends.iter().map(Vec::len).sum();
            for (map, ends) in maps.iter_mut().zip(ends) {
                map.silent_ends = ends;
            }
            if before == after {
                return maps;
            }
        }
    }

    fn of(graph: &'static Graph, graphs: &[&'static Graph]) -> Map {
        let leaving = |node: NodeIndex| {
            let flows = (0..graph.flows.len()).filter(move |&flow| graph.flows[flow].from == node);
            flows.collect::<Vec<_>>()
        };
        let leaving: Vec<Vec<usize>> = (0..graph.nodes.len()).map(leaving).collect();
        let is_start = |node: &NodeIndex| graph.nodes[*node].kind == NodeKind::Start;
        let starts = (0..graph.nodes.len()).filter(is_start).filter_map(|node| {
            Some((graph.nodes[node].scope, Start { node, flow: *leaving[node].first()? }))
        });
        let inside = graph.nodes.iter().map(|node| match &node.kind {
            NodeKind::Subflow(subflow) => {
                graphs.iter().position(|other| std::ptr::eq(*other, subflow.graph.get()))
            }
            _ => None,
        });
        let ways: Vec<_> = (0..graph.flows.len()).map(|flow| ways_from(graph, flow, true)).collect();
        let has_compensation = graph.nodes.iter().any(|node| node.kind == NodeKind::Compensate);
        let compensating = ways.iter().enumerate().map(|(flow, ways)| {
            if !has_compensation {
                return BTreeSet::new();
            }
            let mut stops: BTreeSet<NodeIndex> = ways.keys().copied().collect();
            let around = ways_from(graph, flow, false);
            stops.retain(|stop| !around.contains_key(stop));
            stops
        });
        Map {
            graph,
            compensating: compensating.collect(),
            ways,
            starts: starts.collect(),
            inside: inside.collect(),
            branches: branches(graph, &leaving),
            leaving,
            silent_ends: Vec::new(),
        }
    }

    pub(crate) fn node(&self, id: &str) -> Option<NodeIndex> {
        self.graph.index_of(id)
    }

    /// The flows that leave this node and are of this kind.
    pub(crate) fn flows(&self, node: NodeIndex, wanted: impl Fn(&FlowKind) -> bool) -> Vec<usize> {
        let flows = self.leaving[node].iter().copied();
        flows.filter(|&flow| wanted(&self.graph.flows[flow].kind)).collect()
    }

    /// The way of an answer that is no error.
    pub(crate) fn after_success(&self, node: NodeIndex) -> Vec<usize> {
        self.flows(node, |kind| matches!(kind, FlowKind::Next))
    }

    /// The way of this error: its own, else that of all others, else the plain one.
    pub(crate) fn after_error(&self, node: NodeIndex, name: &str) -> Vec<usize> {
        let own = self.flows(node, |kind| matches!(kind, FlowKind::Error { variant, .. } if variant == name));
        if !own.is_empty() {
            return own;
        }
        let others =
            self.flows(node, |kind| matches!(kind, FlowKind::Error { variant, .. } if variant.is_empty()));
        if others.is_empty() { self.after_success(node) } else { others }
    }

    /// The ways of an error of which the journal does not tell the variant.
    pub(crate) fn after_any_error(&self, node: NodeIndex) -> Vec<usize> {
        let mut ways = self.flows(node, |kind| matches!(kind, FlowKind::Error { .. }));
        let takes_all = |flow: &usize| {
            let kind = &self.graph.flows[*flow].kind;
            matches!(kind, FlowKind::Error { variant, .. } if variant.is_empty())
        };
        if !ways.iter().any(takes_all) {
            ways.extend(self.after_success(node));
        }
        ways
    }

    pub(crate) fn after_timeout(&self, node: NodeIndex) -> Vec<usize> {
        let ways = self.flows(node, |kind| matches!(kind, FlowKind::Timeout));
        if ways.is_empty() { self.after_success(node) } else { ways }
    }

    /// The ways of a subflow or a block that ended like this.
    pub(crate) fn after_end(&self, node: NodeIndex, outcome: Outcome) -> Vec<usize> {
        match outcome {
            Outcome::Success => self.after_success(node),
            Outcome::Failure => self.after_any_error(node),
            Outcome::Continued => Vec::new(),
        }
    }

    /// The ways past an operation that may happen zero times, or has none inside.
    pub(crate) fn past(&self, maps: &[Map], node: NodeIndex) -> Vec<usize> {
        if self.graph.nodes[node].instances.is_some() {
            return self.after_success(node);
        }
        let ends = self.inside[node].map_or(&[][..], |inside| &maps[inside].silent_ends);
        ends.iter().flat_map(|&outcome| self.after_end(node, outcome)).collect()
    }

    fn ends_in_silence(&self, maps: &[Map]) -> Vec<Outcome> {
        let mut ends = Vec::new();
        let mut open: Vec<NodeIndex> = self.starts.get(&None).iter().map(|start| start.node).collect();
        let mut reached = open.clone();
        while let Some(node) = open.pop() {
            let this = &self.graph.nodes[node];
            if let NodeKind::End(outcome) = this.kind
                && this.scope.is_none()
                && !ends.contains(&outcome)
            {
                ends.push(outcome);
            }
            let onward = match this.kind {
                NodeKind::Block => {
                    let start = self.starts.get(&Some(node)).map(|start| start.node);
                    open.extend(start.filter(|start| !reached.contains(start)));
                    self.leaving[node].clone()
                }
                _ if this.is_operation() => self.past(maps, node),
                _ => self.leaving[node].clone(),
            };
            for next in onward.into_iter().map(|flow| self.graph.flows[flow].to) {
                if !reached.contains(&next) {
                    reached.push(next);
                    open.push(next);
                }
            }
        }
        ends.sort_by_key(|outcome| *outcome as u8);
        ends
    }
}

/// Breadth first, so that the way to each node is the shortest; all ways, or only those without a `compensate()`.
fn ways_from(graph: &Graph, flow: usize, all: bool) -> BTreeMap<NodeIndex, Rc<[usize]>> {
    let mut ways = BTreeMap::from([(graph.flows[flow].to, vec![flow])]);
    let mut open = VecDeque::from([graph.flows[flow].to]);
    while let Some(node) = open.pop_front() {
        if is_stop(graph, node) || (!all && graph.nodes[node].kind == NodeKind::Compensate) {
            continue;
        }
        let way = ways[&node].clone();
        for (next, flow) in graph.flows.iter().enumerate().filter(|(_, flow)| flow.from == node) {
            ways.entry(flow.to).or_insert_with(|| {
                open.push_back(flow.to);
                [&way[..], &[next]].concat()
            });
        }
    }
    let stops = ways.into_iter().filter(|(node, _)| is_stop(graph, *node));
    stops.map(|(node, way)| (node, way.into())).collect()
}

fn is_stop(graph: &Graph, node: NodeIndex) -> bool {
    let node = &graph.nodes[node];
    let splits = matches!(
        node.kind,
        NodeKind::End(_) | NodeKind::Fork | NodeKind::Join | NodeKind::Race | NodeKind::Block
    );
    node.is_operation() || splits
}

/// The branch of each node: the flow by which it was split off, counted from 1, what comes after a join, or 0.
fn branches(graph: &Graph, leaving: &[Vec<usize>]) -> Vec<usize> {
    let mut found: Vec<Option<usize>> = vec![None; graph.nodes.len()];
    let start_in = |scope: Option<NodeIndex>| {
        graph.nodes.iter().position(|node| node.kind == NodeKind::Start && node.scope == scope)
    };
    let mut open: VecDeque<(NodeIndex, usize)> = start_in(None).into_iter().map(|start| (start, 0)).collect();
    while let Some((node, branch)) = open.pop_front() {
        if found[node].is_some() {
            continue;
        }
        found[node] = Some(branch);
        open.extend(start_in(Some(node)).map(|start| (start, branch)));
        for &flow in &leaving[node] {
            let to = graph.flows[flow].to;
            let next = match (&graph.nodes[node].kind, &graph.nodes[to].kind) {
                (_, NodeKind::Join) => graph.flows.len() + 1 + to,
                (NodeKind::Fork | NodeKind::Race, _) => flow + 1,
                _ => branch,
            };
            open.push_back((to, next));
        }
    }
    found.into_iter().map(Option::unwrap_or_default).collect()
}
