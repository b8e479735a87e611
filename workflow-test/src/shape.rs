//! What is known about the types of one step: how its values are read, and which variant an error is.
//! It knows JSON and serde's names; it does not know what a mock is.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use workflow_core::{Answer, Payload, Step, StepDef};
use workflow_graph::ErrorFacts;

use crate::invent::{error_names, invent};
use crate::violation::{Oracle, Violation};

/// See the module.
#[derive(Clone)]
pub(crate) struct Shape {
    pub(crate) def: &'static StepDef,
    output: fn(&Payload) -> Result<Payload, String>,
    args: fn(&Payload) -> Result<Payload, String>,
    invent_error: fn(usize) -> Option<Payload>,
    /// What serde calls the variants of the error; `None` when it is no plain enum.
    error_names: Option<&'static [&'static str]>,
}

impl Shape {
    pub(crate) fn of<S: Step>() -> Shape {
        let def = S::DEF;
        Shape {
            def,
            output: there_and_back::<S::Output>,
            args: there_and_back::<S::Args>,
            invent_error: |index| Payload::of(&invent::<S::Output>(Some(index))?).ok(),
            error_names: if def.returns_result { error_names::<S::Output>() } else { None },
        }
    }

    fn name(&self) -> &'static str {
        self.def.facts.name.as_ref()
    }

    /// What an attempt that comes back with this output is to the engine.
    pub(crate) fn answer(&self, output: Payload) -> Result<Answer, Violation> {
        same(&output, self.output, || format!("the output of `{}`", self.name()))?;
        let Some(error) = self.error_in(&output)? else { return Ok(Answer::Done(output)) };
        let message = format!("{} {}", error.variant, output);
        Ok(Answer::Refused { output, variant: error.variant.as_ref(), transient: error.transient, message })
    }

    /// That the step sees the arguments which the workflow passed.
    pub(crate) fn check_args(&self, args: &Payload) -> Result<(), Violation> {
        same(args, self.args, || format!("the arguments of `{}`", self.name()))
    }

    /// A made-up value of the step's output that is this error.
    pub(crate) fn error_sample(&self, error: &'static ErrorFacts) -> Option<Payload> {
        let facts: &'static [ErrorFacts] = &self.def.facts.errors;
        let index = match self.error_names {
            Some(names) if names.len() != facts.len() => {
                names.iter().position(|name| *name == error.variant)?
            }
            _ => facts.iter().position(|other| other.variant == error.variant)?,
        };
        let sample = (self.invent_error)(index)?;
        // What was made up counts only if it reads back as what was wanted.
        let is_wanted = matches!(&self.error_in(&sample), Ok(Some(found)) if found.variant == error.variant);
        (is_wanted && same(&sample, self.output, String::new).is_ok()).then_some(sample)
    }

    /// Which error this output is; `None` when it is none.
    pub(crate) fn error_in(&self, output: &Payload) -> Result<Option<&'static ErrorFacts>, Violation> {
        if !self.def.returns_result || !output.as_json().starts_with("{\"Err\":") {
            return Ok(None);
        }
        let facts: &'static [ErrorFacts] = &self.def.facts.errors;
        if let [only] = facts {
            return Ok(Some(only));
        }
        let value: Value = serde_json::from_str(output.as_json()).unwrap_or_default();
        let name = match &value["Err"] {
            Value::String(name) => Some(name.as_str()),
            Value::Object(fields) => fields.keys().next().map(String::as_str),
            _ => None,
        };
        let found = name.and_then(|name| {
            let by_position = self.error_names.filter(|names| names.len() == facts.len());
            match by_position.and_then(|names| names.iter().position(|other| *other == name)) {
                Some(index) => facts.get(index),
                None => facts.iter().find(|error| error.variant == name),
            }
        });
        found.map(Some).ok_or_else(|| {
            let name = self.name();
            let text = format!(
                "which error of `{name}` is {output}? Use serde's default form for its enum, or `.fails(error)`"
            );
            Violation::new(Oracle::Mock, text)
        })
    }
}

/// That a value is the same after serde read it and wrote it again.
pub(crate) fn check_value<T: Serialize + DeserializeOwned>(
    payload: &Payload,
    what: &str,
) -> Result<(), Violation> {
    same(payload, there_and_back::<T>, || what.to_owned())
}

fn there_and_back<T: Serialize + DeserializeOwned>(payload: &Payload) -> Result<Payload, String> {
    let value: T = payload.read().map_err(|error| error.to_string())?;
    Payload::of(&value).map_err(|error| error.to_string())
}

fn same(
    payload: &Payload,
    again: fn(&Payload) -> Result<Payload, String>,
    what: impl Fn() -> String,
) -> Result<(), Violation> {
    let text = match again(payload) {
        Ok(again) if again == *payload || is_same_json(&again, payload) => return Ok(()),
        Ok(again) => {
            format!("{} is written as {payload}, but read back and written again it is {again}", what())
        }
        Err(error) => format!("{} is written as {payload}, which does not read back: {error}", what()),
    };
    Err(Violation::new(Oracle::RoundTrip, text))
}

/// The order of fields and the way numbers are written do not count.
fn is_same_json(a: &Payload, b: &Payload) -> bool {
    let read = |payload: &Payload| serde_json::from_str::<Value>(payload.as_json());
    matches!((read(a), read(b)), (Ok(a), Ok(b)) if a == b)
}
