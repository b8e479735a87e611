//! The world of a test: mocks, and messages that came before anybody waited for them.
//! It answers what a run asks of it; what a test says and asks is told elsewhere.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use workflow_core::{Definition, Payload};

use crate::agenda::{Delivery, Place};
use crate::driver::{Call, ChildCall, ChildDeed, Deed, Driver, Wait, World};
use crate::script::{Served, SharedScripts};
use crate::violation::Violation;

/// See the module.
pub(crate) struct Outside {
    pub(crate) definition: Definition,
    pub(crate) scripts: SharedScripts,
    pub(crate) served: Rc<RefCell<Served>>,
    pub(crate) kept: Vec<Kept>,
    pub(crate) messages: u32,
    /// The ids of all messages: a second one with the same id is dropped, as an engine drops it.
    pub(crate) delivered: BTreeSet<String>,
}

/// A message that nobody has waited for yet.
pub(crate) struct Kept {
    pub(crate) name: &'static str,
    pub(crate) key: String,
    pub(crate) message_id: String,
    pub(crate) payload: Payload,
}

impl World for Outside {
    fn attempt(&mut self, call: &Call<'_>) -> Result<Deed, Violation> {
        self.served.borrow_mut().serve(&self.scripts, &self.definition, call)
    }

    fn message(&mut self, wait: &Wait<'_>) -> Result<Option<Delivery>, Violation> {
        let found = self.kept.iter().position(|kept| kept.name == wait.message && kept.key == wait.key);
        Ok(found.map(|position| {
            let Kept { message_id, payload, .. } = self.kept.remove(position);
            Delivery { at_ms: wait.now_ms, message_id, payload }
        }))
    }

    fn child(&mut self, child: &ChildCall<'_>) -> Result<Option<ChildDeed>, Violation> {
        self.served.borrow_mut().serve_child(&self.scripts, child)
    }

    fn choose(&mut self, _: &Driver, _: &[Place]) -> Option<usize> {
        Some(0)
    }
}
