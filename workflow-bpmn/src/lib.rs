//! The exporter: turns the flow graph of a workflow into BPMN 2.0 XML and into an SVG picture.
//! It is pure: it knows no clocks or engines, and the same graph always gives the same bytes. Files are touched by
//! [`Gallery`] alone, which keeps a folder of diagrams in step with the code.
//!
//! A graph becomes a model (what is drawn), the model a [`Diagram`] (where it stands), and both together the
//! file; the picture needs the diagram alone.
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
//! assert!(workflow_bpmn::to_xml(&graph).contains(r#"<bpmn:serviceTask id="charge_card" name="Charge card">"#));
//! assert!(workflow_bpmn::to_svg(&graph).starts_with("<?xml"));
//! ```
//!
//! # What is promised, and what is not
//!
//! A saga in this language is undone in strict reverse order of completion. BPMN says so too, but engines that
//! run the exported file may not keep that order: Camunda 8 starts all compensation handlers at once.
//!
//! What becomes of each construct is told in the guide, under "How a workflow is drawn".

mod diagram;
mod diff;
mod export;
mod flavour;
mod gallery;
mod highlight;
mod layout;
mod markup;
mod model;
mod palette;
#[cfg(feature = "png")]
mod png;
mod svg;
mod text;
mod xml;

use workflow_graph::{Graph, NodeKind, Subgraph};

pub use diagram::{Diagram, Edge, EdgeKind, Label, Page, Point, Rect, Shape, ShapeKind};
pub use diff::Diff;
pub use export::{Detail, Export};
pub use flavour::Flavour;
pub use gallery::{Gallery, GalleryFile, Stale, VARIABLE};
pub use highlight::{Highlights, Mark};
#[cfg(feature = "png")]
pub use png::PngError;

/// The BPMN 2.0 file of a workflow, picture included, for modellers, linters and engines.
///
/// # Panics
///
/// If the graph, or that of a subflow, has [defects](Graph::defects), naming all of them. No graph that the macro
/// emits has any.
pub fn to_xml(graph: &Graph) -> String {
    Export::of(graph).xml()
}

/// The picture of a workflow, for documentation and consoles. Every group carries the id of its BPMN element, and
/// the id of its graph node as a class, so that a style sheet can highlight what a run has done.
///
/// # Panics
///
/// If the graph, or that of a subflow, has [defects](Graph::defects), naming all of them. No graph that the macro
/// emits has any.
pub fn to_svg(graph: &Graph) -> String {
    Export::of(graph).svg()
}

impl Diagram {
    /// Draws a workflow.
    ///
    /// # Panics
    ///
    /// If the graph, or that of a subflow, has [defects](Graph::defects), naming all of them. No graph that the macro
    /// emits has any.
    pub fn of(graph: &Graph) -> Diagram {
        Export::of(graph).diagram()
    }
}

fn sound(graph: &Graph) -> &Graph {
    check(graph, &mut Vec::new());
    graph
}

/// Refuses a graph with defects, or with a subflow that has some; `around` are the subflows it stands in.
fn check(graph: &Graph, around: &mut Vec<Subgraph>) {
    let defects: Vec<String> = graph.defects().iter().map(ToString::to_string).collect();
    assert!(defects.is_empty(), "the graph of `{}` cannot be drawn: {}", graph.workflow, defects.join("; "));
    for node in graph.nodes.iter() {
        let NodeKind::Subflow(subflow) = &node.kind else { continue };
        if !around.contains(&subflow.graph) {
            around.push(subflow.graph);
            check(subflow.graph.get(), around);
            around.pop();
        }
    }
}

/// The page of the guide, so that its example compiles.
#[cfg(doctest)]
#[doc = include_str!("../../docs/diagrams.md")]
struct Guide;
