//! Statics that others may change while a run goes on or before it is replayed, found by type (WF013).
//! The `#[workflow]` macro asks about each constant and static that its body names; nothing of this ever runs.

use std::cell::{Cell, OnceCell, RefCell};
use std::sync::atomic::{
    AtomicBool, AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicIsize, AtomicPtr, AtomicU8, AtomicU16,
    AtomicU32, AtomicU64, AtomicUsize,
};
use std::sync::mpsc::{Sender, SyncSender};
use std::sync::{Arc, Barrier, Condvar, LazyLock, Mutex, Once, OnceLock, RwLock};
use std::thread::LocalKey;

/// A constant or static that the body of a workflow names.
pub struct Named<'a, T: ?Sized>(pub &'a T);

/// What every replay finds as it was.
pub trait Unchanging {
    #[doc(hidden)]
    fn __unchanging(self);
}

impl<T: ?Sized> Unchanging for Named<'_, T> {
    fn __unchanging(self) {}
}

impl<T: SharedState + ?Sized> Named<'_, T> {
    /// Never compiles. It comes before the method of [`Unchanging`], and so tells WF013.
    #[doc(hidden)]
    pub fn __unchanging(self)
    where
        T: ReplayedAlike,
    {
    }
}

/// That a replay reads the same from a static. Nothing that can be changed behind a shared reference has it.
#[diagnostic::on_unimplemented(
    message = "WF013: a static that others may change is used in a `#[workflow]`",
    label = "a replay finds another value in this `{Self}`",
    note = "pass the value as an argument of the workflow, or read and write it in a `#[step]`",
    note = "if it is always the same: `#[allow_workflow(shared_static, reason = \"..\")]` above the statement",
    note = "see docs/errors/WF013.md"
)]
pub trait ReplayedAlike {}

/// What can be changed behind a shared reference, or is another in each thread.
pub trait SharedState {}

macro_rules! shared_state {
    ($([$($parameter:tt)*] $shared:ty),* $(,)?) => {
        $(impl<$($parameter)*> SharedState for $shared {})*
    };
}

shared_state! {
    [] AtomicBool,
    [] AtomicI8,
    [] AtomicI16,
    [] AtomicI32,
    [] AtomicI64,
    [] AtomicIsize,
    [] AtomicU8,
    [] AtomicU16,
    [] AtomicU32,
    [] AtomicU64,
    [] AtomicUsize,
    [T] AtomicPtr<T>,
    [] Condvar,
    [] Once,
    [T] Mutex<T>,
    [T] RwLock<T>,
    [T] OnceLock<T>,
    [T, F] LazyLock<T, F>,
    [T: 'static] LocalKey<T>,
    [T] Cell<T>,
    [T] RefCell<T>,
    [T] OnceCell<T>,
    [] Barrier,
    [T] Sender<T>,
    [T] SyncSender<T>,
    [T: SharedState] &T,
    [T: SharedState] Option<T>,
    [T: SharedState] Box<T>,
    [T: SharedState] Arc<T>,
    [T: SharedState] Vec<T>,
    [T: SharedState] [T],
    [T: SharedState, const N: usize] [T; N],
}
