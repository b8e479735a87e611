//! Graph soundness: everything a run did is a way through the static graph, so each test tests the diagram.
//! It knows the graph and the journal; it does not know the code.

use std::collections::{BTreeMap, VecDeque};

use workflow_core::{Command, Conclusion, Event, OpId, Record};
use workflow_graph::{FlowKind, Graph, NodeIndex, NodeKind, Outcome};

use crate::oracle::conclusion_of;
use crate::violation::{Oracle, Violation};

/// The way of one run: which nodes and flows it took, in order. Where control flow between two operations
/// leaves several ways open, it is the shortest.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) nodes: Vec<NodeIndex>,
    pub(crate) flows: Vec<usize>,
}

/// A graph, prepared for being walked.
pub(crate) struct Walker {
    graph: &'static Graph,
    /// For each flow, the operations and ends that it leads to without another operation between, each with
    /// the flows on the way.
    ways: Vec<BTreeMap<NodeIndex, Vec<usize>>>,
}

/// One operation of a run, and what came of it.
struct Visit<'a> {
    op: &'a OpId,
    answer: Answer<'a>,
}

#[derive(Clone, Copy)]
enum Answer<'a> {
    Open,
    Good,
    Error(&'a str),
    TimedOut,
}

impl Walker {
    pub(crate) fn new(graph: &'static Graph) -> Walker {
        Walker { graph, ways: (0..graph.flows.len()).map(|flow| ways_from(graph, flow)).collect() }
    }

    /// Walks the way that the journal tells.
    pub(crate) fn walk(&self, journal: &[Record]) -> Result<Path, Violation> {
        let mut path = Path::default();
        let Some(start) = self.graph.nodes.iter().position(|node| node.kind == NodeKind::Start) else {
            return Err(Violation::new(Oracle::Graph, "the graph has no start"));
        };
        path.nodes.push(start);
        let mut at = start;
        let mut said = String::from("at its beginning");
        let mut answer = Answer::Good;
        for visit in visits(journal) {
            let name = visit.op.node();
            let Some(node) = self.graph.index_of(name) else {
                let text = format!("the run came to `{name}`, which is not in the graph");
                return Err(Violation::new(Oracle::Graph, text));
            };
            self.go(&mut path, at, answer, &said, node)?;
            at = node;
            answer = visit.answer;
            said = format!("after `{}`{}", visit.op, answer.text());
        }
        let outcome = match conclusion_of(journal) {
            Some(Conclusion::Completed(_)) => Outcome::Success,
            Some(Conclusion::Failed { .. }) => Outcome::Failure,
            // A cancel ends the walk wherever it is, as does a test that ends early.
            Some(Conclusion::Cancelled { .. }) | None => return Ok(path),
        };
        let ends = self.ways(at, answer).into_iter().flat_map(|flow| self.ways[flow].keys().copied());
        let end = ends.into_iter().find(|&node| self.graph.nodes[node].kind == NodeKind::End(outcome));
        let Some(end) = end else {
            let outcome = if outcome == Outcome::Success { "with a result" } else { "with an error" };
            let text = format!("{said} the run ended {outcome}; {}", self.alternatives(at, answer));
            return Err(Violation::new(Oracle::Graph, text));
        };
        self.go(&mut path, at, answer, &said, end)?;
        Ok(path)
    }

    fn go(
        &self,
        path: &mut Path,
        from: NodeIndex,
        answer: Answer<'_>,
        said: &str,
        to: NodeIndex,
    ) -> Result<(), Violation> {
        let way = self.ways(from, answer).and_then(|flow| self.ways[flow].get(&to));
        let Some(way) = way else {
            let name = &self.graph.nodes[to].id;
            let text = format!("{said} the run came to `{name}`; {}", self.alternatives(from, answer));
            return Err(Violation::new(Oracle::Graph, text));
        };
        path.flows.extend(way);
        path.nodes.extend(way.iter().map(|&flow| self.graph.flows[flow].to));
        Ok(())
    }

    /// The flow that leaves this node after this answer.
    fn ways(&self, node: NodeIndex, answer: Answer<'_>) -> Option<usize> {
        let find = |wanted: &dyn Fn(&FlowKind) -> bool| {
            let mut flows = self.graph.flows.iter();
            flows.position(|flow| flow.from == node && wanted(&flow.kind))
        };
        let next = || find(&|kind| matches!(kind, FlowKind::Next));
        match answer {
            Answer::Open => None,
            Answer::Good => next(),
            Answer::Error(name) => {
                find(&|kind| matches!(kind, FlowKind::Error { variant, .. } if variant == name))
                    .or_else(|| {
                        find(&|kind| matches!(kind, FlowKind::Error { variant, .. } if variant.is_empty()))
                    })
                    .or_else(next)
            }
            Answer::TimedOut => find(&|kind| matches!(kind, FlowKind::Timeout)).or_else(next),
        }
    }

    fn alternatives(&self, node: NodeIndex, answer: Answer<'_>) -> String {
        let Some(flow) = self.ways(node, answer) else {
            return match answer {
                Answer::Open => {
                    format!("the graph has no second way beside the open `{}`", self.graph.nodes[node].id)
                }
                _ => format!("no flow of the graph leaves `{}` then", self.graph.nodes[node].id),
            };
        };
        let names: Vec<String> =
            self.ways[flow].keys().map(|&node| format!("`{}`", self.graph.nodes[node].id)).collect();
        format!("the graph leads from there to {} only", names.join(", "))
    }
}

impl Answer<'_> {
    fn text(&self) -> String {
        match self {
            Answer::Open | Answer::Good => String::new(),
            Answer::Error(variant) => format!(" -> {variant}"),
            Answer::TimedOut => " -> timed out".to_owned(),
        }
    }
}

/// Breadth first, so that the way to each node is the shortest.
fn ways_from(graph: &Graph, flow: usize) -> BTreeMap<NodeIndex, Vec<usize>> {
    let mut ways = BTreeMap::from([(graph.flows[flow].to, vec![flow])]);
    let mut open = VecDeque::from([graph.flows[flow].to]);
    let is_stop = |node: NodeIndex| {
        graph.nodes[node].is_operation() || matches!(graph.nodes[node].kind, NodeKind::End(_))
    };
    while let Some(node) = open.pop_front() {
        if is_stop(node) {
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
    ways.retain(|&node, _| is_stop(node));
    ways
}

/// The operations of the code, in the order in which it asked for them; compensations are not the code's.
fn visits(journal: &[Record]) -> Vec<Visit<'_>> {
    let mut visits: Vec<Visit<'_>> = Vec::new();
    let mut positions: BTreeMap<&OpId, usize> = BTreeMap::new();
    for record in journal {
        let settled = match &record.event {
            Event::StepCompleted { op, error: Some(variant), .. } => Some((op, Answer::Error(variant))),
            Event::StepCompleted { op, error: None, .. } | Event::MessageReceived { op, .. } => {
                Some((op, Answer::Good))
            }
            Event::TimerFired { op } => Some((op, Answer::TimedOut)),
            _ => None,
        };
        if let Some((op, answer)) = settled
            && let Some(&position) = positions.get(op)
        {
            visits[position].answer = answer;
        }
        for command in &record.commands {
            let op = match command {
                Command::StartStep { op, .. } => op,
                Command::SetTimer { op, .. } | Command::AwaitMessage { op, .. } => op,
                _ => continue,
            };
            // Another attempt, or another round of attempts, is the same visit.
            if op.undoes().is_none() && !positions.contains_key(op) {
                positions.insert(op, visits.len());
                visits.push(Visit { op, answer: Answer::Open });
            }
        }
    }
    visits
}
