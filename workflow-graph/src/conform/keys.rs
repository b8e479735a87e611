//! What a place of the code may be called in a model: by its label, its name, or what it waits for.
//! It knows nothing of models.

use super::letters::{key, key_behind};
use super::plan::{Place, Role};
use crate::NodeKind;
use crate::reading::text_of;

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
            return Keys([key(text_of(&deadline.text)), 0, 0, 0, 0]);
        }
        let (label, id) = (key(text_of(&node.label)), key(text_of(&node.id)));
        let [one, other, more] = match &node.kind {
            NodeKind::Step(step) => [key(text_of(&step.label)), key(text_of(&step.name)), 0],
            NodeKind::Subflow(subflow) => [key(text_of(&subflow.label)), key(text_of(&subflow.name)), 0],
            NodeKind::Child(child) => {
                let label = key(text_of(&child.label));
                [label, key(text_of(&child.workflow)), key_behind(key("Start:"), text_of(&child.label))]
            }
            NodeKind::Send { message, .. } => {
                let message = text_of(message);
                [key(message), key_behind(key("Send"), message), key_behind(key(message), "sent")]
            }
            NodeKind::Receive { message, .. } => {
                let message = text_of(message);
                [key(message), key_behind(key("Receive"), message), key_behind(key(message), "received")]
            }
            NodeKind::Timer(span) => [key(text_of(&span.text)), 0, 0],
            NodeKind::TimerAt { text: time } => [key(text_of(time)), 0, 0],
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
