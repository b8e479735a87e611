//! Transactional steps in trouble: crashes at every write, engines that come and go, a full disk, a lost lease.
//! The judge is the users' own tables, beside the journal; it must not know how the engine defends itself.

mod bank;
mod world;

use std::sync::Arc;
use std::time::Duration;

use bank::*;
use workflow_runtime::prelude::*;
use workflow_runtime::store::Store;
use world::faulty::{Crash, Faulty};
use world::{Behaviour, ShopError, eventually};

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
    let lease = world::turns::lease("t-1", 1);
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
async fn a_step_that_is_never_committed_is_seen() {
    let bank = Bank::new().await;
    let faulty = Faulty::new(Arc::clone(&bank.store), Crash::Never);
    let minute = Duration::from_secs(60);
    let engine =
        builder(Arc::clone(&faulty), &bank.world, &bank.clock).watchdog(minute).start().await.unwrap();
    bank.world.script("withdraw", [Behaviour::Wait]);
    let run = engine.start(transfer("anna".into(), "bert".into(), 10)).id("t-1").await.unwrap();
    eventually("it writes", async || (bank.world.count("withdraw") == 1).then_some(())).await;
    faulty.poison("t-1");
    bank.world.open_gate(1);
    eventually("it is named", async || {
        bank.clock.advance(minute / 2);
        let stalled = engine.client().stalled();
        stalled.first().filter(|stalled| stalled.cause.starts_with("attempt 1 of `withdraw`")).map(drop)
    })
    .await;
    faulty.poison(None);
    run.result().await.unwrap();
    assert_eq!(bank.booked("t-1").await, ["withdraw", "deposit"]);
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
