//! What can go wrong with a call of a step: each of its errors, a panic, a timeout, a silence.
//! Facts about one step; whether and when it goes wrong is chosen elsewhere.

use workflow_core::{Answer, AttemptOutcome, Payload, StepDef};
use workflow_graph::{Effect, ErrorFacts};

use crate::driver::{Call, Deed};
use crate::script::Script;

/// One way for a step to go wrong.
pub(crate) struct Fault {
    outcome: AttemptOutcome,
    takes_ms: u64,
    /// Whether the attempt takes as long as it may.
    is_timeout: bool,
    /// Whether all further attempts go the same way, until the policy gives up.
    pub(crate) lasts: bool,
}

/// How often a call is tried, and how long each attempt may take: its own words, else those of the step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Limits {
    /// `None` for as often as it takes.
    pub(crate) most_attempts: Option<u32>,
    pub(crate) timeout_ms: Option<u64>,
}

impl Limits {
    /// Those of calls that say nothing.
    pub(crate) fn of(def: &'static StepDef) -> Limits {
        Limits { most_attempts: def.facts.retry.attempts, timeout_ms: def.facts.timeout_ms }
    }
}

/// What can go wrong with the calls of one step that have the same limits.
#[derive(Default)]
pub(crate) struct Menu {
    /// As a step of the code.
    pub(crate) forward: Vec<Fault>,
    /// As a compensation.
    pub(crate) undo: Vec<Fault>,
    /// Errors for which no value is known.
    pub(crate) unsampled: Vec<&'static ErrorFacts>,
}

impl Menu {
    pub(crate) fn of(def: &'static StepDef, limits: Limits, script: Option<&Script>) -> Menu {
        let mut menu = Menu { undo: hidden(def, limits), ..Menu::default() };
        if def.facts.effect == Effect::Retriable {
            menu.forward = hidden(def, limits);
            return menu;
        }
        for error in def.facts.errors.iter() {
            match sample(error, script) {
                Some(output) => menu.forward.extend(times(limits, &refused(error, output), error.transient)),
                None => menu.unsampled.push(error),
            }
        }
        menu.forward.extend(unanswered(def, limits));
        // The short stories first: a failure is shown with the first fault that leads to it.
        menu.forward.sort_by_key(|fault| fault.lasts);
        menu
    }
}

impl Fault {
    pub(crate) fn deed(&self, call: &Call<'_>) -> Deed {
        // What goes wrong does so before the time is up, or the attempt times out.
        let (outcome, takes_ms) = match call.timeout_ms {
            Some(timeout_ms) if self.is_timeout || self.takes_ms > timeout_ms => {
                (AttemptOutcome::timed_out(timeout_ms), timeout_ms)
            }
            _ => (self.outcome.clone(), self.takes_ms),
        };
        let takes_ms = i64::try_from(takes_ms).unwrap_or(i64::MAX);
        Deed { outcome, done_at_ms: call.now_ms.saturating_add(takes_ms) }
    }
}

/// The faults of a step whose errors nobody sees: which error it is makes no difference.
fn hidden(def: &'static StepDef, limits: Limits) -> Vec<Fault> {
    let first = def.facts.errors.first();
    let error = first.map(|error| times(limits, &refused(error, Payload::null()), true));
    error.into_iter().flatten().chain(unanswered(def, limits)).collect()
}

/// The faults without an answer, after which nobody knows whether the step took effect.
fn unanswered(def: &'static StepDef, limits: Limits) -> Vec<Fault> {
    let mut faults = times(limits, &AttemptOutcome::panicked("explored".to_owned()), true);
    if let Some(timeout_ms) = limits.timeout_ms {
        let late = times(limits, &AttemptOutcome::timed_out(timeout_ms), true);
        faults.extend(late.into_iter().map(|fault| Fault {
            takes_ms: timeout_ms,
            is_timeout: true,
            ..fault
        }));
    }
    if let Some(heartbeat_ms) = def.facts.heartbeat_ms {
        let silent = times(limits, &AttemptOutcome::silent(heartbeat_ms), true);
        faults.extend(silent.into_iter().map(|fault| Fault { takes_ms: heartbeat_ms, ..fault }));
    }
    faults
}

/// What is retried goes wrong once, and until the policy gives up; the rest is an answer.
fn times(limits: Limits, outcome: &AttemptOutcome, is_retried: bool) -> Vec<Fault> {
    let once = || Fault { outcome: outcome.clone(), takes_ms: 0, is_timeout: false, lasts: false };
    let for_good = || Fault { lasts: true, ..once() };
    match limits.most_attempts {
        _ if !is_retried => vec![once()],
        None => vec![once()],
        Some(..=1) => vec![for_good()],
        Some(_) => vec![once(), for_good()],
    }
}

fn refused(error: &'static ErrorFacts, output: Payload) -> AttemptOutcome {
    AttemptOutcome::Answered(Answer::Refused {
        output,
        variant: error.variant.as_ref(),
        transient: error.transient,
        message: error.label.to_string(),
    })
}

/// A value of this error: one that the test has named, else one that is made up.
fn sample(error: &'static ErrorFacts, script: Option<&Script>) -> Option<Payload> {
    let script = script?;
    let is_wanted = |output: &&Payload| {
        let found = script.shape.error_in(output);
        matches!(found, Ok(Some(found)) if found.variant == error.variant)
    };
    script.samples.iter().find(is_wanted).cloned().or_else(|| script.shape.error_sample(error))
}
