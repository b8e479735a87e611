//! A SQLite file that others hold, and callers who lose patience: nothing is lost, nothing is half done, and neither
//! those who read nor anything else of the process waits.
//! It drives no engine: turns are made by hand, on an executor of one thread.

mod world;

use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use workflow_runtime::Sqlite;
use workflow_runtime::store::*;
use world::turns::*;
use world::*;

async fn store(folder: &Folder) -> Arc<Sqlite> {
    let store = Sqlite::open(folder.database()).await.unwrap();
    store.join(&worker(WORKER), Duration::from_secs(3_600)).await.unwrap();
    Arc::new(store)
}

/// Polls a call once, so that its job is handed over, and waits no longer.
async fn lose_patience<T>(call: impl Future<Output = T>) {
    let mut call = std::pin::pin!(call);
    std::future::poll_fn(|cx| {
        let _ = call.as_mut().poll(cx);
        std::task::Poll::Ready(())
    })
    .await;
}

/// Another process that is about to write.
async fn other_writer(folder: &Folder) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(folder.database());
    let mut other = options.connect().await.unwrap();
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    other
}

async fn rows(store: &Sqlite, run_id: &str) -> usize {
    store.journal(run_id).await.unwrap().len()
}

#[tokio::test]
async fn who_reads_does_not_wait_for_who_writes() {
    let folder = Folder::new();
    let store = store(&folder).await;
    store.write(&[begin("a")], 0).await.unwrap();
    let mut other = other_writer(&folder).await;
    let writing = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.write(&[turn("a", 1, 2, &["x"])], 0).await }
    });
    // The executor has one thread: had the write blocked it, nobody would get this far.
    for _ in 0..10 {
        assert_eq!(rows(&store, "a").await, 1);
        tokio::task::yield_now().await;
    }
    assert!(!writing.is_finished());
    sqlx::raw_sql("COMMIT").execute(&mut other).await.unwrap();
    assert_eq!(writing.await.unwrap().unwrap(), [written()]);
    assert_eq!(rows(&store, "a").await, 2);
    other.close().await.unwrap();
}

#[tokio::test]
async fn a_file_that_stays_busy_is_told_as_such_and_the_same_call_succeeds_later() {
    let folder = Folder::new();
    let store = store(&folder).await;
    let other = other_writer(&folder).await;
    let busy = store.write(&[begin("a")], 0).await.unwrap_err();
    assert!(busy.is_transient(), "{busy}");
    assert_eq!(rows(&store, "a").await, 0);
    other.close().await.unwrap();
    assert_eq!(store.write(&[begin("a")], 0).await.unwrap(), [written()]);
    assert!(store.begin(&lease("a", 1)).await.unwrap().is_some());
}

#[tokio::test]
async fn what_nobody_waits_for_any_more_comes_to_its_end() {
    let folder = Folder::new();
    let store = store(&folder).await;
    for n in 0..50 {
        let run_id = format!("run-{n}");
        lose_patience(store.write(&[begin(&run_id)], 0)).await;
        // Whoever asks again is told that it is written, and what comes next finds it there.
        if n % 2 == 0 {
            assert_eq!(store.write(&[begin(&run_id)], 0).await.unwrap(), [written()]);
        }
        assert_eq!(store.write(&[turn(&run_id, 1, 2, &["x"])], 0).await.unwrap(), [written()]);
        assert_eq!(rows(&store, &run_id).await, 2);
    }
}

#[tokio::test]
async fn a_transaction_that_nobody_waits_for_any_more_is_rolled_back_wherever_it_was() {
    let folder = Folder::new();
    let store = store(&folder).await;
    store.execute_batch("CREATE TABLE notes (note TEXT NOT NULL)").await.unwrap();
    store.write(&[begin("a")], 0).await.unwrap();
    let insert = "INSERT INTO notes VALUES ('x')";
    for _ in 0..20 {
        lose_patience(store.begin(&lease("a", 1))).await;
        let mut transaction = store.begin(&lease("a", 1)).await.unwrap().unwrap();
        assert_eq!(transaction.execute(insert, Vec::new()).await.unwrap(), 1);
        lose_patience(transaction.execute(insert, Vec::new())).await;
        drop(transaction);
        let counted: Vec<u64> = store.query("SELECT count(*) FROM notes", ()).await.unwrap();
        assert_eq!(counted, [0]);
    }
    let transaction = store.begin(&lease("a", 1)).await.unwrap().unwrap();
    lose_patience(transaction.commit(&turn("a", 1, 2, &["x"]), 0)).await;
    assert_eq!(store.write(&[turn("a", 1, 2, &["x"])], 0).await.unwrap(), [written()]);
}

#[tokio::test]
async fn a_transaction_whose_turn_is_refused_leaves_nothing() {
    let folder = Folder::new();
    let store = store(&folder).await;
    store.execute_batch("CREATE TABLE notes (note TEXT NOT NULL)").await.unwrap();
    store.write(&[begin("a")], 0).await.unwrap();
    let insert = "INSERT INTO notes VALUES ('x')";
    for (turn, outcome) in [
        (turn("a", 1, 7, &["a gap"]), TurnOutcome::LostLease),
        (turn("a", 7, 2, &["another epoch"]), TurnOutcome::LostLease),
        // It is there already, with what its step has done.
        (begin("a"), written()),
    ] {
        let mut transaction = store.begin(&lease("a", 1)).await.unwrap().unwrap();
        assert_eq!(transaction.execute(insert, Vec::new()).await.unwrap(), 1);
        assert_eq!(transaction.commit(&turn, 0).await.unwrap(), outcome);
        let counted: Vec<u64> = store.query("SELECT count(*) FROM notes", ()).await.unwrap();
        assert_eq!((counted, rows(&store, "a").await), (vec![0], 1));
    }
}

#[tokio::test]
async fn who_asks_a_closed_store_is_told_so() {
    let folder = Folder::new();
    let store = store(&folder).await;
    store.write(&[begin("a")], 0).await.unwrap();
    store.close().await;
    let refusals = [
        store.journal("a").await.unwrap_err(),
        store.write(&[turn("a", 1, 2, &["x"])], 0).await.unwrap_err(),
    ];
    for refusal in refusals {
        assert!(!refusal.is_transient() && refusal.to_string().contains("closed"), "{refusal}");
    }
    assert!(!folder.database().with_extension("db-wal").exists(), "all is in the one file");
}
