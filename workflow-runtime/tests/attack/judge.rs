//! Holds what steps really did against what the journals say and what was asked for: pure, and slow to believe.
//! Each finding is a broken promise. `mutations.rs` shows that each of them can be found.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use workflow_core::{Command, Conclusion, Event, OpId};
use workflow_runtime::RunState;

use crate::evidence::{Evidence, Pause, Told};
use crate::ledger::Call;
use crate::load::{Kind, LATE, PARTS, Plan};
use crate::protocol::Outcome;

/// Everything that is not as it should be.
pub(crate) fn judge(evidence: &Evidence) -> Vec<String> {
    let mut judge = Judge { evidence, calls: BTreeMap::new(), by_run: BTreeMap::new(), findings: Vec::new() };
    for call in &evidence.calls {
        judge.calls.entry(&call.key).or_default().push(call);
        judge.by_run.entry(&call.run_id).or_default().push(call);
    }
    judge.judge_asked();
    for (id, run) in &evidence.runs {
        judge.judge_end(id, run);
        judge.judge_answers(id, run);
        judge.judge_order(id, run);
        judge.judge_undoing(id, run);
        judge.judge_timers(id, run);
        judge.judge_children(id, run);
    }
    judge.judge_effects();
    judge.judge_messages();
    judge.judge_bookings();
    judge.findings
}

/// Fails the test with all findings, if there are any.
#[track_caller]
pub(crate) fn acquit(evidence: &Evidence) {
    let findings = judge(evidence);
    let mut text = String::new();
    for finding in findings.iter().take(20) {
        let _ = writeln!(text, "- {finding}");
    }
    assert!(findings.is_empty(), "{} promises are broken:\n{text}", findings.len());
}

struct Judge<'a> {
    evidence: &'a Evidence,
    calls: BTreeMap<&'a str, Vec<&'a Call>>,
    by_run: BTreeMap<&'a str, Vec<&'a Call>>,
    findings: Vec<String>,
}

impl<'a> Judge<'a> {
    fn find(&mut self, finding: String) {
        self.findings.push(finding);
    }

    fn calls_of(&self, key: &str) -> &[&'a Call] {
        self.calls.get(key).map_or(&[], Vec::as_slice)
    }

    /// What was acknowledged is there and came to what its plan says; its steps, by the ledger alone, did as well.
    fn judge_asked(&mut self) {
        for (id, asked) in &self.evidence.asked {
            let run = self.evidence.runs.get(id);
            if run.is_none() && (asked.was_acknowledged || asked.told.is_some()) {
                self.find(format!("lost: `{id}` was acknowledged and is not there"));
            }
            let Some(run) = run else { continue };
            let Some(outcome) = outcome(&run.status.state) else {
                self.find(format!("lost: `{id}` has not ended"));
                continue;
            };
            if asked.told.as_ref().is_some_and(|told| *told != outcome) {
                self.find(format!("told: `{id}` ended with {outcome:?}, but {:?} was told", asked.told));
            }
            let is_expected = match &outcome {
                Outcome::Cancelled => asked.was_cancelled,
                other => is_expected(&asked.plan, other),
            };
            if !is_expected {
                self.find(format!("outcome: `{id}` ended with {outcome:?}, not as {:?} says", asked.plan));
            }
            let acted = self.acted(id);
            match asked.plan.kind {
                Kind::Trip => self.judge_saga(id, &asked.plan, &outcome, &acted),
                Kind::Naps => self.judge_naps(id, asked.plan.nap_ms, &acted),
                Kind::Visitor => {
                    let parts: BTreeSet<&str> = acted.iter().map(|(_, what, _)| *what).collect();
                    if acted.len() != PARTS as usize || parts != BTreeSet::from(["0", "1", "2"]) {
                        self.find(format!("messages: `{id}` noted {acted:?}"));
                    }
                }
                Kind::Rounds => {
                    let noted: Vec<&str> = acted.iter().map(|(_, what, _)| *what).collect();
                    if noted != ["0", "1", "2", "3"] {
                        self.find(format!("generations: `{id}` noted {noted:?}"));
                    }
                }
                _ => {}
            }
        }
    }

    /// What the steps of a run did, by the ledger alone, each call of the code once: step, what, its calls.
    fn acted(&self, id: &str) -> Vec<(&'a str, &'a str, Vec<&'a Call>)> {
        let mut acted: Vec<(&str, &str, Vec<&Call>)> = Vec::new();
        for call in self.by_run.get(id).into_iter().flatten().filter(|call| !self.is_excused(call)) {
            // Calls of one key follow each other, or the order is wrong.
            match acted.last_mut() {
                Some((_, _, calls)) if calls[0].key == call.key => calls.push(call),
                _ => acted.push((&call.step, &call.what, vec![call])),
            }
        }
        acted
    }

    /// Forwards in the order of the places, then back in the opposite order, each once: by the ledger alone.
    fn judge_saga(&mut self, id: &str, plan: &Plan, outcome: &Outcome, acted: &[(&str, &str, Vec<&Call>)]) {
        let forwards: Vec<_> = acted.iter().take_while(|(step, ..)| *step == "act").collect();
        let is_in_order = forwards.iter().enumerate().all(|(place, (_, what, _))| *what == place.to_string());
        let is_done = |calls: &[&Call]| calls.iter().any(|call| call.is_done());
        let done: Vec<&str> =
            forwards.iter().filter(|(_, _, calls)| is_done(calls)).map(|(_, what, _)| *what).collect();
        let undone: Vec<&str> = acted[forwards.len()..]
            .iter()
            .map(|(step, what, calls)| match what.split_once(' ') {
                Some((place, _)) if *step == "take_back" && is_done(calls) => place,
                _ => "out of order",
            })
            .collect();
        let expected = match outcome {
            Outcome::Good(_) => {
                if done.len() != plan.flaws.len() {
                    self.find(format!("saga: `{id}` succeeded after {done:?} of {:?}", plan.flaws));
                }
                Vec::new()
            }
            Outcome::Declined | Outcome::Cancelled => done.iter().rev().copied().collect::<Vec<_>>(),
        };
        if !is_in_order || undone != expected {
            self.find(format!("saga: `{id}` ({outcome:?}) did {done:?} and took back {undone:?}: {acted:?}"));
        }
    }

    /// Never early, by a clock that is not the engine's.
    fn judge_naps(&mut self, id: &str, nap_ms: u64, acted: &[(&str, &str, Vec<&Call>)]) {
        let noted: Vec<&str> = acted.iter().map(|(_, what, _)| *what).collect();
        if noted != ["0", "1", "2", "3"] {
            self.find(format!("timers: `{id}` noted {noted:?}"));
        }
        for pair in acted.windows(2) {
            let ends = pair[0].2.iter().filter_map(|call| Some((call, call.end.as_ref()?.1)));
            let ends = ends.filter(|(call, at_ms)| !self.is_overtaken(call, *at_ms));
            let slept_from = ends.map(|(_, at_ms)| at_ms).max();
            let woke = pair[1].2[0].began_ms;
            let nap_ms = i64::try_from(nap_ms).expect("naps are short");
            if self.evidence.had_true_clocks && slept_from.is_none_or(|from| woke - from < nap_ms) {
                self.find(format!(
                    "timers: `{id}` slept from {slept_from:?} to {woke} instead of {nap_ms} ms"
                ));
            }
        }
    }

    /// Every run has ended, and nobody has to look at it.
    fn judge_end(&mut self, id: &str, run: &Told) {
        if run.status.state == RunState::Running {
            self.find(format!("lost: `{id}` ({}) has not ended", run.status.workflow));
        }
        if !run.status.incidents.is_empty() {
            self.find(format!("incidents: `{id}` has {:?}", run.status.incidents));
        }
        let finishes = run.commands().filter(|command| matches!(command, Command::Finish(_))).count();
        if finishes > 1 {
            self.find(format!("journal: `{id}` ends {finishes} times"));
        }
    }

    /// What the journal has recorded is what a call of the step has really answered, and is recorded once.
    fn judge_answers(&mut self, id: &str, run: &Told) {
        let steps = run.steps();
        let mut seen = BTreeSet::new();
        for (op, number) in run.completed() {
            if !seen.insert(op) {
                self.find(format!("twice: `{id}` has two answers for `{op}`"));
            }
            if !matches!(steps.get(op), Some(&("act" | "take_back" | "note"))) {
                continue;
            }
            let key = run.key(op);
            let is_real = self.calls_of(&key).iter().any(|call| call.is_done() && call.number == number);
            // What an undoing answers nobody reads; that it was done counts.
            let was_undone = op.undoes().is_some() && self.calls_of(&key).iter().any(|call| call.is_done());
            if !is_real && !was_undone {
                self.find(format!("invented: `{id}` has {number} for `{op}`, which no call has answered"));
            }
        }
    }

    /// A step that is completed is never called again: no call of it comes after a call of what began behind it.
    fn judge_order(&mut self, id: &str, run: &Told) {
        let mut completed: Option<(i64, &OpId)> = None;
        for record in &run.journal {
            if let Event::StepCompleted { op, .. } = &record.event {
                let last = self.calls_of(&run.key(op)).iter().rev().find(|call| !self.is_excused(call));
                completed = completed.max(last.map(|call| (call.number, op)));
            }
            for command in &record.commands {
                let Command::StartStep { op, attempt: 1, .. } = command else { continue };
                let first = self.calls_of(&run.key(op)).first().map(|call| call.number);
                if let (Some(first), Some((last, done))) = (first, completed)
                    && first < last
                {
                    self.find(format!(
                        "repeated: `{id}` called `{done}` again as number {last}, after `{op}`, which began behind \
                         it, as number {first}"
                    ));
                }
            }
        }
    }

    /// A worker that was stopped may begin, when it wakes, what it was given before and others have done meanwhile.
    fn is_excused(&self, call: &Call) -> bool {
        self.is_overtaken(call, call.began_ms)
    }

    /// Whether this happened to a worker while it was stopped or had not noticed yet, in a call that others made, too.
    fn is_overtaken(&self, call: &Call, at_ms: i64) -> bool {
        let is_in =
            |pause: &Pause| pause.worker == call.worker && (pause.from_ms..=pause.until_ms).contains(&at_ms);
        self.evidence.pauses.iter().any(is_in)
            && self.calls_of(&call.key).iter().any(|other| other.worker != call.worker)
    }

    /// What was done is undone when the run fails, in the opposite order, and nothing else is.
    fn judge_undoing(&mut self, id: &str, run: &Told) {
        let steps = run.steps();
        let completed = run.completed();
        let undoable = |op: &OpId| matches!(steps.get(op), Some(&("act" | "book")));
        let done: Vec<&OpId> = completed.iter().map(|(op, _)| *op).filter(|op| undoable(op)).collect();
        let undone: Vec<OpId> = completed.iter().filter_map(|(op, _)| op.undoes()).collect();
        let dropped: BTreeSet<&OpId> = run
            .commands()
            .filter_map(|command| match command {
                Command::CancelStep { op } => Some(op),
                _ => None,
            })
            .collect();
        let is_kept = matches!(run.status.state, RunState::Ended(Conclusion::Completed(_)));
        let expected: Vec<&OpId> = if is_kept {
            done.into_iter().filter(|op| dropped.contains(op)).collect()
        } else {
            done.into_iter().rev().collect()
        };
        if !undone.iter().eq(expected.iter().copied()) {
            self.find(format!("undoing: `{id}` undid {undone:?} instead of {expected:?}"));
        }
    }

    /// Timers that were set fire once and not before their time, by the run's own clock.
    fn judge_timers(&mut self, id: &str, run: &Told) {
        let mut due: BTreeMap<&OpId, i64> = BTreeMap::new();
        for record in &run.journal {
            if let Event::TimerFired { op } = &record.event {
                match due.remove(op) {
                    Some(due_ms) if due_ms <= record.at_ms => {}
                    due => self.find(format!("timers: `{id}` woke at {} for `{op}`: {due:?}", record.at_ms)),
                }
            }
            for command in &record.commands {
                if let Command::SetTimer { op, due_ms } = command {
                    due.insert(op, *due_ms);
                }
            }
        }
    }

    /// Each child is there, once, as its parent's, and did what its parent heard.
    fn judge_children(&mut self, id: &str, run: &Told) {
        let started: BTreeSet<&str> = run
            .commands()
            .filter_map(|command| match command {
                Command::StartChild { run_id, .. } => Some(run_id.as_str()),
                _ => None,
            })
            .collect();
        let is_mine = |told: &&Told| told.status.parent.as_ref().is_some_and(|parent| parent.run_id == *id);
        let mine: BTreeSet<&str> =
            self.evidence.runs.values().filter(is_mine).map(|told| &*told.status.run_id).collect();
        // One whose parent was cancelled first may never have begun.
        let was_cancelled = matches!(run.status.state, RunState::Ended(Conclusion::Cancelled { .. }));
        if mine != started && !(was_cancelled && mine.is_subset(&started)) {
            self.find(format!("children: `{id}` started {started:?}, and {mine:?} are there"));
        }
        for record in &run.journal {
            if let Event::ChildEnded { op, conclusion } = &record.event {
                let child = run.commands().find_map(|command| match command {
                    Command::StartChild { op: started, run_id, .. } if started == op => Some(run_id),
                    _ => None,
                });
                let ended =
                    child.and_then(|child| self.evidence.runs.get(child)).map(|child| &child.status.state);
                if ended != Some(&RunState::Ended(conclusion.clone())) {
                    self.find(format!(
                        "children: `{id}` heard {conclusion:?} of {child:?}, which is {ended:?}"
                    ));
                }
            }
        }
    }

    /// What steps did for a run that has ended stands in its journal.
    fn judge_effects(&mut self) {
        let mut known: BTreeSet<String> = BTreeSet::new();
        for run in self.evidence.runs.values() {
            known.extend(run.steps().keys().map(|op| run.key(op)));
        }
        for (key, calls) in &self.calls {
            let run = self.evidence.runs.get(&calls[0].run_id);
            // The journals of generations that are over are gone.
            let is_current = run.is_some_and(|run| {
                run.status.generation == 1 || key.contains(&format!("/+{}/", run.status.generation))
            });
            if run.is_none() || (is_current && !known.contains(*key)) {
                self.findings.push(format!("effects: {key} was called, and no journal knows of it"));
            }
        }
    }

    /// A message that was sent reaches one run, once; an event starts one run of those that begin with it.
    fn judge_messages(&mut self) {
        let mut taken: BTreeMap<&str, &str> = BTreeMap::new();
        for (id, run) in &self.evidence.runs {
            for record in &run.journal {
                let Event::MessageReceived { message_id, .. } = &record.event else { continue };
                if let Some(other) = taken.insert(message_id, id) {
                    self.findings.push(format!("messages: `{message_id}` reached `{other}` and `{id}`"));
                }
            }
        }
        let heralds = self.evidence.asked.values().filter(|asked| asked.plan.kind == Kind::Herald).count();
        let is_celebration = |run: &&Told| run.status.workflow == "celebrate";
        let celebrations: Vec<&Told> = self.evidence.runs.values().filter(is_celebration).collect();
        if celebrations.len() != heralds {
            self.find(format!("events: {heralds} were published and started {} runs", celebrations.len()));
        }
    }

    /// Transactional steps took effect exactly as often as the journals say: once each.
    fn judge_bookings(&mut self) {
        let mut recorded = BTreeSet::new();
        for run in self.evidence.runs.values().filter(|run| run.status.workflow == "transact") {
            recorded.extend(run.completed().iter().map(|(op, _)| run.key(op)));
        }
        let mut booked = BTreeSet::new();
        for (_, _, key) in &self.evidence.bookings {
            if !booked.insert(key.clone()) {
                self.find(format!("transactions: {key} was booked twice"));
            }
        }
        for key in booked.symmetric_difference(&recorded) {
            let is_booked = booked.contains(key);
            self.findings.push(format!("transactions: {key}: booked is {is_booked}, recorded the opposite"));
        }
    }
}

fn outcome(state: &RunState) -> Option<Outcome> {
    match state {
        RunState::Running => None,
        RunState::Ended(Conclusion::Completed(value)) => {
            Some(Outcome::Good(value.read().unwrap_or(u32::MAX)))
        }
        RunState::Ended(Conclusion::Failed { .. }) => Some(Outcome::Declined),
        RunState::Ended(Conclusion::Cancelled { .. }) => Some(Outcome::Cancelled),
    }
}

fn is_expected(plan: &Plan, outcome: &Outcome) -> bool {
    let good = match plan.kind {
        Kind::Trip | Kind::Pair | Kind::Transact if plan.declines() => return *outcome == Outcome::Declined,
        Kind::Trip | Kind::Pair | Kind::Transact | Kind::Naps | Kind::Visitor | Kind::Herald => vec![0],
        Kind::Race => vec![0, LATE, 1_000, 1_000 + LATE],
        Kind::Family => {
            let good = plan.flaws.iter().filter(|flaw| **flaw != crate::ledger::Flaw::Declines).count();
            vec![u32::try_from(good).unwrap_or(u32::MAX)]
        }
        Kind::Rounds => vec![PARTS],
    };
    matches!(outcome, Outcome::Good(value) if good.contains(value))
}
