//! The choices that a reader of a diagram has, gathered in one value: how much, among whom, for which engine.
//! It hands them on; how a diagram is made is decided elsewhere.

use std::collections::BTreeMap;

use workflow_graph::Graph;

use crate::{Diagram, Flavour, Highlights, layout, model, sound, svg, text, xml};

/// How much of a workflow is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Detail {
    /// Everything.
    #[default]
    Full,
    /// What people outside of the team look for: errors that lead straight to a failing end are folded into one event
    /// sub-process, which undoes what has to be undone; what only waits and tries the same step again is left out, and
    /// so is what is written about attempts. Errors that the flow does something about stay.
    Business,
}

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
    detail: Detail,
    is_collaboration: bool,
    parties: BTreeMap<String, String>,
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
        Export {
            graph: sound(graph),
            detail: Detail::Full,
            is_collaboration: false,
            parties: BTreeMap::new(),
            flavour: Flavour::Plain,
            highlights: Highlights::new(),
        }
    }

    /// How much is drawn; [`Detail::Full`] unless told.
    #[must_use]
    pub fn detail(mut self, detail: Detail) -> Export<'a> {
        self.detail = detail;
        self
    }

    /// Whether the workflow is drawn as one of several parties: a pool around it, and a pool for each
    /// `#[step(participant = "..")]` and `#[message(participant = "..")]`.
    #[must_use]
    pub fn collaboration(mut self, is_collaboration: bool) -> Export<'a> {
        self.is_collaboration = is_collaboration;
        self
    }

    /// Who sends or takes the messages of this name, whatever `#[message(participant = "..")]` says; all messages of
    /// which nobody is named share one pool.
    #[must_use]
    pub fn party(mut self, message: impl Into<String>, name: impl Into<String>) -> Export<'a> {
        self.parties.insert(text::one_line(&message.into()), name.into());
        self
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
        let among = self.among(&process);
        let diagram = layout::diagram(&process, among.as_ref());
        xml::document(&process, among.as_ref(), &diagram, self.flavour)
    }

    /// The picture.
    pub fn svg(&self) -> String {
        svg::document(&self.graph.label, &self.diagram(), &self.highlights)
    }

    /// The picture as a part of a page of HTML that holds others too: one line, without a declaration, with ids and
    /// classes that nothing else there has (`{id}-charge_card`, `bpmn-charge_card`), a style sheet that applies to it
    /// alone, and colours that are dark on dark pages (rustdoc, mdBook, or what the reader prefers). It is as wide as
    /// there is room, from three quarters to the whole of its size.
    ///
    /// `id` is unique in the page; of other characters than letters, digits, `_` and `-` each becomes a `_`.
    pub fn part_of_page(&self, id: &str) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
        let mut id: String = id.chars().map(plain).collect();
        if !id.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            id.insert(0, '_');
        }
        svg::part_of_page(&id, &self.graph.label, &self.diagram(), &self.highlights)
    }

    /// The picture as pixels, `scale` of them for each of the SVG: 2 is right for most screens.
    ///
    /// # Errors
    /// When the machine has no fonts, or the picture would be too large.
    #[cfg(feature = "png")]
    pub fn png(&self, scale: f32) -> Result<Vec<u8>, crate::PngError> {
        crate::png::paint(&self.svg(), scale)
    }

    /// The drawing as data.
    pub fn diagram(&self) -> Diagram {
        let process = self.process();
        layout::diagram(&process, self.among(&process).as_ref())
    }

    /// Whether anybody but the workflow takes part, in a subflow or outside of one.
    pub(crate) fn has_parties(&self) -> bool {
        self.among(&self.process()).is_some_and(|among| !among.parties.is_empty())
    }

    fn among(&self, process: &model::Process) -> Option<model::Collaboration> {
        self.is_collaboration.then(|| model::collaboration(process, &self.parties))
    }

    fn process(&self) -> model::Process {
        let mut process = model::process(self.graph, self.detail);
        if self.flavour != Flavour::Plain {
            process.name_all_errors();
        }
        process
    }
}
