//! What every store promises, over every store. Whoever writes a new one adds it to the list below.
//! It drives no engine: turns are made by hand.

mod world;

use workflow_core::{Command, Conclusion, Event, Payload, Record};
use workflow_runtime::prelude::*;
use workflow_runtime::store::*;
use workflow_runtime::{Memory, RunFilter};
use world::turns::*;
use world::*;

on_every_store! {
    async fn a_run_begins_once_and_its_journal_grows_in_order(store, _world, _clock) {
        let outcomes = store.write(&[begin("a"), begin("b")], 0).await.unwrap();
        assert_eq!(outcomes, [written(), written()]);
        assert_eq!(store.write(&[turn("a", 1, 2, &["x", "y"])], 0).await.unwrap(), [written()]);
        let journal = store.journal("a").await.unwrap();
        assert_eq!(journal, [record(101, "input"), record(102, "x"), record(102, "y")]);
        assert_eq!(store.journal("nobody").await.unwrap(), []);
        let other = Turn { records: vec![record(101, "other input")], ..begin("a") };
        assert_eq!(store.write(&[other], 0).await.unwrap(), [TurnOutcome::Exists]);
        let status = store.run("a").await.unwrap().unwrap();
        assert_eq!((status.workflow.as_str(), status.version, status.started_ms), ("flow", 2, 101));
        assert_eq!(store.run("nobody").await.unwrap(), None);
    }

    async fn a_turn_that_is_refused_leaves_no_trace_and_harms_no_other(store, _world, _clock) {
        store.write(&[begin("a"), begin("b"), begin("c"), begin("d")], 0).await.unwrap();
        store.write(&[ending("d", 2)], 0).await.unwrap();
        let mut stale = turn("a", 0, 2, &["stale"]);
        stale.changes.set_timers.insert(op("t"), 5);
        let batch = [
            stale,
            turn("b", 1, 2, &["good"]),
            turn("c", 1, 3, &["a gap"]),
            turn("d", 1, 3, &["after the end"]),
            turn("nobody", 1, 2, &["no such run"]),
            begin("b"),
            begin("e"),
        ];
        let outcomes = store.write(&batch, 0).await.unwrap();
        use TurnOutcome::{Exists, LostLease};
        let expected = [LostLease, written(), LostLease, LostLease, LostLease, Exists, written()];
        assert_eq!(outcomes, expected);
        assert_eq!(store.journal("a").await.unwrap().len(), 1);
        assert_eq!(store.journal("b").await.unwrap().len(), 2);
        assert!(store.run("a").await.unwrap().unwrap().timers.is_empty());
        assert!(store.run("e").await.unwrap().is_some() && store.run("nobody").await.unwrap().is_none());
    }

    async fn a_write_that_is_repeated_is_recognised(store, _world, _clock) {
        let mut first = begin_waiting("a", 1);
        first.changes.set_timers.insert(op("t"), 7);
        store.deliver(WORKER, &[message("m", 100)], 0).await.unwrap();
        for _ in 0..2 {
            let outcomes = store.write(std::slice::from_ref(&first), 0).await.unwrap();
            let [TurnOutcome::Written(offers)] = &outcomes[..] else { panic!("{outcomes:?}") };
            assert_eq!(offered(offers), [("a", "m")]);
        }
        for _ in 0..2 {
            assert_eq!(store.write(&[taking("a", "m")], 0).await.unwrap(), [written()]);
        }
        for _ in 0..2 {
            assert_eq!(store.write(&[ending("a", 3)], 0).await.unwrap(), [written()]);
        }
        assert_eq!(store.write(&[first], 0).await.unwrap(), [TurnOutcome::Exists], "others went on from it");
        assert_eq!(store.journal("a").await.unwrap().len(), 3);
    }

    async fn a_beginning_that_comes_twice_in_one_batch_hears_of_the_message_both_times(store, _world, _clock) {
        store.deliver(WORKER, &[message("m", 100)], 0).await.unwrap();
        let twice = [begin_waiting("a", 1), begin_waiting("b", 1), begin_waiting("a", 1)];
        let outcomes = store.write(&twice, 0).await.unwrap();
        for (outcome, run_id) in outcomes.iter().zip(["a", "b", "a"]) {
            let TurnOutcome::Written(offers) = outcome else { panic!("{outcomes:?}") };
            assert_eq!(offered(offers), [(run_id, "m")], "{outcomes:?}");
        }
    }

    async fn a_message_is_offered_to_all_who_wait_and_taken_once(store, _world, _clock) {
        store.write(&[begin_waiting("b", 1), begin_waiting("a", 2), begin("c")], 0).await.unwrap();
        let delivered = store.deliver(WORKER, &[message("m", 100)], 0).await.unwrap();
        assert!(!delivered[0].is_duplicate);
        assert_eq!(offered(&delivered[0].offers), [("b", "m"), ("a", "m")], "longest wait first");
        let outcomes = store.write(&[taking("a", "m"), taking("b", "m")], 0).await.unwrap();
        assert_eq!(outcomes, [written(), TurnOutcome::MessageTaken]);
        assert_eq!(store.write(&[taking("b", "m")], 0).await.unwrap(), [TurnOutcome::MessageTaken]);
        assert_eq!(store.write(&[taking("b", "never sent")], 0).await.unwrap(), [TurnOutcome::MessageTaken]);
        let again = store.deliver(WORKER, &[message("m", 100), message("n", 100), message("n", 100)], 0).await.unwrap();
        assert_eq!(again.iter().map(|each| each.is_duplicate).collect::<Vec<_>>(), [true, false, true]);
        assert_eq!(offered(&again[1].offers), [("b", "n")]);
    }

    async fn messages_come_oldest_first_until_they_expire(store, _world, _clock) {
        let batch = [message("z", 10), message("a", 30), message("m", 30)];
        store.deliver(WORKER, &batch, 0).await.unwrap();
        let offer = async |run_id: &str, now_ms| {
            let outcomes = store.write(&[begin_waiting(run_id, 1)], now_ms).await.unwrap();
            let [TurnOutcome::Written(offers)] = &outcomes[..] else { panic!("{outcomes:?}") };
            offered(offers).iter().map(|(_, message_id)| (*message_id).to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(offer("run-1", 9).await, ["z"]);
        assert_eq!(offer("run-2", 10).await, ["a"], "not the one that has expired");
        assert_eq!(offer("run-3", 30).await, [""; 0]);
    }

    async fn a_load_gives_journals_offers_and_wishes(store, _world, _clock) {
        store.write(&[begin_waiting("a", 1), begin("b")], 0).await.unwrap();
        store.deliver(WORKER, &[message("m", 100)], 0).await.unwrap();
        store.request_cancel(WORKER, "b", "enough").await.unwrap();
        let mut broken = turn("b", 1, 2, &[]);
        broken.changes.open_incidents.insert(IncidentPlace::Journal, "cannot go on".into());
        assert_eq!(store.write(&[broken.clone()], 0).await.unwrap(), [written()]);
        let leases = ["b", "nobody", "a"].map(|run_id| lease(run_id, 1));
        let loaded = store.load(&leases, 0).await.unwrap();
        let ids: Vec<_> = loaded.iter().map(|run| run.run_id.as_ref()).collect();
        assert_eq!(ids, ["b", "a"]);
        assert_eq!(loaded[0].cancel_reason.as_deref(), Some("enough"));
        assert!(loaded[0].has_journal_incident && !loaded[1].has_journal_incident);
        assert_eq!(loaded[1].journal.as_deref().unwrap(), [record(101, "input")]);
        assert_eq!(offered(&loaded[1].offers), [("a", "m")]);
        assert_eq!(loaded[1].waits.keys().collect::<Vec<_>>(), [&op("paid")]);
        let elsewhere = Lease { worker: "elsewhere".into(), ..lease("a", 1) };
        let lost = store.load(&[lease("b", 0), elsewhere], 0).await.unwrap();
        assert!(lost.is_empty(), "whoever does not hold a run any more does not go on with it");
        broken.lease.epoch = 0;
        assert_eq!(store.write(&[broken], 0).await.unwrap(), [TurnOutcome::LostLease]);
    }

    async fn removals_come_before_what_is_set_again(store, _world, _clock) {
        let mut first = begin("a");
        first.changes.set_timers.extend([(op("t"), 5), (op("u"), 6)]);
        first.changes.open_incidents.insert(IncidentPlace::Operation(op("s")), "stuck".into());
        store.write(&[first], 0).await.unwrap();
        let mut second = turn("a", 1, 2, &["x"]);
        second.changes.clear_timers.extend([op("t"), op("u"), op("never set")]);
        second.changes.set_timers.insert(op("t"), 9);
        second.changes.close_incidents.insert(IncidentPlace::Operation(op("s")));
        second.changes.open_incidents.insert(IncidentPlace::Run, "look".into());
        store.write(&[second], 0).await.unwrap();
        let status = store.run("a").await.unwrap().unwrap();
        assert_eq!(status.timers, [(op("t"), 9)].into());
        let incident = Incident { place: IncidentPlace::Run, cause: "look".into(), since_ms: 102 };
        assert_eq!(status.incidents, [incident]);
        let mut end = ending("a", 3);
        end.changes.open_incidents.insert(IncidentPlace::Run, "too late".into());
        store.write(&[end], 0).await.unwrap();
        let status = store.run("a").await.unwrap().unwrap();
        assert!(status.timers.is_empty() && status.incidents.is_empty());
        assert_eq!(status.state, RunState::Ended(Conclusion::Completed(Payload::of("done").unwrap())));
        assert_eq!(status.ended_ms, Some(103));
    }

    async fn a_cancel_is_noted_until_it_reaches_the_run(store, _world, _clock) {
        store.write(&[begin("a")], 0).await.unwrap();
        assert_eq!(store.request_cancel(WORKER, "nobody", "x").await.unwrap(), None);
        assert_eq!(store.request_cancel(WORKER, "a", "enough").await.unwrap(), Some(RunState::Running));
        let noted = store.run("a").await.unwrap().unwrap().cancel_reason;
        assert_eq!(noted.as_deref(), Some("enough"));
        let mut heard = turn("a", 1, 2, &["heard"]);
        heard.changes.takes_cancel = true;
        store.write(&[heard], 0).await.unwrap();
        assert_eq!(store.run("a").await.unwrap().unwrap().cancel_reason, None);
        store.write(&[ending("a", 3)], 0).await.unwrap();
        assert!(matches!(store.request_cancel(WORKER, "a", "late").await.unwrap(), Some(RunState::Ended(_))));
        assert_eq!(store.run("a").await.unwrap().unwrap().cancel_reason, None);
    }

    async fn listings_are_filtered_and_paged(store, _world, _clock) {
        let mut stuck = begin("c");
        stuck.changes.open_incidents.insert(IncidentPlace::Run, "look".into());
        let other = NewRun { workflow: "other".into(), version: 1, generation: 1, parent: None, parks_until: None };
        let other = Turn { begins: Some(other), ..begin("b") };
        store.write(&[begin("a"), other, stuck, begin("d")], 0).await.unwrap();
        store.write(&[ending("d", 2)], 0).await.unwrap();
        let all = RunFilter::default();
        let list = async |filter: RunFilter| {
            let runs = store.runs(&filter).await.unwrap();
            runs.iter().map(|run| run.run_id.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(list(all.clone()).await, ["a", "b", "c", "d"]);
        assert_eq!(list(RunFilter { workflow: Some("flow".into()), ..all.clone() }).await, ["a", "c", "d"]);
        assert_eq!(list(RunFilter { only_unfinished: true, ..all.clone() }).await, ["a", "b", "c"]);
        assert_eq!(list(RunFilter { only_incidents: true, ..all.clone() }).await, ["c"]);
        assert_eq!(list(RunFilter { after: Some("a".into()), limit: 2, ..all.clone() }).await, ["b", "c"]);
        let runs = store.runs(&RunFilter { only_incidents: true, ..all }).await.unwrap();
        assert_eq!((runs[0].incidents, runs[0].version, runs[0].ended_ms), (1, 2, None));
    }

    async fn values_come_back_letter_by_letter(store, _world, _clock) {
        let hostile = "\u{0} \u{1F980} \\u0000 \" ' ; -- {} [] \n \u{7f} 1e400";
        let input = Payload::from_json(
            r#"{"b":1.0, "a":1e400,"a":[[[]]],"n":123456789012345678901234567890,"s":"\u0000\ud83e\udd80"}"#.into(),
        ).unwrap();
        let event = Event::started(input);
        let odd = Record::new(i64::MIN, event, vec![Command::Withdraw { op: op(hostile) }]);
        let mut first = Turn { records: vec![odd.clone(), record(i64::MAX, hostile)], ..begin("r \u{1F980} '") };
        first.changes.open_incidents.insert(IncidentPlace::Run, "'; DROP TABLE runs".into());
        store.write(&[first], 0).await.unwrap();
        let journal = store.journal("r \u{1F980} '").await.unwrap();
        assert_eq!(journal, [odd, record(i64::MAX, hostile)]);
        let deep = Payload::from_json(format!("{}{}", "[".repeat(2_000), "]".repeat(2_000)));
        if let Ok(deep) = deep {
            let deep = NewMessage { payload: deep, ..message("deep", 10) };
            store.deliver(WORKER, std::slice::from_ref(&deep), 0).await.unwrap();
            let outcomes = store.write(&[begin_waiting("w", 1)], 0).await.unwrap();
            let [TurnOutcome::Written(offers)] = &outcomes[..] else { panic!("{outcomes:?}") };
            assert_eq!(offers[0].payload, deep.payload);
        }
    }

    async fn a_schedule_is_noted_by_its_workflow(store, _world, _clock) {
        assert_eq!(store.schedules().await.unwrap(), []);
        let noted = |workflow: &str, kept_until_ms, last_tick_ms| KeptSchedule {
            workflow: workflow.into(),
            cron: "0 6 * * *".into(),
            timezone: "Europe/Berlin".into(),
            kept_until_ms,
            last_tick_ms,
        };
        for schedule in [noted("b", 1, None), noted("a \u{1F980} '", -5, Some(i64::MAX)), noted("b", 7, Some(6))] {
            store.note_schedule(&schedule).await.unwrap();
        }
        assert_eq!(
            store.schedules().await.unwrap(),
            [noted("a \u{1F980} '", -5, Some(i64::MAX)), noted("b", 7, Some(6))]
        );
        let withdrawn = KeptSchedule { cron: String::new(), ..noted("b", 3, None) };
        store.note_schedule(&withdrawn).await.unwrap();
        assert_eq!(store.schedules().await.unwrap()[1], withdrawn, "the last word counts, also about the past");
    }
}

fn serves_one_engine(store: &impl Store) {
    let lock = store.lock().unwrap();
    assert_eq!(store.lock().unwrap_err().fault(), StoreFault::Locked);
    drop(lock);
    store.lock().unwrap();
}

#[tokio::test]
async fn a_store_in_memory_or_in_a_file_serves_one_engine_at_a_time() {
    let folder = Folder::new();
    serves_one_engine(&Memory::new());
    serves_one_engine(&Sqlite::open(folder.database()).await.unwrap());
}

#[tokio::test]
async fn a_shared_store_serves_many_engines() {
    let shared = [Memory::shared().lock(), world::postgres::Schema::new().connect().await.lock()];
    assert!(shared.iter().all(Result::is_ok));
}
