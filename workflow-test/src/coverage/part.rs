//! What one test has counted, as a file: the parts of all tests add up to the coverage of a workflow.
//! It reads and compares; which files there are is told elsewhere.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use workflow_graph::Graph;

use super::{Coverage, Scale, Tally};

/// The form of the file; another one is not read.
const FORMAT: u32 = 1;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Part {
    format: u32,
    pub(super) test: String,
    pub(super) executions: usize,
    pub(super) crashes: usize,
    graphs: Vec<GraphPart>,
}

/// What was counted in one graph, by the ids of its nodes and flows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct GraphPart {
    /// What the graph looked like: one that looks otherwise now was counted in vain.
    outline: Vec<String>,
    nodes: BTreeMap<String, u64>,
    flows: BTreeMap<String, u64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    undone: BTreeMap<String, u64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    crashed: BTreeMap<String, u64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    crashed_undoing: BTreeMap<String, u64>,
}

impl Part {
    pub(super) fn of(test: &str, coverage: &Coverage, scale: Scale) -> Part {
        let both = coverage.graphs.iter().zip(&coverage.tallies);
        Part {
            format: FORMAT,
            test: test.to_owned(),
            executions: scale.executions,
            crashes: scale.crashes,
            graphs: both.map(|(graph, tally)| GraphPart::of(graph, tally)).collect(),
        }
    }

    /// Reads a part; `None` when it was counted in graphs that look otherwise now, or cannot be read.
    pub(super) fn read(text: &str, coverage: &Coverage) -> Option<(Part, Vec<Tally>)> {
        let part: Part = serde_json::from_str(text).ok()?;
        if part.format != FORMAT || part.graphs.len() != coverage.graphs.len() {
            return None;
        }
        let both = part.graphs.iter().zip(&coverage.graphs);
        let tallies: Option<Vec<Tally>> = both.map(|(part, graph)| part.tally(graph)).collect();
        tallies.map(|tallies| (part, tallies))
    }

    pub(super) fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("text and numbers are JSON");
        text.push('\n');
        text
    }
}

impl GraphPart {
    fn of(graph: &Graph, tally: &Tally) -> GraphPart {
        let by_node = |counts: &[u64], all: bool| {
            let counted = graph.nodes.iter().zip(counts).filter(|(_, count)| all || **count > 0);
            counted.map(|(node, count)| (node.id.to_string(), *count)).collect()
        };
        GraphPart {
            outline: outline(graph),
            nodes: by_node(&tally.nodes, true),
            flows: (0..graph.flows.len()).map(|flow| (graph.flow_id(flow), tally.flows[flow])).collect(),
            undone: by_node(&tally.undone, false),
            crashed: by_node(&tally.crashed, false),
            crashed_undoing: by_node(&tally.crashed_undoing, false),
        }
    }

    fn tally(&self, graph: &Graph) -> Option<Tally> {
        if self.outline != outline(graph) {
            return None;
        }
        let by_node = |counts: &BTreeMap<String, u64>| {
            graph.nodes.iter().map(|node| counts.get(&*node.id).copied().unwrap_or(0)).collect()
        };
        let flow = |flow| self.flows.get(&graph.flow_id(flow)).copied().unwrap_or(0);
        Some(Tally {
            nodes: by_node(&self.nodes),
            flows: (0..graph.flows.len()).map(flow).collect(),
            undone: by_node(&self.undone),
            crashed: by_node(&self.crashed),
            crashed_undoing: by_node(&self.crashed_undoing),
        })
    }
}

fn outline(graph: &Graph) -> Vec<String> {
    graph.to_string().lines().map(str::to_owned).collect()
}
