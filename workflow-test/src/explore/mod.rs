//! Exploration: runs one workflow under every choice that the outside has, and holds each run against the oracles.
//! One execution is a pure function of its choices; the clock on the wall only ends the search.

pub(crate) mod choices;
mod crash;
mod execution;
mod exploration;
mod faults;
mod plan;
mod report;
mod shrink;

use std::rc::Rc;

use workflow_core::{Definition, Payload, StepFn, Workflow, WorkflowCall};

use crate::mock::Mock;
use crate::script::SharedScripts;
use crate::shape::check_value;

pub use exploration::Exploration;
pub use report::{Failure, Report};

/// The kit of a test that explores.
#[derive(Default)]
pub struct Explore {
    scripts: SharedScripts,
}

impl Explore {
    /// A kit without mocks.
    pub fn new() -> Explore {
        Explore::default()
    }

    /// Says what a step answers when nothing goes wrong with it.
    pub fn on<A, F: StepFn<A>>(&self, _step: F) -> Mock<F::Step> {
        Mock::new(&self.scripts)
    }

    /// Says which workflow is explored, and with which arguments.
    #[track_caller]
    pub fn workflow<W: Workflow>(&self, call: impl FnOnce() -> WorkflowCall<W>) -> Exploration {
        let definition = Definition::of::<W>();
        let input = Payload::of(&call().into_args())
            .unwrap_or_else(|error| panic!("the input of `{}` cannot be stored: {error}", definition.name));
        check_value::<W::Args>(&input, &format!("the input of `{}`", definition.name))
            .unwrap_or_else(|violation| panic!("{violation}"));
        Exploration::new(definition, input, Rc::clone(&self.scripts))
    }
}
