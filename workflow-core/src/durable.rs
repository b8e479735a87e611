//! What may be awaited in a workflow, and the hidden context through which it is.
//! The `#[workflow]` macro turns `.await` into `.__durable(&__cx, n).await`; nobody else calls this.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::state::State;

/// An operation that the journal records: a step call, a timer, a wait for a message.
/// It is a description, not a future.
#[diagnostic::on_unimplemented(
    message = "WF001: `{Self}` is not a durable operation, so it cannot be awaited in a `#[workflow]`",
    label = "this await is not recorded in the journal: after a crash it would run again with another result",
    note = "durable operations are calls of a `#[step]`, `sleep(..)` and `receive::<M>(..)`",
    note = "move this code into a `#[step]` and await the step instead; see docs/errors/WF001.md"
)]
pub trait Durable: Sized {
    /// What awaiting it gives.
    type Output;
    /// The operation under way.
    type Running: Future<Output = Self::Output> + Send;
    /// Asks the run to begin this operation, at this `.await` of the function's text.
    fn start(self, cx: &Cx, position: usize) -> Self::Running;
}

/// Gives every expression the method that the macro writes before `.await`.
pub trait AwaitExt: Sized {
    #[doc(hidden)]
    fn __durable(self, cx: &Cx, position: usize) -> Self::Running
    where
        Self: Durable,
    {
        self.start(cx, position)
    }
}

impl<T> AwaitExt for T {}

/// The way from the code of a workflow to its run. Hidden: user code cannot name it.
#[derive(Clone)]
pub struct Cx(Arc<Mutex<State>>);

impl Cx {
    pub(crate) fn new(state: State) -> Cx {
        Cx(Arc::new(Mutex::new(state)))
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // A panic while the lock is held is a defect of ours; the state behind it is not worth keeping up.
        self.0.lock().expect("no code of the user runs while the state is locked")
    }
}
