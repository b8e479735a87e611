//! The choices that a reader of a diagram has, gathered in one value: for which engine, and what is painted over it.
//! It hands them on; how a diagram is made is decided elsewhere.

use workflow_graph::Graph;

use crate::{Diagram, Flavour, Highlights, layout, model, sound, svg, xml};

/// A diagram of a workflow in the making.
///
/// ```
/// use workflow_bpmn::Export;
/// # use workflow_graph::{Flow, FlowKind, Graph, Node, NodeKind, Outcome, StepFacts};
/// # let graph = Graph {
/// #     nodes: vec![
/// #         Node::new("started", NodeKind::Start),
/// #         Node::new("charge_card", NodeKind::Step(StepFacts::named("charge_card"))),
/// #         Node::new("completed", NodeKind::End(Outcome::Success)),
/// #     ]
/// #     .into(),
/// #     flows: vec![Flow::new(0, 1, FlowKind::Next), Flow::new(1, 2, FlowKind::Next)].into(),
/// #     ..Graph::named("pay")
/// # };
/// assert_eq!(Export::of(&graph).xml(), workflow_bpmn::to_xml(&graph));
/// assert_eq!(Export::of(&graph).svg(), workflow_bpmn::to_svg(&graph));
/// ```
#[derive(Clone, Debug)]
pub struct Export<'a> {
    graph: &'a Graph,
    flavour: Flavour,
    highlights: Highlights,
}

impl<'a> Export<'a> {
    /// Everything that the graph holds, and nothing painted over it.
    ///
    /// # Panics
    ///
    /// If the graph, or that of a subflow, has [defects](Graph::defects), naming all of them. No graph that the macro
    /// emits has any.
    pub fn of(graph: &'a Graph) -> Export<'a> {
        Export { graph: sound(graph), flavour: Flavour::Plain, highlights: Highlights::new() }
    }

    /// For which engine the file is, if for any; the picture is the same.
    #[must_use]
    pub fn flavour(mut self, flavour: Flavour) -> Export<'a> {
        self.flavour = flavour;
        self
    }

    /// What is painted over the picture; the file stays without it.
    #[must_use]
    pub fn highlights(mut self, highlights: &Highlights) -> Export<'a> {
        self.highlights = highlights.clone();
        self
    }

    /// The BPMN 2.0 file, picture included.
    pub fn xml(&self) -> String {
        let process = self.process();
        xml::document(&process, &layout::diagram(&process), self.flavour)
    }

    /// The picture.
    pub fn svg(&self) -> String {
        svg::document(&self.graph.label, &self.diagram(), &self.highlights)
    }

    /// The drawing as data.
    pub fn diagram(&self) -> Diagram {
        layout::diagram(&self.process())
    }

    fn process(&self) -> model::Process {
        let mut process = model::process(self.graph);
        if self.flavour != Flavour::Plain {
            process.name_all_errors();
        }
        process
    }
}
