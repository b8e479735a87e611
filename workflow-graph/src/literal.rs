//! Constructors for the constants that the macro writes. A call is a third of the tokens of a literal with all its
//! fields, and the compiler reads them all again in every build.

mod written;

use std::borrow::Cow;
use std::mem;
use std::panic::Location;

use crate::{
    Allowance, CompensationFacts, Computed, Effect, ErrorFacts, Flow, Graph, MessageFacts, Node, NodeKind,
    Rate, RetryPolicy, Signature, Source, StepFacts, Task, Text, Trigger,
};

pub use written::{flows, nodes, write_flows, write_nodes};

/// A step of which nothing else is said: by default every fact costs no token. The file is the one of the caller.
#[track_caller]
pub const fn step(
    name: &'static str,
    label: &'static str,
    takes: &'static str,
    gives: &'static str,
    line: u32,
) -> StepFacts {
    StepFacts {
        name: Cow::Borrowed(name),
        was: Cow::Borrowed(&[]),
        label: Cow::Borrowed(label),
        documentation: Cow::Borrowed(""),
        signature: Signature::of(takes, gives),
        effect: Effect::Undeclared,
        retry: RetryPolicy::DEFAULT,
        timeout_ms: None,
        computed: Computed::NOTHING,
        heartbeat_ms: None,
        concurrency: None,
        rate: None,
        fallible: false,
        errors: Cow::Borrowed(&[]),
        compensation: None,
        transactional: false,
        cancellable: false,
        kept: false,
        task: Task::Service,
        participant: Cow::Borrowed(""),
        source: Source::at(Location::caller().file(), line),
    }
}

/// What a call may say in place of its step; other calls have no such words.
#[doc(hidden)]
impl NodeKind {
    /// With another limit for an attempt.
    pub const fn with_timeout_ms(mut self, timeout_ms: u64) -> NodeKind {
        if let NodeKind::Step(step) = &mut self {
            step.timeout_ms = Some(timeout_ms);
        }
        self
    }

    /// With a limit for an attempt that is computed.
    pub const fn with_computed_timeout(mut self, text: &'static str) -> NodeKind {
        if let NodeKind::Step(step) = &mut self {
            step.timeout_ms = None;
            mem::forget(mem::replace(&mut step.computed.timeout, Cow::Borrowed(text)));
        }
        self
    }

    /// With another policy.
    pub const fn with_retry(mut self, retry: RetryPolicy) -> NodeKind {
        if let NodeKind::Step(step) = &mut self {
            step.retry = retry;
        }
        self
    }

    /// With a policy that is computed.
    pub const fn with_computed_retry(mut self, text: &'static str) -> NodeKind {
        if let NodeKind::Step(step) = &mut self {
            mem::forget(mem::replace(&mut step.computed.retry, Cow::Borrowed(text)));
        }
        self
    }

    /// It is not undone.
    pub const fn without_compensation(mut self) -> NodeKind {
        if let NodeKind::Step(step) = &mut self {
            mem::forget(step.compensation.take()); // A constant cannot drop it.
            step.kept = true;
        }
        self
    }
}

/// What else may be said of a step.
#[doc(hidden)]
impl StepFacts {
    /// With what it does to the world.
    pub const fn with_effect(mut self, effect: Effect) -> StepFacts {
        self.effect = effect;
        self
    }

    /// It only looks.
    pub const fn read_only(self) -> StepFacts {
        self.with_effect(Effect::ReadOnly)
    }

    /// It can be undone.
    pub const fn compensatable(self) -> StepFacts {
        self.with_effect(Effect::Compensatable)
    }

    /// It is the point of no return.
    pub const fn pivot(self) -> StepFacts {
        self.with_effect(Effect::Pivot)
    }

    /// It is repeated until it succeeds.
    pub const fn retriable(self) -> StepFacts {
        self.with_effect(Effect::Retriable).with_retry(RetryPolicy::UNTIL_SUCCESS)
    }

    /// With the names that it had before.
    pub const fn formerly(mut self, names: &'static [Text]) -> StepFacts {
        mem::forget(mem::replace(&mut self.was, Cow::Borrowed(names))); // A constant cannot drop it.
        self
    }

    /// With its documentation.
    pub const fn with_documentation(mut self, text: &'static str) -> StepFacts {
        mem::forget(mem::replace(&mut self.documentation, Cow::Borrowed(text)));
        self
    }

    /// With the ways in which it can fail.
    pub const fn with_errors(mut self, errors: &'static [ErrorFacts]) -> StepFacts {
        mem::forget(mem::replace(&mut self.errors, Cow::Borrowed(errors)));
        self.fallible = true;
        self
    }

    /// With how it is undone.
    pub const fn with_compensation(mut self, compensation: CompensationFacts) -> StepFacts {
        mem::forget(self.compensation.replace(compensation));
        self
    }

    /// With how long an attempt may give no sign of life.
    pub const fn with_heartbeat_ms(mut self, heartbeat_ms: u64) -> StepFacts {
        self.heartbeat_ms = Some(heartbeat_ms);
        self
    }

    /// With how many attempts may be under way.
    pub const fn with_concurrency(mut self, concurrency: u32) -> StepFacts {
        self.concurrency = Some(concurrency);
        self
    }

    /// With how many attempts may begin in a span of time.
    pub const fn with_rate(mut self, rate: Rate) -> StepFacts {
        self.rate = Some(rate);
        self
    }

    /// Its writes and its answer are one transaction.
    pub const fn transactional(mut self) -> StepFacts {
        self.transactional = true;
        self
    }

    /// A person does it.
    pub const fn human(mut self) -> StepFacts {
        self.task = Task::User;
        self
    }

    /// Rules decide it.
    pub const fn rule(mut self) -> StepFacts {
        self.task = Task::BusinessRule;
        self
    }

    /// With the other party that it turns to.
    pub const fn with_participant(mut self, participant: &'static str) -> StepFacts {
        mem::forget(mem::replace(&mut self.participant, Cow::Borrowed(participant)));
        self
    }

    /// It leaves nothing behind when it hears of a cancel.
    pub const fn cancellable(mut self) -> StepFacts {
        self.cancellable = true;
        self
    }
}

/// A graph of which nothing else is said. The file is the one of the caller.
#[track_caller]
pub const fn graph(
    name: &'static str,
    version: u32,
    label: &'static str,
    line: u32,
    signature: Signature,
    nodes: &'static [Node],
    flows: &'static [Flow],
) -> Graph {
    Graph {
        workflow: Cow::Borrowed(name),
        version,
        label: Cow::Borrowed(label),
        documentation: Cow::Borrowed(""),
        owner: Cow::Borrowed(""),
        trigger: Trigger::None,
        deadline_ms: None,
        priority: 0,
        signature,
        source: Source::at(Location::caller().file(), line),
        nodes: Cow::Borrowed(nodes),
        flows: Cow::Borrowed(flows),
        messages: Cow::Borrowed(&[]),
        errors: Cow::Borrowed(&[]),
        allowances: Cow::Borrowed(&[]),
    }
}

/// What else may be said of a workflow.
#[doc(hidden)]
impl Graph {
    /// With its documentation.
    pub const fn with_documentation(mut self, text: &'static str) -> Graph {
        mem::forget(mem::replace(&mut self.documentation, Cow::Borrowed(text)));
        self
    }

    /// With who answers for it.
    pub const fn with_owner(mut self, owner: &'static str) -> Graph {
        mem::forget(mem::replace(&mut self.owner, Cow::Borrowed(owner)));
        self
    }

    /// With what starts a run by itself.
    pub const fn with_trigger(mut self, trigger: Trigger) -> Graph {
        mem::forget(mem::replace(&mut self.trigger, trigger));
        self
    }

    /// With how long a run may take.
    pub const fn with_deadline_ms(mut self, deadline_ms: u64) -> Graph {
        self.deadline_ms = Some(deadline_ms);
        self
    }

    /// With whose attempts go first.
    pub const fn with_priority(mut self, priority: i8) -> Graph {
        self.priority = priority;
        self
    }

    /// With the messages that it begins with, waits for and sends.
    pub const fn with_messages(mut self, messages: &'static [MessageFacts]) -> Graph {
        mem::forget(mem::replace(&mut self.messages, Cow::Borrowed(messages)));
        self
    }

    /// With the ways in which the function fails.
    pub const fn with_own_errors(mut self, errors: &'static [ErrorFacts]) -> Graph {
        mem::forget(mem::replace(&mut self.errors, Cow::Borrowed(errors)));
        self
    }

    /// With the checks that the author has switched off.
    pub const fn with_allowances(mut self, allowances: &'static [Allowance]) -> Graph {
        mem::forget(mem::replace(&mut self.allowances, Cow::Borrowed(allowances)));
        self
    }
}
