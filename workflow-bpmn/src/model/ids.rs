//! Ids that are unique in the file and stable over edits.
//! It knows nothing of what they name.

use std::collections::{BTreeMap, BTreeSet};

/// The ids given out so far; ids of nodes are reserved first, so that nothing derived ever takes one of theirs.
pub(crate) struct Ids {
    taken: BTreeSet<String>,
}

impl Ids {
    pub(crate) fn reserving<'a>(ids: impl Iterator<Item = &'a str>) -> Ids {
        Ids { taken: ids.map(str::to_owned).collect() }
    }

    /// The wanted id, made a valid XML id, with a number behind it if it is taken.
    pub(crate) fn give(&mut self, wanted: &str) -> String {
        let base = slug(wanted);
        let mut id = base.clone();
        let mut number = 2;
        while !self.taken.insert(id.clone()) {
            id = format!("{base}_{number}");
            number += 1;
        }
        id
    }
}

/// The variables by which engines are told about elements: letters, digits and `_` are what all of them take, and two
/// elements never share one, or one answer would do for two questions.
pub(crate) struct Variables {
    names: Ids,
    given: BTreeMap<(&'static str, String), String>,
}

impl Variables {
    /// An id that needs no other letters keeps its name, whatever is drawn before it.
    pub(crate) fn reserving<'a>(ids: impl Iterator<Item = &'a str>) -> Variables {
        let plain: BTreeSet<&str> = ids.filter(|id| plain(id) == *id).collect();
        let given: BTreeMap<(&'static str, String), String> = plain
            .into_iter()
            .flat_map(|id| ABOUT.map(|about| ((about, id.to_owned()), format!("{about}_{id}"))))
            .collect();
        let names = Ids::reserving(given.values().map(String::as_str));
        Variables { names, given }
    }

    /// The variable about an element, the same whenever it is asked for.
    pub(crate) fn about(&mut self, about: &'static str, id: &str) -> String {
        let names = &mut self.names;
        let given = self.given.entry((about, id.to_owned()));
        given.or_insert_with(|| names.give(&format!("{about}_{}", plain(id)))).clone()
    }
}

/// What variables are about: the answer to a question, how many there are of something, when something is due, which
/// message is meant.
const ABOUT: [&str; 4] = ["decision", "instances", "timer", "key"];

fn plain(id: &str) -> String {
    id.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

/// Letters, digits and `_.-` stay, everything else becomes `_`; never empty, never a name other tools reserve.
pub(crate) fn slug(text: &str) -> String {
    let mut slug: String = text
        .chars()
        .take(120)
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-') { c } else { '_' })
        .collect();
    if !workflow_graph::is_node_id(&slug) {
        slug.insert(0, '_');
    }
    slug
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_valid_and_unique() {
        let mut ids = Ids::reserving(["pay", "pay_2"].into_iter());
        assert_eq!(ids.give("pay"), "pay_3");
        assert_eq!(ids.give("über 9"), "_ber_9");
        assert_eq!(ids.give("9"), "_9");
        assert_eq!(ids.give(""), "_");
        assert_eq!(ids.give("End"), "_End");
    }

    #[test]
    fn no_two_elements_share_a_variable() {
        let mut variables =
            Variables::reserving(["order.if_paid", "order_if_paid", "order-if_paid_2"].into_iter());
        assert_eq!(variables.about("decision", "order.if_paid"), "decision_order_if_paid_2");
        assert_eq!(variables.about("decision", "order_if_paid"), "decision_order_if_paid");
        assert_eq!(variables.about("decision", "order-if_paid_2"), "decision_order_if_paid_2_2");
        assert_eq!(variables.about("decision", "order.if_paid"), "decision_order_if_paid_2");
        assert_eq!(variables.about("timer", "order.if_paid"), "timer_order_if_paid_2");
    }
}
