//! Calls of steps in a sketch, with what is known of the step.
//! It makes facts and nothing else; where a call stands is decided by the sketch.

use workflow_graph::{CompensationFacts, Effect, ErrorFacts, RetryPolicy, Source, StepFacts, Task, humanise};

use super::Stmt;
use super::{Handlers, error_facts, fail};

/// A call of a step.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) id: String,
    pub(crate) function: String,
    pub(crate) undo: Option<String>,
    pub(crate) effect: Effect,
    pub(crate) errors: Handlers,
    pub(crate) task: Task,
    pub(crate) participant: String,
}

pub(crate) fn step(id: &str) -> Step {
    let id = id.to_owned();
    Step {
        function: id.clone(),
        id,
        undo: None,
        effect: Effect::Undeclared,
        errors: vec![],
        task: Task::Service,
        participant: String::new(),
    }
}

impl Step {
    pub(crate) fn calls(mut self, function: &str) -> Step {
        self.function = function.to_owned();
        self
    }

    pub(crate) fn undo(mut self, undo: &str) -> Step {
        self.undo = Some(undo.to_owned());
        self.effect = Effect::Compensatable;
        self
    }

    pub(crate) fn effect(mut self, effect: Effect) -> Step {
        self.effect = effect;
        self
    }

    pub(crate) fn task(mut self, task: Task) -> Step {
        self.task = task;
        self
    }

    pub(crate) fn with(mut self, participant: &str) -> Step {
        self.participant = participant.to_owned();
        self
    }

    pub(crate) fn on(mut self, variant: &str, label: &str, body: Vec<Stmt>) -> Step {
        self.errors.push((variant.to_owned(), label.to_owned(), body));
        self
    }

    pub(crate) fn or_fail(self, end: &str) -> Step {
        self.on("", "", vec![fail(end)])
    }
}

impl Step {
    fn facts_of_undoing(&self, undo: &str) -> StepFacts {
        StepFacts {
            documentation: "As if it had never been.".into(),
            effect: Effect::Retriable,
            retry: RetryPolicy { initial_ms: 2_000, ..RetryPolicy::UNTIL_SUCCESS },
            timeout_ms: Some(10_000),
            participant: self.participant.clone().into(),
            source: Source::at("src/undo.rs", 9),
            ..StepFacts::named(undo)
        }
    }

    pub(super) fn facts(&self) -> StepFacts {
        let variants = self.errors.iter().filter(|(variant, ..)| !variant.is_empty());
        let errors: Vec<ErrorFacts> = variants.map(|(variant, ..)| error_facts(variant)).collect();
        StepFacts {
            effect: self.effect,
            errors: errors.into(),
            compensation: self.undo.as_ref().map(|undo| CompensationFacts {
                facts: Some(Box::leak(Box::new(self.facts_of_undoing(undo)))),
                step: undo.clone().into(),
                was: vec![].into(),
                takes: "".into(),
                label: humanise(undo).into(),
                wiring: vec![].into(),
                retriable: true,
                task: Task::Service,
                participant: self.participant.clone().into(),
            }),
            task: self.task,
            participant: self.participant.clone().into(),
            timeout_ms: Some(30_000),
            source: Source::at("src/steps.rs", 7),
            ..StepFacts::named(&self.function)
        }
    }
}
