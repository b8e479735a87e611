//! `Kit`: mocks for steps and children, and runs that meet them. One per test.
//! It holds what a test says; driving a run is the test run's part.

use std::cell::{Cell, RefCell};
use std::fmt::Debug;
use std::rc::Rc;
use std::sync::Arc;

use workflow_core::{Definition, Payload, StepFn, Workflow, WorkflowCall, WorkflowFn};

use crate::child_mock::ChildMock;
use crate::mock::Mock;
use crate::oracle::elsewhere;
use crate::script::{Served, SharedScripts};
use crate::shape::check_value;
use crate::test_run::{TestRun, root_head};

/// The kit of one test.
#[derive(Default)]
pub struct Kit {
    scripts: SharedScripts,
    served: Rc<RefCell<Served>>,
    one_thread: Cell<bool>,
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

    /// Says how children end; their workflow is named by its function. A child of which nothing is said is run by the
    /// kit, with the same mocks and the same clock.
    pub fn on_child<A, F: WorkflowFn<A>>(&self, _workflow: F) -> ChildMock<F::Workflow> {
        ChildMock::new(&self.scripts)
    }

    /// Shows the world that the mocks model, such as the stock that `reserve` and `release` change. From now on each
    /// compensation is done twice, as after a crash before its answer was recorded, and the second time must succeed
    /// and leave the world as it is. Worlds are compared by how they are printed (`{:?}`): show collections that have
    /// an order. Explorations play many runs in one world: let the mocks of the steps set it up.
    ///
    /// ```
    /// # use std::{cell::RefCell, collections::BTreeSet, rc::Rc};
    /// # use workflow_runtime::prelude::*;
    /// # use workflow_test::Kit;
    /// #[step(retriable)]
    /// async fn release(_shelf: &u32) {}
    ///
    /// let reserved = Rc::new(RefCell::new(BTreeSet::from([7])));
    /// let kit = Kit::new();
    /// kit.on(release).then({
    ///     let reserved = Rc::clone(&reserved);
    ///     move |shelf| drop(reserved.borrow_mut().remove(shelf))
    /// });
    /// kit.world(move || reserved.borrow().clone());
    /// ```
    pub fn world<T: Debug>(&self, look: impl Fn() -> T + 'static) {
        self.scripts.borrow_mut().set_world(look);
    }

    /// Runs that begin from now on are not executed a second time on another thread, for this reason: code that may
    /// only be called on one thread, such as a library with a state for each. Everything else is checked as before.
    ///
    /// ```
    /// # use workflow_test::Kit;
    /// let kit = Kit::new();
    /// kit.on_one_thread("the tax tables are loaded into a thread-local by the test");
    /// ```
    #[track_caller]
    pub fn on_one_thread(&self, reason: &str) {
        elsewhere::assert_reason(reason);
        self.one_thread.set(true);
    }

    /// Starts a run at time zero. Nothing happens to it until it is asked for something.
    #[track_caller]
    pub fn start<W: Workflow>(&self, call: WorkflowCall<W>) -> TestRun<W> {
        self.begin(call, Arc::from([]))
    }

    /// Starts a run that passed the place of this change before it was made: `patched(id)` is false for it, and it goes
    /// the old way.
    #[track_caller]
    pub fn start_before_patch<W: Workflow>(&self, id: &str, call: WorkflowCall<W>) -> TestRun<W> {
        self.begin(call, Arc::from([id.to_owned()]))
    }

    #[track_caller]
    fn begin<W: Workflow>(&self, call: WorkflowCall<W>, before_patches: Arc<[String]>) -> TestRun<W> {
        let definition = Definition::of::<W>();
        let input = Payload::of(&call.into_args())
            .unwrap_or_else(|error| panic!("the input of `{}` cannot be stored: {error}", definition.name));
        check_value::<W::Args>(&input, &format!("the input of `{}`", definition.name))
            .unwrap_or_else(|violation| panic!("{violation}"));
        TestRun::start(
            root_head(definition, before_patches),
            input,
            Rc::clone(&self.scripts),
            Rc::clone(&self.served),
            !self.one_thread.get(),
        )
    }
}
