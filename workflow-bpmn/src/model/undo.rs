//! How a step is undone: the event on its border, and the task that undoes it, with all that is known of that step.
//! When it is undone is decided by `outcomes`.

use workflow_graph::{CompensationFacts, NodeIndex, humanise};

use super::build::Draft;
use super::{ElementIndex, ElementKind, LinkKind, Trigger, facts, names};
use crate::text;

impl Draft<'_, '_> {
    pub(super) fn add_compensation(
        &mut self,
        index: NodeIndex,
        host: ElementIndex,
        compensation: &CompensationFacts,
    ) {
        let node = self.of.id(index);
        let event_id = self.of.file.ids.give(&format!("{node}_compensation"));
        let trigger = Trigger::Compensation;
        // Lint wants a name on every event, and this one reads the same on all of them.
        let event =
            self.add_element(event_id, names::UNDO.into(), index, ElementKind::Boundary { host, trigger });
        let handler_id = self.of.file.ids.give(&format!("{node}_undo"));
        let label = if compensation.label.trim().is_empty() {
            humanise(&compensation.step)
        } else {
            compensation.label.to_string()
        };
        let kind = ElementKind::CompensationHandler(compensation.task);
        let handler = self.add_element(handler_id, text::name(&label), index, kind);
        let element = &mut self.scope.elements[handler];
        element.documentation = facts::documentation_of_compensation(compensation, self.of.file.detail);
        element.facts = facts::of_compensation(compensation);
        element.job = Some(facts::job_of_compensation(compensation));
        let id = self.of.file.ids.give(&format!("association_{node}_undo"));
        self.add_link(id, event, handler, LinkKind::Association);
    }
}
