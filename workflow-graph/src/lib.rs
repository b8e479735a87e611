//! The flow graph: the one description of a workflow that the macro writes and everything else reads.
//! Plain data without dependencies; it knows nothing of Rust syntax, journals, BPMN or storage.
//!
//! A [`Graph`] is flat: [`Node`]s, and [`Flow`]s that refer to them by index. The id of a node is its only
//! identity: it is the BPMN element id, the journal key, the log field and the CSS class.
//!
//! ```
//! use workflow_graph::{Flow, FlowKind, Graph, Node, NodeKind, Outcome, StepFacts};
//!
//! let graph = Graph {
//!     nodes: vec![
//!         Node::new("started", NodeKind::Start),
//!         Node::new("charge_card", NodeKind::Step(StepFacts::named("charge_card"))),
//!         Node::new("completed", NodeKind::End(Outcome::Success)),
//!     ]
//!     .into(),
//!     flows: vec![Flow::new(0, 1, FlowKind::Next), Flow::new(1, 2, FlowKind::Next)].into(),
//!     ..Graph::named("pay")
//! };
//! assert!(graph.defects().is_empty());
//! assert_eq!(graph.nodes[1].title(), "Charge card");
//! ```

pub mod conform;
mod defects;
mod facts;
mod kinds;
#[doc(hidden)]
pub mod literal;
pub mod lock;
mod names;
mod notice;
mod outline;
mod reading;
mod regions;
mod saga;
mod shape;
mod subgraph;
pub mod suggest;

pub use defects::{
    Defect, check_error, check_loser, is_subflow, lacks_effect, lacks_effect_inside, lacks_error,
};
pub use facts::{
    CompensationFacts, Computed, Effect, ErrorFacts, MessageFacts, Rate, RetryPolicy, Signature, Source,
    StepFacts, Task, Wire,
};
pub use kinds::{CatchUp, ChildFacts, NodeKind, Outcome, Span, SubflowFacts, Trigger};
pub use names::{humanise, is_node_id};
pub use notice::Notice;
pub use saga::{Disorder, Finding, SagaOrder, Unused};
pub use shape::{Allowance, Flow, FlowKind, Graph, Instances, Node, NodeIndex, Thrown};
pub use subgraph::Subgraph;

/// Text that is borrowed in the constants which the macro emits, and owned while the macro builds them.
pub type Text = std::borrow::Cow<'static, str>;
