//! The body of every step and the end of every workflow, the same for all contestants.
//! Knows what is noted about them in this process; must not know who calls.

use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::Instant;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::ledger::{Entry, Ledger};
use crate::order::{Job, Scene};

/// What a step answers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The number of the step.
    pub step: u32,
    /// Always true.
    pub ok: bool,
}

/// What the bodies of this process note.
struct Notes {
    ledger: Option<Ledger>,
    /// When each body ran, if the scene wants to know.
    marks: Option<Mutex<Vec<Instant>>>,
    /// Bodies that run until the process kills itself.
    left: Option<AtomicU32>,
    /// The step of run 0 that never answers.
    stuck_at: Option<u32>,
    /// Runs that have not ended.
    unfinished: Mutex<BTreeSet<u32>>,
    changed: Notify,
}

static NOTES: OnceLock<Notes> = OnceLock::new();

/// Prepares what the scene has to note. Before the contestant begins: recovery may run a body at once.
pub(crate) fn prepare(scene: &Scene) -> io::Result<()> {
    let mut notes = Notes {
        ledger: None,
        marks: None,
        left: None,
        stuck_at: None,
        unfinished: Mutex::default(),
        changed: Notify::new(),
    };
    match scene {
        Scene::Latency { .. } => notes.marks = Some(Mutex::default()),
        Scene::RunsUntilKilled { kill_after, ledger, .. } => {
            notes.ledger = Some(Ledger::open(ledger)?);
            notes.left = Some(AtomicU32::new(*kill_after));
        }
        Scene::RunsRecovered { runs, ended, ledger, .. } => {
            notes.ledger = Some(Ledger::open(ledger)?);
            let unfinished = (0..*runs).filter(|run| !ended.contains(run)).collect();
            notes.unfinished = Mutex::new(unfinished);
        }
        Scene::LongRunUntilKilled { steps } => {
            notes.marks = Some(Mutex::default());
            notes.stuck_at = steps.checked_sub(1);
        }
        Scene::LongRunRecovered { .. } => notes.unfinished = Mutex::new(BTreeSet::from([0])),
        Scene::Throughput { .. } | Scene::FanOut { .. } | Scene::Parked { .. } => {}
    }
    assert!(NOTES.set(notes).is_ok(), "a process plays one scene");
    Ok(())
}

/// The body of a step: it does nothing but note that it ran.
pub async fn body(run: u32, step: u32) -> Answer {
    let Some(notes) = NOTES.get() else { return Answer { step, ok: true } };
    if run < Job::WARM_UP {
        if let Some(ledger) = &notes.ledger {
            ledger.note(Entry::Ran { run, step });
        }
        if let Some(marks) = &notes.marks {
            marks.lock().expect("nothing panics while this is locked").push(Instant::now());
        }
        if notes.left.as_ref().is_some_and(|left| left.fetch_sub(1, Ordering::Relaxed) == 1) {
            kill_this_process();
        }
        if notes.stuck_at == Some(step) {
            notes.changed.notify_waiters();
            std::future::pending::<()>().await;
        }
    }
    Answer { step, ok: true }
}

/// To be called where the code of a workflow of [`Shape::Row`](crate::Shape::Row) ends; called again on a replay.
pub fn ended(run: u32) {
    let Some(notes) = NOTES.get() else { return };
    if let Some(ledger) = notes.ledger.as_ref().filter(|_| run < Job::WARM_UP) {
        ledger.note(Entry::Ended { run });
    }
    let mut unfinished = notes.unfinished.lock().expect("nothing panics while this is locked");
    if unfinished.remove(&run) && unfinished.is_empty() {
        notes.changed.notify_waiters();
    }
}

/// As abrupt as a failure gets: nothing is flushed and nobody is told.
pub(crate) fn kill_this_process() -> ! {
    let killed = kill(Pid::this(), Signal::SIGKILL);
    unreachable!("a process may kill itself: {killed:?}")
}

/// Waits until all unfinished runs have ended.
pub(crate) async fn all_ended() {
    let notes = NOTES.get().expect("the scene was prepared");
    loop {
        let mut changed = std::pin::pin!(notes.changed.notified());
        changed.as_mut().enable();
        if notes.unfinished.lock().expect("nothing panics while this is locked").is_empty() {
            return;
        }
        changed.await;
    }
}

/// Waits until so many bodies have run, and gives when each of them did.
pub(crate) async fn marks(count: usize) -> Vec<Instant> {
    let notes = NOTES.get().expect("the scene was prepared");
    loop {
        let mut changed = std::pin::pin!(notes.changed.notified());
        changed.as_mut().enable();
        let marks = take_marks();
        if marks.len() >= count {
            return marks;
        }
        changed.await;
    }
}

/// When each body ran, so far.
pub(crate) fn take_marks() -> Vec<Instant> {
    let marks = NOTES.get().and_then(|notes| notes.marks.as_ref());
    marks.map(|marks| marks.lock().expect("nothing panics while this is locked").clone()).unwrap_or_default()
}
