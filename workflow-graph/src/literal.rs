//! Constructors for the constants that the macro writes. A call is a third of the tokens of a literal with all its
//! fields, and the compiler reads them all again in every build.

use std::borrow::Cow;
use std::mem;

use crate::{Flow, FlowKind, Instances, Node, NodeIndex, NodeKind};

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
