//! This project's engine as a contestant, on any of its stores.
//! Knows the public interface only, as a user does.

use std::path::Path;
use std::time::Duration;

use bench_kit::{Answer, Contestant, Job, Order, RecordSizes, Shape, body, ended};
use workflow_core::Record;
use workflow_runtime::prelude::*;
use workflow_runtime::{EngineBuilder, Postgres};

/// How long a shared store keeps the runs of a killed engine for it. Others wait for that however fast they are, so the
/// benchmark waits, too, before its clock starts. Short, because half a minute, the default, is long for each round.
pub(crate) const LEASE: Duration = Duration::from_secs(2);

#[step(read_only)]
async fn nothing(run: u32, step: u32) -> Answer {
    body(run, step).await
}

#[workflow]
async fn row(job: Job) -> u32 {
    for step in 0..job.steps {
        nothing(job.run, step).await;
    }
    ended(job.run);
    job.steps
}

#[workflow]
async fn beside(job: Job) -> u32 {
    let answers = join_all((0..job.steps).map(|step| nothing(job.run, step))).await;
    answers.iter().map(|answer| u32::from(answer.ok)).sum()
}

#[workflow]
async fn parked(job: Job) -> u32 {
    sleep(hours(1)).await;
    job.steps
}

/// What nobody sends.
#[derive(Clone, Debug, Serialize, Deserialize, Message)]
#[message(key = run)]
struct Answered {
    run: String,
}

#[workflow]
async fn waiting(job: Job) -> u32 {
    receive::<Answered>(job.id()).forever().await;
    job.steps
}

/// The engine with its workflows.
#[derive(Clone)]
struct Ours(Engine);

/// The engine on SQLite: opens the file that the order names, and goes on with the runs in it.
pub(crate) async fn open_sqlite(order: Order) -> impl Contestant {
    Ours::on_sqlite(order.store.as_ref()).await
}

/// The engine on Postgres: connects to the database that the order names, and goes on with the runs in it.
pub(crate) async fn open_postgres(order: Order) -> impl Contestant {
    let store = Postgres::connect(&order.store).await.expect("the server is there");
    Ours::begin(Engine::builder().store(store).lease(LEASE)).await
}

impl Ours {
    async fn on_sqlite(path: &Path) -> Ours {
        let store = Sqlite::open(path).await.expect("the folder is there");
        Ours::begin(Engine::builder().store(store)).await
    }

    async fn begin(builder: EngineBuilder) -> Ours {
        let builder = builder.register(row).register(beside).register(parked).register(waiting);
        Ours(builder.start().await.expect("the store is nobody else's"))
    }
}

impl Contestant for Ours {
    async fn start(&self, job: Job) {
        let id = job.id();
        let started = match job.shape {
            Shape::Row => self.0.start(row(job)).id(id).await,
            Shape::Beside => self.0.start(beside(job)).id(id).await,
            Shape::Parked => self.0.start(parked(job)).id(id).await,
            Shape::Waiting => self.0.start(waiting(job)).id(id).await,
        };
        started.expect("the disk has room");
    }

    async fn complete(&self, job: Job) {
        let (id, steps) = (job.id(), job.steps);
        let run = match job.shape {
            Shape::Row => self.0.start(row(job)).id(id).await,
            Shape::Beside => {
                let run = self.0.start(beside(job)).id(id).await.expect("the disk has room");
                assert_eq!(run.result().await.expect("the steps do not fail"), steps);
                return;
            }
            Shape::Parked | Shape::Waiting => unreachable!("nobody waits for a run that only waits"),
        };
        let run = run.expect("the disk has room");
        assert_eq!(run.result().await.expect("the steps do not fail"), steps);
    }
}

/// How large the rows of such a run are in the journal of this engine.
pub(crate) async fn record_sizes(shape: Shape, steps: u32) -> RecordSizes {
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    let ours = Ours::on_sqlite(&folder.path().join("sizes.db")).await;
    let job = Job::new(0, steps, shape);
    let id = job.id();
    match shape {
        Shape::Parked | Shape::Waiting => ours.start(job).await,
        Shape::Row | Shape::Beside => ours.complete(job).await,
    }
    let journal = ours.0.client().journal(&id).await.expect("the run was started");
    ours.0.shutdown().await;
    let (first, others) = journal.split_first().expect("a run begins with a row");
    let size = |record: &Record| serde_json::to_string(record).expect("a record is JSON").len();
    let of_others = others.iter().map(size).sum::<usize>();
    RecordSizes { first: size(first), other: of_others / others.len().max(1) }
}
