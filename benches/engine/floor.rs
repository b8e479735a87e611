//! The floor under all engines: what a run writes and nothing else, by a group commit as fast as we can make it.
//! Each write is awaited by its caller; what is queued up meanwhile is one transaction. Knows no workflows.

mod postgres;
mod sqlite;

use std::sync::Arc;

use bench_kit::{Contestant, Job, Order, Scene, Shape, body, ended};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// How far ahead the timer of a parked run is.
const HOUR_MS: i64 = 3_600_000;

/// What one caller wants to be written in one transaction.
struct Write {
    changes: Vec<Change>,
    done: oneshot::Sender<()>,
}

/// A row of a store.
enum Change {
    Start { run: Arc<str> },
    Record { run: Arc<str>, seq: u32, record: Arc<str> },
    Timer { run: Arc<str>, due_ms: i64 },
    End { run: Arc<str> },
}

/// Hands writes to whoever commits them.
trait Committer: Clone + Send + Sync + 'static {
    fn hand_over(&self, write: Write);
}

/// Callers that write what the runs of an engine write.
#[derive(Clone)]
struct Floor<C> {
    committer: C,
    first_record: Arc<str>,
    other_record: Arc<str>,
}

/// The floor on SQLite.
pub(crate) async fn open_sqlite(order: Order) -> impl Contestant {
    let (committer, rows) = sqlite::open(&order.store, order.scene.is_recovery());
    Floor::new(&order, committer).recover(&order.scene, rows)
}

/// The floor on Postgres.
pub(crate) async fn open_postgres(order: Order) -> impl Contestant {
    let (committer, rows) = postgres::open(&order.store, order.scene.is_recovery()).await;
    Floor::new(&order, committer).recover(&order.scene, rows)
}

impl<C: Committer> Floor<C> {
    fn new(order: &Order, committer: C) -> Floor<C> {
        let record = |bytes| "x".repeat(bytes).into();
        Floor { committer, first_record: record(order.sizes.first), other_record: record(order.sizes.other) }
    }

    async fn write(&self, changes: Vec<Change>) {
        let (done, is_done) = oneshot::channel();
        self.committer.hand_over(Write { changes, done });
        is_done.await.expect("the committer outlives its callers");
    }

    async fn begin(&self, run: &Arc<str>, shape: Shape) {
        let record = Arc::clone(&self.first_record);
        let mut changes = vec![
            Change::Start { run: Arc::clone(run) },
            Change::Record { run: Arc::clone(run), seq: 0, record },
        ];
        // What a run waits for is a row, be it a time or a message.
        if matches!(shape, Shape::Parked | Shape::Waiting) {
            changes.push(Change::Timer { run: Arc::clone(run), due_ms: HOUR_MS });
        }
        self.write(changes).await;
    }

    /// The record of a step; that of the last one ends the run as well.
    async fn record(&self, run: &Arc<str>, seq: u32, is_last: bool) {
        let record = Arc::clone(&self.other_record);
        let mut changes = vec![Change::Record { run: Arc::clone(run), seq, record }];
        if is_last {
            changes.push(Change::End { run: Arc::clone(run) });
        }
        self.write(changes).await;
    }

    async fn row(&self, job: &Job, from: u32) {
        let run = job.id().into();
        for step in from..job.steps {
            body(job.run, step).await;
            self.record(&run, step + 1, step + 1 == job.steps).await;
        }
        ended(job.run);
    }

    async fn beside(&self, job: &Job) {
        let run: Arc<str> = job.id().into();
        let mut steps = JoinSet::new();
        for step in 0..job.steps {
            let (floor, run, job) = (self.clone(), Arc::clone(&run), job.clone());
            steps.spawn(async move {
                body(job.run, step).await;
                floor.record(&run, step + 1, step + 1 == job.steps).await;
            });
        }
        while let Some(step) = steps.join_next().await {
            step.expect("no step panics");
        }
    }

    /// Goes on with the runs of a process that was killed; `rows` tells how many rows each of them has.
    fn recover(self, scene: &Scene, rows: Vec<(String, u32)>) -> Floor<C> {
        let steps = match *scene {
            Scene::RunsRecovered { steps, .. } | Scene::LongRunRecovered { steps } => steps,
            _ => return self,
        };
        for (run, rows) in rows {
            let number = run.trim_start_matches("run-").parse().expect("runs are numbered");
            let (floor, job) = (self.clone(), Job::new(number, steps, Shape::Row));
            tokio::spawn(async move { floor.row(&job, rows - 1).await });
        }
        self
    }
}

impl<C: Committer> Contestant for Floor<C> {
    async fn start(&self, job: Job) {
        self.begin(&job.id().into(), job.shape).await;
    }

    async fn complete(&self, job: Job) {
        self.begin(&job.id().into(), job.shape).await;
        match job.shape {
            Shape::Row => self.row(&job, 0).await,
            Shape::Beside => self.beside(&job).await,
            Shape::Parked | Shape::Waiting => unreachable!("nobody waits for a run that only waits"),
        }
    }
}
