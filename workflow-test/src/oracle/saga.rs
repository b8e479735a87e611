//! The saga: what was completed is undone exactly once, last first, and only on the way out before the pivot.
//! Computed from the journal and the way through the graph; it must not ask the core, whose work it checks.
//!
//! A workflow and a subflow are scopes. One that fails has undone itself before anything behind it begins; one that
//! ends well hands over to the scope around it. Code may also undo its scope on purpose, and what took effect after the
//! code had dropped it is undone whatever becomes of the run.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use workflow_core::{Command, Conclusion, Event, OpId, Payload, Record, StepDef};
use workflow_graph::{CompensationFacts, Effect, Outcome, Wire};

use crate::oracle::leaving::Leaving;
use crate::oracle::walk::Path;
use crate::oracle::{Judge, conclusion_of};
use crate::violation::{Oracle, Violation};

/// A step that took effect, or may have.
struct Done<'a> {
    op: &'a OpId,
    def: &'static StepDef,
    args: &'a Payload,
    /// `None` when nobody knows whether it took effect.
    output: Option<&'a Payload>,
    /// Not so for what was withdrawn between two attempts: nobody knows when it happened, if it did.
    has_time: bool,
    /// The code had dropped it by then: it is undone whatever becomes of the run.
    is_unwanted: bool,
}

/// A step that has been asked for and has not been settled.
struct Open<'a> {
    def: &'static StepDef,
    args: &'a Payload,
    is_unknown: bool,
    /// The code does not wait for it any more.
    is_dropped: bool,
}

struct Story<'a, 'b> {
    judge: &'b Judge,
    path: &'b Path,
    row: usize,
    open: BTreeMap<&'a OpId, Open<'a>>,
    /// In order of completion.
    done: Vec<Done<'a>>,
    pivot: Option<&'a OpId>,
    /// By what is undone.
    undoing: BTreeMap<OpId, Done<'a>>,
    undone: BTreeMap<OpId, usize>,
    /// The compensations that were begun and need a reason: what they undo, their names, and the row.
    undos: Vec<(OpId, &'a str, usize)>,
    /// The steps and children of which an outcome has yet to come, whoever waits for it.
    under_way: BTreeSet<&'a OpId>,
    leaving: Leaving<'a>,
}

/// Holds the journal of a run that is over against the rules.
pub(crate) fn check(judge: &Judge, journal: &[&Record], path: &Path) -> Result<(), Violation> {
    let mut story = Story {
        judge,
        path,
        row: 0,
        open: BTreeMap::new(),
        done: Vec::new(),
        pivot: None,
        undoing: BTreeMap::new(),
        undone: BTreeMap::new(),
        undos: Vec::new(),
        under_way: BTreeSet::new(),
        leaving: Leaving::default(),
    };
    let wrong = |text| Violation::new(Oracle::Saga, text);
    let conclusion = conclusion_of(journal);
    for record in journal {
        story.row += 1;
        story.leaving.hear(&record.event, story.row, story.pivot);
        story.hear(&record.event, &record.commands).map_err(wrong)?;
        story.look_at_what_goes_on().map_err(wrong)?;
        for command in &record.commands {
            story.leaving.see(command);
            story.see(command).map_err(wrong)?;
        }
        story.look_at_what_was_dropped().map_err(wrong)?;
        story.look_at_failed_scopes().map_err(wrong)?;
    }
    story.leaving.check(conclusion, story.pivot)?;
    story.end(conclusion).map_err(wrong)
}

impl<'a> Story<'a, '_> {
    fn hear(&mut self, event: &'a Event, commands: &[Command]) -> Result<(), String> {
        match event {
            Event::StepCompleted { op, .. } | Event::Skipped { op, .. } if op.undoes().is_some() => {
                if let Some(done) = op.undoes().and_then(|forward| self.undoing.remove(&forward)) {
                    *self.undone.entry(done.op.clone()).or_insert(0) += 1;
                }
            }
            // A person answers for what is left.
            Event::GivenUp { op, .. } if op.undoes().is_some() => {
                op.undoes().and_then(|forward| self.undoing.remove(&forward));
            }
            Event::GivenUp { op, .. } => self.is_over(op, true),
            Event::ChildEnded { op, .. } | Event::ChildStarted { op } | Event::ChildRefused { op, .. } => {
                self.under_way.remove(op);
            }
            Event::StepCompleted { op, output, error } => self.completes(op, output, error.is_some()),
            Event::Skipped { op, output } => {
                let is_error = output.as_json().starts_with("{\"Err\":");
                self.completes(op, output, is_error);
            }
            Event::AttemptFailed { op, failure, .. } => {
                let Some(open) = self.open.get_mut(op) else { return Ok(()) };
                open.is_unknown |= failure.kind.is_unknown_outcome();
                let goes_on = commands.iter().any(|command| {
                    matches!(command, Command::StartStep { .. } | Command::OpenIncident { .. })
                        && command.op() == Some(op)
                });
                if !goes_on {
                    self.is_over(op, true);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn completes(&mut self, op: &'a OpId, output: &'a Payload, is_error: bool) {
        self.under_way.remove(op);
        let Some(Open { def, args, is_unknown, is_dropped: is_unwanted }) = self.open.remove(op) else {
            return;
        };
        if !is_error && def.facts.effect == Effect::Pivot {
            self.pivot = Some(op);
            self.done.retain(|done| done.is_unwanted);
        } else if !is_error {
            self.took_effect(Done { op, def, args, output: Some(output), has_time: true, is_unwanted });
        } else if is_unknown {
            self.took_effect(Done { op, def, args, output: None, has_time: true, is_unwanted });
        }
    }

    fn see(&mut self, command: &'a Command) -> Result<(), String> {
        match command {
            Command::StartStep { op, step, args, .. } => match op.undoes() {
                // The same request again is another attempt, not another compensation.
                Some(forward) if !self.undoing.contains_key(&forward) => self.undo(forward, step, args)?,
                Some(_) => {}
                None => {
                    let def = self.judge.steps.iter().find(|def| def.facts.name == *step);
                    if let Some(def) = def {
                        self.under_way.insert(op);
                        let open = Open { def, args, is_unknown: false, is_dropped: false };
                        self.open.entry(op).or_insert(open);
                    }
                }
            },
            Command::Withdraw { op } => {
                if let Some(open) = self.open.get(op)
                    && open.is_unknown
                    && open.def.facts.effect == Effect::Pivot
                {
                    return Err(format!(
                        "`{op}` was withdrawn though it may have passed the point of no return; it is asked again"
                    ));
                }
                self.drop(op);
                self.is_over(op, false);
            }
            Command::CancelStep { op } => {
                // A cancel may have waited for the pivot to be decided; then the code has gone on without it.
                if self.open.get(op).is_some_and(|open| open.def.facts.effect == Effect::Pivot) {
                    self.leaving.forget();
                }
                self.drop(op);
            }
            Command::StartChild { op, .. } => drop(self.under_way.insert(op)),
            _ => {}
        }
        Ok(())
    }

    fn drop(&mut self, op: &OpId) {
        if let Some(open) = self.open.get_mut(op) {
            open.is_dropped = true;
        }
    }

    /// No attempt is under way, and there will be none.
    fn is_over(&mut self, op: &'a OpId, has_time: bool) {
        self.under_way.remove(op);
        if let Some(Open { def, args, is_unknown: true, is_dropped: is_unwanted }) = self.open.remove(op) {
            self.took_effect(Done { op, def, args, output: None, has_time, is_unwanted });
        }
    }

    fn took_effect(&mut self, done: Done<'a>) {
        let Some(facts) = &done.def.facts.compensation else { return };
        let can_be_undone = done.output.is_some() || !facts.needs_output();
        let may_be_undone = self.pivot.is_none() || done.is_unwanted;
        if can_be_undone && may_be_undone && !self.judge.walker.says_without_compensation(done.op) {
            self.done.push(done);
        }
    }

    /// A compensation begins.
    fn undo(&mut self, forward: OpId, name: &'a str, args: &Payload) -> Result<(), String> {
        let Some(position) = self.done.iter().position(|done| *done.op == forward) else {
            if let Some(pivot) = self.pivot {
                return Err(format!(
                    "`{name}` ran for `{forward}` though the run had passed the point of no return `{pivot}`"
                ));
            }
            if let Some(times) = self.undone.get(&forward) {
                let step = forward.node();
                let times = times + 1;
                return Err(format!(
                    "`{name}` ran {times} times for the completed step `{step}`{}",
                    at(&forward, step)
                ));
            }
            return Err(format!(
                "`{name}` ran for `{forward}` though it had not been completed, or had been undone"
            ));
        };
        let scope = self.innermost_open_scope(&forward);
        if let Some(other) = self.undoing.values().find(|other| is_within(other.op, &scope)) {
            return Err(format!("`{name}` for `{forward}` began before `{}` was undone", other.op));
        }
        let done = &self.done[position];
        let mut later =
            self.done[position + 1..].iter().rev().filter(|later| later.has_time && done.has_time);
        // What nobody wants is undone at once, last first; or in its turn.
        let later = if done.is_unwanted {
            later.find(|later| later.is_unwanted && is_within(later.op, &scope))
        } else {
            later.find(|later| is_within(later.op, &scope))
        };
        if let Some(later) = later {
            return Err(format!("`{forward}` was undone before `{}`, which was completed later", later.op));
        }
        let compensation = done.def.facts.compensation.as_ref().map_or("", |facts| &facts.step);
        let step = &done.def.facts.name;
        if name != compensation {
            return Err(format!(
                "`{name}` ran for `{step}`{} instead of `{compensation}`",
                at(&forward, step)
            ));
        }
        check_wiring(done, args, compensation)?;
        let done = self.done.remove(position);
        if !done.is_unwanted {
            self.undos.push((forward.clone(), name, self.row));
        }
        self.undoing.insert(forward, done);
        Ok(())
    }

    /// Where code goes on in this row, nothing is under way any more that it had to wait for.
    fn look_at_what_was_dropped(&self) -> Result<(), String> {
        if self.path.is_vague {
            return Ok(());
        }
        let dropped = self.in_row(&self.path.dropped);
        match dropped.into_iter().find(|dropped| self.under_way.iter().any(|op| op.as_str() == *dropped)) {
            Some(dropped) => Err(format!(
                "the code went on behind a failure although `{dropped}` beside it was still under way"
            )),
            None => Ok(()),
        }
    }

    fn in_row<'p>(&self, found: &'p [(String, usize)]) -> Vec<&'p str> {
        found.iter().filter(|(_, row)| *row == self.row).map(|(name, _)| name.as_str()).collect()
    }

    /// Where code goes on in this row, all is undone that had to be before.
    fn look_at_what_goes_on(&self) -> Result<(), String> {
        if self.pivot.is_some() || self.path.is_vague {
            return Ok(());
        }
        let left = self.done.iter().chain(self.undoing.values()).filter(|done| !done.is_unwanted);
        for scope in self.in_row(&self.path.broken_off) {
            if let Some(done) = left.clone().find(|done| is_within(done.op, scope)) {
                let why = "which a failure beside it had broken off";
                return Err(format!(
                    "{} before the code went on behind `{scope}`, {why}",
                    undo_missing(done)
                ));
            }
        }
        for scope in self.in_row(&self.path.compensated) {
            if let Some(done) = left.clone().find(|done| is_within(done.op, scope)) {
                return Err(format!("{} though the code said `compensate()`", undo_missing(done)));
            }
        }
        Ok(())
    }

    /// Subflows that have failed and been left have nothing more to undo.
    fn look_at_failed_scopes(&self) -> Result<(), String> {
        if self.pivot.is_some() || self.path.is_vague {
            return Ok(());
        }
        let failed =
            |end: &&crate::oracle::walk::ScopeEnd| end.row == self.row && end.outcome == Outcome::Failure;
        for end in self.path.scopes.iter().filter(failed) {
            let mut left = self.done.iter().chain(self.undoing.values());
            if let Some(done) = left.find(|done| is_within(done.op, &end.scope)) {
                return Err(format!("{} before its subflow `{}` was left", undo_missing(done), end.scope));
            }
            if let Some(op) = self.under_way.iter().find(|op| is_within(op, &end.scope)) {
                return Err(format!(
                    "the failed subflow `{}` was left while `{op}` was still under way",
                    end.scope
                ));
            }
        }
        Ok(())
    }

    fn end(self, conclusion: Option<&Conclusion>) -> Result<(), String> {
        let is_undone = matches!(conclusion, Some(Conclusion::Failed { .. } | Conclusion::Cancelled { .. }));
        if let Some(done) = self.undoing.values().next() {
            let compensation = done.def.facts.compensation.as_ref().map_or("", |facts| &facts.step);
            let step = &done.def.facts.name;
            return Err(format!(
                "the run ended before `{compensation}` for `{step}`{} was done",
                at(done.op, step)
            ));
        }
        let mut left = self.done.iter().filter(|done| is_undone || done.is_unwanted);
        if let Some(done) = left.next() {
            return Err(undo_missing(done));
        }
        for (forward, name, row) in &self.undos {
            if !is_undone && !self.has_reason(forward, *row) {
                return Err(format!("`{name}` ran for `{forward}` though the run completed"));
            }
        }
        Ok(())
    }

    /// Whether a scope around this operation failed, was broken off, or undoes on purpose.
    fn has_reason(&self, forward: &OpId, row: usize) -> bool {
        let mut scope = forward.scope();
        while let Some(inner) = scope {
            let end = self.path.scopes.iter().find(|end| end.scope == inner.as_str());
            let may_undo = end.is_none_or(|end| end.outcome == Outcome::Failure && end.row >= row);
            if may_undo || self.path.is_vague || self.judge.walker.compensates(Some(&inner)) {
                return true;
            }
            scope = inner.scope();
        }
        self.judge.walker.compensates(None)
    }

    /// The innermost subflow around the operation that has not been left; what is undone is it, or what is around it.
    fn innermost_open_scope(&self, forward: &OpId) -> String {
        let mut scope = forward.scope();
        while let Some(inner) = scope {
            let is_left =
                self.path.scopes.iter().any(|end| end.scope == inner.as_str() && end.row < self.row);
            if !is_left || self.path.is_vague {
                return inner.as_str().to_owned();
            }
            scope = inner.scope();
        }
        String::new()
    }
}

/// Whether an operation stands in that scope; all stand in that of the run.
fn is_within(op: &OpId, scope: &str) -> bool {
    scope.is_empty() || op.as_str().strip_prefix(scope).is_some_and(|rest| rest.starts_with('.'))
}

/// Where, if that is not clear from the step.
fn at(op: &OpId, step: &str) -> String {
    if op.as_str() == step { String::new() } else { format!(" at `{op}`") }
}

fn undo_missing(done: &Done<'_>) -> String {
    let step = &done.def.facts.name;
    let compensation = done.def.facts.compensation.as_ref().map_or("", |facts| &facts.step);
    let what = if done.output.is_some() { "the completed step" } else { "the perhaps completed step" };
    format!("`{compensation}` did not run for {what} `{step}`{}", at(done.op, step))
}

/// That the compensation was given what its wiring says.
fn check_wiring(done: &Done<'_>, args: &Payload, compensation: &str) -> Result<(), String> {
    let Some(facts) = &done.def.facts.compensation else { return Ok(()) };
    let expected = wired(facts, done);
    let given: Value = serde_json::from_str(args.as_json()).unwrap_or_default();
    if expected == given {
        return Ok(());
    }
    Err(format!("`{compensation}` for `{}` was given {given}, its wiring says {expected}", done.op))
}

fn wired(facts: &CompensationFacts, done: &Done<'_>) -> Value {
    let read = |payload: &Payload| serde_json::from_str::<Value>(payload.as_json()).unwrap_or_default();
    let args = read(done.args);
    let output = done
        .output
        .map(read)
        .map(|mut output| if done.def.returns_result { output["Ok"].take() } else { output });
    let values: Vec<Value> = facts
        .wiring
        .iter()
        .map(|wire| match wire {
            Wire::Argument(position) => args[*position].clone(),
            Wire::Output => output.clone().unwrap_or_default(),
        })
        .collect();
    if values.is_empty() { Value::Null } else { Value::Array(values) }
}
