//! The process that is attacked: an engine with the load, which does what it is asked until its input is closed.
//! It must not know what happens to it.

use std::io::{BufRead, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Resource as Limited, Rlimit, getrlimit, setrlimit};
use tokio::sync::mpsc;
use workflow_runtime::prelude::*;
use workflow_runtime::store::Store;
use workflow_runtime::{Client, Clock, Error, OutboxFilter, RunError, RunFilter, RunHandle};

use crate::ledger::{Ledger, now_ms};
use crate::load::{self, Kind, Paid, Plan, Trouble};
use crate::protocol::{Ask, LEASE, MARK, Outcome, Reply, Setup, VARIABLE};

/// Whether this process is one that a conductor has started; then it does its work first.
pub(crate) fn was_asked() -> bool {
    let Ok(setup) = std::env::var(VARIABLE) else { return false };
    serve(serde_json::from_str(&setup).expect("the conductor writes what a worker reads"));
    true
}

#[derive(Clone)]
struct Desk {
    engine: Engine,
    store: Arc<dyn Store>,
    clock: Clock,
    offset_ms: Arc<AtomicI64>,
}

/// How long a worker tries to begin.
const PATIENCE: Duration = Duration::from_secs(30);

async fn begin(setup: &Setup, clock: &Clock) -> Result<(Arc<dyn Store>, Engine), Error> {
    let store = setup.database.open().await?;
    let builder = Engine::builder()
        .store(Arc::clone(&store))
        .clock(clock.clone())
        // Runs are let go of and taken up again all the time, not only when they wait for long.
        .park_idle_after(Duration::from_millis(20))
        .lease(LEASE)
        .poll_interval(Duration::from_millis(50))
        .resource(Ledger::open(&setup.ledger, setup.number))
        .resource(setup.database.sql());
    Ok((store, load::register(builder).start().await?))
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn serve(setup: Setup) {
    let offset_ms = Arc::new(AtomicI64::new(setup.clock_offset_ms.unwrap_or_default()));
    let clock = match setup.clock_offset_ms {
        Some(_) => driven(Arc::clone(&offset_ms)),
        None => Clock::system(),
    };
    let began = Instant::now();
    let (store, engine) = loop {
        match begin(&setup, &clock).await {
            Ok(begun) => break begun,
            // Its server is away: it is started again until it is back, as by any supervisor.
            Err(error) if error.is_store() && began.elapsed() < PATIENCE => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(error) => panic!("the engine does not start: {error}"),
        }
    };
    let desk = Desk { engine: engine.clone(), store, clock, offset_ms };
    say(&Reply::Ready);
    let (asks, mut asked) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            let _ = asks.send(serde_json::from_str(&line).expect("the conductor writes what a worker reads"));
        }
    });
    while let Some(ask) = asked.recv().await {
        let desk = desk.clone();
        match ask {
            // One after the other: the last one counts.
            Ask::SetClock(_) | Ask::LimitFiles(_) => desk.work_off(ask).await,
            ask => drop(tokio::spawn(async move { desk.work_off(ask).await })),
        }
    }
    engine.shutdown().await;
}

/// Past the harness, which would keep it for itself.
fn say(reply: &Reply) {
    let line = format!("{MARK}{}\n", serde_json::to_string(reply).expect("replies are JSON"));
    // Nobody hears it only when the conductor is gone, and then this process ends, too.
    let _ = std::io::stdout().lock().write_all(line.as_bytes());
}

/// A clock that goes on with the system's, at a distance that can be changed.
fn driven(offset_ms: Arc<AtomicI64>) -> Clock {
    let clock = Clock::manual(now_ms() + offset_ms.load(Ordering::SeqCst));
    let driven = clock.clone();
    tokio::spawn(async move {
        loop {
            driven.set(now_ms() + offset_ms.load(Ordering::SeqCst));
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    clock
}

impl Desk {
    async fn work_off(&self, ask: Ask) {
        match self.answer(&ask).await {
            Ok(reply) => say(&reply),
            Err(error) => say(&Reply::Failed(ask, error.to_string())),
        }
    }

    async fn answer(&self, ask: &Ask) -> Result<Reply, Error> {
        match ask {
            Ask::Start(plan) => {
                let run = self.start(plan.clone()).await?;
                say(&Reply::Started(plan.name.clone()));
                let outcome = match run.result().await {
                    Ok(value) => Outcome::Good(value),
                    Err(RunError::Failed(Trouble::Declined)) => Outcome::Declined,
                    Err(RunError::Cancelled { .. }) => Outcome::Cancelled,
                    Err(RunError::Unavailable(error)) => return Err(error),
                    Err(error) => panic!("`{}` ended with {error}", plan.name),
                };
                Ok(Reply::Ended(plan.name.clone(), outcome))
            }
            Ask::Deliver { message_id, name, part } => {
                let paid = Paid { name: name.clone(), part: *part };
                self.engine.client().deliver(paid).message_id(message_id).await?;
                Ok(Reply::Delivered(message_id.clone()))
            }
            Ask::Cancel(run_id) => {
                self.engine.client().cancel(run_id, "by chance").await?;
                Ok(Reply::Cancelled(run_id.clone()))
            }
            Ask::Settle => {
                while !self.is_settled(&self.engine.client()).await? {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                Ok(Reply::Settled)
            }
            Ask::SetClock(offset_ms) => {
                self.offset_ms.store(*offset_ms, Ordering::SeqCst);
                self.clock.set(now_ms() + offset_ms);
                Ok(Reply::Settled)
            }
            Ask::LimitFiles(bytes) => {
                let maximum = getrlimit(Limited::Fsize).maximum;
                let limit = Rlimit { current: *bytes, maximum };
                setrlimit(Limited::Fsize, limit).expect("a limit may be lowered, and raised again");
                Ok(Reply::Settled)
            }
        }
    }

    async fn start(&self, plan: Plan) -> Result<RunHandle<Result<u32, Trouble>>, Error> {
        let (engine, id) = (&self.engine, plan.name.clone());
        match plan.kind {
            Kind::Trip => engine.start(load::trip(plan)).id(id).await,
            Kind::Pair => engine.start(load::pair(plan)).id(id).await,
            Kind::Transact => engine.start(load::transact(plan)).id(id).await,
            Kind::Naps => engine.start(load::naps(plan)).id(id).await,
            Kind::Visitor => engine.start(load::visitor(plan)).id(id).await,
            Kind::Race => engine.start(load::race(plan)).id(id).await,
            Kind::Family => engine.start(load::family(plan)).id(id).await,
            Kind::Rounds => engine.start(load::rounds(plan, 0)).id(id).await,
            Kind::Herald => engine.start(load::herald(plan)).id(id).await,
        }
    }

    async fn is_settled(&self, client: &Client) -> Result<bool, Error> {
        let unfinished = RunFilter { only_unfinished: true, limit: 1, ..RunFilter::default() };
        let is_quiet = client.runs(&unfinished).await?.is_empty();
        let leaving = self.store.outbox(&OutboxFilter::default()).await;
        // A store that cannot be read now is asked again.
        Ok(is_quiet && leaving.is_ok_and(|leaving| leaving.is_empty()))
    }
}
