//! What a place of the code may be called in a model: by its label, its name, or what it waits for.
//! It knows nothing of models.

use super::letters::{key, key_behind};
use super::model::text;
use super::plan::{Place, Role};
use crate::NodeKind;

/// What a place may be called.
#[derive(Clone, Copy)]
pub(super) struct Keys([u64; 5]);

impl Keys {
    pub(super) const NONE: Keys = Keys([0; 5]);

    pub(super) const fn of(place: &Place) -> Keys {
        let node = place.node;
        if matches!(place.role, Role::Exit) {
            return Keys([0; 5]);
        }
        if let (Role::Deadline, NodeKind::Receive { deadline: Some(deadline), .. }) = (place.role, &node.kind)
        {
            return Keys([key(text(&deadline.text)), 0, 0, 0, 0]);
        }
        let (label, id) = (key(text(&node.label)), key(text(&node.id)));
        let [one, other, more] = match &node.kind {
            NodeKind::Step(step) => [key(text(&step.label)), key(text(&step.name)), 0],
            NodeKind::Subflow(subflow) => [key(text(&subflow.label)), key(text(&subflow.name)), 0],
            NodeKind::Child(child) => {
                let label = key(text(&child.label));
                [label, key(text(&child.workflow)), key_behind(key("Start:"), text(&child.label))]
            }
            NodeKind::Send { message, .. } => {
                let message = text(message);
                [key(message), key_behind(key("Send"), message), key_behind(key(message), "sent")]
            }
            NodeKind::Receive { message, .. } => {
                let message = text(message);
                [key(message), key_behind(key("Receive"), message), key_behind(key(message), "received")]
            }
            NodeKind::Timer(span) => [key(text(&span.text)), 0, 0],
            NodeKind::TimerAt { text: time } => [key(text(time)), 0, 0],
            _ => [0, 0, 0],
        };
        Keys([label, id, one, other, more])
    }

    /// Whether it is called so.
    pub(super) const fn name(&self, name: u64) -> bool {
        let [a, b, c, d, e] = self.0;
        name != 0 && (name == a || name == b || name == c || name == d || name == e)
    }
}
