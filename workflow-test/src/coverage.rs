//! Coverage of the diagram: how often each node, flow and compensation was taken, and which never.
//! It counts what it is shown; it runs nothing.

use std::collections::BTreeMap;

use workflow_core::Definition;
use workflow_graph::{FlowKind, Graph, NodeKind};

use crate::annals::Annals;
use crate::atlas::graphs_of;
use crate::history;
use crate::oracle::walk::Path;

/// How often each part of the diagram was taken, subflows included. Control flow that takes no part in the journal
/// (`if`, `match`, loops) is counted along the shortest way between the operations around it.
#[derive(Clone, Debug)]
pub struct Coverage {
    /// The workflow's own, and those of its subflows.
    graphs: Vec<&'static Graph>,
    nodes: Vec<Vec<u64>>,
    flows: Vec<Vec<u64>>,
    compensations: BTreeMap<&'static str, u64>,
}

/// A share of the diagram that a test demands.
pub struct Demand {
    what: Part,
    share: f64,
}

#[derive(Clone, Copy)]
enum Part {
    Edges,
    Compensations,
    Timers,
}

/// This share of all flows is taken; 1.0 is all.
pub fn edges(share: f64) -> Demand {
    Demand { what: Part::Edges, share }
}

/// This share of all steps that can be undone is undone; 1.0 is all.
pub fn compensations(share: f64) -> Demand {
    Demand { what: Part::Compensations, share }
}

/// This share of all timers fires and of all deadlines passes; 1.0 is all.
pub fn timers(share: f64) -> Demand {
    Demand { what: Part::Timers, share }
}

impl Coverage {
    pub(crate) fn of(definition: Definition) -> Coverage {
        let graphs = graphs_of(definition.graph());
        let undoable = definition.steps().into_iter().filter(|step| step.facts.compensation.is_some());
        Coverage {
            nodes: graphs.iter().map(|graph| vec![0; graph.nodes.len()]).collect(),
            flows: graphs.iter().map(|graph| vec![0; graph.flows.len()]).collect(),
            graphs,
            compensations: undoable.map(|step| (step.facts.name.as_ref(), 0)).collect(),
        }
    }

    pub(crate) fn count(&mut self, path: &Path) {
        for &(graph, node) in &path.nodes {
            self.nodes[graph][node] += 1;
        }
        for &(graph, flow) in &path.flows {
            self.flows[graph][flow] += 1;
        }
    }

    pub(crate) fn count_compensations(&mut self, annals: &Annals) {
        for name in history::compensated(annals).iter() {
            if let Some(count) = self.compensations.get_mut(name) {
                *count += 1;
            }
        }
    }

    /// How often the node with this id was taken, in the workflow or else in its first subflow that has such a node.
    pub fn node(&self, id: &str) -> u64 {
        let found = self
            .graphs
            .iter()
            .zip(&self.nodes)
            .find_map(|(graph, nodes)| graph.index_of(id).map(|index| nodes[index]));
        found.unwrap_or(0)
    }

    /// How often the flow with this id was taken, in the workflow or else in its first subflow that has such a flow;
    /// see [`Graph::flow_id`].
    pub fn flow(&self, id: &str) -> u64 {
        let found = self.all_flows().find(|&(graph, flow)| self.graphs[graph].flow_id(flow) == id);
        found.map_or(0, |(graph, flow)| self.flows[graph][flow])
    }

    fn all_flows(&self) -> impl Iterator<Item = (usize, usize)> {
        self.flows
            .iter()
            .enumerate()
            .flat_map(|(graph, flows)| (0..flows.len()).map(move |flow| (graph, flow)))
    }

    /// What was never taken, one line each.
    pub fn gaps(&self) -> Vec<String> {
        let mut gaps = self.missing(Part::Edges).1;
        gaps.extend(self.missing(Part::Compensations).1);
        gaps
    }

    pub(crate) fn meets(&self, demand: &Demand) -> Result<(), String> {
        let (all, missing) = self.missing(demand.what);
        let taken = all - missing.len();
        // A diagram without such parts is covered.
        let share = if all == 0 { 1.0 } else { taken as f64 / all as f64 };
        if share >= demand.share {
            return Ok(());
        }
        let name = match demand.what {
            Part::Edges => "flows",
            Part::Compensations => "compensations",
            Part::Timers => "timers",
        };
        let mut text = format!("{taken} of {all} {name} of `{}` were taken", self.graphs[0].workflow);
        for gap in missing {
            text.push_str(&format!("\n  {gap}"));
        }
        Err(text)
    }

    /// How many parts of this kind there are, and those that were never taken.
    fn missing(&self, part: Part) -> (usize, Vec<String>) {
        match part {
            Part::Edges => {
                let never = self.all_flows().filter(|&(graph, flow)| self.flows[graph][flow] == 0);
                (self.all_flows().count(), never.map(|(graph, flow)| self.name_flow(graph, flow)).collect())
            }
            Part::Compensations => {
                let never = self.compensations.iter().filter(|(_, count)| **count == 0);
                let names = never.map(|(name, _)| format!("never undone: `{name}`"));
                (self.compensations.len(), names.collect())
            }
            Part::Timers => {
                let is_timer = |&(graph, flow): &(usize, usize)| {
                    let found = &self.graphs[graph].flows[flow];
                    let from = &self.graphs[graph].nodes[found.from].kind;
                    matches!(found.kind, FlowKind::Timeout)
                        || matches!(from, NodeKind::Timer(_) | NodeKind::TimerAt { .. })
                };
                let timers: Vec<_> = self.all_flows().filter(is_timer).collect();
                let never = timers.iter().filter(|&&(graph, flow)| self.flows[graph][flow] == 0);
                (timers.len(), never.map(|&(graph, flow)| self.name_flow(graph, flow)).collect())
            }
        }
    }

    fn name_flow(&self, graph: usize, flow: usize) -> String {
        let graph = self.graphs[graph];
        let found = &graph.flows[flow];
        let (from, to) = (&graph.nodes[found.from], &graph.nodes[found.to]);
        let what = match &found.kind {
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
        };
        let place = if from.line == 0 || graph.source.file.is_empty() {
            String::new()
        } else {
            format!(" ({}:{})", graph.source.file, from.line)
        };
        format!("never taken: {what}{place}")
    }
}
