//! Restate as a contestant: its handlers and the client that starts them, in one process; the server is another one.
//! The server forces its log to the disk before it acknowledges.

use std::time::Duration;

use bench_kit::{Contestant, Job, Order, Shape, answer, body, ended};
use restate_sdk::prelude::*;

struct Work;

#[service]
impl Work {
    #[handler]
    async fn run(&self, context: Context<'_>, input: Json<Job>) -> Result<u32, HandlerError> {
        let job = input.into_inner();
        let run = job.run;
        match job.shape {
            Shape::Row => {
                for step in 0..job.steps {
                    context.run(move || async move { Ok(Json(body(run, step).await)) }).await?;
                }
                ended(run);
            }
            // A thousand `run`s that are awaited together never end in this version; as many calls do.
            Shape::Beside => {
                let mut calls = DurableFuturesUnordered::new();
                for step in 0..job.steps {
                    calls.push(context.service_client::<WorkClient>().step(Json((run, step))).call());
                }
                while let Some((_, answer)) = calls.next().await? {
                    answer?;
                }
            }
            Shape::Parked => context.sleep(Duration::from_secs(3_600)).await?,
            Shape::Waiting => unreachable!("no peer plays it"),
        }
        Ok(job.steps)
    }

    #[handler]
    async fn step(&self, _: Context<'_>, input: Json<(u32, u32)>) -> Result<bool, HandlerError> {
        let (run, step) = input.into_inner();
        Ok(body(run, step).await.ok)
    }
}

#[derive(Clone)]
struct Restate {
    http: reqwest::Client,
    ingress: String,
}

impl Restate {
    /// `store` is the address of the server's ingress; the settings `admin` and `port` tell where its administration
    /// is and where the handlers are to listen.
    async fn open(order: Order) -> Restate {
        let port = &order.settings["port"];
        let address = format!("127.0.0.1:{port}").parse().expect("a port");
        tokio::spawn(async move {
            HttpServer::new(Endpoint::builder().bind(Work).build()).listen_and_serve(address).await;
        });
        let http = reqwest::Client::builder().pool_max_idle_per_host(256).build().expect("a client for plain HTTP");
        if !order.scene.is_recovery() {
            let deployment = serde_json::json!({ "uri": format!("http://{address}"), "force": true });
            let url = format!("{}/deployments", order.settings["admin"]);
            // The handlers may not listen yet.
            for _ in 0..50 {
                let answer = http.post(&url).json(&deployment).send().await.expect("the server is there");
                if answer.status().is_success() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        Restate { http, ingress: order.store }
    }

    async fn post(&self, path: &str, job: &Job) {
        let request = self.http.post(format!("{}/Work/run{path}", self.ingress));
        let answer = request.header("idempotency-key", job.id()).json(job).send().await;
        let answer = answer.expect("the server is there");
        assert!(answer.status().is_success(), "{}", answer.status());
        answer.bytes().await.expect("the server answers");
    }
}

impl Contestant for Restate {
    async fn start(&self, job: Job) {
        self.post("/send", &job).await;
    }

    async fn complete(&self, job: Job) {
        self.post("", &job).await;
    }
}

#[tokio::main]
async fn main() {
    answer(Restate::open).await;
}
