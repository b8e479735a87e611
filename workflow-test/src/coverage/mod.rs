//! Coverage of the diagram: how often each node, flow, compensation and crash point was taken, and which never.
//! It counts what it is shown; it runs nothing, and files and pages are made elsewhere.

mod demand;
mod item;
mod lcov;
mod marks;
mod page;
mod part;
mod target;
mod write;

use workflow_core::{Command, Definition, Event, OpId};
use workflow_graph::{Graph, NodeIndex};

use crate::annals::Annals;
use crate::atlas::graphs_of;
use crate::oracle::walk::{Path, Walker};

pub(crate) use demand::Demanded;
pub use demand::{Demand, compensations, complete, crash_points, edges, errors, messages, nodes, timers};
pub(crate) use item::{Item, Kind};
pub(crate) use target::target_folder;
pub(crate) use write::{Scale, file_name};

/// How often each part of the diagram was taken, subflows included. Control flow that takes no part in the journal
/// (`if`, `match`, loops) is counted along the shortest way between the operations around it.
#[derive(Clone, Debug)]
pub struct Coverage {
    pub(crate) workflow: &'static str,
    pub(crate) version: u32,
    /// The workflow's own, and those of its subflows.
    pub(crate) graphs: Vec<&'static Graph>,
    /// One per graph.
    pub(crate) tallies: Vec<Tally>,
}

/// What was counted in one graph.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tally {
    pub(crate) nodes: Vec<u64>,
    pub(crate) flows: Vec<u64>,
    /// By node: how often what it did was undone.
    pub(crate) undone: Vec<u64>,
    /// By node: how often the run was dropped after the write that asked for it.
    pub(crate) crashed: Vec<u64>,
    /// The same for its compensation.
    pub(crate) crashed_undoing: Vec<u64>,
}

impl Tally {
    fn of(graph: &Graph) -> Tally {
        let nodes = vec![0; graph.nodes.len()];
        Tally {
            flows: vec![0; graph.flows.len()],
            undone: nodes.clone(),
            crashed: nodes.clone(),
            crashed_undoing: nodes.clone(),
            nodes,
        }
    }
}

impl Coverage {
    pub(crate) fn of(definition: Definition) -> Coverage {
        let graphs = graphs_of(definition.graph());
        Coverage {
            workflow: definition.name,
            version: definition.version,
            tallies: graphs.iter().map(|graph| Tally::of(graph)).collect(),
            graphs,
        }
    }

    pub(crate) fn count(&mut self, path: &Path) {
        for &(graph, node) in &path.nodes {
            self.tallies[graph].nodes[node] += 1;
        }
        for &(graph, flow) in &path.flows {
            self.tallies[graph].flows[flow] += 1;
        }
    }

    pub(crate) fn count_compensations(&mut self, annals: &Annals, walker: &Walker) {
        for record in annals.root_records() {
            if let Event::StepCompleted { op, .. } | Event::Skipped { op, .. } = &record.event
                && let Some((graph, node)) = place_undone(op, walker)
            {
                self.tallies[graph].undone[node] += 1;
            }
        }
    }

    /// Counts that the runs were dropped after so many writes.
    pub(crate) fn count_crash(&mut self, annals: &Annals, writes: usize, walker: &Walker) {
        let Some(row) = writes.checked_sub(1).and_then(|row| annals.rows.get(row)) else { return };
        if annals.journals[row.journal].run_id != annals.journals[0].run_id {
            return;
        }
        for op in row.record.commands.iter().filter_map(asked_for) {
            if let Some((graph, node)) = place_undone(op, walker) {
                self.tallies[graph].crashed_undoing[node] += 1;
            } else if let Some((graph, node)) = walker.place_of(op) {
                self.tallies[graph].crashed[node] += 1;
            }
        }
    }

    /// How often the node with this id was taken, in the workflow or else in its first subflow that has such a node.
    pub fn node(&self, id: &str) -> u64 {
        let mut all = self.graphs.iter().zip(&self.tallies);
        all.find_map(|(graph, tally)| graph.index_of(id).map(|index| tally.nodes[index])).unwrap_or(0)
    }

    /// How often the flow with this id was taken, in the workflow or else in its first subflow that has such a flow;
    /// see [`Graph::flow_id`].
    pub fn flow(&self, id: &str) -> u64 {
        let mut all = self.graphs.iter().zip(&self.tallies);
        let found = all.find_map(|(graph, tally)| {
            let flow = (0..graph.flows.len()).find(|&flow| graph.flow_id(flow) == id)?;
            Some(tally.flows[flow])
        });
        found.unwrap_or(0)
    }

    /// Adds what was counted elsewhere in the same graphs.
    pub(crate) fn add(&mut self, other: &[Tally]) {
        for (own, other) in self.tallies.iter_mut().zip(other) {
            let pairs = [
                (&mut own.nodes, &other.nodes),
                (&mut own.flows, &other.flows),
                (&mut own.undone, &other.undone),
                (&mut own.crashed, &other.crashed),
                (&mut own.crashed_undoing, &other.crashed_undoing),
            ];
            for (own, other) in pairs {
                own.iter_mut().zip(other).for_each(|(own, other)| *own += other);
            }
        }
    }
}

/// The node of the operation that this one undoes.
fn place_undone(op: &OpId, walker: &Walker) -> Option<(usize, NodeIndex)> {
    walker.place_of(&op.undoes()?)
}

/// What is under way after this command.
fn asked_for(command: &Command) -> Option<&OpId> {
    match command {
        Command::StartStep { op, .. }
        | Command::SetTimer { op, .. }
        | Command::AwaitMessage { op, .. }
        | Command::StartChild { op, .. } => Some(op),
        _ => None,
    }
}
