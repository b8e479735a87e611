//! Transactional steps: what they write and the journal's note that they are done are there together, or neither is.
//! The judge is the users' own tables, beside the journal; it must not know how the engine brings it about.

mod bank;
mod world;

use std::sync::Arc;

use bank::*;
use workflow_core::FailureKind;
use workflow_runtime::store::SqlErrorKind;
use workflow_runtime::{Clock, IncidentPlace, Memory, RecordingTransport};
use world::{Behaviour, ShopError, World, eventually, until};

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
async fn steps_in_parallel_branches_take_turns_and_what_is_sent_leaves() {
    let bank = Bank::new().await;
    let transport = Arc::new(RecordingTransport::new());
    let engine = builder(Arc::clone(&bank.store), &bank.world, &bank.clock);
    let engine = engine.transport(Arc::clone(&transport)).start().await.unwrap();
    for n in 0..3 {
        let run = engine.start(withdraw_twice("anna".into())).id(format!("p-{n}")).await.unwrap();
        run.result().await.unwrap();
        assert_eq!(bank.booked(&format!("p-{n}")).await, ["withdraw", "withdraw"]);
        eventually("it has left", async || (transport.handed_over().len() > n).then_some(())).await;
    }
    assert_eq!(bank.cents().await, cents(100, 0));
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
    assert_eq!(negative.kind(), SqlErrorKind::Constraint);
    let wrong = bank.sql(&[good, "INSRT"]).await.unwrap_err();
    assert!(wrong.to_string().contains("syntax error"), "{wrong}");
    let missing = bank.sql(&[good, "INSERT INTO bookings VALUES ('x', ?, 1)"]).await.unwrap_err();
    assert!(missing.to_string().contains("asks for 1 parameters, but gets 0"), "{missing}");
    let named = bank.sql(&[good, "INSERT INTO bookings VALUES ('x', :what, 1)"]).await.unwrap_err();
    assert!(named.to_string().contains("parameter"), "{named}");
    let two = bank.sql(&[good, "DELETE FROM bookings; DELETE FROM bookings"]).await.unwrap_err();
    assert!(two.to_string().contains("one after the other"), "{two}");
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
