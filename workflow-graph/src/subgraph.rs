//! A graph inside another one, by its address: a subflow may contain itself, and a workflow may start itself.
//! One of two places of this project with `unsafe`: a constant that held a reference would be checked through it for
//! ever. The other one is the waker of a run.

use std::fmt;

use crate::Graph;

/// The graph of a subflow or of another workflow.
///
/// The checks of the compiler read through it while they evaluate constants; everything else calls [`Subgraph::get`].
///
/// ```
/// use workflow_graph::{Graph, Subgraph};
///
/// static EMPTY: std::sync::LazyLock<Graph> = std::sync::LazyLock::new(|| Graph::named("pay"));
/// let graph = Subgraph::computed(|| &EMPTY);
/// assert_eq!(graph.get().workflow, "pay");
/// assert!(graph.known().is_none()); // what is computed cannot be read by a constant
/// ```
#[derive(Clone, Copy)]
pub struct Subgraph(Place);

#[derive(Clone, Copy)]
enum Place {
    /// Always made of a `&'static Graph`.
    Known(*const Graph),
    Computed(fn() -> &'static Graph),
}

#[allow(unsafe_code, reason = "a `&'static Graph` in all but name, and `Graph` is `Send` and `Sync`")]
// SAFETY: the pointer is made of a `&'static Graph`, which may be shared by all threads.
unsafe impl Send for Subgraph {}

#[allow(unsafe_code, reason = "a `&'static Graph` in all but name, and `Graph` is `Send` and `Sync`")]
// SAFETY: as above.
unsafe impl Sync for Subgraph {}

impl Subgraph {
    /// A graph that is a constant.
    pub const fn of(graph: &'static Graph) -> Subgraph {
        Subgraph(Place::Known(graph))
    }

    /// A graph that a function gives: unknown while compiling.
    pub const fn computed(graph: fn() -> &'static Graph) -> Subgraph {
        Subgraph(Place::Computed(graph))
    }

    /// The graph, for constants; `None` when a function computes it.
    #[allow(unsafe_code, reason = "constants may follow no references to where they came from")]
    pub const fn known(self) -> Option<&'static Graph> {
        match self.0 {
            // SAFETY: made of a `&'static Graph` in `of`, and nowhere else.
            Place::Known(graph) => Some(unsafe { &*graph }),
            Place::Computed(_) => None,
        }
    }

    /// The graph.
    pub fn get(self) -> &'static Graph {
        match (self.0, self.known()) {
            (Place::Computed(graph), None) => graph(),
            (_, Some(graph)) => graph,
            (Place::Known(_), None) => unreachable!("a known graph is known"),
        }
    }
}

impl PartialEq for Subgraph {
    /// By name and place: comparing contents would not end where a subflow contains itself.
    fn eq(&self, other: &Subgraph) -> bool {
        let (a, b) = (self.get(), other.get());
        std::ptr::eq(a, b) || (a.workflow == b.workflow && a.source == b.source)
    }
}

impl fmt::Debug for Subgraph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Subgraph({})", self.get().workflow)
    }
}
