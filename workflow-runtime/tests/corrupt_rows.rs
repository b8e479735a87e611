//! Rows that somebody has changed by hand: whoever waits by them is found again, lists name the bad row and show the
//! others, and nobody else is held up. (`attack_rows.rs` garbles everything at random, in SQLite.)

mod world;

use std::sync::Arc;
use std::time::Duration;

use workflow_runtime::prelude::*;
use workflow_runtime::store::{Fleet, Store, Worker};
use workflow_runtime::{
    Client, Clock, ExportedRun, JsonLines, MessageFilter, MessageState, OutboxFilter, ParkReason, Postgres,
    RecordingTransport, RunFilter,
};
use world::family::announce;
use world::postgres::Schema;
use world::*;

/// A store whose tables can be changed behind its back.
trait Tables: Store {
    async fn change(&self, sql: &str);
}

impl Tables for Sqlite {
    async fn change(&self, sql: &str) {
        self.execute_batch(sql).await.unwrap();
    }
}

impl Tables for Postgres {
    async fn change(&self, sql: &str) {
        self.execute_batch(sql).await.unwrap();
    }
}

macro_rules! on_both {
    ($(async fn $name:ident($store:ident) $body:block)*) => {$(
        mod $name {
            use super::*;

            async fn body<S: Tables>($store: Arc<S>) $body

            #[tokio::test]
            async fn sqlite() {
                let folder = Folder::new();
                body(Arc::new(Sqlite::open(folder.database()).await.unwrap())).await;
            }

            #[tokio::test]
            async fn postgres() {
                body(Arc::new(Schema::new().connect().await)).await;
            }
        }
    )*};
}

async fn parked(engine: &Engine, client: &Client, ids: &[&str]) {
    for id in ids {
        until(client, id, "it waits", |status| !status.waits.is_empty()).await;
    }
    eventually("they are parked", async || (engine.live_runs() == 0).then_some(())).await;
}

async fn pay(client: &Client, order: &str) {
    client.deliver(Paid { order: order.into(), amount: 1 }).await.unwrap();
}

on_both! {
    async fn who_waits_by_a_row_that_is_gone_or_garbled_is_found_again(store) {
        let (world, clock) = (World::new(), Clock::manual(1_000_000));
        let start = async || {
            let builder = builder(Arc::clone(&store), &world, &clock).park_idle_after(Duration::ZERO);
            builder.lease(Duration::from_millis(500)).start().await.unwrap()
        };
        let engine = start().await;
        let client = engine.client();
        for id in ["lost", "moved", "other-key", "other-op"] {
            engine.start(patient(id.into())).id(id).await.unwrap();
        }
        engine.start(slow("nap".into())).id("nap").await.unwrap();
        parked(&engine, &client, &["lost", "moved", "other-key", "other-op"]).await;
        until(&client, "nap", "it sleeps", |status| !status.timers.is_empty()).await;
        // As after a crash: nothing is closed.
        drop(engine);
        store.change(
            "DELETE FROM workflow_waits WHERE run_id = 'lost';
             UPDATE workflow_waits SET run_id = 'nap' WHERE run_id = 'moved';
             UPDATE workflow_waits SET key = 'garbage' WHERE run_id = 'other-key';
             UPDATE workflow_waits SET op = 'garbage' WHERE run_id = 'other-op';
             UPDATE workflow_runs SET wake_ms = NULL WHERE run_id = 'nap'",
        ).await;
        let engine = start().await;
        let client = engine.client();
        for id in ["lost", "moved"] {
            until(&client, id, "its wait is there again", |status| !status.waits.is_empty()).await;
        }
        for id in ["lost", "moved", "other-op"] {
            pay(&client, id).await;
            assert_eq!(client.result::<u64>(id).await.unwrap(), 1, "{id}");
        }
        // Nobody can see that this one waits for something else, until somebody has a look.
        assert!(client.retry("other-key").await.unwrap_err().to_string().contains("nothing that is stuck"));
        pay(&client, "other-key").await;
        assert_eq!(client.result::<u64>("other-key").await.unwrap(), 1);
        until(&client, "nap", "what it does not wait for is gone", |status| status.waits.is_empty()).await;
        clock.advance(Duration::from_secs(3_600));
        assert_eq!(client.result::<u64>("nap").await.unwrap(), 2);
    }

    async fn lists_name_the_bad_row_and_show_the_others(store) {
        let (world, clock, transport) = (World::new(), Clock::manual(1_000_000), RecordingTransport::new());
        transport.fail_next(1_000, workflow_runtime::TransportError::unavailable("closed"));
        let builder = builder(Arc::clone(&store), &world, &clock).register(announce).transport(transport);
        let engine = builder.start().await.unwrap();
        let client = engine.client();
        for id in ["a", "b", "c"] {
            engine.start(announce(id.into())).id(id).await.unwrap().result().await.unwrap();
            let message = Paid { order: id.into(), amount: 1 };
            client.deliver(message).message_id(id).await.unwrap();
        }
        store.change(
            "UPDATE workflow_runs SET conclusion = 'garbage' WHERE run_id = 'b';
             UPDATE workflow_messages SET payload = 'garbage' WHERE message_id = 'b';
             UPDATE workflow_outbox SET payload = 'garbage' WHERE message_id = 'b/paid'",
        ).await;
        let runs = client.runs(&RunFilter::default()).await.unwrap();
        let bad: Vec<_> = runs.iter().map(|run| (&*run.run_id, run.unreadable.is_some())).collect();
        assert_eq!(bad, [("a", false), ("b", true), ("c", false)]);
        let messages = client.messages(&MessageFilter::default()).await.unwrap();
        let is_bad = |state: &MessageState| matches!(state, MessageState::Parked(ParkReason::Unreadable { .. }));
        let bad: Vec<_> = messages.iter().map(|message| (&*message.message_id, is_bad(&message.state))).collect();
        assert_eq!(bad, [("a", false), ("b", true), ("c", false)]);
        let leaving = client.outbox(&OutboxFilter::default()).await.unwrap();
        assert_eq!(leaving.len(), 9);
        for entry in leaving {
            let is_bad = entry.cause.is_some_and(|cause| cause.contains("cannot be read"));
            assert_eq!(is_bad, entry.outgoing.id == "b/paid", "{}", entry.outgoing.id);
        }
    }

    async fn a_message_that_cannot_be_read_holds_up_its_own_run_only(store) {
        let (world, clock, transport) = (World::new(), Clock::manual(1_000_000), RecordingTransport::new());
        transport.fail_next(9, workflow_runtime::TransportError::unavailable("closed"));
        let builder = builder(Arc::clone(&store), &world, &clock).register(announce).transport(transport.clone());
        let engine = builder.start().await.unwrap();
        for id in ["a", "b"] {
            engine.start(announce(id.into())).id(id).await.unwrap().result().await.unwrap();
        }
        store.change("UPDATE workflow_outbox SET payload = 'garbage' WHERE message_id = 'a/paid'").await;
        eventually("the others leave", async || {
            clock.advance(Duration::from_secs(60));
            let left = transport.handed_over();
            assert!(left.iter().all(|sent| &*sent.run_id == "b"), "{left:?}");
            (left.len() == 3).then_some(())
        })
        .await;
    }

    async fn a_garbled_run_is_exported_as_far_as_it_can_be_read_and_holds_up_no_other(store) {
        let (world, clock, folder) = (World::new(), Clock::manual(1_000_000), Folder::new());
        let path = folder.database().with_extension("jsonl");
        let builder = builder(Arc::clone(&store), &world, &clock).run_retention(Duration::from_secs(3_600));
        let builder = builder.message_retention(Duration::from_secs(60));
        let engine = builder.export_to(JsonLines::append(&path).unwrap()).start().await.unwrap();
        let client = engine.client();
        for id in ["a", "b", "c"] {
            engine.start(five_notes(id.into())).id(id).await.unwrap().result().await.unwrap();
        }
        let message = Paid { order: "nobody".into(), amount: 1 };
        client.deliver(message).message_id("m").time_to_live(Duration::from_secs(60)).await.unwrap();
        store.change(
            "UPDATE workflow_runs SET conclusion = 'garbage' WHERE run_id = 'a';
             UPDATE workflow_runs SET progress = 'garbage' WHERE run_id = 'b'",
        ).await;
        let mut lines = Vec::new();
        let everything = RunFilter { limit: u32::MAX, ..RunFilter::default() };
        assert_eq!(client.export(&everything, &mut lines).await.unwrap(), 3);
        clock.advance(Duration::from_secs(2 * 3_600));
        eventually("all of it goes", async || {
            clock.advance(Duration::from_secs(60));
            let runs = client.runs(&RunFilter::default()).await.unwrap();
            let messages = client.messages(&MessageFilter::default()).await.unwrap();
            (runs.is_empty() && messages.is_empty()).then_some(())
        })
        .await;
        for text in [String::from_utf8(lines).unwrap(), std::fs::read_to_string(&path).unwrap()] {
            let runs: Vec<ExportedRun> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            let told = runs.iter().map(|run| (&*run.run_id, run.unreadable.is_some(), run.journal.len()));
            let told: Vec<_> = told.collect();
            assert_eq!(told, [("a", true, 6), ("b", true, 6), ("c", false, 6)]);
            let why = runs[0].unreadable.as_deref().unwrap();
            assert!(why.contains("the conclusion cannot be read"), "{why}");
        }
    }

    async fn a_worker_whose_code_cannot_be_read_has_none(store) {
        let (world, clock) = (World::new(), Clock::manual(1_000_000));
        let engine = builder(Arc::clone(&store), &world, &clock).start().await.unwrap();
        engine.start(patient("a".into())).id("a").await.unwrap();
        assert_eq!(store.orphans().await.unwrap(), []);
        let stranger = Worker { id: "stranger".into(), code: vec![("patient".into(), 1)], messages: Vec::new() };
        if store.is_shared() {
            store.join(&stranger, Duration::from_secs(60)).await.unwrap();
        }
        store.change("UPDATE workflow_workers SET code = '[[\"patient\"'").await;
        let orphans = store.orphans().await.unwrap();
        assert_eq!(orphans.iter().map(|orphans| orphans.runs).collect::<Vec<_>>(), [1]);
    }
}
