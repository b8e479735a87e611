//! Texts and lists of names, as constants read them: whether they are borrowed or owned, and the same or not.
//! Nothing here knows what the names are for.

use crate::reading::{is_same_bytes, is_same_text, text_of};

use crate::{ErrorFacts, Text};

/// A list of names.
#[derive(Clone, Copy, Debug)]
pub enum Names<'a> {
    /// The names themselves.
    Texts(&'a [Text]),
    /// The variants of an error.
    Errors(&'a [ErrorFacts]),
}

impl<'a> Names<'a> {
    /// No names.
    pub const NONE: Names<'static> = Names::Texts(&[]);

    /// How many there are.
    pub const fn len(self) -> usize {
        match self {
            Names::Texts(texts) => texts.len(),
            Names::Errors(errors) => errors.len(),
        }
    }

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The name at this position.
    pub const fn get(self, index: usize) -> &'a str {
        match self {
            Names::Texts(texts) => text_of(&texts[index]),
            Names::Errors(errors) => text_of(&errors[index].variant),
        }
    }

    /// Whether it is one of them.
    pub const fn has(self, name: &str) -> bool {
        let mut index = 0;
        while index < self.len() {
            if is_same_text(self.get(index), name) {
                return true;
            }
            index += 1;
        }
        false
    }
}

/// Whether this is the id of the call number `number`, counted from 1, of a function of that name.
pub(crate) const fn is_numbered(id: &str, name: &str, number: usize) -> bool {
    match number_after(id, name) {
        Some(found) => found == number,
        None => false,
    }
}

/// The number of the call that has this id, if it is one of calls by that name.
pub(crate) const fn number_after(id: &str, name: &str) -> Option<usize> {
    let (id, name) = (id.as_bytes(), name.as_bytes());
    if id.len() < name.len() || !is_same_bytes(id.split_at(name.len()).0, name) {
        return None;
    }
    if id.len() == name.len() {
        return Some(1);
    }
    if id[name.len()] != b'_' || id.len() == name.len() + 1 {
        return None;
    }
    let (mut index, mut number) = (name.len() + 1, 0_usize);
    while index < id.len() {
        if !id[index].is_ascii_digit() || number > 1_000_000 {
            return None;
        }
        number = number * 10 + (id[index] - b'0') as usize;
        index += 1;
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    #[test]
    fn calls_are_numbered_from_the_second_on() {
        assert_eq!(number_after("charge", "charge"), Some(1));
        assert_eq!(number_after("charge_12", "charge"), Some(12));
        for other in ["charge_card", "charge_", "charge2", "char", "charge_99999999999999"] {
            assert_eq!(number_after(other, "charge"), None, "{other}");
        }
        assert!(is_numbered("charge_2", "charge", 2) && !is_numbered("charge_2", "charge", 3));
        assert!(!is_same_text("charge", "charged") && is_same_text("", ""));
        assert!(Names::Texts(&[Cow::Borrowed("a")]).has("a") && !Names::NONE.has(""));
    }
}
