//! Which element of the picture was taken how often: counts belong to nodes and flows, the picture has elements.
//! It finds the count behind each element; what that looks like is the page's affair.

use workflow_bpmn::{Diagram, Edge, EdgeKind, Highlights, Mark, Shape, ShapeKind};
use workflow_graph::{Graph, NodeIndex, NodeKind};

use super::{Coverage, Tally};

/// A picture with the counts of its elements.
pub(super) struct Counted<'a> {
    coverage: &'a Coverage,
    edges: Vec<&'a Edge>,
}

impl Coverage {
    /// Marks all that is drawn as taken or missed.
    pub(super) fn highlights(&self, diagram: &Diagram) -> Highlights {
        let pages = || std::iter::once(diagram).chain(diagram.details.iter().map(|detail| &detail.diagram));
        let counted = Counted { coverage: self, edges: pages().flat_map(|page| &page.edges).collect() };
        let mut highlights = Highlights::default();
        for page in pages() {
            for shape in &page.shapes {
                highlights = counted.with_shape(highlights, shape);
            }
            for edge in &page.edges {
                let count = counted.of_edge(edge, page);
                highlights = highlights.mark(&edge.id, mark(count)).note(&edge.id, note(count));
            }
        }
        highlights
    }
}

impl Counted<'_> {
    fn with_shape(&self, highlights: Highlights, shape: &Shape) -> Highlights {
        let count = self.of_shape(shape);
        let highlights = highlights.mark(&shape.id, mark(count)).note(&shape.id, note(count));
        if !shape.kind.is_task() {
            return highlights;
        }
        // Whatever was taken has a tick; only on boxes is there room for a number.
        let highlights = if count > 0 { highlights.count(&shape.id, count) } else { highlights };
        match self.crashes(shape) {
            Some(0) => highlights.note(&shape.id, "never crashed while under way"),
            Some(crashes) => {
                highlights.note(&shape.id, format!("crashed {} while under way", times(crashes)))
            }
            None => highlights,
        }
    }

    fn of_shape(&self, shape: &Shape) -> u64 {
        let Some((graph, node)) = self.node(&shape.node) else { return 0 };
        let tally = &self.coverage.tallies[graph];
        if matches!(shape.kind, ShapeKind::CompensationTask | ShapeKind::CompensationBoundaryEvent) {
            return tally.undone[node];
        }
        if shape.id == shape.node {
            return tally.nodes[node];
        }
        // What the drawing adds is taken as often as the ways out of it that are the graph's own.
        let ways = self.edges.iter().filter(|edge| edge.from == shape.id);
        let ways: Vec<u64> = ways.filter_map(|edge| self.flow(&edge.id)).collect();
        match ways[..] {
            [] => self.behind(shape).unwrap_or(tally.nodes[node]),
            _ => ways.iter().sum(),
        }
    }

    /// An event that ends a race is taken as often as the one flow of the operation, or of its event, in whose place it
    /// stands.
    fn behind(&self, shape: &Shape) -> Option<u64> {
        let (graph, node) = self.node(&shape.node)?;
        let what = shape.id.strip_suffix("_first").unwrap_or(&shape.id);
        let what = what.strip_prefix(&shape.node)?;
        let (of, tally) = (self.coverage.graphs[graph], &self.coverage.tallies[graph]);
        let is_meant = |flow: &usize| {
            use workflow_graph::FlowKind::{Error, Next, Timeout};
            let found = &of.flows[*flow];
            found.from == node
                && match &found.kind {
                    Next => what.is_empty(),
                    Timeout => what == "_timeout",
                    Error { variant, .. } if variant.is_empty() => what == "_error",
                    Error { variant, .. } => what.strip_prefix("_error_") == Some(variant),
                    workflow_graph::FlowKind::Answer { .. } => false,
                }
        };
        let flows: Vec<u64> = (0..of.flows.len()).filter(is_meant).map(|flow| tally.flows[flow]).collect();
        (!flows.is_empty() && of.nodes[node].kind != NodeKind::Race).then(|| flows.iter().sum())
    }

    fn of_edge(&self, edge: &Edge, page: &Diagram) -> u64 {
        if let Some(count) = self.flow(&edge.id) {
            return count;
        }
        let end = |id: &str| page.shape(id).map_or(0, |shape| self.of_shape(shape));
        if edge.kind == EdgeKind::Association { end(&edge.from) } else { end(&edge.from).min(end(&edge.to)) }
    }

    fn crashes(&self, shape: &Shape) -> Option<u64> {
        let (graph, node) = self.node(&shape.node)?;
        let tally = &self.coverage.tallies[graph];
        if shape.kind == ShapeKind::CompensationTask {
            return Some(tally.crashed_undoing[node]);
        }
        let has_any = matches!(
            self.coverage.graphs[graph].nodes[node].kind,
            NodeKind::Step(_) | NodeKind::Receive { .. } | NodeKind::Child(_)
        );
        has_any.then(|| tally.crashed[node])
    }

    /// The node with this id, which stands behind those of the subflows around it.
    fn node(&self, id: &str) -> Option<(usize, NodeIndex)> {
        let (graph, id) = self.graph(id)?;
        Some((graph, self.coverage.graphs[graph].index_of(id)?))
    }

    fn flow(&self, id: &str) -> Option<u64> {
        let (graph, id) = self.graph(id)?;
        let of: &Graph = self.coverage.graphs[graph];
        let flow = (0..of.flows.len()).find(|&flow| of.flow_id(flow) == id)?;
        let tally: &Tally = &self.coverage.tallies[graph];
        Some(tally.flows[flow])
    }

    /// The graph in which an id stands, and the rest of the id.
    fn graph<'i>(&self, id: &'i str) -> Option<(usize, &'i str)> {
        let (mut graph, mut rest) = (0, id);
        while let Some((subflow, inner)) = rest.split_once('.') {
            let of = self.coverage.graphs[graph];
            let NodeKind::Subflow(facts) = &of.node(subflow)?.kind else { return None };
            let inside = facts.graph.get();
            graph = self.coverage.graphs.iter().position(|other| std::ptr::eq(*other, inside))?;
            rest = inner;
        }
        Some((graph, rest))
    }
}

fn mark(count: u64) -> Mark {
    if count == 0 { Mark::Missed } else { Mark::Completed }
}

fn note(count: u64) -> String {
    if count == 0 { "never taken".to_owned() } else { format!("taken {}", times(count)) }
}

pub(super) fn times(count: u64) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}
