//! The saga: what was completed is undone exactly once, last first, and only on the way out before the pivot.
//! Computed from the journal alone; it must not ask the core, whose work it checks.

use std::collections::BTreeMap;

use serde_json::Value;
use workflow_core::{Command, Conclusion, Event, OpId, Payload, Record, StepDef};
use workflow_graph::{CompensationFacts, Effect, Wire};

use crate::violation::{Oracle, Violation};

/// A step that took effect, or may have.
struct Done<'a> {
    op: &'a OpId,
    def: &'static StepDef,
    args: &'a Payload,
    /// `None` when nobody knows whether it took effect.
    output: Option<&'a Payload>,
}

/// A step that has been asked for and has not been settled.
struct Open<'a> {
    def: &'static StepDef,
    args: &'a Payload,
    is_unknown: bool,
}

#[derive(Default)]
struct Story<'a> {
    open: BTreeMap<&'a OpId, Open<'a>>,
    done: Vec<Done<'a>>,
    pivot: Option<&'a OpId>,
    /// The compensations that were begun, with their arguments, in order.
    undos: Vec<(&'a OpId, &'a str, &'a Payload)>,
    undone: Vec<&'a OpId>,
}

pub(crate) fn check(
    steps: &[&'static StepDef],
    journal: &[Record],
    conclusion: &Conclusion,
) -> Result<(), Violation> {
    let mut story = Story::default();
    for record in journal {
        story.hear(&record.event, &record.commands);
        for command in &record.commands {
            story.see(steps, command);
        }
    }
    story.judge(conclusion).map_err(|text| Violation::new(Oracle::Saga, text))
}

impl<'a> Story<'a> {
    fn hear(&mut self, event: &'a Event, commands: &[Command]) {
        match event {
            Event::StepCompleted { op, .. } if op.undoes().is_some() => self.undone.push(op),
            Event::StepCompleted { op, output, error } => {
                let Some(Open { def, args, is_unknown }) = self.open.remove(op) else { return };
                match error {
                    None if def.facts.effect == Effect::Pivot => {
                        self.pivot = Some(op);
                        self.done.clear();
                    }
                    None => self.took_effect(Done { op, def, args, output: Some(output) }),
                    Some(_) if is_unknown => self.took_effect(Done { op, def, args, output: None }),
                    Some(_) => {}
                }
            }
            Event::AttemptFailed { op, failure, .. } => {
                let Some(open) = self.open.get_mut(op) else { return };
                open.is_unknown |= failure.kind.is_unknown_outcome();
                let goes_on = commands.iter().any(|command| {
                    matches!(command, Command::StartStep { .. } | Command::OpenIncident { .. })
                        && command.op() == Some(op)
                });
                if !goes_on {
                    self.is_dropped(op);
                }
            }
            _ => {}
        }
    }

    fn see(&mut self, steps: &[&'static StepDef], command: &'a Command) {
        match command {
            // The same request again is another round of attempts, not another compensation.
            Command::StartStep { op, step, args, attempt: 1, .. }
                if op.undoes().is_some() && !self.is_being_undone(op) =>
            {
                self.undos.push((op, step, args));
            }
            Command::StartStep { op, step, args, .. } if op.undoes().is_none() => {
                let def = steps.iter().find(|def| def.facts.name == step.as_str());
                if let Some(def) = def {
                    self.open.entry(op).or_insert(Open { def, args, is_unknown: false });
                }
            }
            Command::Withdraw { op } => self.is_dropped(op),
            _ => {}
        }
    }

    fn is_being_undone(&self, op: &OpId) -> bool {
        self.undos.last().is_some_and(|(last, ..)| *last == op) && !self.undone.contains(&op)
    }

    /// The code does not wait for it any more and no attempt is under way.
    fn is_dropped(&mut self, op: &'a OpId) {
        if let Some(Open { def, args, is_unknown: true }) = self.open.remove(op) {
            self.took_effect(Done { op, def, args, output: None });
        }
    }

    fn took_effect(&mut self, done: Done<'a>) {
        let Some(facts) = &done.def.facts.compensation else { return };
        let can_be_undone = done.output.is_some() || !facts.needs_output();
        if can_be_undone && self.pivot.is_none() {
            self.done.push(done);
        }
    }

    fn judge(self, conclusion: &Conclusion) -> Result<(), String> {
        let expected = match (conclusion, self.pivot) {
            (Conclusion::Completed(_), _) | (_, Some(_)) => Vec::new(),
            _ => self.done,
        };
        for done in &expected {
            let step = &done.def.facts.name;
            let compensation = done.def.facts.compensation.as_ref().map_or("", |facts| &facts.step);
            let undo: Vec<_> =
                self.undos.iter().filter(|(op, ..)| op.undoes().as_ref() == Some(done.op)).collect();
            let at = if done.op.as_str() == step { String::new() } else { format!(" at `{}`", done.op) };
            let what =
                if done.output.is_some() { "the completed step" } else { "the perhaps completed step" };
            match &undo[..] {
                [] => return Err(format!("`{compensation}` did not run for {what} `{step}`{at}")),
                [(op, name, args)] => {
                    if *name != compensation {
                        return Err(format!("`{name}` ran for `{step}`{at} instead of `{compensation}`"));
                    }
                    if !self.undone.contains(op) {
                        return Err(format!(
                            "the run ended before `{compensation}` for `{step}`{at} was done"
                        ));
                    }
                    check_wiring(done, args, compensation)?;
                }
                more => {
                    return Err(format!("`{compensation}` ran {} times for {what} `{step}`{at}", more.len()));
                }
            }
        }
        for (op, name, _) in &self.undos {
            let forward = op.undoes();
            if !expected.iter().any(|done| Some(done.op) == forward.as_ref()) {
                let forward = forward.map_or_else(String::new, |forward| forward.to_string());
                let why = match (conclusion, self.pivot) {
                    (Conclusion::Completed(_), _) => "the run completed".to_owned(),
                    (_, Some(pivot)) => format!("the run had passed the point of no return `{pivot}`"),
                    _ => "it had not been completed, or had been undone".to_owned(),
                };
                return Err(format!("`{name}` ran for `{forward}` though {why}"));
            }
        }
        let order: Vec<OpId> = self.undos.iter().filter_map(|(op, ..)| op.undoes()).collect();
        for (undone, done) in order.iter().zip(expected.iter().rev()) {
            if undone != done.op {
                return Err(format!("`{undone}` was undone before `{}`, which was completed later", done.op));
            }
        }
        Ok(())
    }
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
