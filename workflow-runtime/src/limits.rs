//! What is taken from outside, and what is not.
//! It checks; it repairs nothing.

use workflow_core::Payload;

use crate::error::{Error, ErrorKind};

/// The longest id or key, in bytes: they are part of database keys and of log fields.
pub(crate) const LONGEST_ID: usize = 255;

/// Ids and keys have 1 to 255 bytes and no control characters.
pub(crate) fn check_id(what: &str, id: &str) -> Result<(), Error> {
    let text = if id.is_empty() {
        format!("{what} is empty")
    } else if id.len() > LONGEST_ID {
        format!("{what} has {} bytes; it may have {LONGEST_ID}", id.len())
    } else if let Some(character) = id.chars().find(|character| character.is_control()) {
        format!("{what} contains the control character {character:?}: {id:?}")
    } else {
        return Ok(());
    };
    Err(ErrorKind::BadInput(text).into())
}

pub(crate) fn check_size(what: &str, payload: &Payload, limit: usize) -> Result<(), Error> {
    let bytes = payload.as_json().len();
    if bytes <= limit {
        return Ok(());
    }
    Err(ErrorKind::TooLarge { what: what.to_owned(), bytes, limit }.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_a_length_and_no_control_characters() {
        assert!(check_id("the id", "order/42 für 人").is_ok());
        assert!(check_id("the id", &"x".repeat(255)).is_ok());
        for bad in ["", "a\0b", "a\nb", &"x".repeat(256)] {
            assert!(check_id("the id", bad).unwrap_err().is_bad_input(), "{bad:?}");
        }
    }
}
