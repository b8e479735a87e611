//! What may be awaited in a workflow, and the hidden context through which it is.
//! The `#[workflow]` macro turns `.await` into `.__durable(&__cx, n).await`; nobody else calls this.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::OpId;
use crate::dropped::Dropped;
use crate::frame::Frame;
use crate::outside::Asked;
use crate::state::State;

/// An operation that the journal records: a step call, a timer, a wait for a message.
/// It is a description, not a future.
#[diagnostic::on_unimplemented(
    message = "WF001: `{Self}` is not a durable operation, so it cannot be awaited in a `#[workflow]`",
    label = "this await is not recorded in the journal: after a crash it would run again with another result",
    note = "durable operations are calls of a `#[step]`, `#[subflow]` or `#[workflow]`, `sleep(..)`, `receive(..)`",
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

    /// What the macro writes behind a call whose value is dropped.
    #[doc(hidden)]
    fn __dropped(self) -> Dropped<Self> {
        Dropped(self)
    }

    /// What the macro writes before a method that may ask the clock or the disk.
    #[doc(hidden)]
    fn __asked(&self) -> Asked<'_, Self> {
        Asked(self)
    }
}

impl<T> AwaitExt for T {}

/// The way from the code of a workflow to its run. Hidden: user code cannot name it.
#[derive(Clone)]
pub struct Cx {
    state: Arc<Mutex<State>>,
    pub(crate) frame: Arc<Frame>,
}

impl Cx {
    pub(crate) fn new(state: State, frame: Frame) -> Cx {
        Cx { state: Arc::new(Mutex::new(state)), frame: Arc::new(frame) }
    }

    /// The same run, seen from elsewhere in the code.
    pub(crate) fn at(&self, frame: Frame) -> Cx {
        Cx { state: Arc::clone(&self.state), frame: Arc::new(frame) }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // A panic while the lock is held is a defect of ours; the state behind it is not worth keeping up.
        self.state.lock().expect("no code of the user runs while the state is locked")
    }

    /// The id of the operation that begins at this `.await` now.
    pub(crate) fn next_op(&self, position: usize) -> OpId {
        self.next_op_in(&mut self.state(), position)
    }

    /// The same for who has locked the state already.
    pub(crate) fn next_op_in(&self, state: &mut State, position: usize) -> OpId {
        if let Some(instance) = &self.frame.instance {
            return instance.clone();
        }
        let node = (self.frame.positions)()[position];
        let (graph, prefix) = ((self.frame.graph)(), &self.frame.prefix);
        let occurrence = state.pass(prefix, node);
        match state.renames.former_id(graph, node) {
            Some(former) => OpId::under(prefix, former, occurrence),
            None => OpId::new(prefix, &graph.nodes[node].id, occurrence),
        }
    }
}
