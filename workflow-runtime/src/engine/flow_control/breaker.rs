//! A circuit breaker: closed, open, half-open.
//! It is told what attempts came to and what time it is; who waits for it is not known here.

use tokio::time::Instant;

use super::after;
use super::settings::{BreakerState, BreakerStatus, CircuitBreaker};

/// What an attempt tells about the resources that its step takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    /// There was an answer, be it an error: what answers is alive.
    Healthy,
    /// A transient error, a timeout or a panic.
    Failing,
    /// It says nothing about them: it was cancelled, or came to nothing for a reason of its own.
    Unknown,
}

/// See the module.
pub(super) struct Breaker {
    resource: &'static str,
    settings: CircuitBreaker,
    state: State,
    /// Counts how often it has opened and closed: what began before that says nothing about what is now.
    epoch: u64,
}

enum State {
    Closed { failures: u32 },
    Open { until: Instant },
    HalfOpen { has_probe: bool },
}

/// That an attempt was let through.
pub(super) struct Pass {
    epoch: u64,
}

impl Breaker {
    pub(super) fn new(resource: &'static str, settings: CircuitBreaker) -> Breaker {
        Breaker { resource, settings, state: State::Closed { failures: 0 }, epoch: 0 }
    }

    /// When the next attempt may begin; `None` while a probe has to come back first.
    pub(super) fn opens_at(&self, now: Instant) -> Option<Instant> {
        match self.state {
            State::Closed { .. } | State::HalfOpen { has_probe: false } => Some(now),
            State::Open { until } => Some(until),
            State::HalfOpen { has_probe: true } => None,
        }
    }

    /// Lets an attempt through that may begin now.
    pub(super) fn pass(&mut self, now: Instant) -> Pass {
        if self.opens_at(now).is_some_and(|at| at <= now) && !matches!(self.state, State::Closed { .. }) {
            tracing::info!(
                resource = self.resource,
                "the circuit breaker is half-open: one attempt is the probe"
            );
            self.state = State::HalfOpen { has_probe: true };
        }
        Pass { epoch: self.epoch }
    }

    /// What became of an attempt that was let through.
    pub(super) fn note(&mut self, pass: Pass, health: Health, now: Instant) {
        if pass.epoch != self.epoch {
            return;
        }
        match (&mut self.state, health) {
            (State::Closed { failures }, Health::Healthy) => *failures = 0,
            (State::Closed { failures }, Health::Failing) => {
                *failures += 1;
                if *failures >= self.settings.failures {
                    self.open(now);
                }
            }
            (State::HalfOpen { .. }, Health::Healthy) => self.close(),
            (State::HalfOpen { .. }, Health::Failing) => self.open(now),
            (State::HalfOpen { has_probe }, Health::Unknown) => *has_probe = false,
            (State::Closed { .. }, Health::Unknown) | (State::Open { .. }, _) => {}
        }
    }

    pub(super) fn status(&self, now: Instant) -> BreakerStatus {
        let state = match self.state {
            State::Closed { .. } => BreakerState::Closed,
            State::Open { until } if until > now => BreakerState::Open,
            State::Open { .. } | State::HalfOpen { .. } => BreakerState::HalfOpen,
        };
        BreakerStatus { resource: self.resource, state }
    }

    fn open(&mut self, now: Instant) {
        let CircuitBreaker { failures, open_for } = self.settings;
        tracing::warn!(
            resource = self.resource,
            failures,
            open_for_ms = open_for.as_millis(),
            "the circuit breaker opens: attempts that take the resource wait"
        );
        self.state = State::Open { until: after(now, open_for) };
        self.epoch += 1;
    }

    fn close(&mut self) {
        tracing::info!(resource = self.resource, "the circuit breaker closes: attempts go on");
        self.state = State::Closed { failures: 0 };
        self.epoch += 1;
    }
}
