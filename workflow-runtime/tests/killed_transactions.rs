//! Transactional steps under SIGKILL: the process dies at random moments, over and over, and every step counts once.
//! The judge is the table that the steps write; the engine's word counts for nothing here.

use std::env;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use workflow_runtime::prelude::*;

const NAME: &str = "a_process_that_is_killed_over_and_over_books_everything_exactly_once";
const RUNS: i64 = 100;
const KILLS: u32 = 30;

#[step]
async fn book(tx: &mut Tx, cx: StepContext, what: &str) -> Result<u64, SqlError> {
    tx.execute("UPDATE account SET cents = cents - 1", ()).await?;
    tx.execute("INSERT INTO bookings (run_id, what) VALUES (?, ?)", (cx.run_id(), what)).await
}

#[workflow]
async fn book_three() -> Result<u64, SqlError> {
    let first = book("first").await?;
    let second = book("second").await?;
    let third = book("third").await?;
    Ok(first + second + third)
}

/// What the process does that is killed: it goes on where the one before it died.
#[tokio::main]
async fn live(database: &str) {
    let store = Sqlite::open(database).await.expect("the database opens");
    let engine = Engine::builder().store(store).register(book_three).start().await.expect("it starts");
    let mut runs = Vec::new();
    for n in 0..RUNS {
        runs.push(engine.start(book_three()).id(format!("run-{n}")).await.expect("it begins"));
    }
    for run in runs {
        assert_eq!(run.result().await.expect("it ends"), 3);
    }
}

#[tokio::main]
async fn prepare(database: &Path) {
    let store = Sqlite::open(database).await.unwrap();
    let tables = "CREATE TABLE account (cents INTEGER NOT NULL); INSERT INTO account VALUES (1000); \
                  CREATE TABLE bookings (run_id TEXT NOT NULL, what TEXT NOT NULL)";
    store.execute_batch(tables).await.unwrap();
}

#[tokio::main]
async fn judge(database: &Path) {
    let store = Sqlite::open(database).await.unwrap();
    let twice = "SELECT run_id, what, count(*) FROM bookings GROUP BY 1, 2 HAVING count(*) <> 1";
    assert_eq!(store.query::<(String, String, u64)>(twice, ()).await.unwrap(), []);
    assert_eq!(store.query::<i64>("SELECT count(*) FROM bookings", ()).await.unwrap(), [3 * RUNS]);
    assert_eq!(store.query::<i64>("SELECT cents FROM account", ()).await.unwrap(), [1_000 - 3 * RUNS]);
}

fn start(database: &Path) -> Child {
    let mut command = Command::new(env::current_exe().expect("a test knows its own program"));
    command.args([NAME, "--exact"]).env("WORKFLOW_VICTIM", database);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts")
}

#[test]
fn a_process_that_is_killed_over_and_over_books_everything_exactly_once() {
    if let Ok(database) = env::var("WORKFLOW_VICTIM") {
        return live(&database);
    }
    let seed = env::var("WORKFLOW_SEED").ok().and_then(|seed| seed.parse().ok());
    let mut chance: u64 = seed.unwrap_or_else(|| u64::from(std::process::id()));
    println!("again: WORKFLOW_SEED={chance} cargo test -p workflow-runtime --test killed_transactions");
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("bank.db");
    prepare(&database);
    let mut kills = 0;
    let began = Instant::now();
    while kills < KILLS {
        let mut child = start(&database);
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        std::thread::sleep(Duration::from_millis(10 + (chance >> 33) % 60));
        if child.try_wait().unwrap().is_some() {
            break;
        }
        child.kill().expect("SIGKILL reaches it");
        child.wait().unwrap();
        kills += 1;
        assert!(began.elapsed() < Duration::from_secs(120), "it does not get on");
    }
    assert!(kills >= 3, "it ended before it was in danger");
    assert!(
        start(&database).wait().unwrap().success(),
        "the last process, which nobody kills, ends in order"
    );
    judge(&database);
}
