//! What is painted over a drawing: what a run, or many runs, have done.
//! It knows ids and marks only; where they are and how they look is decided elsewhere.

use std::collections::BTreeMap;

/// Marks, counts and heat for the elements of a drawing, by their ids.
///
/// An id is that of an element of the file: of a node (`charge_card`, `deliver.book_carrier`), of a flow
/// (`flow_started_to_charge_card`), or of what is drawn with a node (`charge_card_undo`, `charge_card_error_Declined`).
/// Ids that are not drawn are passed over. Nothing is said by colour alone: each mark has a sign of its own.
///
/// ```
/// use workflow_bpmn::{Export, Highlights, Mark};
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
/// let highlights = Highlights::new()
///     .mark("started", Mark::Completed)
///     .mark("flow_started_to_charge_card", Mark::Completed)
///     .mark("charge_card", Mark::Active)
///     .count("charge_card", 12)
///     .note("charge_card", "waits for the bank since 10:02");
/// let svg = Export::of(&graph).highlights(&highlights).svg();
/// assert!(svg.contains(r#"class="service-task charge_card mark-active""#));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Highlights {
    of: BTreeMap<String, Highlight>,
}

/// What is said about one element.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Highlight {
    pub(crate) mark: Option<Mark>,
    pub(crate) count: Option<u64>,
    /// From 0 to 1.
    pub(crate) heat: Option<f64>,
    pub(crate) notes: Vec<String>,
}

/// What has become of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Mark {
    /// It has happened: green, bold, a tick.
    Completed,
    /// It is under way: blue, bold, a triangle.
    Active,
    /// It has failed: red, bold, a cross.
    Failed,
    /// It has happened and was undone: amber, dashed, an arrow back.
    Compensated,
    /// It never happens in what is looked at, for example in all tests: red, dashed, a question mark.
    Missed,
    /// Only the new version has it: green, bold, a plus.
    Added,
    /// Only the old version has it: red, dashed, a minus.
    Removed,
    /// Both versions have it, and it is not the same: amber, dashed, a wave.
    Changed,
}

impl Mark {
    /// The class of marked groups in the SVG: `mark-completed`, `mark-active` and so on. The ids of nodes are classes
    /// too, and `completed` is one of them.
    pub fn class(self) -> &'static str {
        match self {
            Mark::Completed => "mark-completed",
            Mark::Active => "mark-active",
            Mark::Failed => "mark-failed",
            Mark::Compensated => "mark-compensated",
            Mark::Missed => "mark-missed",
            Mark::Added => "mark-added",
            Mark::Removed => "mark-removed",
            Mark::Changed => "mark-changed",
        }
    }

    /// What a screen reader says.
    pub(crate) fn word(self) -> &'static str {
        self.class().trim_start_matches("mark-")
    }
}

impl Highlights {
    /// Nothing is marked.
    pub fn new() -> Highlights {
        Highlights::default()
    }

    /// Marks a node or a flow; a later mark of the same element replaces it.
    #[must_use]
    pub fn mark(mut self, id: impl Into<String>, mark: Mark) -> Highlights {
        self.entry(id).mark = Some(mark);
        self
    }

    /// Writes a number beside a node or a flow: how often it has happened, how many runs are there.
    #[must_use]
    pub fn count(mut self, id: impl Into<String>, count: u64) -> Highlights {
        self.entry(id).count = Some(count);
        self
    }

    /// Tints a node, or widens a flow, from 0 (not at all) to 1 (the hottest); what lies outside is cut off, and no
    /// number counts as 0. Without a [count](Highlights::count) the percentage is written beside it.
    #[must_use]
    pub fn heat(mut self, id: impl Into<String>, share: f64) -> Highlights {
        let share = if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) };
        self.entry(id).heat = Some(share);
        self
    }

    /// Adds a line to what a pointer over the element shows, and a screen reader says.
    #[must_use]
    pub fn note(mut self, id: impl Into<String>, text: impl Into<String>) -> Highlights {
        self.entry(id).notes.push(text.into());
        self
    }

    fn entry(&mut self, id: impl Into<String>) -> &mut Highlight {
        self.of.entry(id.into()).or_default()
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Highlight> {
        self.of.get(id)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.of.is_empty()
    }
}
