//! What can be said about the flow of steps where an engine is built, and what can be seen of it later.
//! Data and its checks; nobody waits here.

use std::time::Duration;

use workflow_core::{ResourceNeed, StepDef};
use workflow_graph::Rate;

/// How many attempts of a step one engine lets through:
/// [`EngineBuilder::limit`](crate::EngineBuilder::limit).
///
/// ```
/// use workflow_runtime::{Limit, Rate};
/// let limit = Limit::concurrency(4).rate(Rate::per_second(100));
/// assert_eq!(limit.rate.unwrap().to_string(), "100/s");
/// assert_eq!(Limit::NONE.rate(Rate::per_hour(10)).concurrency, None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limit {
    /// How many may be under way at a time; `None` for no limit.
    pub concurrency: Option<u32>,
    /// How many may begin in a span of time; `None` for no limit.
    pub rate: Option<Rate>,
}

impl Limit {
    /// No limit at all: also to lift what the step itself says.
    pub const NONE: Limit = Limit { concurrency: None, rate: None };

    /// So many at a time; one or more.
    pub const fn concurrency(attempts: u32) -> Limit {
        Limit { concurrency: Some(attempts), rate: None }
    }

    /// The same limit with a rate.
    pub const fn rate(self, rate: Rate) -> Limit {
        Limit { rate: Some(rate), ..self }
    }
}

/// When attempts stop trying a resource that does not work, and for how long:
/// [`EngineBuilder::circuit_breaker`](crate::EngineBuilder::circuit_breaker).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CircuitBreaker {
    /// After so many failed attempts in a row it opens; one or more.
    pub failures: u32,
    /// For so long nobody tries; then one attempt is the probe.
    pub open_for: Duration,
}

/// How limits and circuit breakers of an engine stand at one moment:
/// [`Engine::limits`](crate::Engine::limits).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Every step that has a limit or takes a resource with a circuit breaker, by name.
    pub steps: Vec<LimitedStep>,
    /// Every circuit breaker, by the name of its resource.
    pub circuit_breakers: Vec<BreakerStatus>,
}

/// A step whose attempts may have to wait, in [`Limits`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitedStep {
    /// The name of the step.
    pub step: &'static str,
    /// Its limit.
    pub limit: Limit,
    /// How many attempts are under way. A blocking body that outlives its attempt is one of them.
    pub running: usize,
    /// How many attempts wait to begin.
    pub waiting: usize,
}

/// A circuit breaker, in [`Limits`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BreakerStatus {
    /// The type of the resource.
    pub resource: &'static str,
    /// Whether attempts are let through.
    pub state: BreakerState,
}

/// The states of a circuit breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// Attempts are let through.
    Closed,
    /// Attempts wait.
    Open,
    /// One attempt is, or will be, the probe; the others wait for what it comes to.
    HalfOpen,
}

/// What the builder of an engine was told.
#[derive(Default)]
pub(crate) struct FlowSettings {
    pub(crate) limits: Vec<(&'static StepDef, Limit)>,
    pub(crate) breakers: Vec<(ResourceNeed, CircuitBreaker)>,
}

impl FlowSettings {
    /// The last word on a step counts.
    pub(crate) fn set_limit(&mut self, step: &'static StepDef, limit: Limit) {
        self.limits.retain(|(other, _)| !other.is(step));
        self.limits.push((step, limit));
    }

    /// The last word on a resource counts.
    pub(crate) fn set_breaker(&mut self, resource: ResourceNeed, breaker: CircuitBreaker) {
        self.breakers.retain(|(other, _)| other.type_id() != resource.type_id());
        self.breakers.push((resource, breaker));
        self.breakers.sort_by_key(|(resource, _)| resource.type_name());
    }

    /// The limit of a step: what was said here, else what the step says.
    pub(super) fn limit_of(&self, step: &'static StepDef) -> Limit {
        let said = self.limits.iter().find(|(other, _)| other.is(step));
        let declared = Limit { concurrency: step.facts.concurrency, rate: step.facts.rate };
        said.map_or(declared, |(_, limit)| *limit)
    }

    /// All that is wrong with them, for an engine with these steps.
    pub(super) fn defects(&self, steps: &[&'static StepDef]) -> Vec<String> {
        let mut defects = Vec::new();
        for (step, limit) in &self.limits {
            let name = &step.facts.name;
            if !steps.iter().any(|known| known.is(step)) {
                let namesake = steps.iter().find(|known| known.facts.name == *name);
                let hint = namesake.map_or(String::new(), |known| {
                    format!("; did you mean the step of that name at {}?", known.facts.source)
                });
                defects.push(format!(
                    "there is a limit for the step `{name}` ({}), which no registered workflow calls: register the \
                     workflow, or drop the `.limit(..)`{hint}",
                    step.facts.source
                ));
            }
            let lets_nobody_in = limit.concurrency == Some(0)
                || limit.rate.is_some_and(|rate| rate.count == 0 || rate.per_ms == 0);
            if lets_nobody_in {
                defects.push(format!(
                    "the limit of the step `{name}` lets no attempt begin: its numbers are 1 or more; \
                     `Limit::NONE` is for no limit"
                ));
            }
        }
        for (need, breaker) in &self.breakers {
            let resource = need.type_name();
            let takes = |step: &&'static StepDef| {
                step.resources.iter().any(|taken| taken.type_id() == need.type_id())
            };
            if !steps.iter().any(takes) {
                defects.push(format!(
                    "there is a circuit breaker for `{resource}`, which no step of a registered workflow takes as \
                     a `Resource`: name the type that the steps take, or drop the `.circuit_breaker(..)`"
                ));
            }
            if breaker.failures == 0 {
                defects.push(format!(
                    "the circuit breaker of `{resource}` would never be closed: `failures` is 1 or more"
                ));
            }
        }
        defects
    }
}
