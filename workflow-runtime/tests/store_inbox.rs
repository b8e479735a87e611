//! What every store promises about messages: events, starts, what is parked, what is listed, what is forgotten.
//! It drives no engine: turns are made by hand.

mod world;

use workflow_core::Payload;
use workflow_runtime::prelude::*;
use workflow_runtime::store::*;
use workflow_runtime::{Memory, RunFilter};
use world::turns::*;
use world::*;

async fn states(store: &impl Store, now_ms: i64) -> Vec<(String, MessageState)> {
    let all = store.messages(&MessageFilter::default(), now_ms).await.unwrap();
    all.into_iter().map(|message| (message.message_id, message.state)).collect()
}

async fn state(store: &impl Store, message_id: &str, now_ms: i64) -> MessageState {
    let only = MessageFilter { message_id: Some(message_id.into()), ..MessageFilter::default() };
    store.messages(&only, now_ms).await.unwrap().remove(0).state
}

fn taken(by: &[(&str, Option<&str>)]) -> MessageState {
    let by = by.iter().map(|(run_id, at)| Taker { run_id: (*run_id).into(), op: at.map(op) });
    MessageState::Taken { by: by.collect() }
}

fn misfit(run_id: &str) -> MessageState {
    let reason = ParkReason::Misfit { run_id: run_id.into(), op: op("paid"), error: "no amount".into() };
    MessageState::Parked(reason)
}

fn starting(id: &str, run_ids: &[&str]) -> NewMessage {
    NewMessage { starts: run_ids.iter().map(|run_id| begin(run_id)).collect(), ..message(id, 100) }
}

fn again(message: NewMessage) -> NewMessage {
    NewMessage { is_redelivery: true, ..message }
}

fn sweep(now_ms: i64, messages_until_ms: i64, runs_until_ms: Option<i64>, limit: u32) -> Sweep {
    Sweep { now_ms, messages_until_ms, runs_until_ms, only_runs: None, limit }
}

on_every_store! {
    async fn a_sweep_removes_what_was_named_old_before_and_nothing_else(store, _world, _clock) {
        store.write(&["a", "b", "c", "d"].map(begin), 0).await.unwrap();
        let ends = [("c", 20), ("a", 30), ("b", 40)];
        let ends = ends.map(|(run_id, at_ms)| Turn { at_ms, ..ending(run_id, 2) });
        store.write(&ends, 0).await.unwrap();
        assert_eq!(store.old_runs(19, 100).await.unwrap(), []);
        assert_eq!(store.old_runs(40, 4).await.unwrap(), ["c".into(), "a".into()], "two rows each");
        assert_eq!(store.old_runs(40, 1).await.unwrap(), ["c".into()], "one at least");
        assert_eq!(store.old_runs(500, 100).await.unwrap(), ["c".into(), "a".into(), "b".into()]);
        let only = Some(vec!["a".into(), "d".into(), "nobody".into()]);
        let swept = store.sweep(&Sweep { only_runs: only, ..sweep(500, 0, Some(40), 100) }).await.unwrap();
        assert_eq!(swept, Swept { runs: 1, ..Swept::default() });
        let none = Sweep { only_runs: Some(Vec::new()), ..sweep(500, 0, Some(40), 100) };
        assert_eq!(store.sweep(&none).await.unwrap(), Swept::default());
        assert_eq!(store.old_runs(500, 100).await.unwrap(), ["c".into(), "b".into()]);
    }

    async fn an_event_reaches_all_who_wait_each_once(store, _world, _clock) {
        store.write(&[begin_waiting("a", 1), begin_waiting("b", 2)], 0).await.unwrap();
        let delivered = store.deliver(WORKER, &[event("e", 100)], 0).await.unwrap();
        assert_eq!(offered(&delivered[0].offers), [("a", "e"), ("b", "e")]);
        let outcomes = store.write(&[taking("a", "e"), taking("b", "e")], 0).await.unwrap();
        assert_eq!(outcomes, [written(), written()]);
        assert_eq!(state(&store, "e", 0).await, taken(&[("a", Some("paid")), ("b", Some("paid"))]));
        let mut once_more = turn("a", 1, 3, &["once more"]);
        once_more.changes.take_messages.insert("e".into(), op("paid"));
        assert_eq!(store.write(&[once_more.clone()], 0).await.unwrap(), [TurnOutcome::MessageTaken]);
        once_more.changes.take_messages.clear();
        let wait = MessageWait { message: "Paid".into(), key: "k".into(), since_ms: 3 };
        once_more.changes.begin_waits.insert(op("paid"), wait);
        assert_eq!(store.write(&[once_more], 0).await.unwrap(), [written()], "a run gets it once");
        let [TurnOutcome::Written(late)] = &store.write(&[begin_waiting("c", 4)], 99).await.unwrap()[..] else {
            panic!("it begins")
        };
        assert_eq!(offered(late), [("c", "e")], "who comes late gets it too");
        let late = store.write(&[begin_waiting("d", 5)], 100).await.unwrap();
        assert_eq!(late, [written()], "until its time is over");
        let twice = store.deliver(WORKER, &[event("e", 500)], 0).await.unwrap();
        assert!(twice[0].is_duplicate);
    }

    async fn an_event_that_nobody_heard_is_over_and_not_parked(store, _world, _clock) {
        store.deliver(WORKER, &[event("e", 10), message("m", 10)], 0).await.unwrap();
        assert_eq!(state(&store, "e", 9).await, MessageState::Waiting);
        assert_eq!(state(&store, "e", 10).await, taken(&[]));
        assert_eq!(state(&store, "m", 10).await, MessageState::Parked(ParkReason::Expired));
        let swept = store.sweep(&sweep(10, -1, None, 10)).await.unwrap();
        assert_eq!(swept, Swept { expired: 2, messages: 0, runs: 0 });
        assert_eq!(state(&store, "e", 10).await, taken(&[]));
        assert_eq!(state(&store, "m", 10).await, MessageState::Parked(ParkReason::Expired));
        assert_eq!(store.sweep(&sweep(10, -1, None, 10)).await.unwrap(), Swept::default());
        let outcomes = store.write(&[begin_waiting("a", 1)], 0).await.unwrap();
        assert_eq!(outcomes, [written()], "what is settled is not offered, even if the clock went back");
    }

    async fn a_message_and_the_runs_that_begin_with_it_are_one_write(store, _world, _clock) {
        store.write(&[begin_waiting("w", 1)], 0).await.unwrap();
        let delivered = store.deliver(WORKER, &[starting("m", &["a", "b"])], 0).await.unwrap();
        assert_eq!((delivered[0].is_duplicate, &delivered[0].starts[..]), (false, &[written(), written()][..]));
        assert!(delivered[0].offers.is_empty(), "a waiting run does not get it too");
        assert_eq!(state(&store, "m", 0).await, taken(&[("a", None), ("b", None)]));
        assert_eq!(store.journal("b").await.unwrap(), [record(101, "input")]);
        let repeated = store.deliver(WORKER, &[starting("m", &["a", "b"])], 0).await.unwrap();
        assert!(repeated[0].is_duplicate);
        assert_eq!(repeated[0].starts, [written(), written()], "a write that is repeated is recognised");
        store.write(&[turn("a", 1, 2, &["goes on"])], 0).await.unwrap();
        let late = store.deliver(WORKER, &[starting("m", &["a", "c"]), starting("n", &["b", "d"])], 0).await.unwrap();
        assert_eq!(late[0].starts, [TurnOutcome::Exists, TurnOutcome::Exists], "nothing begins with a duplicate");
        assert_eq!(store.run("c").await.unwrap(), None);
        assert_eq!((late[1].is_duplicate, late[1].starts[1].clone()), (false, written()));
    }

    async fn an_event_starts_runs_and_reaches_those_who_wait_but_no_run_twice(store, _world, _clock) {
        store.write(&[begin_waiting("w", 1)], 0).await.unwrap();
        let begins = NewMessage { starts: vec![begin_waiting("a", 1)], ..event("e", 100) };
        let delivered = store.deliver(WORKER, &[begins], 0).await.unwrap();
        assert_eq!(delivered[0].starts, [written()], "the run that begins with it is not offered it");
        assert_eq!(offered(&delivered[0].offers), [("w", "e")]);
        store.write(&[taking("w", "e")], 0).await.unwrap();
        assert_eq!(state(&store, "e", 0).await, taken(&[("a", None), ("w", Some("paid"))]));
    }

    async fn runs_that_begin_with_a_message_hear_of_those_that_wait(store, _world, _clock) {
        store.deliver(WORKER, &[message("early", 100)], 0).await.unwrap();
        let begins = NewMessage { starts: vec![begin_waiting("a", 1)], ..message("m", 100) };
        let delivered = store.deliver(WORKER, &[begins], 0).await.unwrap();
        let [TurnOutcome::Written(offers)] = &delivered[0].starts[..] else { panic!("{delivered:?}") };
        assert_eq!(offered(offers), [("a", "early")]);
    }

    async fn what_does_not_fit_is_parked_and_the_next_one_is_offered(store, _world, _clock) {
        store.write(&[begin_waiting("a", 1), begin_waiting("b", 2)], 0).await.unwrap();
        store.deliver(WORKER, &[message("bad", 100), message("good", 100)], 0).await.unwrap();
        for _ in 0..2 {
            let outcomes = store.write(&[refusing("a", "bad")], 7).await.unwrap();
            let [TurnOutcome::Written(offers)] = &outcomes[..] else { panic!("{outcomes:?}") };
            assert_eq!(offered(offers), [("a", "good")]);
        }
        assert_eq!(state(&store, "bad", 0).await, misfit("a"));
        assert_eq!(store.write(&[taking("b", "bad")], 0).await.unwrap(), [TurnOutcome::MessageTaken]);
        assert_eq!(store.write(&[taking("b", "good")], 0).await.unwrap(), [written()]);
        store.write(&[refusing("a", "good")], 0).await.unwrap();
        assert_eq!(state(&store, "good", 0).await, taken(&[("b", Some("paid"))]), "what was taken stays so");
    }

    async fn an_event_that_one_run_cannot_read_still_reaches_the_others(store, _world, _clock) {
        store.write(&[begin_waiting("a", 1), begin_waiting("b", 2)], 0).await.unwrap();
        store.deliver(WORKER, &[event("e", 100)], 0).await.unwrap();
        assert_eq!(store.write(&[refusing("a", "e")], 0).await.unwrap(), [written()], "not offered again");
        assert_eq!(state(&store, "e", 0).await, misfit("a"));
        assert_eq!(store.write(&[taking("b", "e")], 0).await.unwrap(), [written()]);
        assert_eq!(state(&store, "e", 0).await, misfit("a"));
        let mended = NewMessage { payload: Payload::of(&7).unwrap(), ..again(event("e", 100)) };
        let delivered = store.deliver(WORKER, &[mended], 0).await.unwrap();
        assert!(!delivered[0].is_duplicate);
        assert_eq!(offered(&delivered[0].offers), [("a", "e")], "and only to the one that lacks it");
        assert_eq!(delivered[0].offers[0].payload.as_json(), "7");
        assert_eq!(state(&store, "e", 0).await, taken(&[("b", Some("paid"))]));
    }

    async fn only_what_is_parked_comes_again(store, _world, _clock) {
        store.write(&[begin_waiting("a", 1)], 0).await.unwrap();
        store.deliver(WORKER, &[message("old", 10), message("waiting", 100), message("took", 100)], 0).await.unwrap();
        store.write(&[taking("a", "took")], 0).await.unwrap();
        let redelivered = ["old", "waiting", "took", "new"].map(|id| again(message(id, 200)));
        let delivered = store.deliver(WORKER, &redelivered, 50).await.unwrap();
        let duplicates: Vec<_> = delivered.iter().map(|each| each.is_duplicate).collect();
        assert_eq!(duplicates, [false, true, true, false]);
        let order: Vec<_> = states(&store, 60).await.into_iter().map(|(id, _)| id).collect();
        assert_eq!(order, ["waiting", "took", "old", "new"], "it comes last");
        assert_eq!(state(&store, "old", 199).await, MessageState::Waiting);
        assert!(store.deliver(WORKER, &redelivered[..1], 60).await.unwrap()[0].is_duplicate, "once");
        let repeated = store.deliver(WORKER, &[again(starting("old", &["r"]))], 200).await.unwrap();
        assert_eq!(repeated[0].starts, [written()], "runs begin with it as with the first");
    }

    async fn a_message_can_be_set_aside_at_once(store, _world, _clock) {
        store.write(&[begin_waiting("a", 1)], 0).await.unwrap();
        let reason = ParkReason::CannotStart { workflow: "flow".into(), error: "'; DROP".into() };
        let parked = NewMessage { parked: Some(reason.clone()), ..message("m", 100) };
        let delivered = store.deliver(WORKER, &[parked], 0).await.unwrap();
        assert!(delivered[0].offers.is_empty());
        assert_eq!(state(&store, "m", 0).await, MessageState::Parked(reason));
    }

    async fn what_is_discarded_is_gone_but_known(store, _world, _clock) {
        store.write(&[begin_waiting("a", 1)], 0).await.unwrap();
        let kept = [message("w", 100), message("p", 5), message("t", 100), event("e", 100)];
        store.deliver(WORKER, &kept, 0).await.unwrap();
        store.write(&[taking("a", "t")], 0).await.unwrap();
        assert_eq!(store.discard("nothing", 9).await.unwrap(), None);
        assert_eq!(store.discard("t", 9).await.unwrap(), Some(false));
        for id in ["w", "p", "e"] {
            assert_eq!(store.discard(id, 9).await.unwrap(), Some(true), "{id}");
        }
        assert_eq!(state(&store, "w", 9).await, MessageState::Discarded);
        assert_eq!(state(&store, "p", 9).await, MessageState::Discarded);
        assert_eq!(state(&store, "e", 9).await, taken(&[]));
        assert_eq!(state(&store, "t", 9).await, taken(&[("a", Some("paid"))]));
        assert_eq!(store.write(&[begin_waiting("b", 1)], 0).await.unwrap(), [written()]);
        assert!(store.deliver(WORKER, &[again(message("w", 100))], 0).await.unwrap()[0].is_duplicate);
    }

    async fn listings_of_messages_are_filtered_and_paged(store, _world, _clock) {
        store.write(&[begin_waiting("a", 1), begin_waiting("b", 1)], 0).await.unwrap();
        let other = NewMessage { message: "Other".into(), key: "'x".into(), ..message("o", 100) };
        let batch = [message("t", 100), other, message("x", 10), message("bad", 100), event("e", 100)];
        store.deliver(WORKER, &batch, 3).await.unwrap();
        store.write(&[taking("a", "t"), refusing("b", "bad")], 0).await.unwrap();
        store.write(&[refusing("b", "e")], 0).await.unwrap();
        let all = MessageFilter::default();
        let list = async |filter: MessageFilter| {
            let messages = store.messages(&filter, 10).await.unwrap();
            messages.into_iter().map(|message| message.message_id).collect::<Vec<_>>()
        };
        assert_eq!(list(all.clone()).await, ["t", "o", "x", "bad", "e"]);
        assert_eq!(list(MessageFilter { only_parked: true, ..all.clone() }).await, ["x", "bad", "e"]);
        assert_eq!(list(MessageFilter { only_taken: true, ..all.clone() }).await, ["t"]);
        assert_eq!(list(MessageFilter { only_waiting: true, ..all.clone() }).await, ["o"]);
        assert_eq!(list(MessageFilter { message: Some("Other".into()), ..all.clone() }).await, ["o"]);
        assert_eq!(list(MessageFilter { key: Some("'x".into()), ..all.clone() }).await, ["o"]);
        assert_eq!(list(MessageFilter { run_id: Some("b".into()), ..all.clone() }).await, ["bad", "e"]);
        assert_eq!(list(MessageFilter { run_id: Some("a".into()), ..all.clone() }).await, ["t"]);
        let first = store.messages(&MessageFilter { limit: 1, ..all.clone() }, 10).await.unwrap().remove(0);
        assert_eq!((first.delivered_ms, first.expires_ms, first.is_event), (3, 100, false));
        assert_eq!((first.message.as_str(), first.key.as_str()), ("Paid", "k"));
        assert_eq!(first.payload.as_json(), "\"t\"");
        let page = MessageFilter { after: Some(first.number), limit: 2, key: Some("k".into()), ..all };
        assert_eq!(list(page).await, ["x", "bad"]);
    }

    async fn a_sweep_removes_the_oldest_first_and_little_at_a_time(store, _world, _clock) {
        store.write(&[begin_waiting("a", 1)], 0).await.unwrap();
        let kept = [message("t", 1_000), message("x", 50), message("w", 1_000), event("e", 60)];
        store.deliver(WORKER, &kept, 5).await.unwrap();
        store.write(&[taking("a", "t")], 5).await.unwrap(); // Settled at 102.
        let ids = async || states(&store, 0).await.into_iter().map(|(id, _)| id).collect::<Vec<_>>();
        let swept = store.sweep(&sweep(60, 49, None, 10)).await.unwrap();
        assert_eq!(swept, Swept { expired: 2, messages: 0, runs: 0 });
        let swept = store.sweep(&sweep(101, 101, None, 1)).await.unwrap();
        assert_eq!((swept.messages, ids().await), (1, ["t", "w", "e"].map(String::from).to_vec()));
        let swept = store.sweep(&sweep(101, 101, None, 10)).await.unwrap();
        assert_eq!((swept.messages, ids().await), (1, vec!["t".to_owned(), "w".into()]));
        let swept = store.sweep(&sweep(102, 102, None, 10)).await.unwrap();
        assert_eq!((swept.messages, ids().await), (1, vec!["w".to_owned()]));
        assert!(!store.deliver(WORKER, &[message("t", 2_000)], 200).await.unwrap()[0].is_duplicate, "it is forgotten");
    }

    async fn runs_that_ended_go_with_all_that_belongs_to_them(store, _world, _clock) {
        store.write(&[begin("a"), begin("b"), begin("c"), begin("d")], 0).await.unwrap();
        store.write(&[ending("b", 2), ending("a", 2), ending("d", 2)], 0).await.unwrap(); // At 102.
        assert_eq!(store.sweep(&sweep(500, 0, None, 100)).await.unwrap(), Swept::default());
        assert_eq!(store.sweep(&sweep(500, 0, Some(101), 100)).await.unwrap(), Swept::default());
        let swept = store.sweep(&sweep(500, 0, Some(102), 1)).await.unwrap();
        assert_eq!(swept.runs, 1, "at least one, though it has two rows");
        assert!(store.run("a").await.unwrap().is_none() && store.journal("a").await.unwrap().is_empty());
        let swept = store.sweep(&sweep(500, 0, Some(102), 100)).await.unwrap();
        assert_eq!(swept.runs, 2);
        let left = store.runs(&RunFilter::default()).await.unwrap();
        assert!(matches!(&left[..], [only] if only.run_id.as_ref() == "c"), "{left:?}");
        assert_eq!(store.write(&[begin("a")], 0).await.unwrap(), [written()], "the id is free again");
    }
}

#[tokio::test]
async fn messages_of_the_first_release_are_still_known() {
    let folder = Folder::new();
    let options =
        sqlx::sqlite::SqliteConnectOptions::new().filename(folder.database()).create_if_missing(true);
    let mut connection = sqlx::ConnectOptions::connect(&options).await.unwrap();
    let first = include_str!("../src/store/migrations/sqlite/0001_runs.sql");
    let rows = "CREATE TABLE workflow_schema (version INTEGER NOT NULL PRIMARY KEY); \
         INSERT INTO workflow_schema VALUES (1); \
         INSERT INTO workflow_messages (message_id, message, key, payload, delivered_ms, expires_ms, run_id, op) \
         VALUES ('t', 'Paid', 'k', '1', 5, 100, 'a', 'paid'), ('w', 'Paid', 'k', '2', 6, 100, '', '')";
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("{first};{rows}"))).execute(&mut connection).await.unwrap();
    sqlx::Connection::close(connection).await.unwrap();
    let store = Sqlite::open(folder.database()).await.unwrap();
    assert_eq!(state(&store, "t", 0).await, taken(&[("a", Some("paid"))]));
    assert_eq!(state(&store, "w", 0).await, MessageState::Waiting);
    store.join(&worker(WORKER), std::time::Duration::from_secs(60)).await.unwrap();
    let outcomes = store.write(&[begin_waiting("b", 1)], 0).await.unwrap();
    let [TurnOutcome::Written(offers)] = &outcomes[..] else { panic!("{outcomes:?}") };
    assert_eq!(offered(offers), [("b", "w")]);
    let swept = store.sweep(&sweep(50, 5, None, 10)).await.unwrap();
    assert_eq!(swept.messages, 1, "the time since it came counts");
}
