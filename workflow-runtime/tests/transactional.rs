//! Transactional steps: what they write and the journal's note that they are done are there together, or neither is.
//! The judge is the users' own tables, beside the journal; it must not know how the engine brings it about.

mod world;

use std::sync::Arc;
use std::time::Duration;

use workflow_core::{Event, FailureKind};
use workflow_runtime::prelude::*;
use workflow_runtime::store::Store;
use workflow_runtime::{Clock, EngineBuilder, IncidentPlace, Memory, RunError};
use world::faulty::{Crash, Faulty};
use world::{Behaviour, Folder, ShopError, World, eventually, until};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
enum BankError {
    #[error("{0} is not covered")]
    NotCovered(String),
    #[error("busy")]
    #[step_error(transient)]
    Busy,
    #[error(transparent)]
    Sql(#[from] SqlError),
    #[error(transparent)]
    Shop(#[from] ShopError),
}

const TABLES: &str = "
    CREATE TABLE accounts (name TEXT PRIMARY KEY, cents INTEGER NOT NULL CHECK (cents >= 0));
    INSERT INTO accounts VALUES ('anna', 1000), ('bert', 0);
    CREATE TABLE bookings (run_id TEXT NOT NULL, what TEXT NOT NULL, attempt INTEGER NOT NULL);
    CREATE TABLE receipts (
        number INTEGER PRIMARY KEY,
        account TEXT NOT NULL REFERENCES accounts (name) DEFERRABLE INITIALLY DEFERRED
    );
    -- no more";

async fn book(tx: &mut Tx, cx: &StepContext, what: &str) -> Result<(), SqlError> {
    let sql = "INSERT INTO bookings (run_id, what, attempt) VALUES (?, ?, ?)";
    assert_eq!(tx.execute(sql, (cx.run_id(), what, cx.attempt())).await?, 1);
    Ok(())
}

/// Books first; whether that stays is up to what comes then.
#[step(compensate = deposit(account, cents), retry(attempts = 3, initial = "1s", factor = 1.0, max = "1s"))]
async fn withdraw(
    tx: &mut Tx,
    world: Resource<World>,
    cx: StepContext,
    account: &str,
    cents: i64,
) -> Result<i64, BankError> {
    book(tx, &cx, "withdraw").await?;
    let left = "UPDATE accounts SET cents = cents - ?2 WHERE name = ?1 AND cents >= ?2 RETURNING cents";
    let left: Option<i64> = tx.query_optional(left, (account, cents)).await?;
    match world.call("withdraw", account).await {
        Ok(()) => left.ok_or_else(|| BankError::NotCovered(account.to_owned())),
        Err(ShopError::Busy) => Err(BankError::Busy),
        Err(error) => Err(error.into()),
    }
}

#[step(retriable, retry(attempts = 3, initial = "1s", factor = 1.0, max = "1s"))]
async fn deposit(
    world: Resource<World>,
    account: &str,
    cents: &i64,
    cx: StepContext,
    tx: &mut Tx,
) -> Result<(), BankError> {
    book(tx, &cx, "deposit").await?;
    tx.execute("UPDATE accounts SET cents = cents + ? WHERE name = ?", (cents, account)).await?;
    Ok(world.call("deposit", account).await?)
}

#[step(pivot)]
async fn confirm(world: Resource<World>, account: &str) -> Result<(), ShopError> {
    world.call("confirm", account).await
}

/// A saga of which all but the last step are transactional.
#[workflow]
async fn transfer(from: String, to: String, cents: i64) -> Result<i64, BankError> {
    let left = withdraw(&from, cents).await?;
    deposit(&to, &cents).without_compensation().await;
    confirm(&to).await?;
    Ok(left)
}

/// Runs the statement that it is given.
#[step(retry(attempts = 1, initial = "1s", factor = 1.0, max = "1s"), timeout = "300ms")]
async fn run_sql(tx: &mut Tx, statements: Vec<String>) -> Result<u64, SqlError> {
    let mut changed = 0;
    for sql in statements {
        changed += tx.execute(&sql, ()).await?;
    }
    Ok(changed)
}

/// The same, but it does not mind errors.
#[step(retry(attempts = 1, initial = "1s", factor = 1.0, max = "1s"))]
async fn try_sql(tx: &mut Tx, statements: Vec<String>) -> Result<(), SqlError> {
    for sql in statements {
        let _ = tx.execute(&sql, ()).await;
    }
    Ok(())
}

#[workflow]
async fn statements(sql: Vec<String>) -> Result<u64, SqlError> {
    run_sql(sql).await
}

#[workflow]
async fn careless(sql: Vec<String>) -> Result<(), SqlError> {
    try_sql(sql).await
}

fn builder(store: impl Store, world: &World, clock: &Clock) -> EngineBuilder {
    Engine::builder()
        .store(store)
        .clock(clock.clone())
        .resource(world.clone())
        .register(transfer)
        .register(statements)
        .register(careless)
}

struct Bank {
    store: Arc<Sqlite>,
    world: World,
    clock: Clock,
    folder: Folder,
}

impl Bank {
    async fn new() -> Bank {
        let folder = Folder::new();
        let store = Sqlite::open(folder.database()).await.unwrap();
        store.execute_batch(TABLES).await.unwrap();
        Bank { store: Arc::new(store), world: World::new(), clock: Clock::manual(1_000_000), folder }
    }

    async fn engine(&self) -> Engine {
        builder(Arc::clone(&self.store), &self.world, &self.clock).start().await.unwrap()
    }

    async fn cents(&self) -> Vec<(String, i64)> {
        self.store.query("SELECT name, cents FROM accounts ORDER BY name", ()).await.unwrap()
    }

    /// What is booked, and which operations the journal says are done: always the same.
    async fn booked(&self, run_id: &str) -> Vec<String> {
        let sql = "SELECT what FROM bookings WHERE run_id = ? ORDER BY rowid";
        let booked: Vec<String> = self.store.query(sql, (run_id,)).await.unwrap();
        let journal = self.store.journal(run_id).await.unwrap();
        let done = journal.iter().filter_map(|record| match &record.event {
            Event::StepCompleted { op, error: None, .. } if op.as_str().ends_with("/undo") => Some("deposit"),
            Event::StepCompleted { op, error: None, .. } if op.as_str() != "confirm" => {
                Some(if op.as_str().contains("deposit") { "deposit" } else { "withdraw" })
            }
            _ => None,
        });
        assert_eq!(booked, done.collect::<Vec<_>>(), "{journal:?}");
        booked
    }

    async fn failures(&self, run_id: &str) -> Vec<(FailureKind, String)> {
        let journal = self.store.journal(run_id).await.unwrap();
        let failures = journal.into_iter().filter_map(|record| match record.event {
            Event::AttemptFailed { failure, .. } => Some((failure.kind, failure.message)),
            _ => None,
        });
        failures.collect()
    }

    /// A second of the clock for every few milliseconds, for attempts that wait.
    fn tick(&self) -> tokio::task::JoinHandle<()> {
        let clock = self.clock.clone();
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_millis(5)).await;
                clock.advance(Duration::from_secs(1));
            }
        })
    }

    /// What the statements of a step come to.
    async fn sql(&self, statements_of_step: &[&str]) -> Result<u64, SqlError> {
        let engine = self.engine().await;
        let sql = statements_of_step.iter().map(|sql| (*sql).to_owned()).collect();
        match engine.start(statements(sql)).await.unwrap().result().await {
            Ok(changed) => Ok(changed),
            Err(RunError::Failed(error)) => Err(error),
            Err(error) => panic!("{error}"),
        }
    }
}

fn cents(anna: i64, bert: i64) -> Vec<(String, i64)> {
    vec![("anna".to_owned(), anna), ("bert".to_owned(), bert)]
}

#[tokio::test]
async fn what_a_step_writes_is_there_with_its_row_of_the_journal() {
    let bank = Bank::new().await;
    let engine = bank.engine().await;
    bank.world.script("confirm", [Behaviour::Wait]);
    let run = engine.start(transfer("anna".into(), "bert".into(), 300)).id("t-1").await.unwrap();
    eventually("both are done", async || (bank.world.count("confirm") == 1).then_some(())).await;
    assert_eq!(bank.cents().await, cents(700, 300));
    assert_eq!(bank.booked("t-1").await, ["withdraw", "deposit"]);
    bank.world.open_gate(1);
    assert_eq!(run.result().await.unwrap(), 700);
}

#[tokio::test]
async fn nothing_that_a_step_writes_can_be_seen_before_its_answer() {
    let bank = Bank::new().await;
    let engine = bank.engine().await;
    bank.world.script("withdraw", [Behaviour::Wait]);
    let run = engine.start(transfer("anna".into(), "bert".into(), 300)).id("t-1").await.unwrap();
    eventually("it has written", async || (bank.world.count("withdraw") == 1).then_some(())).await;
    assert_eq!(bank.cents().await, cents(1_000, 0));
    assert!(bank.booked("t-1").await.is_empty());
    bank.world.open_gate(1);
    run.result().await.unwrap();
    assert_eq!(bank.cents().await, cents(700, 300));
}

#[tokio::test]
async fn an_error_leaves_nothing_of_the_step() {
    let bank = Bank::new().await;
    let engine = bank.engine().await;
    let run = engine.start(transfer("anna".into(), "bert".into(), 5_000)).id("t-1").await.unwrap();
    let error = run.result().await.unwrap_err().into_failed().unwrap();
    assert_eq!(error, BankError::NotCovered("anna".into()));
    assert_eq!((bank.cents().await, bank.booked("t-1").await), (cents(1_000, 0), vec![]));
}

#[tokio::test]
async fn an_attempt_that_panics_or_fails_leaves_nothing_and_is_repeated() {
    let bank = Bank::new().await;
    let (engine, ticking) = (bank.engine().await, bank.tick());
    bank.world.script("withdraw", [Behaviour::Panic, Behaviour::Fail(ShopError::Busy)]);
    let run = engine.start(transfer("anna".into(), "bert".into(), 300)).id("t-1").await.unwrap();
    assert_eq!(run.result().await.unwrap(), 700);
    ticking.abort();
    assert_eq!(bank.world.count("withdraw"), 3);
    assert_eq!(bank.booked("t-1").await, ["withdraw", "deposit"]);
    let attempts: Vec<u32> = bank.store.query("SELECT attempt FROM bookings", ()).await.unwrap();
    assert_eq!(attempts, [3, 1]);
    let kinds: Vec<_> = bank.failures("t-1").await.into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, [FailureKind::RolledBack, FailureKind::Error]);
}

#[tokio::test]
async fn a_step_that_hangs_is_stopped_after_its_timeout_and_took_no_effect() {
    let bank = Bank::new().await;
    let engine = bank.engine().await;
    // Counts for hours; the timeout is 300 ms.
    let endless = "INSERT INTO bookings WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) \
                   SELECT 'x', 'y', count(*) FROM n";
    engine.start(statements(vec![endless.into()])).id("t-1").await.unwrap();
    until(&engine.client(), "t-1", "a person has to look", |run| !run.incidents.is_empty()).await;
    let failures = bank.failures("t-1").await;
    assert_eq!(failures[0].0, FailureKind::RolledBack);
    assert!(failures[0].1.contains("300 ms"), "{failures:?}");
    let booked: Vec<u64> = bank.store.query("SELECT count(*) FROM bookings", ()).await.unwrap();
    assert_eq!(booked, [0]);
    let run = engine.start(transfer("anna".into(), "bert".into(), 300)).id("t-2").await.unwrap();
    assert_eq!(run.result().await.unwrap(), 700, "the store serves others again");
}

#[tokio::test]
async fn a_panic_is_no_unknown_outcome_and_nothing_is_undone_for_it() {
    let bank = Bank::new().await;
    let (engine, ticking) = (bank.engine().await, bank.tick());
    bank.world.always("withdraw", Behaviour::Panic);
    engine.start(transfer("anna".into(), "bert".into(), 300)).id("t-1").await.unwrap();
    let client = engine.client();
    let status = until(&client, "t-1", "a person has to look", |run| !run.incidents.is_empty()).await;
    assert!(matches!(&status.incidents[0].place, IncidentPlace::Operation(op) if op.as_str() == "withdraw"));
    client.cancel("t-1", "enough").await.unwrap();
    bank.world.always("withdraw", Behaviour::Succeed);
    until(&client, "t-1", "it ends", |run| run.has_ended()).await;
    ticking.abort();
    // `deposit` needs no output of `withdraw`: had nobody known whether it took effect, it would have run.
    assert_eq!((bank.world.count("deposit"), bank.cents().await), (0, cents(1_000, 0)));
}

#[tokio::test]
async fn a_transactional_step_is_undone_by_a_transactional_compensation() {
    let bank = Bank::new().await;
    let engine = bank.engine().await;
    bank.world.always("confirm", Behaviour::Fail(ShopError::Declined));
    let run = engine.start(transfer("anna".into(), "bert".into(), 300)).id("t-1").await.unwrap();
    assert_eq!(run.result().await.unwrap_err().into_failed(), Some(BankError::Shop(ShopError::Declined)));
    assert_eq!(bank.cents().await, cents(1_000, 300));
    assert_eq!(bank.booked("t-1").await, ["withdraw", "deposit", "deposit"]);
}

#[tokio::test]
async fn steps_of_many_runs_take_turns() {
    let bank = Bank::new().await;
    let engine = bank.engine().await;
    let mut runs = Vec::new();
    for n in 0..20 {
        runs.push(
            engine.start(transfer("anna".into(), "bert".into(), 10)).id(format!("t-{n}")).await.unwrap(),
        );
    }
    for (n, run) in runs.into_iter().enumerate() {
        run.result().await.unwrap();
        assert_eq!(bank.booked(&format!("t-{n}")).await, ["withdraw", "deposit"]);
    }
    assert_eq!(bank.cents().await, cents(800, 200));
}

#[tokio::test]
async fn errors_of_sql_are_the_answer_of_the_step() {
    let bank = Bank::new().await;
    let good = "INSERT INTO bookings VALUES ('x', 'y', 1)";
    assert_eq!(bank.sql(&[good, good]).await, Ok(2));
    let twice = bank.sql(&[good, "INSERT INTO accounts VALUES ('anna', 1)"]).await.unwrap_err();
    assert!(twice.is_unique_violation(), "{twice:?}");
    let negative = bank.sql(&[good, "UPDATE accounts SET cents = -1"]).await.unwrap_err();
    assert_eq!(negative.kind(), workflow_runtime::store::SqlErrorKind::Constraint);
    let wrong = bank.sql(&[good, "INSRT"]).await.unwrap_err();
    assert!(wrong.to_string().contains("syntax error"), "{wrong}");
    let missing = bank.sql(&[good, "INSERT INTO bookings VALUES ('x', ?, 1)"]).await.unwrap_err();
    assert!(missing.to_string().contains("asks for 1 parameters, but gets 0"), "{missing}");
    let named = bank.sql(&[good, "INSERT INTO bookings VALUES ('x', :what, 1)"]).await.unwrap_err();
    assert!(named.to_string().contains("parameter"), "{named}");
    let booked: Vec<u64> = bank.store.query("SELECT count(*) FROM bookings", ()).await.unwrap();
    assert_eq!(booked, [2], "only the first of them came to anything");
}

#[tokio::test]
async fn only_the_engine_begins_and_ends_the_transaction() {
    let bank = Bank::new().await;
    let good = "INSERT INTO bookings VALUES ('x', 'y', 1)";
    let nested = bank.sql(&[good, "BEGIN"]).await.unwrap_err();
    assert!(nested.to_string().contains("transaction within a transaction"), "{nested}");
    let commit = bank.sql(&[good, "COMMIT", good]).await.unwrap_err();
    assert!(commit.to_string().contains("a step cannot commit"), "{commit}");
    let parts = ["SAVEPOINT part", good, "ROLLBACK TO part", "RELEASE part", good];
    bank.sql(&parts).await.expect("a part may be rolled back");
    for (n, end) in
        ["ROLLBACK", "COMMIT", "INSERT OR ROLLBACK INTO accounts VALUES ('anna', 1)"].iter().enumerate()
    {
        let engine = bank.engine().await;
        let (id, sql) = (format!("c-{n}"), [good, end, good].map(str::to_owned).to_vec());
        engine.start(careless(sql)).id(&id).await.unwrap();
        until(&engine.client(), &id, "a person has to look", |run| !run.incidents.is_empty()).await;
        let failures = bank.failures(&id).await;
        assert!(failures[0].1.contains("rolled it back"), "{end}: {failures:?}");
    }
    let booked: Vec<u64> = bank.store.query("SELECT count(*) FROM bookings", ()).await.unwrap();
    assert_eq!(booked, [1], "nothing is written outside of the transaction");
}

#[tokio::test]
async fn a_constraint_that_is_looked_at_last_fails_the_attempt() {
    let bank = Bank::new().await;
    let engine = bank.engine().await;
    let dangling = "INSERT INTO receipts VALUES (1, 'nobody')".to_owned();
    engine.start(statements(vec![dangling])).id("t-1").await.unwrap();
    until(&engine.client(), "t-1", "a person has to look", |run| !run.incidents.is_empty()).await;
    let failures = bank.failures("t-1").await;
    assert!(failures[0].1.contains("FOREIGN KEY"), "{failures:?}");
    assert_eq!(failures[0].0, FailureKind::RolledBack);
    bank.store.execute_batch("INSERT INTO accounts VALUES ('nobody', 0)").await.unwrap();
    engine.client().retry("t-1").await.unwrap();
    assert_eq!(engine.client().result::<u64>("t-1").await.unwrap(), 1);
}

#[tokio::test]
async fn a_lost_lease_writes_nothing() {
    let bank = Bank::new().await;
    let old = bank.engine().await;
    bank.world.script("confirm", [Behaviour::Wait]);
    bank.world.script("withdraw", [Behaviour::Wait]);
    let run = old.start(transfer("anna".into(), "bert".into(), 300)).id("t-1").await.unwrap();
    eventually("it writes", async || (bank.world.count("withdraw") == 1).then_some(())).await;
    // The next engine waits for the writer; the old one commits first and keeps what it did.
    let next = tokio::spawn({
        let next = builder(Faulty::open_to_all(Arc::clone(&bank.store)), &bank.world, &bank.clock);
        next.start()
    });
    bank.world.open_gate(2);
    let new = next.await.unwrap().unwrap();
    let result = new.client().result::<i64>("t-1").await.unwrap();
    assert_eq!(result, 700);
    eventually("the old engine lets go", async || (old.live_runs() == 0).then_some(())).await;
    assert_eq!(run.result().await.unwrap(), 700);
    assert_eq!(bank.cents().await, cents(700, 300));
    bank.booked("t-1").await;
    // Who has lost the lease cannot even begin.
    let lease = workflow_runtime::store::Lease { run_id: "t-1".into(), epoch: 1 };
    assert!(bank.store.begin(&lease).await.unwrap().is_none());
}

#[tokio::test]
async fn a_full_disk_is_waited_for_and_nothing_happens_twice() {
    let bank = Bank::new().await;
    let faulty = Faulty::new(Arc::clone(&bank.store), Crash::Never);
    let engine = builder(Arc::clone(&faulty), &bank.world, &bank.clock).start().await.unwrap();
    for failures in 1..6 {
        let id = format!("t-{failures}");
        let calls = bank.world.count("withdraw");
        bank.world.script("withdraw", [Behaviour::Wait]);
        let run = engine.start(transfer("anna".into(), "bert".into(), 10)).id(&id).await.unwrap();
        eventually("it writes", async || (bank.world.count("withdraw") > calls).then_some(())).await;
        faulty.fail_next(failures);
        bank.world.open_gate(1);
        run.result().await.unwrap();
        assert_eq!(bank.booked(&id).await, ["withdraw", "deposit"]);
    }
    assert_eq!(bank.cents().await, cents(950, 50));
    assert_eq!(faulty.failures_left(), 0);
}

#[tokio::test]
async fn a_shutdown_lets_the_step_under_way_come_to_its_end() {
    let bank = Bank::new().await;
    let engine = builder(Faulty::new(Arc::clone(&bank.store), Crash::Never), &bank.world, &bank.clock);
    let engine = engine.start().await.unwrap();
    bank.world.script("withdraw", [Behaviour::Wait]);
    engine.start(transfer("anna".into(), "bert".into(), 300)).id("t-1").await.unwrap();
    eventually("it writes", async || (bank.world.count("withdraw") == 1).then_some(())).await;
    let stopping = tokio::spawn({
        let engine = engine.clone();
        async move { engine.shutdown().await }
    });
    bank.world.open_gate(1);
    stopping.await.unwrap();
    drop(engine);
    assert_eq!(bank.booked("t-1").await, ["withdraw"], "the next step waits for the next engine");
    let engine = bank.engine().await;
    assert_eq!(engine.client().result::<i64>("t-1").await.unwrap(), 700);
    assert_eq!((bank.world.count("withdraw"), bank.cents().await), (1, cents(700, 300)));
}

#[tokio::test]
async fn what_an_engine_leaves_under_way_is_rolled_back_at_once() {
    let bank = Bank::new().await;
    let engine = bank.engine().await;
    bank.world.script("withdraw", [Behaviour::Hang]);
    engine.start(transfer("anna".into(), "bert".into(), 300)).id("t-1").await.unwrap();
    eventually("it writes", async || (bank.world.count("withdraw") == 1).then_some(())).await;
    drop(engine);
    // Another process could write now: the file is not locked.
    let other = Sqlite::open(bank.folder.database()).await.unwrap();
    other.execute_batch("UPDATE accounts SET cents = 5 WHERE name = 'bert'").await.unwrap();
    assert_eq!(bank.cents().await, cents(1_000, 5));
}

/// The process dies before or after every single write, or while a step writes.
async fn crash_once(crash: Crash, bank: &Bank, id: &str) -> bool {
    let faulty = Faulty::new(Arc::clone(&bank.store), crash);
    let engine = builder(Arc::clone(&faulty), &bank.world, &bank.clock).start().await.unwrap();
    let playing = tokio::spawn({
        let (engine, id) = (engine.clone(), id.to_owned());
        async move {
            let run = engine.start(transfer("anna".into(), "bert".into(), 1)).id(id).await.unwrap();
            run.result().await.unwrap_err();
        }
    });
    eventually("the end or the crash", async || {
        (playing.is_finished() || faulty.has_crashed()).then_some(())
    })
    .await;
    let crashed = faulty.has_crashed();
    playing.abort();
    let _ = playing.await.map_err(|error| assert!(error.is_cancelled(), "{error}"));
    drop(engine);
    if crashed {
        let engine = bank.engine().await;
        let run = engine.start(transfer("anna".into(), "bert".into(), 1)).id(id).await.unwrap();
        run.result().await.unwrap_err();
    }
    assert_eq!(bank.booked(id).await, ["withdraw", "deposit", "deposit"], "{crash:?}");
    crashed
}

#[tokio::test]
async fn a_crash_at_any_write_leaves_every_step_done_exactly_once() {
    let bank = Bank::new().await;
    bank.world.always("confirm", Behaviour::Fail(ShopError::Declined));
    let mut attacked = 0;
    for crash in [Crash::Before as fn(usize) -> Crash, Crash::After as fn(usize) -> Crash] {
        for write in 0.. {
            let id = format!("t-{attacked}-{write}");
            if !crash_once(crash(write), &bank, &id).await {
                break;
            }
            attacked += 1;
        }
    }
    assert!(attacked >= 10, "only {attacked} writes were attacked");
    let transfers = i64::from(attacked) + 2;
    assert_eq!(
        bank.cents().await,
        cents(1_000, transfers),
        "withdrawn and given back; what came to bert stays"
    );
}

#[tokio::test]
async fn engines_that_are_dropped_at_any_moment_do_a_hundred_transfers_exactly_once() {
    let bank = Bank::new().await;
    let (mut is_done, mut lives, mut life) = (false, 0, Duration::from_millis(1));
    while !is_done {
        let engine = bank.engine().await;
        // Every life is a little longer than the one before, so that it comes to an end.
        life = life * 13 / 10;
        is_done = tokio::time::timeout(life, a_hundred_transfers(&engine)).await.is_ok();
        drop(engine);
        lives += 1;
        let booked: Vec<(String, String, u64)> = bank
            .store
            .query("SELECT run_id, what, count(*) FROM bookings GROUP BY 1, 2 HAVING count(*) > 1", ())
            .await
            .unwrap();
        assert_eq!(booked, [], "after {lives} lives");
    }
    assert!(lives > 3, "the first engine was never in danger");
    assert_eq!(bank.cents().await, cents(700, 300));
    for n in 0..100 {
        assert_eq!(bank.booked(&format!("t-{n}")).await, ["withdraw", "deposit"]);
    }
}

async fn a_hundred_transfers(engine: &Engine) {
    let mut runs = Vec::new();
    for n in 0..100 {
        let start = engine.start(transfer("anna".into(), "bert".into(), 3));
        runs.push(start.id(format!("t-{n}")).await.unwrap());
    }
    for run in runs {
        run.result().await.unwrap();
    }
}

#[tokio::test]
async fn a_store_without_transactions_refuses_the_workflow_at_the_start() {
    let (world, clock) = (World::new(), Clock::manual(0));
    let refused = builder(Memory::new(), &world, &clock).start().await.err().unwrap().to_string();
    for words in
        ["the step `withdraw` of the workflow `transfer`", "the step `deposit`", "`Sqlite`", "Resource<T>"]
    {
        assert!(refused.contains(words), "{words}: {refused}");
    }
}

#[tokio::test]
async fn tables_are_made_wholly_or_not_at_all() {
    let bank = Bank::new().await;
    let refused = bank.store.execute_batch("CREATE TABLE a (x); CREATE TABLE b (x; ").await.unwrap_err();
    assert!(refused.to_string().contains("syntax error"), "{refused}");
    let tables = "SELECT count(*) FROM sqlite_schema WHERE name IN ('a', 'b')";
    assert_eq!(bank.store.query::<u64>(tables, ()).await.unwrap(), [0]);
    let writes = bank.store.query::<u64>("DELETE FROM accounts RETURNING cents", ()).await.unwrap_err();
    assert!(writes.to_string().contains("readonly"), "{writes}");
}
