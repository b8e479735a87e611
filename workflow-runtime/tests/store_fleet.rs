//! What every store promises about who holds which run: claims, leases, parked runs, requests.
//! It drives no engine: turns are made by hand.

mod world;

use std::sync::Arc;
use std::time::Duration;

use workflow_runtime::prelude::*;
use workflow_runtime::store::*;
use workflow_runtime::{Memory, Payload};
use world::turns::*;
use world::*;

const LEASE: Duration = Duration::from_secs(3_600);

fn claim(worker_id: &str, now_ms: i64, limit: usize) -> Claim {
    Claim { worker: worker_id.into(), code: worker(worker_id).code, now_ms, limit }
}

fn taken(claimed: &Claimed) -> Vec<(&str, i64, u32)> {
    claimed.runs.iter().map(|run| (run.lease.run_id.as_ref(), run.lease.epoch, run.strikes)).collect()
}

fn parking(run_id: &str, wake_ms: Option<i64>) -> Parking {
    Parking { lease: lease(run_id, 1), wake_ms, children: Vec::new(), is_broken: false }
}

fn held_by(worker: &str, turn: Turn) -> Turn {
    Turn { lease: Lease { worker: worker.into(), ..turn.lease.clone() }, ..turn }
}

async fn park(store: &impl Store, run_id: &str, wake_ms: Option<i64>) -> bool {
    store.park(&[parking(run_id, wake_ms)], 0).await.unwrap()[0]
}

on_every_store! {
    async fn who_joins_takes_over_from_who_is_given_up(store, _world, _clock) {
        store.write(&[begin("b"), begin("a"), begin("z")], 0).await.unwrap();
        store.write(&[ending("z", 2)], 0).await.unwrap();
        give_up(&store, WORKER).await;
        store.join(&worker("next"), LEASE).await.unwrap();
        let claimed = store.claim(&claim("next", 0, 1)).await.unwrap();
        assert_eq!(taken(&claimed), [("a", 2, 1)]);
        assert!(claimed.next_wake_ms.is_some_and(|next_ms| next_ms <= 0), "there is more");
        assert!(!store.beat(WORKER, LEASE).await.unwrap() && store.beat("next", LEASE).await.unwrap());
        let late = [turn("a", 1, 2, &["late"]), turn("b", 1, 2, &["late, though nobody has taken it yet"])];
        assert_eq!(store.write(&late, 0).await.unwrap(), [TurnOutcome::LostLease, TurnOutcome::LostLease]);
        assert_eq!(taken(&store.claim(&claim("next", 0, 10)).await.unwrap()), [("b", 2, 1)]);
        let mine = held_by("next", turn("b", 2, 2, &["mine"]));
        let forged = held_by("next", turn("a", 1, 2, &["an old epoch"]));
        let batch = [turn("a", 1, 2, &["late"]), mine, turn("a", 2, 2, &["not its holder"]), forged];
        use TurnOutcome::LostLease;
        assert_eq!(store.write(&batch, 0).await.unwrap(), [LostLease, written(), LostLease, LostLease]);
        assert_eq!(store.claim(&claim("next", 0, 10)).await.unwrap(), Claimed::default());
        assert_eq!(store.claim(&claim(WORKER, 0, 10)).await.unwrap(), Claimed::default(), "it was given up");
    }

    async fn only_runs_with_code_are_claimed_and_the_others_are_named(store, _world, _clock) {
        store.write(&[begin("a"), begin("b")], 0).await.unwrap();
        store.leave(WORKER).await.unwrap();
        let code = vec![("flow".into(), 1), ("other".into(), 2)];
        let stranger = Worker { id: "stranger".into(), code, messages: Vec::new() };
        store.join(&stranger, LEASE).await.unwrap();
        let no_code = Claim { worker: stranger.id, code: stranger.code, now_ms: 9, limit: 9 };
        assert_eq!(store.claim(&no_code).await.unwrap(), Claimed::default());
        let orphans = Orphans { workflow: "flow".into(), version: 2, runs: 2, example: "a".into() };
        assert_eq!(store.orphans().await.unwrap(), [orphans]);
        store.leave("stranger").await.unwrap();
        store.join(&worker("next"), LEASE).await.unwrap();
        assert_eq!(store.orphans().await.unwrap(), []);
        let none = store.claim(&claim("next", 0, 0)).await.unwrap();
        assert!(none.runs.is_empty() && none.next_wake_ms.is_some_and(|next_ms| next_ms <= 0), "they are due");
        assert_eq!(taken(&store.claim(&claim("next", 0, 1)).await.unwrap()).len(), 1);
        let rest = store.claim(&claim("next", 0, 10)).await.unwrap();
        assert_eq!((rest.runs.len(), rest.next_wake_ms), (1, None));
        assert_eq!(store.claim(&claim("next", 0, 0)).await.unwrap().next_wake_ms, None, "and nothing else is");
    }

    async fn an_acquitted_run_has_no_strikes_and_only_its_holder_acquits_it(store, _world, _clock) {
        store.write(&[begin("a"), begin("b")], 0).await.unwrap();
        let mut holder = WORKER.to_owned();
        for strikes in 1..=2 {
            let next = format!("worker-{}", strikes + 1);
            give_up(&store, &holder).await;
            store.join(&worker(&next), LEASE).await.unwrap();
            let claimed = store.claim(&claim(&next, 0, 10)).await.unwrap();
            let epoch = i64::from(strikes) + 1;
            assert_eq!(taken(&claimed), [("a", epoch, strikes), ("b", epoch, strikes)]);
            holder = next;
        }
        let held = |run_id: &str, epoch| Lease { worker: "worker-3".into(), ..lease(run_id, epoch) };
        let late = [Lease { worker: "worker-2".into(), ..lease("b", 3) }, held("b", 2), held("nobody", 1)];
        store.acquit(&late).await.unwrap();
        store.acquit(&[held("a", 3)]).await.unwrap();
        give_up(&store, "worker-3").await;
        store.join(&worker("next"), LEASE).await.unwrap();
        let claimed = store.claim(&claim("next", 0, 10)).await.unwrap();
        assert_eq!(taken(&claimed), [("a", 4, 1), ("b", 4, 3)], "one of them since it was acquitted");
    }

    async fn strikes_count_holders_that_were_given_up_at_the_same_row(store, _world, _clock) {
        store.write(&[begin("a")], 0).await.unwrap();
        let mut holder = WORKER.to_owned();
        for strikes in 1..=3 {
            let next = format!("worker-{}", strikes + 1);
            give_up(&store, &holder).await;
            store.join(&worker(&next), LEASE).await.unwrap();
            let claimed = store.claim(&claim(&next, 0, 10)).await.unwrap();
            assert_eq!(taken(&claimed), [("a", i64::from(strikes) + 1, strikes)]);
            assert_eq!(store.run("a").await.unwrap().unwrap().strikes, strikes);
            holder = next;
        }
        let grown = held_by(&holder, turn("a", 4, 2, &["it went on"]));
        assert_eq!(store.write(&[grown], 0).await.unwrap(), [written()]);
        assert_eq!(store.run("a").await.unwrap().unwrap().strikes, 0, "it has got on");
        give_up(&store, &holder).await;
        store.join(&worker("last"), LEASE).await.unwrap();
        assert_eq!(taken(&store.claim(&claim("last", 0, 10)).await.unwrap()), [("a", 5, 1)]);
        store.leave("last").await.unwrap();
        store.join(&worker("after"), LEASE).await.unwrap();
        let claimed = store.claim(&claim("after", 0, 10)).await.unwrap();
        assert_eq!(taken(&claimed), [("a", 6, 1)], "an orderly leave is no strike");
    }

    async fn a_parked_run_is_taken_when_its_time_has_come(store, _world, _clock) {
        store.write(&[begin("a"), begin("b"), begin("c")], 0).await.unwrap();
        for (run_id, wake_ms) in [("a", Some(30)), ("b", Some(20)), ("c", None)] {
            assert!(park(&store, run_id, wake_ms).await);
        }
        assert!(!park(&store, "a", Some(40)).await, "nobody holds it any more");
        assert_eq!(store.write(&[turn("a", 1, 2, &["late"])], 0).await.unwrap(), [TurnOutcome::LostLease]);
        let early = store.claim(&claim(WORKER, 19, 10)).await.unwrap();
        assert_eq!((taken(&early), early.next_wake_ms), (vec![], Some(20)));
        let due = store.claim(&claim(WORKER, 30, 1)).await.unwrap();
        assert_eq!((taken(&due), due.next_wake_ms), (vec![("b", 2, 0)], Some(30)), "earliest first");
        let due = store.claim(&claim(WORKER, 30, 10)).await.unwrap();
        assert_eq!((taken(&due), due.next_wake_ms), (vec![("a", 2, 0)], None));
        assert_eq!(store.write(&[turn("a", 2, 2, &["woken"])], 0).await.unwrap(), [written()]);
        store.wake(&["c".into(), "nobody".into()]).await.unwrap();
        assert_eq!(taken(&store.claim(&claim(WORKER, 0, 10)).await.unwrap()), [("c", 2, 0)]);
    }

    async fn a_start_that_is_repeated_after_the_run_was_parked_drives_nothing(store, _world, _clock) {
        store.write(&[begin("a")], 0).await.unwrap();
        assert_eq!(store.write(&[begin("a")], 0).await.unwrap(), [written()], "nobody knows whether it was heard");
        assert!(park(&store, "a", None).await);
        assert_eq!(store.write(&[begin("a")], 0).await.unwrap(), [TurnOutcome::Exists]);
        assert!(store.is_first(WORKER).await.unwrap());
    }

    async fn a_run_may_begin_parked(store, _world, _clock) {
        let mut asleep = begin("a");
        asleep.begins.as_mut().unwrap().parks_until = Some(50);
        for _ in 0..2 {
            assert_eq!(store.write(&[asleep.clone(), begin("b")], 0).await.unwrap(), [written(), written()]);
        }
        assert_eq!(store.write(&[turn("a", 1, 2, &["x"])], 0).await.unwrap(), [TurnOutcome::LostLease]);
        assert_eq!(store.claim(&claim(WORKER, 49, 10)).await.unwrap().next_wake_ms, Some(50));
        assert_eq!(taken(&store.claim(&claim(WORKER, 50, 10)).await.unwrap()), [("a", 2, 0)]);
    }

    async fn a_run_that_has_something_to_hear_is_not_parked(store, _world, _clock) {
        let all = ["woken", "cancelled", "asked", "offered", "parent", "childless", "child", "grown"];
        store.write(&all.map(begin), 0).await.unwrap();
        store.wake(&["woken".into()]).await.unwrap();
        store.request_cancel(WORKER, "cancelled", "enough").await.unwrap();
        let request = Request { id: "r-1".into(), run_id: "asked".into(), body: Payload::of("retry").unwrap() };
        assert!(store.ask(WORKER, &request, 0).await.unwrap());
        let mut waiting = turn("offered", 1, 2, &["waits"]);
        let wait = MessageWait { message: "Paid".into(), key: "k".into(), since_ms: 1 };
        waiting.changes.begin_waits.insert(op("paid"), wait);
        store.write(&[waiting, ending("grown", 2)], 0).await.unwrap();
        store.deliver(WORKER, &[message("m", 100)], 0).await.unwrap();
        let mut parkings: Vec<_> = ["woken", "cancelled", "asked", "offered"].map(|run| parking(run, None)).into();
        parkings.push(Parking { children: vec!["child".into(), "grown".into()], ..parking("parent", None) });
        parkings.push(Parking { children: vec!["never begun".into()], ..parking("childless", None) });
        assert_eq!(store.park(&parkings, 0).await.unwrap(), [false; 6]);
        assert_eq!(store.claim(&claim(WORKER, 0, 10)).await.unwrap().news, ["woken".into()], "and is still held");
        let parkings: Vec<_> = parkings.iter().map(|one| Parking { is_broken: true, ..one.clone() }).collect();
        let expected = [true, true, false, true, true, true];
        assert_eq!(store.park(&parkings, 0).await.unwrap(), expected, "of what is broken only requests matter");
        let child = Parking { children: vec!["asked".into()], ..parking("child", None) };
        assert_eq!(store.park(&[child], 100).await.unwrap(), [true]);
    }

    async fn what_reaches_a_parked_run_wakes_it(store, _world, _clock) {
        let told = ["offered", "cancelled", "parent", "asked", "asleep"];
        store.write(&told.map(begin), 0).await.unwrap();
        let mut waiting = turn("offered", 1, 2, &["waits"]);
        let wait = MessageWait { message: "Paid".into(), key: "k".into(), since_ms: 1 };
        waiting.changes.begin_waits.insert(op("paid"), wait);
        store.write(&[waiting, begin("child")], 0).await.unwrap();
        for run_id in told {
            assert!(park(&store, run_id, None).await, "{run_id}");
        }
        store.deliver(WORKER, &[message("m", 100)], 0).await.unwrap();
        store.request_cancel(WORKER, "cancelled", "enough").await.unwrap();
        let mut end = ending("child", 2);
        end.changes.wakes = ["parent".into(), "nobody".into()].into();
        store.write(&[end], 0).await.unwrap();
        let request = Request { id: "r-1".into(), run_id: "asked".into(), body: Payload::of("retry").unwrap() };
        store.ask(WORKER, &request, 0).await.unwrap();
        let mut woken = store.claim(&claim(WORKER, 0, 10)).await.unwrap().runs;
        woken.sort_by_key(|run| Arc::clone(&run.lease.run_id));
        let woken: Vec<_> = woken.iter().map(|run| run.lease.run_id.as_ref()).collect();
        assert_eq!(woken, ["asked", "cancelled", "offered", "parent"]);
    }

    async fn what_the_holder_itself_is_told_is_no_news_to_it(store, _world, _clock) {
        store.write(&[begin_waiting("a", 1), begin("parent"), begin("child")], 0).await.unwrap();
        store.deliver(WORKER, &[message("m", 100)], 0).await.unwrap();
        store.request_cancel(WORKER, "a", "enough").await.unwrap();
        let mut end = ending("child", 2);
        end.changes.wakes = ["parent".into()].into();
        store.write(&[end], 0).await.unwrap();
        let request = Request { id: "r".into(), run_id: "a".into(), body: Payload::of("retry").unwrap() };
        store.ask(WORKER, &request, 0).await.unwrap();
        assert_eq!(store.claim(&claim(WORKER, 9, 9)).await.unwrap(), Claimed::default());
        store.deliver("a client elsewhere", &[message("n", 100)], 0).await.unwrap();
        assert_eq!(store.claim(&claim(WORKER, 9, 9)).await.unwrap().news, ["a".into()]);
        assert_eq!(store.claim(&claim(WORKER, 9, 9)).await.unwrap().news, [""; 0].map(Arc::from), "told once");
        store.request_cancel("a client elsewhere", "parent", "enough").await.unwrap();
        assert_eq!(store.claim(&claim(WORKER, 9, 9)).await.unwrap().news, ["parent".into()]);
    }

    async fn a_request_waits_for_its_answer(store, _world, _clock) {
        store.write(&[begin("a"), begin("over")], 0).await.unwrap();
        store.write(&[ending("over", 2)], 0).await.unwrap();
        let request = |id: &str, run_id: &str| {
            Request { id: id.into(), run_id: run_id.into(), body: Payload::of(&(id, "\u{0}'")).unwrap() }
        };
        assert!(!store.ask(WORKER, &request("x", "nobody"), 1).await.unwrap());
        assert!(!store.ask(WORKER, &request("x", "over"), 1).await.unwrap());
        for (id, asked_ms) in [("r-2", 2), ("r-1", 3), ("r-2", 9)] {
            assert!(store.ask(WORKER, &request(id, "a"), asked_ms).await.unwrap());
        }
        let open = [request("r-2", "a"), request("r-1", "a")];
        assert_eq!(store.requests(&["a".into(), "nobody".into()]).await.unwrap(), open);
        assert_eq!(store.load(&[lease("a", 1)], 0).await.unwrap()[0].requests, open);
        assert_eq!(store.answer("r-2").await.unwrap(), Some(None));
        assert_eq!(store.answer("never asked").await.unwrap(), None);
        let mut answering = turn("a", 1, 2, &["heard"]);
        answering.changes.answers.insert("r-2".into(), Payload::of(&3).unwrap());
        assert_eq!(store.write(&[answering], 0).await.unwrap(), [written()]);
        assert_eq!(store.answer("r-2").await.unwrap(), Some(Some(Payload::of(&3).unwrap())));
        assert_eq!(store.requests(&["a".into()]).await.unwrap(), [request("r-1", "a")]);
        let an_hour_ms = 60 * 60 * 1_000;
        let sweep = |now_ms| Sweep { now_ms, messages_until_ms: 0, runs_until_ms: None, only_runs: None, limit: 10 };
        store.sweep(&sweep(an_hour_ms + 1)).await.unwrap();
        assert!(store.answer("r-2").await.unwrap().is_some(), "not before its time");
        store.sweep(&sweep(an_hour_ms + 3)).await.unwrap();
        assert_eq!(store.answer("r-2").await.unwrap(), None);
        assert_eq!(store.answer("r-1").await.unwrap(), Some(None), "it is still open");
    }
}

/// The worker is silent for too long.
async fn give_up(store: &impl Store, worker: &str) {
    // In a store for one engine, it is as the next one joins.
    store.beat(worker, Duration::ZERO).await.unwrap();
}

#[tokio::test]
async fn unfinished_runs_of_an_earlier_release_are_due() {
    let folder = Folder::new();
    let options =
        sqlx::sqlite::SqliteConnectOptions::new().filename(folder.database()).create_if_missing(true);
    let mut connection = sqlx::ConnectOptions::connect(&options).await.unwrap();
    let earlier = [
        include_str!("../src/store/migrations/sqlite/0001_runs.sql"),
        include_str!("../src/store/migrations/sqlite/0002_schedules.sql"),
        include_str!("../src/store/migrations/sqlite/0003_inbox.sql"),
        include_str!("../src/store/migrations/sqlite/0004_children.sql"),
        "CREATE TABLE workflow_schema (version INTEGER NOT NULL PRIMARY KEY); INSERT INTO workflow_schema VALUES (4); \
         INSERT INTO workflow_runs (run_id, workflow, version, epoch, started_ms, ended_ms) \
         VALUES ('a', 'flow', 2, 7, 1, NULL), ('b', 'flow', 2, 1, 1, 2)",
    ];
    sqlx::raw_sql(sqlx::AssertSqlSafe(earlier.join(";\n"))).execute(&mut connection).await.unwrap();
    sqlx::Connection::close(connection).await.unwrap();
    let store = Sqlite::open(folder.database()).await.unwrap();
    store.join(&worker(WORKER), LEASE).await.unwrap();
    assert_eq!(taken(&store.claim(&claim(WORKER, 0, 10)).await.unwrap()), [("a", 8, 0)]);
}
