//! What the lock says of a pair, and the pairs of which it is known to say too much or too little.

use workflow_graph::lock;

use super::pair::Pair;

/// See the module.
pub(crate) struct Verdict(Option<String>);

impl Verdict {
    pub(crate) fn of(pair: &Pair) -> Verdict {
        let (old, new) = (pair.old.graph(), pair.new.graph());
        if pair.keeps_old {
            // Each version has a lock of its own, and the one that runs are on is unchanged.
            return Verdict(lock::incompatibility(old, old));
        }
        if old.version != new.version {
            return Verdict(Some(format!("version {} has runs, and no code", old.version)));
        }
        Verdict(lock::incompatibility(old, new))
    }

    pub(crate) fn accepts(&self) -> bool {
        self.0.is_none()
    }
}

/// Refused, though no run breaks.
pub(crate) const NEEDLESSLY_STRICT: [(&str, &str); 8] = [
    ("guard_reworded", "conditions are compared by their text; what they mean is not known"),
    ("branches_turned_round", "as above: the condition is another text"),
    ("arms_reordered", "as above: that two patterns exclude each other is not known"),
    ("while_to_loop", "as above: the condition under which the loop ends is another text"),
    (
        "namesake",
        "a local of the same name in an inner block is taken for the one that the condition looks at",
    ),
    (
        "wiring_changed",
        "what an undoing is given counts where an outcome is unknown; this step has no timeout",
    ),
    (
        "error_passed_over",
        "a run that fails may undo something; that nothing was done before is not looked at",
    ),
    (
        "last_subflow_appended",
        "behind the end of a subflow its caller goes on; that it only ends is not looked at",
    ),
];

/// Accepted, though runs break: what decides stands outside of the function. A run that breaks stops with WF101 or
/// WF102 before it does anything else.
pub(crate) const BLIND: [(&str, &str); 4] = [
    ("constant_in_a_guard_changed", "the value of a constant outside of the function"),
    ("function_in_a_guard_changed", "the body of a function outside of the workflow"),
    ("required_field_added", "the fields of a type: the lock knows its name"),
    ("message_field_changed", "the fields of a message: the lock knows its name"),
];
