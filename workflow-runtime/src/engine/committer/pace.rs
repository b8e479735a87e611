//! When a batch is written: stragglers are hardly waited for, and those that belong together stay together.
//! It knows how many have come, and not what they ask for.

use std::future::poll_fn;
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::Job;

/// From how many on those that are expected are written in two batches, so that the one half goes on while the other is
/// written: about as many as take longer to write than the disk takes to have it.
const LARGE: usize = 32;

/// How long nobody has to come for a batch to be written although more were expected: about what a turn takes that is
/// under way on another thread.
const LULL: Duration = Duration::from_micros(25);

/// What the last batch was like.
#[derive(Default)]
pub(super) struct Pace {
    /// How many it has answered, and how many came meanwhile: those that may ask for something soon.
    pub(super) expected: usize,
    pub(super) took: Duration,
}

impl Pace {
    /// Who came while it was written is expected as well.
    pub(super) fn followed_by(self, jobs: &mpsc::UnboundedReceiver<Job>) -> Pace {
        Pace { expected: self.expected + jobs.len(), ..self }
    }

    /// Not a wait for stragglers: whoever is ready to run has its say first, so that the runs that a batch has answered
    /// meet again in the next one, and do not follow each other with a transaction for each few. Those that another
    /// thread has taken over are looked out for as well, for a small part of what a transaction takes.
    pub(super) async fn gather(&self, jobs: &mpsc::UnboundedReceiver<Job>) {
        let (began, mut count) = (Instant::now(), jobs.len());
        let mut grew = began;
        let enough = if self.expected < LARGE { self.expected } else { self.expected.div_ceil(2) };
        loop {
            let_the_others_go_on().await;
            let now = Instant::now();
            if jobs.len() > count {
                (count, grew) = (jobs.len(), now);
            }
            let is_lull = now - grew >= LULL.min(self.took / 10);
            // The first one is out of the queue already.
            if count + 1 >= enough || is_lull || now - began >= self.took / 2 {
                return;
            }
        }
    }
}

/// Goes to the end of the queue of tasks that are ready to run. Not tokio's `yield_now`: that one comes back only after
/// a look at what timers and sockets may have brought, which costs the threads of an executor a nap for each batch.
async fn let_the_others_go_on() {
    let mut has_gone = false;
    poll_fn(|context| {
        if has_gone {
            return Poll::Ready(());
        }
        has_gone = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
