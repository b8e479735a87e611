//! The judge before itself: whatever it has to find is put into evidence that is in order, and found.
//! So no test that asks it passes for nothing.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use workflow_core::{Command, Event, Record};
use workflow_runtime::{IncidentPlace, RunState};

use crate::conductor::Conductor;
use crate::evidence::{Evidence, Pause, Told};
use crate::judge::{acquit, judge};
use crate::ledger::{Call, Flaw};
use crate::load::{Kind, Plan};
use crate::protocol::Outcome;
use crate::quiet;

/// One run of each kind, with a saga that fails after three steps, and one that succeeds.
fn in_order() -> Evidence {
    static IN_ORDER: OnceLock<Evidence> = OnceLock::new();
    let evidence = IN_ORDER.get_or_init(|| {
        let mut conductor = Conductor::on_sqlite(fastrand::Rng::with_seed(0));
        conductor.spawn();
        use Kind::{Family, Herald, Naps, Pair, Race, Rounds, Transact, Trip, Visitor};
        for kind in [Trip, Pair, Transact, Naps, Visitor, Race, Family, Rounds, Herald] {
            let flaws = vec![Flaw::Nothing, Flaw::Busy(1), Flaw::Nothing, Flaw::Nothing];
            conductor.ask_for_uncancelled(Plan { kind, name: format!("{kind:?}"), flaws, nap_ms: 40 });
        }
        let flaws = vec![Flaw::Nothing, Flaw::Nothing, Flaw::Panics, Flaw::Declines];
        for (kind, name) in [(Trip, "failed"), (Transact, "failed in the bank")] {
            let (flaws, name) = (flaws.clone(), name.to_owned());
            conductor.ask_for_uncancelled(Plan { kind, name, flaws, nap_ms: 0 });
        }
        conductor.finish();
        Evidence::of(&conductor)
    });
    acquit(evidence);
    evidence.clone()
}

/// Changes evidence that is in order, and expects a finding of this kind.
#[track_caller]
fn finds(kind: &str, change: impl FnOnce(&mut Evidence)) {
    let mut evidence = in_order();
    change(&mut evidence);
    let findings = judge(&evidence);
    assert!(findings.iter().any(|finding| finding.starts_with(kind)), "{kind}: {findings:#?}");
}

/// The calls of a run, by what they did.
fn call<'a>(evidence: &'a mut Evidence, run_id: &str, step: &str, what: &str) -> &'a mut Call {
    let is_it = |call: &&mut Call| {
        call.run_id == run_id && call.step == step && call.what.split(' ').next() == Some(what)
    };
    evidence.calls.iter_mut().rev().find(is_it).expect("the run has made this call")
}

fn run<'a>(evidence: &'a mut Evidence, run_id: &str) -> &'a mut Told {
    evidence.runs.get_mut(run_id).expect("the run is there")
}

/// Calls it once more, after everything else.
fn repeat(evidence: &mut Evidence, run_id: &str, step: &str, what: &str) {
    let mut again = call(evidence, run_id, step, what).clone();
    again.number = evidence.calls.last().unwrap().number + 1;
    evidence.calls.push(again);
}

#[test]
fn a_lost_run_is_found() {
    finds("lost: `Trip` was acknowledged", |evidence| drop(evidence.runs.remove("Trip")));
    finds("lost: `Naps` has not ended", |evidence| run(evidence, "Naps").status.state = RunState::Running);
    finds("lost: `Family/member", |evidence| {
        let child = evidence.runs.keys().find(|id| id.starts_with("Family/")).unwrap().clone();
        run(evidence, &child).status.state = RunState::Running;
    });
}

#[test]
fn another_end_than_the_one_that_follows_from_the_plan_is_found() {
    finds("outcome", |evidence| evidence.asked.get_mut("Trip").unwrap().plan.flaws[0] = Flaw::Declines);
    finds("told", |evidence| evidence.asked.get_mut("Trip").unwrap().told = Some(Outcome::Cancelled));
    finds("incidents", |evidence| {
        let incident = workflow_runtime::Incident {
            place: IncidentPlace::Run,
            cause: "something is wrong".to_owned(),
            since_ms: 0,
        };
        run(evidence, "Trip").status.incidents.push(incident);
    });
}

#[test]
fn a_completed_step_that_is_called_again_is_found() {
    finds("repeated", |evidence| repeat(evidence, "Trip", "act", "1"));
    finds("saga", |evidence| repeat(evidence, "Trip", "act", "1"));
    finds("repeated", |evidence| repeat(evidence, "failed", "act", "0"));
    finds("repeated", |evidence| repeat(evidence, "failed", "take_back", "2"));
    finds("timers", |evidence| repeat(evidence, "Naps", "note", "1"));
    finds("generations", |evidence| repeat(evidence, "Rounds", "note", "1"));
}

#[test]
fn only_what_a_stopped_worker_did_late_and_others_did_as_well_is_excused() {
    // Worker 2 is the one that was stopped; all other calls are worker 1's.
    let repeated = |is_in_pause: bool| {
        let mut evidence = in_order();
        repeat(&mut evidence, "Trip", "act", "1");
        let late = evidence.calls.last_mut().unwrap();
        late.worker = 2;
        let from_ms = late.began_ms + i64::from(!is_in_pause);
        evidence.pauses = vec![Pause { worker: 2, from_ms, until_ms: from_ms + 10 }];
        evidence
    };
    acquit(&repeated(true));
    assert!(!judge(&repeated(false)).is_empty());
    finds("repeated", |evidence| {
        repeat(evidence, "Trip", "act", "1");
        // Nobody else has done it.
        evidence.pauses = vec![Pause { worker: 1, from_ms: 0, until_ms: i64::MAX }];
    });
}

#[test]
fn an_answer_that_no_call_has_given_is_found() {
    finds("invented", |evidence| call(evidence, "Trip", "act", "1").number -= 1);
    finds("invented", |evidence| call(evidence, "Trip", "act", "1").end = None);
    finds("twice", |evidence| {
        let journal = &mut run(evidence, "Trip").journal;
        let answer = journal.iter().find(|record| matches!(record.event, Event::StepCompleted { .. }));
        journal.extend(answer.cloned());
    });
    finds("effects", |evidence| call(evidence, "Trip", "act", "1").key += "1");
}

#[test]
fn an_undoing_that_is_missing_or_out_of_order_is_found() {
    finds("saga", |evidence| evidence.calls.retain(|call| !call.what.starts_with("1 ")));
    finds("saga", |evidence| {
        let first = call(evidence, "failed", "take_back", "1").number;
        let second = call(evidence, "failed", "take_back", "0").number;
        call(evidence, "failed", "take_back", "1").number = second;
        call(evidence, "failed", "take_back", "0").number = first;
        evidence.calls.sort_by_key(|call| call.number);
    });
    let is_undoing =
        |record: &Record| matches!(&record.event, Event::StepCompleted { op, .. } if op.undoes().is_some());
    finds("undoing", |evidence| {
        let journal = &mut run(evidence, "failed").journal;
        let at = journal.iter().position(is_undoing).unwrap();
        journal.remove(at);
    });
    finds("undoing", |evidence| {
        let journal = &mut run(evidence, "failed").journal;
        let undone: Vec<usize> = (0..journal.len()).filter(|at| is_undoing(&journal[*at])).collect();
        journal.swap(undone[0], undone[1]);
    });
    // As if the run had succeeded with what it has undone.
    finds("undoing", |evidence| {
        let good = run(evidence, "Trip").status.state.clone();
        run(evidence, "failed").status.state = good;
    });
}

#[test]
fn a_timer_that_is_early_or_fires_twice_is_found() {
    finds("timers", |evidence| {
        let (_, fell_asleep_ms) = call(evidence, "Naps", "note", "1").end.clone().unwrap();
        call(evidence, "Naps", "note", "2").began_ms = fell_asleep_ms + 39;
    });
    let is_timer = |record: &Record| matches!(record.event, Event::TimerFired { .. });
    finds("timers", |evidence| {
        let journal = &mut run(evidence, "Naps").journal;
        let timer = journal.iter().find(|record| is_timer(record)).cloned();
        journal.extend(timer);
    });
    finds("timers", |evidence| {
        let journal = &mut run(evidence, "Naps").journal;
        journal.iter_mut().find(|record| is_timer(record)).unwrap().at_ms = 0;
    });
}

#[test]
fn a_message_that_comes_twice_or_never_is_found() {
    finds("messages: `Visitor` noted", |evidence| {
        let taken = call(evidence, "Visitor", "note", "1").clone();
        call(evidence, "Visitor", "note", "2").what = taken.what;
    });
    finds("messages: `Visitor-paid", |evidence| {
        let journal = run(evidence, "Visitor").journal.clone();
        let taken = journal.iter().find(|record| matches!(record.event, Event::MessageReceived { .. }));
        run(evidence, "Trip").journal.extend(taken.cloned());
    });
    finds("events", |evidence| evidence.runs.retain(|_, run| run.status.workflow != "celebrate"));
}

#[test]
fn a_child_too_many_or_too_few_is_found() {
    finds("children", |evidence| {
        let child = evidence.runs.keys().find(|id| id.starts_with("Family/")).unwrap().clone();
        evidence.runs.remove(&child);
    });
    finds("children", |evidence| {
        let child = evidence.runs.iter().find(|(id, _)| id.starts_with("Family/")).unwrap();
        let mut other = child.1.clone();
        other.status.run_id = "Family/other".into();
        evidence.runs.insert("Family/other".to_owned(), other);
    });
    finds("children", |evidence| {
        let failed = run(evidence, "failed").status.state.clone();
        let child = evidence.runs.keys().find(|id| id.starts_with("Family/")).unwrap().clone();
        run(evidence, &child).status.state = failed;
    });
}

#[test]
fn a_transaction_that_took_effect_twice_or_never_is_found() {
    finds("transactions", |evidence| drop(evidence.bookings.pop()));
    finds("transactions", |evidence| evidence.bookings.extend(evidence.bookings.first().cloned()));
    finds("transactions", |evidence| {
        let journal = &mut run(evidence, "failed in the bank").journal;
        journal.retain(
            |record| !matches!(&record.event, Event::StepCompleted { op, .. } if op.undoes().is_some()),
        );
    });
}

/// A disk that has forgotten the last commits, which were acknowledged: the one thing from which nobody can recover.
/// The judge has to see it in what the steps do then.
#[test]
fn a_database_that_forgets_commits_is_found() {
    let mut conductor = Conductor::on_sqlite(fastrand::Rng::with_seed(1));
    let old = conductor.folder().join("old.db");
    let runs = conductor.folder().join("runs.db");
    let worker = conductor.spawn();
    conductor.wait_until_ready(worker);
    for number in 0..10 {
        let flaws = vec![Flaw::Nothing; 40];
        conductor.ask_for_uncancelled(Plan {
            kind: Kind::Trip,
            name: format!("trip-{number}"),
            flaws,
            nap_ms: 0,
        });
    }
    let ledger = crate::ledger::Ledger::open(&conductor.ledger, 0);
    let pump_until = |conductor: &mut Conductor, calls: i64| {
        while ledger.count() < calls {
            conductor.pump(std::time::Duration::from_millis(2));
        }
    };
    pump_until(&mut conductor, 60);
    conductor.kill(worker);
    // All of its log, as a restart would find it, in one file.
    rusqlite::Connection::open(&runs).unwrap().execute("VACUUM INTO ?", [old.to_str().unwrap()]).unwrap();
    let worker = conductor.spawn();
    pump_until(&mut conductor, 160);
    conductor.kill(worker);
    for ending in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{ending}", runs.display()));
    }
    std::fs::rename(&old, &runs).unwrap();
    conductor.spawn();
    conductor.finish();
    let findings = judge(&Evidence::of(&conductor));
    let kinds: BTreeMap<&str, usize> = findings.iter().fold(BTreeMap::new(), |mut kinds, finding| {
        *kinds.entry(finding.split(':').next().unwrap()).or_default() += 1;
        kinds
    });
    assert!(kinds.contains_key("repeated") && kinds.contains_key("saga"), "{findings:#?}");
}

/// What the tests above change is there: an order to undo, a timer, a child.
#[test]
fn the_evidence_holds_what_is_changed() {
    let evidence = in_order();
    let commands = evidence.runs.values().flat_map(Told::commands);
    let (mut timers, mut children) = (0, 0);
    for command in commands {
        match command {
            Command::SetTimer { .. } => timers += 1,
            Command::StartChild { .. } => children += 1,
            _ => {}
        }
    }
    assert!(timers >= 3 && children == 4 && evidence.bookings.len() == 10, "{:?}", evidence.bookings);
    assert!(quiet::evidence(fastrand::Rng::with_seed(2), 5).runs.len() >= 5);
}
