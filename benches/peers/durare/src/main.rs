//! durare as a contestant, on SQLite or Postgres with the settings that it is shipped with.
//! Its SQLite runs at `synchronous=NORMAL`: the last commits can be lost when the power fails.

use std::sync::Arc;
use std::time::Duration;

use bench_kit::{Answer, Contestant, Job, Order, Shape, answer, body, ended};
use durare::{DurableContext, DurableEngine, Error, PostgresProvider, SqliteProvider, StateProvider, WorkflowOptions};
use futures::future::join_all;

async fn work(context: DurableContext, job: Job) -> durare::Result<u32> {
    let run = job.run;
    match job.shape {
        Shape::Row => {
            for step in 0..job.steps {
                let _: Answer = context
                    .step("nothing", move || async move { Ok::<_, Error>(body(run, step).await) })
                    .await?;
            }
            ended(run);
        }
        Shape::Beside => {
            let steps = (0..job.steps).map(|step| {
                context.step("nothing", move || async move { Ok::<_, Error>(body(run, step).await) })
            });
            for answer in join_all(steps.collect::<Vec<_>>()).await {
                let _: Answer = answer?;
            }
        }
        Shape::Parked => context.sleep(Duration::from_secs(3_600)).await?,
        Shape::Waiting => unreachable!("no peer plays it"),
    }
    Ok(job.steps)
}

#[derive(Clone)]
struct Durare(Arc<DurableEngine>);

impl Durare {
    async fn open(order: Order) -> Durare {
        let provider: Arc<dyn StateProvider> = if order.store.starts_with("postgres:") {
            Arc::new(PostgresProvider::connect(&order.store).await.expect("the database is there"))
        } else {
            let url = format!("sqlite://{}", order.store);
            Arc::new(SqliteProvider::connect(&url).await.expect("the folder is there"))
        };
        let mut builder = DurableEngine::builder(provider);
        builder.register::<Job, u32, _, _>("work", work);
        let engine = builder.build().await.expect("one workflow of this name");
        engine.launch().await.expect("the store answers");
        if order.scene.is_recovery() {
            engine.recover().await.expect("the store answers");
        }
        Durare(Arc::new(engine))
    }
}

impl Contestant for Durare {
    async fn start(&self, job: Job) {
        let options = WorkflowOptions::with_id(job.id());
        self.0.start::<Job, u32>("work", job, options).await.expect("the store has room");
    }

    async fn complete(&self, job: Job) {
        let options = WorkflowOptions::with_id(job.id());
        let run = self.0.start::<Job, u32>("work", job, options).await.expect("the store has room");
        run.result().await.expect("the steps do not fail");
    }
}

#[tokio::main]
async fn main() {
    answer(Durare::open).await;
}
