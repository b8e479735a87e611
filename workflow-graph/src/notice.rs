//! Text that is put together while the compiler evaluates constants: what a check has to say.
//! It only joins; what is said is decided by the checks.

/// How much fits. What is longer is cut, at the border of a character.
const ROOM: usize = 1_000;

/// A text of bounded length, for `panic!("{}", NOTICE.text())` in constants.
///
/// ```
/// use workflow_graph::Notice;
///
/// const NOTICE: Notice = Notice::new("`").with("ship").with("` can fail after ").with_number(3);
/// assert_eq!(NOTICE.text(), "`ship` can fail after 3");
/// ```
#[derive(Clone, Copy)]
pub struct Notice {
    bytes: [u8; ROOM],
    length: usize,
}

impl Notice {
    /// A text that begins with this.
    pub const fn new(text: &str) -> Notice {
        Notice { bytes: [0; ROOM], length: 0 }.with(text)
    }

    /// The same text and this.
    pub const fn with(mut self, text: &str) -> Notice {
        let text = text.as_bytes();
        let mut fits = text.len();
        if self.length + fits > ROOM {
            fits = ROOM - self.length;
            while fits > 0 && text[fits] & 0b1100_0000 == 0b1000_0000 {
                fits -= 1;
            }
        }
        let mut index = 0;
        while index < fits {
            self.bytes[self.length + index] = text[index];
            index += 1;
        }
        self.length += fits;
        self
    }

    /// The same text and this number.
    pub const fn with_number(self, number: u64) -> Notice {
        const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
        let before = if number >= 10 { self.with_number(number / 10) } else { self };
        before.with(DIGITS[(number % 10) as usize])
    }

    /// Whether nothing has been said.
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The text.
    pub const fn text(&self) -> &str {
        match std::str::from_utf8(self.bytes.split_at(self.length).0) {
            Ok(text) => text,
            Err(_) => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_cut_between_characters() {
        let long = "ä".repeat(ROOM);
        let notice = Notice::new("x").with(&long).with("y");
        assert_eq!(notice.text().len(), ROOM); // The last `ä` would need one byte more; `y` took its place.
        assert!(notice.text().ends_with("äy"));
        assert_eq!(Notice::new("").with_number(1_234_567).text(), "1234567");
        assert!(Notice::new("").is_empty());
    }
}
