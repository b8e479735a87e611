//! A cancel reaches whoever waits for it, and a heartbeat whoever listens: with no executor, poll by poll.
//! It must not know how the signals travel.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use workflow_core::StepContext;

/// Counts how often it is woken.
#[derive(Default)]
struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn poll<F: Future>(future: Pin<&mut F>, bell: &Arc<Bell>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(&Waker::from(Arc::clone(bell))))
}

#[test]
fn a_cancel_wakes_everyone_who_waits_for_it() {
    let (cx, control) = StepContext::controlled("run", "step", 1);
    let clone = cx.clone();
    let bell = Arc::<Bell>::default();
    let (mut one, mut other) = (pin!(cx.cancelled()), pin!(clone.cancelled()));
    assert!(poll(one.as_mut(), &bell).is_pending() && poll(other.as_mut(), &bell).is_pending());
    assert!(!cx.is_cancelled());
    control.cancel();
    assert_eq!(bell.0.load(Ordering::SeqCst), 2);
    assert!(poll(one, &bell).is_ready() && poll(other, &bell).is_ready());
    assert!(clone.is_cancelled());
    assert!(poll(pin!(cx.cancelled()), &bell).is_ready(), "who asks later hears it at once");
}

#[test]
fn a_heartbeat_is_heard_and_counted() {
    let (cx, control) = StepContext::controlled("run", "step", 1);
    let bell = Arc::<Bell>::default();
    let mut next = pin!(control.heartbeat_after(0));
    assert!(poll(next.as_mut(), &bell).is_pending());
    cx.heartbeat();
    cx.clone().heartbeat();
    assert_eq!(poll(next, &bell), Poll::Ready(2));
    assert!(poll(pin!(control.heartbeat_after(2)), &bell).is_pending());
    assert_eq!(poll(pin!(control.heartbeat_after(1)), &bell), Poll::Ready(2));
}

#[test]
fn a_cancel_from_another_thread_is_not_missed() {
    for _ in 0..200 {
        let (cx, control) = StepContext::controlled("run", "step", 1);
        let bell = Arc::<Bell>::default();
        let canceller = std::thread::spawn(move || control.cancel());
        let mut cancelled = pin!(cx.cancelled());
        let is_ready = poll(cancelled.as_mut(), &bell).is_ready();
        canceller.join().unwrap();
        assert!(is_ready || bell.0.load(Ordering::SeqCst) == 1, "it was told, or it was woken");
        assert!(is_ready || poll(cancelled, &bell).is_ready());
    }
}
