//! Runs that take their process down, over and over: the others go on, and the culprits become incidents.
//! A process of its own dies here again and again; what is left in its database is judged.

use std::env;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use workflow_runtime::prelude::*;
use workflow_runtime::{Client, IncidentPlace, Postgres, RunFilter};

const NAME: &str = "who_takes_the_process_down_becomes_an_incident_and_the_others_go_on";
const INNOCENTS: usize = 12;
const PATIENCE: Duration = Duration::from_secs(120);
const LEASE: Duration = Duration::from_millis(800);

/// Whether the code is mended.
static IS_MENDED: AtomicBool = AtomicBool::new(false);

fn die_unless_mended() {
    if !IS_MENDED.load(Ordering::SeqCst) {
        std::process::abort();
    }
}

/// Takes longer than the process lives while both culprits are at large.
#[step(read_only)]
async fn work(n: u32) -> u32 {
    tokio::time::sleep(Duration::from_millis(250)).await;
    n
}

#[step(read_only)]
async fn overflow(n: u32) -> u32 {
    tokio::time::sleep(Duration::from_millis(30)).await;
    die_unless_mended();
    n
}

#[workflow]
async fn innocent(n: u32) -> u32 {
    let first = work(n).await;
    work(first).await
}

#[workflow]
async fn dies_in_a_step(n: u32) -> u32 {
    overflow(n).await
}

/// Dies before the answer of its first step is recorded, and whenever it is asked to go on.
#[workflow]
async fn dies_in_its_code(n: u32) -> u32 {
    let n = work(n).await;
    die_unless_mended();
    n
}

/// Where the runs are: a file, or a schema on a server.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Database {
    Sqlite(PathBuf),
    Postgres { url: String, schema: String },
}

async fn start(database: &Database) -> Engine {
    let builder = match database {
        Database::Sqlite(path) => {
            Engine::builder().store(Sqlite::open(path).await.expect("the database opens")).strikes(10)
        }
        Database::Postgres { url, schema } => {
            let store = Postgres::options().schema(schema).connect(url).await.expect("the server is there");
            // Who dies is given up after that long.
            Engine::builder().store(store).strikes(5).lease(LEASE).poll_interval(Duration::from_millis(50))
        }
    };
    let builder = builder.probation(Duration::from_millis(200));
    let builder = builder.register(innocent).register(dies_in_a_step).register(dies_in_its_code);
    builder.start().await.expect("it starts")
}

async fn is_accused(client: &Client, run_id: &str) -> bool {
    client.status(run_id).await.is_ok_and(|status| !status.incidents.is_empty())
}

/// What the process does that dies: it goes on where the one before it died, and ends once nothing is left to do.
#[tokio::main]
async fn live(database: &Database) {
    let engine = start(database).await;
    let client = engine.client();
    let mut runs = Vec::new();
    for n in 0..INNOCENTS {
        let run = engine.start(innocent(7)).id(format!("innocent-{n}")).await;
        runs.push(run.expect("it begins"));
    }
    // Their ids put them in the middle: claimed before some and after others.
    engine.start(dies_in_a_step(1)).id("innocent-3-not").await.expect("it begins");
    engine.start(dies_in_its_code(1)).id("innocent-7-not").await.expect("it begins");
    for run in runs {
        assert_eq!(run.result().await.expect("it ends"), 7);
    }
    while !(is_accused(&client, "innocent-3-not").await && is_accused(&client, "innocent-7-not").await) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    engine.shutdown().await;
}

#[tokio::main]
async fn judge(database: &Database, limit: u32) {
    IS_MENDED.store(true, Ordering::SeqCst);
    let engine = start(database).await;
    let client = engine.client();
    let stuck = client.runs(&RunFilter { only_incidents: true, ..RunFilter::default() }).await.unwrap();
    let stuck: Vec<&str> = stuck.iter().map(|run| &*run.run_id).collect();
    assert_eq!(stuck, ["innocent-3-not", "innocent-7-not"], "nobody else is accused");
    for run_id in stuck {
        let status = client.status(run_id).await.unwrap();
        let [incident] = status.incidents.as_slice() else { panic!("one incident: {status:?}") };
        assert_eq!(incident.place, IncidentPlace::Journal);
        // More than the limit, if the other one took the process down before this one had left its memory.
        let strikes = incident.cause.split_once(" workers in a row died").and_then(|(n, _)| n.parse().ok());
        assert!(strikes.is_some_and(|strikes: u32| strikes >= limit), "{}", incident.cause);
        assert_eq!(client.retry(run_id).await.unwrap(), 1);
        assert_eq!(client.result::<u32>(run_id).await.unwrap(), 1, "with mended code it goes on");
    }
    engine.shutdown().await;
}

fn spawn(database: &Database, name: &str) -> Child {
    let mut command = Command::new(env::current_exe().expect("a test knows its own program"));
    let database = serde_json::to_string(database).expect("paths and names are JSON");
    command.args([name, "--exact"]).env("WORKFLOW_POISONED", database);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts")
}

/// Whether this process is one of those that die; then it does its work first.
fn was_poisoned() -> bool {
    let Ok(database) = env::var("WORKFLOW_POISONED") else { return false };
    live(&serde_json::from_str(&database).expect("it was written above"));
    true
}

/// Starts as many processes again and again until all have ended in order.
fn die_until_it_is_over(database: &Database, name: &str, workers: usize, least: u32) {
    let began = Instant::now();
    let mut living: Vec<Child> = (0..workers).map(|_| spawn(database, name)).collect();
    let mut deaths = 0;
    while !living.is_empty() {
        let mut next = Vec::new();
        for mut worker in living {
            match worker.try_wait().unwrap() {
                None => next.push(worker),
                Some(status) if status.success() => {}
                Some(_) => {
                    deaths += 1;
                    next.push(spawn(database, name));
                }
            }
        }
        living = next;
        if deaths > 60 || began.elapsed() > PATIENCE {
            living.iter_mut().for_each(|worker| drop(worker.kill().and_then(|()| worker.wait())));
            panic!("{deaths} deaths, and it does not get on");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    assert!(deaths >= least, "{deaths} deaths: nobody took it down often enough");
}

#[test]
fn who_takes_the_process_down_becomes_an_incident_and_the_others_go_on() {
    if was_poisoned() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let database = Database::Sqlite(folder.path().join("runs.db"));
    die_until_it_is_over(&database, NAME, 1, 10);
    judge(&database, 10);
}

#[test]
fn who_takes_one_worker_after_the_other_down_becomes_an_incident() {
    if was_poisoned() {
        return;
    }
    let schema = format!("poison_{}", std::process::id());
    let database = Database::Postgres { url: postgres_server::url().to_owned(), schema };
    die_until_it_is_over(&database, NAME, 2, 5);
    judge(&database, 5);
}
