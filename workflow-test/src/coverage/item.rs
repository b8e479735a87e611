//! The parts of a diagram that are counted, kind by kind, with their names and places in the source.
//! It names them; what a test demands of them is told elsewhere.

use workflow_graph::{FlowKind, Graph, Node, NodeKind};

use super::Coverage;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Nodes,
    Flows,
    Errors,
    Timers,
    Messages,
    Compensations,
    CrashPoints,
}

impl Kind {
    pub(crate) const ALL: [Kind; 7] = [
        Kind::Nodes,
        Kind::Flows,
        Kind::Errors,
        Kind::Timers,
        Kind::Messages,
        Kind::Compensations,
        Kind::CrashPoints,
    ];

    /// For people: several of them.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Nodes => "nodes",
            Kind::Flows => "flows",
            Kind::Errors => "error events",
            Kind::Timers => "timers",
            Kind::Messages => "messages",
            Kind::Compensations => "compensations",
            Kind::CrashPoints => "crash points",
        }
    }

    /// For machines.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Kind::Errors => "errors",
            Kind::CrashPoints => "crash_points",
            other => other.name(),
        }
    }

    fn never(self) -> &'static str {
        match self {
            Kind::Nodes => "never come to",
            Kind::Flows | Kind::Errors | Kind::Timers | Kind::Messages => "never taken",
            Kind::Compensations => "never undone",
            Kind::CrashPoints => "never crashed while under way",
        }
    }
}

/// One part of a diagram.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Item {
    pub(crate) kind: Kind,
    /// Its graph's place in [`Coverage::graphs`].
    pub(crate) graph: usize,
    /// The id of its node or flow.
    pub(crate) id: String,
    pub(crate) name: String,
    /// 0 when unknown.
    pub(crate) line: u32,
    pub(crate) count: u64,
}

impl Coverage {
    /// All parts of one kind, in the order of the source.
    pub(crate) fn items(&self, kind: Kind) -> Vec<Item> {
        let graphs = 0..self.graphs.len();
        graphs
            .flat_map(
                |graph| if is_of_flows(kind) { self.flows(graph, kind) } else { self.nodes(graph, kind) },
            )
            .collect()
    }

    /// What was never taken, one line each: flows, messages and compensations, and what no such line names.
    pub fn gaps(&self) -> Vec<String> {
        let kinds = [Kind::Flows, Kind::Messages, Kind::Compensations];
        let gaps = kinds.into_iter().flat_map(|kind| self.items(kind)).filter(|item| item.count == 0);
        let mut lines: Vec<String> = Vec::new();
        for line in gaps.map(|item| self.gap(&item)) {
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        lines
    }

    /// That a part was never taken, with its place in the source.
    pub(crate) fn gap(&self, item: &Item) -> String {
        format!("{}: {}{}", item.kind.never(), item.name, self.place(item))
    }

    /// ` (src/order.rs:41)`, or nothing where it is not known.
    pub(crate) fn place(&self, item: &Item) -> String {
        let file = &self.graphs[item.graph].source.file;
        if item.line == 0 || file.is_empty() { String::new() } else { format!(" ({file}:{})", item.line) }
    }

    fn flows(&self, of: usize, kind: Kind) -> Vec<Item> {
        let graph = self.graphs[of];
        let wanted = (0..graph.flows.len()).filter(|&flow| is_flow_of(graph, flow, kind));
        let items = wanted.map(|flow| Item {
            kind,
            graph: of,
            id: graph.flow_id(flow),
            name: name_flow(graph, flow),
            line: graph.nodes[graph.flows[flow].from].line,
            count: self.tallies[of].flows[flow],
        });
        items.collect()
    }

    fn nodes(&self, of: usize, kind: Kind) -> Vec<Item> {
        let (graph, tally) = (self.graphs[of], &self.tallies[of]);
        let mut items = Vec::new();
        for (index, node) in graph.nodes.iter().enumerate() {
            let item = |name: String, count: u64| Item {
                kind,
                graph: of,
                id: node.id.to_string(),
                name,
                line: if node.line == 0 && node.kind == NodeKind::Start {
                    graph.source.line
                } else {
                    node.line
                },
                count,
            };
            match kind {
                Kind::Compensations if is_undone(node) => {
                    items.push(item(format!("`{}`", node.id), tally.undone[index]));
                }
                Kind::CrashPoints => {
                    if is_waited_for(node) {
                        items.push(item(format!("`{}`", node.id), tally.crashed[index]));
                    }
                    if is_undone(node) {
                        let name = format!("the compensation of `{}`", node.id);
                        items.push(item(name, tally.crashed_undoing[index]));
                    }
                }
                Kind::Nodes => items.push(item(format!("`{}`", node.id), tally.nodes[index])),
                _ => {}
            }
        }
        items
    }
}

fn is_of_flows(kind: Kind) -> bool {
    matches!(kind, Kind::Flows | Kind::Errors | Kind::Timers | Kind::Messages)
}

fn is_flow_of(graph: &Graph, flow: usize, kind: Kind) -> bool {
    let found = &graph.flows[flow];
    let from = &graph.nodes[found.from].kind;
    match kind {
        Kind::Errors => matches!(found.kind, FlowKind::Error { .. }),
        Kind::Timers => {
            matches!(found.kind, FlowKind::Timeout)
                || matches!(from, NodeKind::Timer(_) | NodeKind::TimerAt { .. })
        }
        Kind::Messages => {
            matches!(found.kind, FlowKind::Next)
                && matches!(from, NodeKind::Receive { .. } | NodeKind::Send { .. })
        }
        _ => true,
    }
}

/// Whether what it does is undone by a step.
pub(super) fn is_undone(node: &Node) -> bool {
    matches!(&node.kind, NodeKind::Step(step) if step.compensation.is_some())
}

/// Whether the run waits for it, so that it can be dropped meanwhile.
fn is_waited_for(node: &Node) -> bool {
    matches!(
        node.kind,
        NodeKind::Step(_)
            | NodeKind::Timer(_)
            | NodeKind::TimerAt { .. }
            | NodeKind::Receive { .. }
            | NodeKind::Child(_)
    )
}

fn name_flow(graph: &Graph, flow: usize) -> String {
    let found = &graph.flows[flow];
    let (from, to) = (&graph.nodes[found.from], &graph.nodes[found.to]);
    match &found.kind {
        FlowKind::Next => format!("the way from `{}` to `{}`", from.id, to.id),
        FlowKind::Answer { label, condition, .. } => {
            let answer = if label.is_empty() { condition } else { label };
            format!("answer `{answer}` of `{}`", from.id)
        }
        FlowKind::Error { variant, .. } if variant.is_empty() => {
            format!("any other error of `{}`", from.id)
        }
        FlowKind::Error { variant, .. } => format!("error `{variant}` of `{}`", from.id),
        FlowKind::Timeout => format!("deadline of `{}`", from.id),
    }
}
