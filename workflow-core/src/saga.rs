//! The order of a saga: what has been done and can be undone, and with which arguments.
//! It decides what is undone next; running it is a step like any other.

use serde_json::value::RawValue;
use workflow_graph::Wire;

use crate::{OpId, Payload, PayloadError, StepDef};

/// What has been done and not been undone, in order of completion.
#[derive(Default)]
pub(crate) struct Saga {
    done: Vec<Undo>,
    /// How many of them the code does not want.
    unwanted: usize,
    pivot: Option<OpId>,
}

/// How to undo one completed step.
#[derive(Clone)]
pub(crate) struct Undo {
    /// The step that is undone.
    pub(crate) forward: OpId,
    pub(crate) compensation: &'static StepDef,
    pub(crate) args: Wired,
    /// The code had dropped the step by then: it is undone whatever becomes of the run.
    is_unwanted: bool,
}

impl Saga {
    /// Notes that a step took effect.
    pub(crate) fn note_done(
        &mut self,
        op: &OpId,
        def: &'static StepDef,
        args: &Payload,
        output: &Payload,
        is_unwanted: bool,
    ) -> Result<(), PayloadError> {
        if def.facts.effect == workflow_graph::Effect::Pivot {
            self.pivot = Some(op.clone());
            // After the point of no return, nothing is undone but what was never meant to be kept.
            self.done.retain(|undo| undo.is_unwanted);
            return Ok(());
        }
        self.note(op, def, args, Some(output), is_unwanted)
    }

    /// Notes that a step may have taken effect. Undone only where the wiring needs no output.
    pub(crate) fn note_unknown(
        &mut self,
        op: &OpId,
        def: &'static StepDef,
        args: &Payload,
        is_unwanted: bool,
    ) -> Result<(), PayloadError> {
        let needs_output = def.facts.compensation.as_ref().is_none_or(|facts| facts.needs_output());
        if needs_output { Ok(()) } else { self.note(op, def, args, None, is_unwanted) }
    }

    fn note(
        &mut self,
        op: &OpId,
        def: &'static StepDef,
        args: &Payload,
        output: Option<&Payload>,
        is_unwanted: bool,
    ) -> Result<(), PayloadError> {
        let (Some(compensation), Some(facts)) = (def.compensation, &def.facts.compensation) else {
            return Ok(());
        };
        if self.pivot.is_some() && !is_unwanted {
            return Ok(());
        }
        let output = output.map(|output| Output { recorded: output.clone(), is_result: def.returns_result });
        let args = wire(&facts.wiring, args, output)?;
        let (forward, compensation) = (op.clone(), compensation());
        self.unwanted += usize::from(is_unwanted);
        self.done.push(Undo { forward, compensation, args, is_unwanted });
        Ok(())
    }

    /// The step that brought the run past the point of no return.
    pub(crate) fn pivot(&self) -> Option<&OpId> {
        self.pivot.as_ref()
    }

    /// What is to be undone next in the scope whose operations begin with `prefix`: the step completed last.
    pub(crate) fn next_within(&mut self, prefix: &str) -> Option<Undo> {
        let last = self.done.iter().rposition(|undo| undo.forward.is_within(prefix))?;
        Some(self.take(last))
    }

    /// What is to be undone next of all that the code does not want.
    pub(crate) fn next_unwanted(&mut self) -> Option<Undo> {
        let last = self.done.iter().rposition(|undo| undo.is_unwanted)?;
        Some(self.take(last))
    }

    /// Whether something was done that the code does not want.
    pub(crate) fn has_unwanted(&self) -> bool {
        self.unwanted > 0
    }

    fn take(&mut self, position: usize) -> Undo {
        let undo = self.done.remove(position);
        self.unwanted -= usize::from(undo.is_unwanted);
        undo
    }

    pub(crate) fn undoable(&self) -> impl Iterator<Item = &OpId> {
        self.done.iter().map(|undo| &undo.forward)
    }
}

/// The arguments of a compensation, and where they come from: put together when it is begun, which happens to few.
#[derive(Clone)]
pub(crate) struct Wired {
    wiring: &'static [Wire],
    args: Payload,
    output: Option<Output>,
}

/// What a step came back with.
#[derive(Clone)]
struct Output {
    recorded: Payload,
    /// The value is the good half of it.
    is_result: bool,
}

/// Wires the arguments of a compensation to what was recorded; their types were checked by the compiler.
fn wire(wiring: &'static [Wire], args: &Payload, output: Option<Output>) -> Result<Wired, PayloadError> {
    let takes_output = wiring.contains(&Wire::Output);
    if output.is_none() && takes_output {
        return Err(missing(&Wire::Output));
    }
    // What nothing is taken from need not be kept until the run ends.
    let takes_args = wiring.iter().any(|wire| matches!(wire, Wire::Argument(_)));
    let args = if takes_args { args.clone() } else { Payload::null() };
    Ok(Wired { wiring, args, output: output.filter(|_| takes_output) })
}

impl Wired {
    /// Builds the arguments out of the recorded JSON.
    pub(crate) fn value(&self) -> Result<Payload, PayloadError> {
        let output = match &self.output {
            Some(Output { recorded, is_result: true }) => Some(good_half(recorded)?),
            Some(Output { recorded, is_result: false }) => Some(recorded.raw()),
            None => None,
        };
        // Arguments are a tuple: an array, or `null` when there are none.
        let arguments: Option<Vec<&RawValue>> =
            serde_json::from_str(self.args.as_json()).map_err(unreadable)?;
        let arguments = arguments.unwrap_or_default();
        let mut wired: Vec<&RawValue> = Vec::with_capacity(self.wiring.len());
        for wire in self.wiring {
            let value = match wire {
                Wire::Argument(position) => arguments.get(*position).copied(),
                Wire::Output => output,
            };
            wired.push(value.ok_or_else(|| missing(wire))?);
        }
        // A compensation without arguments takes the unit, like any step without arguments.
        if wired.is_empty() { Ok(Payload::null()) } else { Payload::of(&wired) }
    }
}

fn missing(wire: &Wire) -> PayloadError {
    PayloadError(format!("the journal has no value for {wire:?}"))
}

/// The value inside a recorded `Ok`.
fn good_half(output: &Payload) -> Result<&RawValue, PayloadError> {
    #[derive(serde::Deserialize)]
    struct Good<'a> {
        #[serde(rename = "Ok", borrow)]
        ok: &'a RawValue,
    }
    serde_json::from_str::<Good<'_>>(output.as_json()).map(|good| good.ok).map_err(unreadable)
}

fn unreadable(error: serde_json::Error) -> PayloadError {
    PayloadError(error.to_string())
}
