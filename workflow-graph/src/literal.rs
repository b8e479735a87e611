//! Constructors for the constants that the macro writes. A call is a third of the tokens of a literal with all its
//! fields, and the compiler reads them all again in every build.

use std::borrow::Cow;
use std::mem;
use std::panic::Location;

use crate::{
    CompensationFacts, Effect, ErrorFacts, Flow, FlowKind, Instances, Node, NodeIndex, NodeKind, Rate,
    RetryPolicy, Signature, Source, StepFacts, Text,
};

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
        heartbeat_ms: None,
        concurrency: None,
        rate: None,
        errors: Cow::Borrowed(&[]),
        compensation: None,
        transactional: false,
        cancellable: false,
        kept: false,
        source: Source::at(Location::caller().file(), line),
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
        self
    }

    /// With how it is undone.
    pub const fn with_compensation(mut self, compensation: CompensationFacts) -> StepFacts {
        mem::forget(mem::replace(&mut self.compensation, Some(compensation)));
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

    /// It leaves nothing behind when it hears of a cancel.
    pub const fn cancellable(mut self) -> StepFacts {
        self.cancellable = true;
        self
    }
}

/// A node of the flow itself.
pub const fn node(id: &'static str, kind: NodeKind, label: &'static str, line: u32) -> Node {
    let (id, label) = (Cow::Borrowed(id), Cow::Borrowed(label));
    Node { id, kind, label, line, scope: None, guard: 0, instances: None }
}

/// The same node, in a block.
pub const fn within(scope: NodeIndex, mut node: Node) -> Node {
    node.scope = Some(scope);
    node
}

/// The same node, with the hash of what it asks.
pub const fn guarded(guard: u64, mut node: Node) -> Node {
    node.guard = guard;
    node
}

/// The same node, once for each of many values.
pub const fn for_each(limit: &'static str, fails_fast: bool, mut node: Node) -> Node {
    let instances = Some(Instances { limit: Cow::Borrowed(limit), fails_fast });
    mem::forget(mem::replace(&mut node.instances, instances)); // A constant cannot drop it.
    node
}

/// A flow that is always taken.
pub const fn next(from: NodeIndex, to: NodeIndex) -> Flow {
    Flow::new(from, to, FlowKind::Next)
}

/// A flow that is taken when the time is up.
pub const fn timeout(from: NodeIndex, to: NodeIndex) -> Flow {
    Flow::new(from, to, FlowKind::Timeout)
}

/// A flow that is taken after an error.
pub const fn error(from: NodeIndex, to: NodeIndex, variant: &'static str, label: &'static str) -> Flow {
    let (variant, label) = (Cow::Borrowed(variant), Cow::Borrowed(label));
    Flow::new(from, to, FlowKind::Error { variant, label })
}

/// A flow that is taken when this is the answer.
pub const fn answer(from: NodeIndex, to: NodeIndex, label: &'static str, condition: &'static str) -> Flow {
    let (label, condition) = (Cow::Borrowed(label), Cow::Borrowed(condition));
    Flow::new(from, to, FlowKind::Answer { label, condition, default: false })
}

/// A flow that is taken when no other answer is given.
pub const fn otherwise(from: NodeIndex, to: NodeIndex, label: &'static str, condition: &'static str) -> Flow {
    let (label, condition) = (Cow::Borrowed(label), Cow::Borrowed(condition));
    Flow::new(from, to, FlowKind::Answer { label, condition, default: true })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_says_what_its_literal_would() {
        const NODE: Node =
            within(3, guarded(5, for_each("4", true, node("pick", NodeKind::Merge, "Pick", 7))));
        let instances = Some(Instances { limit: "4".into(), fails_fast: true });
        let literal = Node {
            label: "Pick".into(),
            line: 7,
            scope: Some(3),
            guard: 5,
            instances,
            ..Node::new("pick", NodeKind::Merge)
        };
        assert_eq!(NODE, literal);
    }

    #[test]
    fn one_of_several_answers_is_the_default() {
        const FLOWS: [Flow; 2] = [answer(0, 1, "yes", "paid"), otherwise(0, 2, "no", "")];
        let defaults = FLOWS.map(|flow| matches!(flow.kind, FlowKind::Answer { default: true, .. }));
        assert_eq!(defaults, [false, true]);
    }
}
