//! Where in the code an operation stands: the scope, the parallel region, and which of many calls.
//! From this, and from nothing else, an operation gets its id.

use std::sync::Arc;

use workflow_graph::Graph;

use crate::OpId;

/// The surroundings of an operation.
#[derive(Clone)]
pub(crate) struct Frame {
    /// The flow of the scope: the workflow's or a subflow's.
    pub(crate) graph: fn() -> &'static Graph,
    /// Its awaits, as nodes of that graph.
    pub(crate) positions: fn() -> &'static [usize],
    /// What the ids of all operations of the scope begin with; empty for the run itself.
    pub(crate) prefix: Arc<str>,
    /// The id of the one operation that begins here, where it is one of many calls.
    pub(crate) instance: Option<OpId>,
    /// The innermost `join!`, `select!` or the like around it.
    pub(crate) region: Option<Arc<Region>>,
    /// In how many subflows it stands.
    pub(crate) depth: u32,
}

/// The calls and branches of one `join!`, `try_join!`, `select!`, `join_all` or `try_join_all`, under way.
pub(crate) struct Region {
    outer: Option<Arc<Region>>,
}

impl Frame {
    pub(crate) fn of_run(graph: fn() -> &'static Graph, positions: fn() -> &'static [usize]) -> Frame {
        Frame { graph, positions, prefix: "".into(), instance: None, region: None, depth: 0 }
    }

    /// The inside of a subflow that was called at `op`.
    pub(crate) fn subflow(
        &self,
        op: &OpId,
        graph: fn() -> &'static Graph,
        positions: fn() -> &'static [usize],
    ) -> Frame {
        Frame {
            graph,
            positions,
            prefix: op.prefix(),
            instance: None,
            region: self.region.clone(),
            depth: self.depth + 1,
        }
    }

    /// The inside of a parallel region.
    pub(crate) fn region(&self) -> Frame {
        Frame { region: Some(Arc::new(Region { outer: self.region.clone() })), ..self.clone() }
    }

    /// One of many calls.
    pub(crate) fn instance(&self, op: OpId) -> Frame {
        Frame { instance: Some(op), ..self.clone() }
    }
}

impl Region {
    /// Whether this region is `other` or lies inside of it.
    pub(crate) fn is_within(self: &Arc<Region>, other: &Arc<Region>) -> bool {
        Arc::ptr_eq(self, other) || self.outer.as_ref().is_some_and(|outer| outer.is_within(other))
    }
}
