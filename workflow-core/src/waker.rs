//! A waker that accuses whoever takes it: durable operations never touch the waker, foreign futures must.
//! It wakes nobody, and it costs nothing until it is touched.
//! Beside the addresses of graphs this is the one place with `unsafe`: only a waker with functions of its own sees that
//! it is cloned, and only then the call stack shows who did it.

use std::backtrace::Backtrace;
use std::cell::{Cell, RefCell};
use std::ptr;
use std::task::{Context, RawWaker, RawWakerVTable, Waker};

thread_local! {
    /// Whether the waker was touched in the poll under way on this thread. All that a poll without offence looks at.
    static TOUCHED: Cell<bool> = const { Cell::new(false) };
    /// Who touched it first.
    static STACK: RefCell<Option<Backtrace>> = const { RefCell::new(None) };
}

/// The waker that the code of workflows is polled with.
static WATCHED: RawWakerVTable = RawWakerVTable::new(take, accuse, accuse, ignore);

/// The waker that a foreign future got hold of. The clone was the offence; what comes of it may come at any time, also
/// while another run is polled.
static TAKEN: RawWakerVTable = RawWakerVTable::new(taken, ignore, ignore, ignore);

#[allow(unsafe_code, reason = "only a waker with functions of its own sees that it is cloned")]
// SAFETY: no function of either table looks at the data, which is null, or keeps anything beside a thread-local of the
// thread that it is called on. So they may be called on any thread, in any order, and as often as one likes.
static ACCUSER: Waker = unsafe { Waker::new(ptr::null(), &WATCHED) };

fn take(_: *const ()) -> RawWaker {
    accuse(ptr::null());
    taken(ptr::null())
}

fn taken(_: *const ()) -> RawWaker {
    RawWaker::new(ptr::null(), &TAKEN)
}

fn ignore(_: *const ()) {}

#[cold]
fn accuse(_: *const ()) {
    // A thread that is on its way out polls no run.
    let is_first = TOUCHED.try_with(|touched| !touched.replace(true)).unwrap_or(false);
    if is_first {
        let stack = Backtrace::force_capture();
        let _ = STACK.try_with(|first| first.replace(Some(stack)));
    }
}

#[cold]
fn take_stack() -> Option<Backtrace> {
    TOUCHED.set(false);
    STACK.take()
}

/// Polls the code of a workflow. Also gives the call stack of whoever cloned the waker or woke it meanwhile.
pub(crate) fn watch<T>(poll: impl FnOnce(&mut Context<'_>) -> T) -> (T, Option<Backtrace>) {
    let polled = poll(&mut Context::from_waker(&ACCUSER));
    (polled, if is_touched() { take_stack() } else { None })
}

/// Whether it has been touched in the poll under way.
pub(crate) fn is_touched() -> bool {
    TOUCHED.get()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_poll_that_leaves_the_waker_alone_is_not_accused() {
        let (polled, touched) = watch(|context| context.waker().will_wake(&ACCUSER));
        assert!(polled && touched.is_none());
    }

    #[test]
    fn a_clone_and_a_wake_are_accused_also_when_nothing_is_left_of_them() {
        assert!(watch(|context| drop(context.waker().clone())).1.is_some());
        assert!(watch(|context| context.waker().wake_by_ref()).1.is_some());
        assert!(watch(|_| ()).1.is_none(), "each poll answers for itself");
    }

    #[test]
    fn it_is_known_during_the_poll() {
        let (known, _) = watch(|context| (is_touched(), drop(context.waker().clone()), is_touched()));
        assert_eq!((known.0, known.2, is_touched()), (false, true, false));
    }

    #[test]
    fn what_becomes_of_a_clone_accuses_nobody_else() {
        let (kept, _) = watch(|context| context.waker().clone());
        let (_, touched) = watch(|_| {
            kept.wake_by_ref();
            let clone = kept.clone();
            clone.wake();
        });
        assert!(touched.is_none());
        let other_thread = std::thread::spawn(move || watch(|_| drop(kept)).1.is_none());
        assert!(other_thread.join().unwrap());
    }
}
