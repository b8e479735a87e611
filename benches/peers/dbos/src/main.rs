//! dbos as a contestant, on Postgres with the settings that it is shipped with.
//! Nothing acknowledged is lost: its commits are those of a Postgres at its defaults.

use std::sync::Arc;
use std::time::Duration;

use bench_kit::{Answer, Contestant, Job, Order, Shape, answer, body, ended};
use dbos::{Config, DBOS, StartOptions, WorkflowRef};
use futures::future::join_all;

async fn work(job: Job) -> dbos::Result<u32> {
    let run = job.run;
    match job.shape {
        Shape::Row => {
            for step in 0..job.steps {
                let _: Answer =
                    dbos::step("nothing", move || async move { dbos::Result::Ok(body(run, step).await) }).await?;
            }
            ended(run);
        }
        Shape::Beside => {
            let steps = (0..job.steps).map(|step| {
                dbos::step("nothing", move || async move { dbos::Result::Ok(body(run, step).await) })
            });
            for answer in join_all(steps).await {
                let _: Answer = answer?;
            }
        }
        Shape::Parked => dbos::sleep(Duration::from_secs(3_600)).await?,
        Shape::Waiting => unreachable!("no peer plays it"),
    }
    Ok(job.steps)
}

#[derive(Clone)]
struct Dbos(Arc<WorkflowRef<Job, u32>>);

impl Dbos {
    /// Launching goes on with the runs that a killed process has left.
    async fn open(order: Order) -> Dbos {
        let config = Config { app_version: Some("1".into()), ..Config::new("bench", order.store) };
        let dbos = DBOS::new(config);
        let workflow = dbos.register_workflow("work", work).expect("one workflow of this name");
        dbos.launch().await.expect("the database is there");
        Dbos(Arc::new(workflow))
    }
}

impl Contestant for Dbos {
    async fn start(&self, job: Job) {
        let id = job.id();
        let options = StartOptions { workflow_id: Some(&id), ..Default::default() };
        self.0.start_with(job, options).await.expect("the database has room");
    }

    async fn complete(&self, job: Job) {
        let id = job.id();
        let options = StartOptions { workflow_id: Some(&id), ..Default::default() };
        let run = self.0.start_with(job, options).await.expect("the database has room");
        run.result().await.expect("the steps do not fail");
    }
}

#[tokio::main]
async fn main() {
    answer(Dbos::open).await;
}
