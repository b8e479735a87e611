//! Ids that are unique in the file and stable over edits.
//! It knows nothing of what they name.

use std::collections::BTreeSet;

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
}
