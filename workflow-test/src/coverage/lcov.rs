//! The counts as lcov: lines of the workflow's source, its functions, and the ways out of each node as branches.
//! Other tools read it; it knows nothing of BPMN.

use std::collections::BTreeMap;
use std::fmt::Write;

use workflow_graph::NodeKind;

use super::Coverage;

/// What is known about one file.
#[derive(Default)]
struct File {
    /// Line and name, with the count.
    functions: BTreeMap<(u32, String), u64>,
    /// Line, and which node of that line; one count per way out.
    branches: BTreeMap<(u32, usize), Vec<u64>>,
    lines: BTreeMap<u32, u64>,
}

impl Coverage {
    pub(crate) fn lcov(&self) -> String {
        let mut files: BTreeMap<&str, File> = BTreeMap::new();
        for (graph, tally) in self.graphs.iter().zip(&self.tallies) {
            if graph.source.file.is_empty() {
                continue;
            }
            let file = files.entry(&graph.source.file).or_default();
            for (index, node) in graph.nodes.iter().enumerate() {
                let count = tally.nodes[index];
                if node.kind == NodeKind::Start && node.scope.is_none() && graph.source.line > 0 {
                    file.functions.insert((graph.source.line, graph.workflow.to_string()), count);
                    file.lines.insert(graph.source.line, count);
                }
                if node.line == 0 {
                    continue;
                }
                let line = file.lines.entry(node.line).or_insert(0);
                *line = (*line).max(count);
                let ways = (0..graph.flows.len()).filter(|&flow| graph.flows[flow].from == index);
                let ways: Vec<u64> = ways.map(|flow| tally.flows[flow]).collect();
                if ways.len() > 1 {
                    let block = file.branches.keys().filter(|(line, _)| *line == node.line).count();
                    file.branches.insert((node.line, block), ways);
                }
            }
        }
        let mut text = String::new();
        for (name, file) in files {
            file.write(name, &mut text).expect("writing into memory cannot fail");
        }
        text
    }
}

impl File {
    fn write(&self, name: &str, text: &mut String) -> std::fmt::Result {
        let found = |counts: &mut dyn Iterator<Item = u64>| counts.filter(|count| *count > 0).count();
        writeln!(text, "TN:\nSF:{name}")?;
        for (line, function) in self.functions.keys() {
            writeln!(text, "FN:{line},{function}")?;
        }
        for ((_, function), count) in &self.functions {
            writeln!(text, "FNDA:{count},{function}")?;
        }
        writeln!(text, "FNF:{}", self.functions.len())?;
        writeln!(text, "FNH:{}", found(&mut self.functions.values().copied()))?;
        let line_count = |line: &u32| self.lines.get(line).copied().unwrap_or(0);
        for ((line, block), ways) in &self.branches {
            for (way, count) in ways.iter().enumerate() {
                // A dash means that the line was never come to.
                let count = if line_count(line) == 0 { "-".to_owned() } else { count.to_string() };
                writeln!(text, "BRDA:{line},{block},{way},{count}")?;
            }
        }
        writeln!(text, "BRF:{}", self.branches.values().map(Vec::len).sum::<usize>())?;
        writeln!(text, "BRH:{}", found(&mut self.branches.values().flatten().copied()))?;
        for (line, count) in &self.lines {
            writeln!(text, "DA:{line},{count}")?;
        }
        writeln!(text, "LF:{}", self.lines.len())?;
        writeln!(text, "LH:{}", found(&mut self.lines.values().copied()))?;
        writeln!(text, "end_of_record")
    }
}
