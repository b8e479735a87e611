//! duroxide as a contestant, on SQLite or Postgres; `poll_ms` sets how often its idle queues are looked at.
//! Its SQLite runs at `synchronous=NORMAL`: the last commits can be lost when the power fails.

use std::sync::Arc;
use std::time::Duration;

use bench_kit::{Contestant, Job, Order, Shape, answer, body, ended};
use duroxide::providers::Provider;
use duroxide::providers::sqlite::SqliteProvider;
use duroxide::runtime::registry::ActivityRegistry;
use duroxide::runtime::{Runtime, RuntimeOptions};
use duroxide::{ActivityContext, Client, OrchestrationContext, OrchestrationRegistry, OrchestrationStatus};

const HOUR: Duration = Duration::from_secs(3_600);

async fn work(context: OrchestrationContext, input: String) -> Result<String, String> {
    let job: Job = serde_json::from_str(&input).map_err(|error| error.to_string())?;
    let call = |step: u32| format!("[{},{step}]", job.run);
    match job.shape {
        Shape::Row => {
            for step in 0..job.steps {
                context.schedule_activity("nothing", call(step)).await?;
            }
            ended(job.run);
        }
        Shape::Beside => {
            let steps = (0..job.steps).map(|step| context.schedule_activity("nothing", call(step)));
            for answer in context.join(steps.collect::<Vec<_>>()).await {
                answer?;
            }
        }
        Shape::Parked => context.schedule_timer(HOUR).await,
        Shape::Waiting => unreachable!("no peer plays it"),
    }
    Ok(job.steps.to_string())
}

async fn nothing(_: ActivityContext, input: String) -> Result<String, String> {
    let (run, step): (u32, u32) = serde_json::from_str(&input).map_err(|error| error.to_string())?;
    serde_json::to_string(&body(run, step).await).map_err(|error| error.to_string())
}

#[derive(Clone)]
struct Duroxide {
    client: Arc<Client>,
    _runtime: Arc<Runtime>,
}

impl Duroxide {
    async fn open(order: Order) -> Duroxide {
        let store: Arc<dyn Provider> = if order.store.starts_with("postgres:") {
            let provider = duroxide_pg::PostgresProvider::new(&order.store).await;
            Arc::new(provider.expect("the database is there"))
        } else {
            // It opens files, but creates none.
            let file = std::fs::OpenOptions::new().create(true).append(true).open(&order.store);
            drop(file.expect("the folder is there"));
            let provider = SqliteProvider::new(&format!("sqlite:{}", order.store), None).await;
            Arc::new(provider.expect("the file is there"))
        };
        let activities = ActivityRegistry::builder().register("nothing", nothing).build();
        let orchestrations = OrchestrationRegistry::builder().register("work", work).build();
        let mut options = RuntimeOptions::default();
        if let Some(poll_ms) = order.settings.get("poll_ms") {
            let poll_ms = poll_ms.parse().expect("a number of milliseconds");
            options.dispatcher_min_poll_interval = Duration::from_millis(poll_ms);
        }
        let runtime =
            Runtime::start_with_options(Arc::clone(&store), activities, orchestrations, options).await;
        Duroxide { client: Arc::new(Client::new(store)), _runtime: runtime }
    }
}

impl Contestant for Duroxide {
    async fn start(&self, job: Job) {
        let input = serde_json::to_string(&job).expect("a job is JSON");
        self.client.start_orchestration(&job.id(), "work", input).await.expect("the store has room");
    }

    async fn complete(&self, job: Job) {
        let id = job.id();
        self.start(job).await;
        match self.client.wait_for_orchestration(&id, HOUR).await.expect("the store answers") {
            OrchestrationStatus::Completed { .. } => {}
            _ => panic!("the steps do not fail"),
        }
    }
}

#[tokio::main]
async fn main() {
    answer(Duroxide::open).await;
}
