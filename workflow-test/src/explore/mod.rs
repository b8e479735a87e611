//! Exploration: runs one workflow under every choice that the outside has, and holds each run against the oracles.
//! One execution is a pure function of its choices; the clock on the wall only ends the search.

mod aftermath;
mod again;
mod batch;
pub(crate) mod choices;
mod crash;
mod ending;
mod execution;
mod exploration;
mod faults;
mod frontier;
mod gaps;
mod order;
mod plan;
mod regressions;
mod report;
mod search;
mod shrink;
mod test_name;
#[cfg(test)]
mod tests;

use std::fmt::Debug;
use std::rc::Rc;
use std::sync::Arc;

use workflow_core::{Definition, Payload, StepFn, Workflow, WorkflowCall, WorkflowFn};

use crate::child_mock::ChildMock;
use crate::explore::ending::Ending;
use crate::mock::Mock;
use crate::script::SharedScripts;
use crate::shape::check_value;

pub use exploration::Exploration;
pub use report::{Failure, Report};
pub(crate) use test_name::TestName;

/// The kit of a test that explores.
pub struct Explore {
    scripts: SharedScripts,
    test: TestName,
    /// `None` for a kit that the test has made itself: it may make several.
    ending: Option<Arc<Ending>>,
}

impl Default for Explore {
    fn default() -> Explore {
        Explore::new()
    }
}

impl Explore {
    /// A kit without mocks, for the test that is running.
    pub fn new() -> Explore {
        Explore { scripts: SharedScripts::default(), test: TestName::of_thread(), ending: None }
    }

    /// A kit without mocks, for the test of this name: what is needed to repeat a failure alone.
    pub fn named(test: &str) -> Explore {
        Explore { scripts: SharedScripts::default(), test: TestName::named(test), ending: None }
    }

    /// What `#[workflow_test(explore)]` hands over.
    #[doc(hidden)]
    pub fn of_test(function: &str, module: &str, package: &str) -> Explore {
        let test = TestName::of_macro(function, module, package);
        Explore { scripts: SharedScripts::default(), test, ending: Some(Ending::of_kit()) }
    }

    /// Says what a step answers when nothing goes wrong with it.
    pub fn on<A, F: StepFn<A>>(&self, _step: F) -> Mock<F::Step> {
        Mock::new(&self.scripts)
    }

    /// Says how children end when nothing goes wrong with them. A child of which nothing is said is run by the kit,
    /// with the same mocks and the same clock.
    pub fn on_child<A, F: WorkflowFn<A>>(&self, _workflow: F) -> ChildMock<F::Workflow> {
        ChildMock::new(&self.scripts)
    }

    /// Shows the world that the mocks model; see [`Kit::world`](crate::Kit::world).
    pub fn world<T: Debug>(&self, look: impl Fn() -> T + 'static) {
        self.scripts.borrow_mut().set_world(look);
    }

    /// Says which workflow is explored, and with which arguments.
    #[track_caller]
    pub fn workflow<W: Workflow>(&self, call: impl FnOnce() -> WorkflowCall<W>) -> Exploration {
        let definition = Definition::of::<W>();
        let input = Payload::of(&call().into_args())
            .unwrap_or_else(|error| panic!("the input of `{}` cannot be stored: {error}", definition.name));
        check_value::<W::Args>(&input, &format!("the input of `{}`", definition.name))
            .unwrap_or_else(|violation| panic!("{violation}"));
        let scripts = Rc::clone(&self.scripts);
        Exploration::new(definition, input, scripts, self.test.clone(), self.ending.clone())
    }
}
