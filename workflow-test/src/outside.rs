//! The world of a test: its mocks. Messages come when the test delivers them, and lie with the driver until then.
//! It answers what a run asks of it; what a test says and asks is told elsewhere.

use std::cell::RefCell;
use std::rc::Rc;

use workflow_core::Definition;

use crate::agenda::{Delivery, Place};
use crate::driver::{Call, ChildCall, ChildDeed, Deed, Driver, Wait, World};
use crate::script::{Served, SharedScripts};
use crate::violation::Violation;

/// See the module.
pub(crate) struct Outside {
    pub(crate) definition: Definition,
    pub(crate) scripts: SharedScripts,
    pub(crate) served: Rc<RefCell<Served>>,
}

impl World for Outside {
    fn attempt(&mut self, call: &Call<'_>) -> Result<Deed, Violation> {
        self.served.borrow_mut().serve(&self.scripts, &self.definition, call)
    }

    fn message(&mut self, _: &Wait<'_>) -> Result<Option<Delivery>, Violation> {
        Ok(None)
    }

    fn child(&mut self, child: &ChildCall<'_>) -> Result<Option<ChildDeed>, Violation> {
        self.served.borrow_mut().serve_child(&self.scripts, child)
    }

    fn choose(&mut self, _: &Driver, _: &[Place]) -> Option<usize> {
        Some(0)
    }
}
