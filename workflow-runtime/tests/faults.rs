//! What must not do harm: full disks, late workers, broken journals, other code, a second engine, an order to stop.
//! It must not know how the engine defends itself.

mod world;

use std::sync::Arc;
use std::time::Duration;

use workflow_runtime::prelude::*;
use workflow_runtime::store::Store;
use workflow_runtime::{Clock, Delivery, IncidentPlace, Memory, RunFilter, RunState};
use world::faulty::{Crash, Faulty};
use world::*;

on_every_lone_store! {
    async fn no_run_begins_once_its_engine_is_gone_and_the_next_one_does_not_know_of_it(store, world, clock) {
        let store: Arc<dyn Store> = Arc::new(store);
        let slow = Faulty::new(Arc::clone(&store), Crash::Never);
        let gate = slow.hold_writes();
        let engine = builder(Arc::clone(&slow), &world, &clock).start().await.unwrap();
        let first = tokio::spawn(engine.start(patient("a".into())).id("a").into_future());
        eventually("the first write is done", async || store.run("a").await.unwrap()).await;
        // These two meet in the next batch: the turns first, then the messages.
        let second = tokio::spawn(engine.start(patient("b".into())).id("b").into_future());
        let placed = Placed { order: "o".into(), amount: 1 };
        let third = tokio::spawn(engine.client().deliver(placed.clone()).message_id("p-1").into_future());
        tokio::time::sleep(Duration::from_millis(20)).await;
        gate.add_permits(1);
        eventually("the turn is written", async || store.run("b").await.unwrap()).await;
        drop(engine);
        let next = builder(Arc::clone(&store), &world, &clock).start().await.unwrap();
        gate.add_permits(10);
        assert!(third.await.unwrap().unwrap_err().is_stopped());
        assert!(store.run("open_order:p-1").await.unwrap().is_none());
        let client = next.client();
        assert_eq!(client.deliver(placed).message_id("p-1").await.unwrap(), Delivery::Started);
        until(&client, "open_order:p-1", "it is driven", |status| !status.waits.is_empty()).await;
        drop((first.await, second.await));
    }

    async fn a_full_disk_is_waited_for_and_no_workflow_hears_of_it(store, world, clock) {
        let store = Faulty::new(store, Crash::Never);
        let engine = builder(Arc::clone(&store), &world, &clock).start().await.unwrap();
        for round in 0..5 {
            store.fail_next(round);
            let (order, id) = (format!("o-{round}"), format!("order-{round}"));
            let run = engine.start(fulfil(order.clone())).id(&id).await.unwrap();
            assert_eq!(run.result().await.unwrap(), format!("{id}/charge"));
            store.fail_next(round);
            let run = engine.start(patient(order.clone())).await.unwrap();
            store.fail_next(round);
            engine.client().deliver(Paid { order, amount: round.unsigned_abs() }).await.unwrap();
            assert_eq!(run.result().await.unwrap(), round.unsigned_abs());
        }
        assert_eq!(world.calls().len(), 15, "no step ran twice: {:?}", world.calls());
        assert_eq!(store.failures_left(), 0);
    }

    async fn a_worker_that_wakes_up_late_changes_nothing(store, world, clock) {
        let store: Arc<dyn Store> = Arc::new(store);
        world.script("reserve", [Behaviour::Wait]);
        let old = builder(Arc::clone(&store), &world, &clock).start().await.unwrap();
        let old_run = old.start(fulfil("o-1".into())).id("order-1").await.unwrap();
        eventually("the first attempt", async || (world.count("reserve") == 1).then_some(())).await;
        let new = builder(Faulty::open_to_all(Arc::clone(&store)), &world, &clock).start().await.unwrap();
        let new_run = new.client().run(fulfil, "order-1").await.unwrap();
        assert_eq!(new_run.result().await.unwrap(), "order-1/charge");
        let before = store.journal("order-1").await.unwrap();
        world.open_gate(1);
        eventually("the old engine lets go", async || (old.live_runs() == 0).then_some(())).await;
        assert_eq!(store.journal("order-1").await.unwrap(), before);
        assert_eq!(old_run.result().await.unwrap(), "order-1/charge", "its handles see what really happened");
        assert_eq!(world.count("charge"), 1);
    }

    async fn shutdown_waits_for_attempts_and_begins_nothing_new(store, world, clock) {
        let store = Faulty::new(store, Crash::Never);
        world.script("reserve", [Behaviour::Wait]);
        let engine = builder(Arc::clone(&store), &world, &clock).start().await.unwrap();
        let run = engine.start(fulfil("o-1".into())).id("order-1").await.unwrap();
        eventually("the attempt", async || (world.count("reserve") == 1).then_some(())).await;
        let stopping = tokio::spawn({
            let engine = engine.clone();
            async move { engine.shutdown().await }
        });
        eventually("it takes nothing new", async || {
            engine.start(fulfil("o-2".into())).await.err().filter(|error| error.is_stopped())
        }).await;
        world.open_gate(1);
        stopping.await.unwrap();
        assert_eq!(world.count("charge"), 0, "the next step waits for the next engine");
        assert_eq!(store.journal("order-1").await.unwrap().len(), 2, "the answer is recorded");
        let unknown = run.result().await.unwrap_err();
        assert!(unknown.to_string().contains("the engine has stopped"), "{unknown}");
        let engine = builder(Arc::clone(&store), &world, &clock).start().await.unwrap();
        engine.client().run(fulfil, "order-1").await.unwrap().result().await.unwrap();
        assert_eq!(world.calls().iter().filter(|call| *call == "reserve o-1").count(), 1);
    }

    async fn shutdown_leaves_what_does_not_finish_to_the_next_start(store, world, clock) {
        let store = Faulty::new(store, Crash::Never);
        world.script("reserve", [Behaviour::Hang]);
        let engine = builder(Arc::clone(&store), &world, &clock);
        let engine = engine.grace_period(Duration::from_millis(20)).start().await.unwrap();
        engine.start(fulfil("o-1".into())).id("order-1").await.unwrap();
        engine.shutdown().await;
        let engine = builder(Arc::clone(&store), &world, &clock).start().await.unwrap();
        let run = engine.client().run(fulfil, "order-1").await.unwrap();
        assert_eq!(run.result().await.unwrap(), "order-1/charge");
        assert_eq!(world.count("reserve"), 2);
    }

    async fn a_shutdown_that_nobody_waits_for_any_more_stops_at_once(store, world, clock) {
        let store: Arc<dyn Store> = Arc::new(store);
        world.script("reserve", [Behaviour::Hang]);
        let engine = builder(Arc::clone(&store), &world, &clock);
        let engine = engine.grace_period(Duration::from_secs(3_600)).start().await.unwrap();
        engine.start(fulfil("o-1".into())).id("order-1").await.unwrap();
        eventually("the attempt", async || (world.count("reserve") == 1).then_some(())).await;
        let _ = tokio::time::timeout(Duration::from_millis(5), engine.shutdown()).await;
        eventually("it lets go of its runs", async || (engine.live_runs() == 0).then_some(())).await;
        let next = builder(Arc::clone(&store), &world, &clock).start().await.unwrap();
        let run = next.client().run(fulfil, "order-1").await.unwrap();
        assert_eq!(run.result().await.unwrap(), "order-1/charge");
    }

    async fn a_run_that_other_code_began_is_an_incident_and_harms_no_other(store, world, clock) {
        let store: Arc<dyn Store> = Arc::new(store);
        world.script("note", [Behaviour::Wait]);
        let engine = changed(&store, &world, &clock).register(before::flow).start().await.unwrap();
        engine.start(before::flow("o-1".into())).id("order-1").await.unwrap();
        engine.start(patient("o-2".into())).id("order-2").await.unwrap();
        drop(engine);

        let engine = changed(&store, &world, &clock).register(after::flow).start().await.unwrap();
        let client = engine.client();
        let broken = until(&client, "order-1", "an incident", |status| !status.incidents.is_empty()).await;
        assert_eq!(broken.incidents[0].place, IncidentPlace::Journal);
        let cause = &broken.incidents[0].cause;
        assert!(cause.contains("`note`") && cause.contains("`reserve`") && cause.contains("WF101"), "{cause}");
        client.deliver(Paid { order: "o-2".into(), amount: 2 }).await.unwrap();
        assert_eq!(client.result::<u64>("order-2").await.unwrap(), 2);
        assert_eq!(client.retry("order-1").await.unwrap(), 1, "it is tried again, in vain");
        drop(engine);

        let engine = changed(&store, &world, &clock).register(before::flow).start().await.unwrap();
        let run = engine.client().run(before::flow, "order-1").await.unwrap();
        assert_eq!(run.result().await.unwrap(), 1);
        assert!(engine.client().status("order-1").await.unwrap().incidents.is_empty());
    }

    async fn an_answer_on_which_the_code_broke_off_is_never_asked_for_again(store, world, clock) {
        let store: Arc<dyn Store> = Arc::new(store);
        let engine = changed(&store, &world, &clock).register(clumsy::flow).start().await.unwrap();
        engine.start(clumsy::flow("o-1".into())).id("order-1").await.unwrap();
        let client = engine.client();
        let broken = until(&client, "order-1", "an incident", |status| !status.incidents.is_empty()).await;
        let cause = &broken.incidents[0].cause;
        assert!(cause.contains("the fuse is lit") && cause.contains("WF105"), "{cause}");
        assert_eq!(client.retry("order-1").await.unwrap(), 1, "it is tried again, in vain");
        drop(engine);

        let engine = changed(&store, &world, &clock).register(after::flow).start().await.unwrap();
        let run = engine.client().run(after::flow, "order-1").await.unwrap();
        assert_eq!(run.result().await.unwrap(), 1, "mended code goes on");
        assert_eq!((world.count("reserve"), world.count("note")), (1, 1));
        assert!(engine.client().status("order-1").await.unwrap().incidents.is_empty());
        drop(engine);

        let journal = store.journal("order-1").await.unwrap();
        let replayed = workflow_core::Run::replay(after::flow.definition(), "order-1", &journal).unwrap();
        assert!(replayed.conclusion().is_some(), "and the journal replays as a whole");
    }

    async fn runs_without_code_are_reported_and_left_alone(store, world, clock) {
        let store: Arc<dyn Store> = Arc::new(store);
        let engine = builder(Arc::clone(&store), &world, &clock).start().await.unwrap();
        engine.start(patient("o-1".into())).id("order-1").await.unwrap();
        drop(engine);
        let engine = Engine::builder().store(Arc::clone(&store)).start().await.unwrap();
        let [orphan] = engine.orphans() else { panic!("{:?}", engine.orphans()) };
        assert_eq!((orphan.run_id.as_ref(), orphan.workflow.as_str()), ("order-1", "patient"));
        let client = engine.client();
        assert_eq!(client.orphans().await.unwrap(), engine.orphans());
        let cannot = client.retry("order-1").await.unwrap_err();
        assert!(cannot.to_string().contains("is `patient`, version 1, registered?"), "{cannot}");
        client.cancel("order-1", "nobody can").await.unwrap();
        drop(engine);
        let engine = builder(Arc::clone(&store), &world, &clock).start().await.unwrap();
        let run = engine.client().run(patient, "order-1").await.unwrap();
        assert!(run.result().await.unwrap_err().is_cancelled(), "the wish was kept");
    }

    async fn a_step_whose_answer_is_too_large_is_an_incident(store, world, clock) {
        let engine = builder(store, &world, &clock).payload_limit(40).start().await.unwrap();
        let id = "x".repeat(60);
        engine.start(fulfil("o-1".into())).id(&id).await.unwrap();
        let stuck = until(&engine.client(), &id, "an incident", |status| !status.incidents.is_empty()).await;
        assert!(stuck.incidents[0].cause.contains("more than the 40"), "{stuck:?}");
    }

    async fn a_step_whose_answer_cannot_be_kept_is_undone_when_the_run_is_cancelled(store, world, clock) {
        let engine = builder(store, &world, &clock).payload_limit(9).start().await.unwrap();
        let run = engine.start(fulfil("o-1".into())).id("order-1").await.unwrap();
        let client = engine.client();
        until(&client, "order-1", "an incident", |status| !status.incidents.is_empty()).await;
        client.cancel("order-1", "enough").await.unwrap();
        assert!(run.result().await.unwrap_err().is_cancelled());
        assert_eq!(world.calls(), ["reserve o-1", "release o-1"], "it may have been done, so it is undone");
    }

    async fn somebody_who_loses_patience_does_not_lose_the_run(store, world, clock) {
        let engine = builder(store, &world, &clock).start().await.unwrap();
        let impatient = engine.start(fulfil("o-1".into())).id("order-1").into_future();
        let _ = tokio::time::timeout(Duration::ZERO, impatient).await;
        let run = engine.start(fulfil("o-1".into())).id("order-1").await.unwrap();
        assert_eq!(run.result().await.unwrap(), "order-1/charge");
        assert_eq!(world.calls().len(), 3);
        let all = engine.client().runs(&RunFilter::default()).await.unwrap();
        assert!(matches!(&all[..], [only] if only.state != RunState::Running));
    }
}

#[tokio::test]
async fn a_wrong_setup_is_refused_with_everything_that_is_wrong() {
    let engine = Engine::builder().register(patient).register(fulfil).register(patient);
    let error = engine.start().await.err().unwrap();
    assert!(error.is_setup());
    let text = error.to_string();
    assert!(text.contains("`patient`, version 1, is registered twice"), "{text}");
    assert!(text.contains("the step `charge` of the workflow `fulfil` needs a resource of type"), "{text}");
    assert!(text.contains("World") && text.contains("`release`"), "compensations too: {text}");
    assert!(text.contains("there is no store"), "{text}");
}

#[tokio::test]
async fn a_workflow_that_is_not_registered_is_refused_with_a_guess() {
    let engine = Engine::builder().store(Memory::new()).register(patient).start().await.unwrap();
    let error = engine.start(fulfil("o-1".into())).await.unwrap_err();
    assert!(error.is_unknown_workflow() && error.to_string().contains("`.register(fulfil)`"), "{error}");
    let error = engine.start(misspelt::patiemt("o-1".into())).await.unwrap_err();
    assert!(error.to_string().contains("did you mean `patient` ("), "{error}");
}

#[tokio::test]
async fn a_corrupt_journal_is_an_incident_and_harms_no_other() {
    let (folder, world, clock) = (Folder::new(), World::new(), Clock::manual(0));
    let engine = builder(Sqlite::open(folder.database()).await.unwrap(), &world, &clock);
    // Held at the end, so that the next engine reads them at once.
    let engine = engine.park_idle_after(Duration::MAX).start().await.unwrap();
    for run_id in ["bad-1", "bad-2", "good"] {
        engine.start(patient(run_id.into())).id(run_id).await.unwrap();
    }
    engine.shutdown().await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.database());
    let mut connection = sqlx::ConnectOptions::connect(&options).await.unwrap();
    let corrupt = "UPDATE workflow_events SET record = '{\"at_ms\":0,\"ev' WHERE run_id = 'bad-1'; \
         INSERT INTO workflow_events VALUES ('bad-2', 3, 0, '{}')";
    sqlx::raw_sql(corrupt).execute(&mut connection).await.unwrap();
    sqlx::Connection::close(connection).await.unwrap();

    let engine =
        builder(Sqlite::open(folder.database()).await.unwrap(), &world, &clock).start().await.unwrap();
    let client = engine.client();
    client.deliver(Paid { order: "good".into(), amount: 1 }).await.unwrap();
    assert_eq!(client.result::<u64>("good").await.unwrap(), 1);
    for (run_id, text) in [("bad-1", "journal row 1 cannot be read"), ("bad-2", "journal row 3")] {
        let status = until(&client, run_id, "an incident", |status| !status.incidents.is_empty()).await;
        assert!(status.incidents[0].cause.contains(text), "{status:?}");
        assert!(client.journal(run_id).await.unwrap_err().is_store());
    }
}

#[tokio::test]
async fn a_corrupt_message_is_an_incident_and_harms_no_other() {
    let (folder, world, clock) = (Folder::new(), World::new(), Clock::manual(0));
    let engine = builder(Sqlite::open(folder.database()).await.unwrap(), &world, &clock);
    // Held at the end, so that the next engine reads them at once.
    let engine = engine.park_idle_after(Duration::MAX).start().await.unwrap();
    for run_id in ["bad", "good"] {
        engine.start(patient(run_id.into())).id(run_id).await.unwrap();
    }
    engine.shutdown().await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.database());
    let mut connection = sqlx::ConnectOptions::connect(&options).await.unwrap();
    let corrupt = "INSERT INTO workflow_messages (message_id, message, key, payload, delivered_ms, expires_ms) \
         VALUES ('m', 'Paid', 'bad', '{\"ord', 0, 9)";
    sqlx::raw_sql(corrupt).execute(&mut connection).await.unwrap();
    sqlx::Connection::close(connection).await.unwrap();

    let engine =
        builder(Sqlite::open(folder.database()).await.unwrap(), &world, &clock).start().await.unwrap();
    let client = engine.client();
    client.deliver(Paid { order: "good".into(), amount: 1 }).await.unwrap();
    let good = tokio::time::timeout(Duration::from_secs(10), client.result::<u64>("good")).await;
    assert_eq!(good.expect("it is loaded beside the bad one").unwrap(), 1);
    let bad = until(&client, "bad", "an incident", |status| !status.incidents.is_empty()).await;
    assert!(bad.incidents[0].cause.contains("the message `m` cannot be read"), "{bad:?}");
}

#[tokio::test]
async fn who_asks_an_engine_that_has_stopped_is_told_so() {
    let (folder, world, clock) = (Folder::new(), World::new(), Clock::manual(0));
    let engine =
        builder(Sqlite::open(folder.database()).await.unwrap(), &world, &clock).start().await.unwrap();
    engine.start(patient("o-1".into())).id("order-1").await.unwrap();
    engine.shutdown().await;
    let client = engine.client();
    let refusals = [
        client.status("order-1").await.err().unwrap(),
        client.journal("order-1").await.err().unwrap(),
        client.runs(&RunFilter::default()).await.err().unwrap(),
        client.cancel("order-1", "enough").await.err().unwrap(),
        client.retry("order-1").await.err().unwrap(),
        engine.start(patient("o-1".into())).await.err().unwrap(),
    ];
    for refusal in refusals {
        assert!(refusal.is_stopped(), "{refusal}");
    }
}

#[tokio::test]
async fn a_database_of_a_newer_release_or_no_database_is_refused() {
    let folder = Folder::new();
    let sqlite = Sqlite::open(folder.database()).await.unwrap();
    sqlite.close().await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.database());
    let mut connection = sqlx::ConnectOptions::connect(&options).await.unwrap();
    sqlx::raw_sql("INSERT INTO workflow_schema VALUES (99)").execute(&mut connection).await.unwrap();
    sqlx::Connection::close(connection).await.unwrap();
    let error = Sqlite::open(folder.database()).await.err().unwrap();
    assert!(error.is_newer_schema() && error.to_string().contains("newer release"), "{error}");

    let other = Folder::new();
    std::fs::write(other.database(), "not a database, but long enough to be looked at ".repeat(40)).unwrap();
    let error = Sqlite::open(other.database()).await.err().unwrap();
    assert!(error.to_string().contains("cannot be opened"), "{error}");
    let error = Sqlite::open(other.database().join("nowhere/runs.db")).await.err().unwrap();
    assert!(error.is_store(), "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_database_has_one_engine_whatever_name_it_is_opened_by() {
    let folder = Folder::new();
    let first = Sqlite::open(folder.database()).await.unwrap();
    let alias = folder.database().with_extension("alias");
    std::os::unix::fs::symlink(folder.database(), &alias).unwrap();
    let _engine = Engine::builder().store(first).start().await.unwrap();
    let second = Engine::builder().store(Sqlite::open(&alias).await.unwrap()).start().await;
    assert!(second.err().unwrap().is_locked());
    let error = Sqlite::open(":memory:").await.err().unwrap();
    assert!(error.to_string().contains("`Memory`"), "{error}");
}

fn changed(store: &Arc<dyn Store>, world: &World, clock: &Clock) -> workflow_runtime::EngineBuilder {
    let engine = Engine::builder().store(Arc::clone(store)).clock(clock.clone());
    engine.resource(world.clone()).register(patient)
}

/// One name, two codes.
mod before {
    use super::*;

    #[workflow]
    pub async fn flow(order: String) -> Result<u64, ShopError> {
        note(&order).await
    }
}

mod after {
    use super::*;

    #[workflow]
    pub async fn flow(order: String) -> Result<u64, ShopError> {
        reserve(&order).await?;
        note(&order).await
    }
}

/// The same, with a defect in it.
mod clumsy {
    use super::*;

    #[workflow]
    pub async fn flow(order: String) -> Result<u64, ShopError> {
        reserve(&order).await?;
        assert!(order.is_empty(), "the fuse is lit");
        note(&order).await
    }
}

mod misspelt {
    use super::*;

    #[workflow]
    pub async fn patiemt(order: String) -> Result<u64, ShopError> {
        note(&order).await
    }
}

/// Of the stores that serve one engine at a time, and of no others.
#[tokio::test]
async fn a_second_engine_is_refused_until_the_first_is_gone() {
    let folder = Folder::new();
    let stores: [Arc<dyn Store>; 2] =
        [Arc::new(Memory::new()), Arc::new(Sqlite::open(folder.database()).await.unwrap())];
    for store in stores {
        let (world, clock) = (World::new(), Clock::manual(1_000_000));
        let first = builder(Arc::clone(&store), &world, &clock).start().await.unwrap();
        let second = builder(Arc::clone(&store), &world, &clock).start().await.err().unwrap();
        assert!(second.is_locked() && second.to_string().contains("another engine"), "{second}");
        drop(first);
        builder(Arc::clone(&store), &world, &clock).start().await.unwrap();
    }
}
