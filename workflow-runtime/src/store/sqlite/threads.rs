//! Threads of their own for connections: SQLite blocks, which an executor must not. Jobs go to them over a channel, and
//! come to their end there, also when nobody waits for them any more.
//! It knows how a job reaches a connection and how its answer comes back, not what either is.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::trouble::{Result, Trouble, closed};
use crate::store::{StoreError, StoreFault};

type Open = dyn Fn() -> Result<Connection> + Send + Sync;

type Job = Box<dyn FnOnce(&mut Seat) + Send>;

/// One thread or more, with a connection each, that share the jobs.
pub(super) struct Threads {
    /// `None` once they are told to end.
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    /// Each ends when its thread does.
    ends: Mutex<Vec<oneshot::Receiver<()>>>,
}

/// Where a thread has its connection. It is opened when the first job asks for it.
struct Seat {
    open: Arc<Open>,
    connection: Option<Connection>,
}

impl Seat {
    fn connection(&mut self) -> Result<&Connection> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => (self.open)()?,
        };
        Ok(self.connection.insert(connection))
    }
}

impl Threads {
    /// # Errors
    /// When the system has no thread to give.
    pub(super) fn start(
        name: &str,
        count: usize,
        open: impl Fn() -> Result<Connection> + Send + Sync + 'static,
    ) -> std::result::Result<Threads, StoreError> {
        let (sender, receiver) = mpsc::channel::<Job>();
        let receiver = Arc::new(Mutex::new(receiver));
        let open: Arc<Open> = Arc::new(open);
        let mut ends = Vec::with_capacity(count);
        for _ in 0..count {
            let (end, ended) = oneshot::channel();
            let receiver = Arc::clone(&receiver);
            let seat = Seat { open: Arc::clone(&open), connection: None };
            let thread = std::thread::Builder::new().name(name.to_owned());
            let started = thread.spawn(move || {
                work(&receiver, seat);
                drop(end);
            });
            started.map_err(|error| {
                let message = format!("no thread can be started for the database: {error}");
                StoreError::new(StoreFault::Unavailable, message).caused_by(error)
            })?;
            ends.push(ended);
        }
        Ok(Threads { jobs: Mutex::new(Some(sender)), ends: Mutex::new(ends) })
    }

    /// Has a job done, and waits for its answer. The job is handed over when this is first polled.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        self.hand_over(Box::new(move |seat| {
            let done = seat.connection().and_then(job);
            let _ = reply.send(done); // Who does not wait any more has lost interest.
        }))?;
        answer.await.unwrap_or_else(|_| {
            let message = "a job of the database broke off: see the panic that was reported";
            Err(StoreError::new(StoreFault::Refused, message).into())
        })
    }

    /// Has a job done for whose answer nobody waits.
    pub(super) fn post(&self, job: impl FnOnce(&Connection) + Send + 'static) {
        // Without a thread there is no connection on which there could be anything to do.
        let _ = self.hand_over(Box::new(move |seat| {
            if let Some(connection) = &seat.connection {
                job(connection);
            }
        }));
    }

    fn hand_over(&self, job: Job) -> Result<()> {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = jobs.as_ref().map(|jobs| jobs.send(job));
        sent.and_then(std::result::Result::ok).ok_or_else(|| Trouble::from(closed()))
    }

    /// Waits until what was handed over is done and the connections are closed.
    pub(super) async fn close(&self) {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take();
        let ends = std::mem::take(&mut *self.ends.lock().unwrap_or_else(PoisonError::into_inner));
        for end in ends {
            let _ = end.await; // Nothing is sent: it ends.
        }
    }
}

fn work(jobs: &Mutex<mpsc::Receiver<Job>>, mut seat: Seat) {
    loop {
        // Those that wait for the lock wait for a job, too.
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { break };
        // Whoever asked hears of a panic; the others must still be served.
        let _ = catch_unwind(AssertUnwindSafe(|| job(&mut seat)));
    }
    if let Some(Err((_, error))) = seat.connection.map(Connection::close) {
        tracing::warn!(%error, "the database did not close in order; nothing is lost");
    }
}
