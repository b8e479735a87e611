//! A bank for the tests of transactional steps: accounts and bookings in the database of the store, and workflows that
//! move money. It must not know what any test expects.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(unreachable_pub, reason = "in a test's module, everything public is for the test")]

use std::sync::Arc;
use std::time::Duration;

use workflow_core::{Event, FailureKind};
use workflow_runtime::prelude::*;
use workflow_runtime::store::Store;
use workflow_runtime::{Clock, EngineBuilder, RunError};

use crate::world::{Folder, ShopError, World};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum BankError {
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

pub const TABLES: &str = "
    CREATE TABLE accounts (name TEXT PRIMARY KEY, cents INTEGER NOT NULL CHECK (cents >= 0));
    INSERT INTO accounts VALUES ('anna', 1000), ('bert', 0);
    CREATE TABLE bookings (run_id TEXT NOT NULL, what TEXT NOT NULL, attempt INTEGER NOT NULL);
    CREATE TABLE receipts (
        number INTEGER PRIMARY KEY,
        account TEXT NOT NULL REFERENCES accounts (name) DEFERRABLE INITIALLY DEFERRED
    );
    -- no more";

pub async fn book(tx: &mut Tx, cx: &StepContext, what: &str) -> Result<(), SqlError> {
    let sql = "INSERT INTO bookings (run_id, what, attempt) VALUES (?, ?, ?)";
    assert_eq!(tx.execute(sql, (cx.run_id(), what, cx.attempt())).await?, 1);
    Ok(())
}

/// Books first; whether that stays is up to what comes then.
#[step(compensate = deposit(account, cents), retry(attempts = 3, initial = "1s", factor = 1.0, max = "1s"))]
pub async fn withdraw(
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
pub async fn deposit(
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
pub async fn confirm(world: Resource<World>, account: &str) -> Result<(), ShopError> {
    world.call("confirm", account).await
}

/// A saga of which all but the last step are transactional.
#[workflow]
pub async fn transfer(from: String, to: String, cents: i64) -> Result<i64, BankError> {
    let left = withdraw(&from, cents).await?;
    deposit(&to, &cents).without_compensation().await;
    confirm(&to).await?;
    Ok(left)
}

/// Withdrawals side by side, and word of them.
#[workflow]
pub async fn withdraw_twice(account: String) -> Result<i64, BankError> {
    let (first, second) = try_join!(withdraw(&account, 100), async { withdraw(&account, 200).await })?;
    publish(Withdrawn { account }).await;
    Ok(first.min(second))
}

#[derive(Debug, Clone, Serialize, Deserialize, Message)]
#[message(key = account)]
pub struct Withdrawn {
    pub account: String,
}

/// Runs the statement that it is given.
#[step(retry(attempts = 1, initial = "1s", factor = 1.0, max = "1s"), timeout = "300ms")]
pub async fn run_sql(tx: &mut Tx, statements: Vec<String>) -> Result<u64, SqlError> {
    let mut changed = 0;
    for sql in statements {
        changed += tx.execute(&sql, ()).await?;
    }
    Ok(changed)
}

/// The same, but it does not mind errors.
#[step(retry(attempts = 1, initial = "1s", factor = 1.0, max = "1s"))]
pub async fn try_sql(tx: &mut Tx, statements: Vec<String>) -> Result<(), SqlError> {
    for sql in statements {
        let _ = tx.execute(&sql, ()).await;
    }
    Ok(())
}

#[workflow]
pub async fn statements(sql: Vec<String>) -> Result<u64, SqlError> {
    run_sql(sql).await
}

#[workflow]
pub async fn careless(sql: Vec<String>) -> Result<(), SqlError> {
    try_sql(sql).await
}

pub fn builder(store: impl Store, world: &World, clock: &Clock) -> EngineBuilder {
    Engine::builder()
        .store(store)
        .clock(clock.clone())
        .resource(world.clone())
        .register(transfer)
        .register(withdraw_twice)
        .register(statements)
        .register(careless)
}

pub struct Bank {
    pub store: Arc<Sqlite>,
    pub world: World,
    pub clock: Clock,
    pub folder: Folder,
}

impl Bank {
    pub async fn new() -> Bank {
        let folder = Folder::new();
        let store = Sqlite::open(folder.database()).await.unwrap();
        store.execute_batch(TABLES).await.unwrap();
        Bank { store: Arc::new(store), world: World::new(), clock: Clock::manual(1_000_000), folder }
    }

    pub async fn engine(&self) -> Engine {
        builder(Arc::clone(&self.store), &self.world, &self.clock).start().await.unwrap()
    }

    pub async fn cents(&self) -> Vec<(String, i64)> {
        self.store.query("SELECT name, cents FROM accounts ORDER BY name", ()).await.unwrap()
    }

    /// What is booked, and which operations the journal says are done: always the same.
    pub async fn booked(&self, run_id: &str) -> Vec<String> {
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

    pub async fn failures(&self, run_id: &str) -> Vec<(FailureKind, String)> {
        let journal = self.store.journal(run_id).await.unwrap();
        let failures = journal.into_iter().filter_map(|record| match record.event {
            Event::AttemptFailed { failure, .. } => Some((failure.kind, failure.message)),
            _ => None,
        });
        failures.collect()
    }

    /// A second of the clock for every few milliseconds, for attempts that wait.
    pub fn tick(&self) -> tokio::task::JoinHandle<()> {
        let clock = self.clock.clone();
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_millis(5)).await;
                clock.advance(Duration::from_secs(1));
            }
        })
    }

    /// What the statements of a step come to.
    pub async fn sql(&self, statements_of_step: &[&str]) -> Result<u64, SqlError> {
        let engine = self.engine().await;
        let sql = statements_of_step.iter().map(|sql| (*sql).to_owned()).collect();
        match engine.start(statements(sql)).await.unwrap().result().await {
            Ok(changed) => Ok(changed),
            Err(RunError::Failed(error)) => Err(error),
            Err(error) => panic!("{error}"),
        }
    }
}

pub fn cents(anna: i64, bert: i64) -> Vec<(String, i64)> {
    vec![("anna".to_owned(), anna), ("bert".to_owned(), bert)]
}
