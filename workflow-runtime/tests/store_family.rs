//! What every store promises about children, journals that begin anew, progress and the outbox.
//! It drives no engine: turns are made by hand.

mod world;

use std::sync::Arc;

use workflow_core::{Conclusion, Event, OpId, Parent, Payload, Record};
use workflow_runtime::prelude::*;
use workflow_runtime::store::*;
use workflow_runtime::{Memory, RunFilter};
use world::turns::Write;
use world::*;

fn op(id: &str) -> OpId {
    OpId::from_text(id)
}

fn record(text: &str) -> Record {
    Record::new(7, Event::started(Payload::of(text).unwrap()), Vec::new())
}

fn turn(run_id: &str, first_seq: i64, texts: &[&str]) -> Turn {
    Turn {
        lease: turns::lease(run_id, 1),
        begins: None,
        at_ms: 7,
        first_seq,
        records: texts.iter().map(|text| record(text)).collect(),
        changes: Changes::default(),
    }
}

fn begin(run_id: &str, version: u32, generation: u32) -> Turn {
    let begins = NewRun { workflow: "flow".into(), version, generation, parent: None, parks_until: None };
    Turn { begins: Some(begins), ..turn(run_id, 1, &["begun"]) }
}

fn sending(run_id: &str, first_seq: i64, ids: &[&str]) -> Turn {
    let mut turn = turn(run_id, first_seq, &["sent"]);
    turn.changes.sends = ids.iter().map(|id| outgoing(run_id, id)).collect();
    turn
}

fn outgoing(run_id: &str, id: &str) -> Outgoing {
    Outgoing {
        id: id.into(),
        run_id: run_id.into(),
        op: op("paid"),
        message: "Paid".into(),
        key: "k'\u{1F980}".into(),
        payload: Payload::from_json(r#"{"a":1e400,"b":"\u0000"}"#.into()).unwrap(),
        publishes: id.ends_with('!'),
    }
}

fn written() -> TurnOutcome {
    TurnOutcome::Written(Vec::new())
}

async fn due(store: &impl Store, now_ms: i64, busy: &[&str], runs: usize, each: usize) -> Vec<String> {
    let busy: Vec<Arc<str>> = busy.iter().map(|run_id| (*run_id).into()).collect();
    let page = store.outbox_due(now_ms, &busy, runs, each).await.unwrap();
    page.messages.into_iter().map(|entry| entry.outgoing.id).collect()
}

fn failed(id: &str, due_ms: i64, parks: bool) -> OutboxChange {
    OutboxChange::Fail { id: id.into(), attempts: 3, due_ms, cause: "closed".into(), parks }
}

on_every_store! {
    async fn a_child_is_known_by_its_parent(store, _world, _clock) {
        let parent = Parent { run_id: "p".into(), generation: 3, op: op("leg[1]") };
        let mut child = begin("c", 1, 1);
        child.begins.as_mut().unwrap().parent = Some(parent.clone());
        store.write(&[begin("p", 1, 1), child], 0).await.unwrap();
        let mut end = turn("c", 2, &["end"]);
        let conclusion = Conclusion::Completed(Payload::of("done").unwrap());
        end.changes.conclusion = Some(conclusion.clone());
        let ids: Vec<Arc<str>> = ["nobody", "c", "p"].map(Into::into).into();
        let known = store.look_up(&ids).await.unwrap();
        let [c, p] = &known[..] else { panic!("{known:?}") };
        assert_eq!((&*c.run_id, &c.parent, &c.state), ("c", &Some(parent.clone()), &RunState::Running));
        assert_eq!((&*p.run_id, &p.parent), ("p", &None));
        store.write(&[end], 0).await.unwrap();
        assert_eq!(store.look_up(&ids[1..2]).await.unwrap()[0].state, RunState::Ended(conclusion));
        assert_eq!(store.run("c").await.unwrap().unwrap().parent, Some(parent));
        let filter = RunFilter { parent: Some("p".into()), ..RunFilter::default() };
        let children = store.runs(&filter).await.unwrap();
        assert_eq!(children.iter().map(|run| &*run.run_id).collect::<Vec<_>>(), ["c"]);
    }

    async fn a_run_stays_while_its_parent_may_ask_for_it_or_its_messages_wait(store, _world, _clock) {
        let ended = |run_id: &str| {
            let mut end = turn(run_id, 2, &["end"]);
            end.changes.conclusion = Some(Conclusion::Completed(Payload::null()));
            end
        };
        let parent = |generation| Some(Parent { run_id: "p".into(), generation, op: op("leg") });
        let mut child = begin("c", 1, 1);
        child.begins.as_mut().unwrap().parent = parent(1);
        let mut stray = begin("stray", 1, 1);
        stray.begins.as_mut().unwrap().parent =
            Some(Parent { run_id: "gone".into(), generation: 1, op: op("leg") });
        store.write(&[begin("p", 1, 1), child, begin("s", 1, 1), stray], 0).await.unwrap();
        let mut sends = ended("s");
        sends.changes.sends = vec![outgoing("s", "s/paid")];
        store.write(&[ended("c"), sends, ended("stray")], 0).await.unwrap();
        let sweep = Sweep { now_ms: 50, messages_until_ms: 0, runs_until_ms: Some(50), only_runs: None, limit: 100 };
        let left = async || {
            while store.sweep(&sweep).await.unwrap().is_anything() {}
            let runs = store.runs(&RunFilter::default()).await.unwrap();
            runs.iter().map(|run| run.run_id.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(left().await, ["c", "p", "s"], "the parent of `stray` is gone");
        store.write(&[begin("p", 1, 2)], 0).await.unwrap();
        assert_eq!(left().await, ["p", "s"], "a parent that has begun anew waits for nothing from before");
        store.change_outbox(&[failed("s/paid", 0, true)]).await.unwrap();
        assert_eq!(left().await, ["p", "s"], "also when nobody tries to hand it over any more");
        store.change_outbox(&[OutboxChange::Remove { id: "s/paid".into() }]).await.unwrap();
        assert_eq!(left().await, ["p"]);
        let mut again = begin("s", 1, 1);
        again.changes.sends = vec![outgoing("s", "s/paid")];
        assert_eq!(store.write(&[again], 0).await.unwrap(), [written()], "another run under the same id");
    }

    async fn a_journal_takes_the_place_of_the_one_before(store, _world, _clock) {
        let parent = Parent { run_id: "p".into(), generation: 1, op: op("leg") };
        let mut first = begin("a", 1, 1);
        first.begins.as_mut().unwrap().parent = Some(parent.clone());
        store.write(&[first], 0).await.unwrap();
        store.write(&[turn("a", 2, &["x", "y"])], 0).await.unwrap();
        let anew = begin("a", 5, 2);
        for _ in 0..2 {
            assert_eq!(store.write(&[anew.clone(), begin("b", 1, 1)], 0).await.unwrap(), [written(), written()]);
        }
        assert_eq!(store.journal("a").await.unwrap(), [record("begun")]);
        let status = store.run("a").await.unwrap().unwrap();
        assert_eq!((status.version, status.generation, status.started_ms), (5, 2, 7));
        assert_eq!(status.parent, Some(parent), "it stays the child of its parent");
        assert_eq!(store.write(&[turn("a", 2, &["z"])], 0).await.unwrap(), [written()]);
        assert_eq!(store.write(&[turn("a", 2, &["late"])], 0).await.unwrap(), [TurnOutcome::LostLease]);
        store.leave(turns::WORKER).await.unwrap();
        let next = Worker { id: "next".into(), code: vec![("flow".into(), 5)], messages: Vec::new() };
        store.join(&next, std::time::Duration::from_secs(60)).await.unwrap();
        let claim = Claim { worker: next.id, code: next.code, now_ms: 0, limit: 10 };
        assert_eq!(store.claim(&claim).await.unwrap().runs[0].version, 5);
    }

    async fn a_journal_that_may_not_begin_anew_stays_and_harms_no_other(store, _world, _clock) {
        store.write(&[begin("a", 1, 1), begin("ended", 1, 1)], 0).await.unwrap();
        let mut end = turn("ended", 2, &["end"]);
        end.changes.conclusion = Some(Conclusion::Cancelled { reason: "x".into() });
        store.write(&[end], 0).await.unwrap();
        let mut stale = begin("a", 1, 2);
        stale.lease.epoch = 0;
        let batch = [stale, begin("a", 1, 3), begin("ended", 1, 2), begin("nobody", 1, 2), begin("b", 1, 1)];
        let outcomes = store.write(&batch, 0).await.unwrap();
        let lost = TurnOutcome::LostLease;
        assert_eq!(outcomes, [lost.clone(), lost.clone(), lost.clone(), lost, written()]);
        assert_eq!(store.journal("a").await.unwrap().len(), 1);
        assert_eq!(store.journal("ended").await.unwrap().len(), 2);
        assert_eq!(store.run("a").await.unwrap().unwrap().generation, 1);
        assert!(store.run("nobody").await.unwrap().is_none() && store.run("b").await.unwrap().is_some());
    }

    async fn progress_stays_until_there_is_other(store, _world, _clock) {
        let progress = async || store.run("a").await.unwrap().unwrap().progress;
        store.write(&[begin("a", 1, 1)], 0).await.unwrap();
        assert_eq!(progress().await, None);
        let mut second = turn("a", 2, &["x"]);
        let value = Payload::from_json(r#"{"n":1.0,"s":"\u0000'"}"#.into()).unwrap();
        second.changes.progress = Some(value.clone());
        store.write(&[second], 0).await.unwrap();
        store.write(&[begin("a", 1, 2)], 0).await.unwrap();
        assert_eq!(progress().await, Some(value));
        let mut end = turn("a", 2, &["end"]);
        end.changes.progress = Some(Payload::of("all").unwrap());
        end.changes.conclusion = Some(Conclusion::Cancelled { reason: "x".into() });
        store.write(&[end], 0).await.unwrap();
        assert_eq!(progress().await, Some(Payload::of("all").unwrap()));
    }

    async fn messages_are_due_in_order_run_by_run(store, _world, _clock) {
        store.write(&[begin("a", 1, 1), begin("b", 1, 1)], 0).await.unwrap();
        store.write(&[sending("a", 2, &["a1", "a2"]), sending("b", 2, &["b1!"])], 0).await.unwrap();
        for _ in 0..2 {
            assert_eq!(store.write(&[sending("a", 3, &["a3"])], 0).await.unwrap(), [written()]);
        }
        assert_eq!(due(&store, 7, &[], 9, 9).await, ["a1", "a2", "b1!", "a3"], "a repeated write sends once");
        assert_eq!(due(&store, 7, &[], 9, 2).await, ["a1", "a2", "b1!"]);
        assert_eq!(due(&store, 7, &[], 1, 9).await, ["a1", "a2", "a3"]);
        assert_eq!(due(&store, 7, &["a"], 9, 9).await, ["b1!"]);
        let listed = store.outbox(&OutboxFilter { limit: 3, ..OutboxFilter::default() }).await.unwrap();
        assert_eq!(listed[0].outgoing, outgoing("a", "a1"), "letter by letter");
        assert_eq!((listed[0].sent_ms, listed[0].attempts, listed[0].is_parked), (7, 0, false));
        assert!(listed[2].outgoing.publishes && listed.len() == 3);
        let refused = store.write(&[sending("a", 2, &["lost"])], 0).await.unwrap();
        assert_eq!(refused, [TurnOutcome::LostLease]);
        let removed = ["a1", "b1!", "nobody"].map(|id| OutboxChange::Remove { id: id.into() });
        assert_eq!(store.change_outbox(&removed).await.unwrap(), [true, true, false]);
        assert_eq!(due(&store, 7, &[], 9, 9).await, ["a2", "a3"]);
    }

    async fn a_message_that_failed_waits_and_the_later_ones_behind_it(store, _world, _clock) {
        store.write(&[begin("a", 1, 1), begin("b", 1, 1)], 0).await.unwrap();
        store.write(&[sending("a", 2, &["a1", "a2", "a3"]), sending("b", 2, &["b1"])], 0).await.unwrap();
        let changes = [failed("a1", 50, false), failed("nobody", 5, true)];
        assert_eq!(store.change_outbox(&changes).await.unwrap(), [true, false]);
        assert_eq!(due(&store, 49, &[], 9, 9).await, ["b1"]);
        let page = store.outbox_due(49, &[], 9, 9).await.unwrap();
        assert_eq!(page.next_due_ms, Some(50));
        let page = store.outbox_due(50, &[], 9, 9).await.unwrap();
        assert_eq!((page.messages.len(), page.next_due_ms), (4, None));
        assert_eq!((page.messages[0].attempts, page.messages[0].cause.as_deref()), (3, Some("closed")));

        store.change_outbox(&[failed("a2", 0, true)]).await.unwrap();
        assert_eq!(due(&store, 50, &[], 9, 9).await, ["a1", "b1"], "up to the one that is parked");
        store.change_outbox(&[OutboxChange::Remove { id: "a1".into() }]).await.unwrap();
        let page = store.outbox_due(50, &[], 9, 9).await.unwrap();
        assert_eq!((page.messages.len(), page.next_due_ms), (1, None), "a parked one is never due");
        let parked = OutboxFilter { only_parked: true, ..OutboxFilter::default() };
        let listed = store.outbox(&parked).await.unwrap();
        assert_eq!(listed.iter().map(|entry| &*entry.outgoing.id).collect::<Vec<_>>(), ["a2"]);
        let of_run = OutboxFilter { run_id: Some("a".into()), ..OutboxFilter::default() };
        assert_eq!(store.outbox(&of_run).await.unwrap().len(), 2);
        let release = OutboxChange::Release { id: "a2".into(), due_ms: 60 };
        assert_eq!(store.change_outbox(&[release]).await.unwrap(), [true]);
        assert_eq!(due(&store, 59, &[], 9, 9).await, ["b1"]);
        assert_eq!(due(&store, 60, &[], 9, 9).await, ["a2", "a3", "b1"]);
        assert_eq!(store.outbox(&of_run).await.unwrap()[0].attempts, 0);
    }
}
