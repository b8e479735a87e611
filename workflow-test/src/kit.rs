//! `Kit`: mocks for steps, and runs that meet them. One per test.
//! It holds what a test says; driving a run is the test run's part.

use std::cell::RefCell;
use std::rc::Rc;

use workflow_core::{Definition, Payload, StepFn, Workflow, WorkflowCall};

use crate::mock::Mock;
use crate::script::{Served, SharedScripts};
use crate::shape::check_value;
use crate::test_run::TestRun;

/// The kit of one test.
#[derive(Default)]
pub struct Kit {
    scripts: SharedScripts,
    served: Rc<RefCell<Served>>,
}

impl Kit {
    /// A kit without mocks.
    pub fn new() -> Kit {
        Kit::default()
    }

    /// Says what a step answers; the step is named by its function. May be said again later, also while a run
    /// is under way.
    pub fn on<A, F: StepFn<A>>(&self, _step: F) -> Mock<F::Step> {
        Mock::new(&self.scripts)
    }

    /// Starts a run at time zero. Nothing happens to it until it is asked for something.
    #[track_caller]
    pub fn start<W: Workflow>(&self, call: WorkflowCall<W>) -> TestRun<W> {
        let definition = Definition::of::<W>();
        let input = Payload::of(&call.into_args())
            .unwrap_or_else(|error| panic!("the input of `{}` cannot be stored: {error}", definition.name));
        check_value::<W::Args>(&input, &format!("the input of `{}`", definition.name))
            .unwrap_or_else(|violation| panic!("{violation}"));
        TestRun::start(definition, input, Rc::clone(&self.scripts), Rc::clone(&self.served))
    }
}
