//! The words of a line: bare where a name is plain, else between quotation marks with what could break a line escaped.
//! A word can be a value with a key before it: `takes="Order, u8"`.

/// The word for this text.
pub(super) fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    let mut word = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => word.push_str("\\\""),
            '\\' => word.push_str("\\\\"),
            '\n' => word.push_str("\\n"),
            // Controls, line separators and marks that turn the direction of writing would hide what is there.
            c if c.is_control() || hides(c) => {
                word.push_str(&format!("\\u{{{:x}}}", u32::from(c)));
            }
            c => word.push(c),
        }
    }
    word.push('"');
    word
}

/// A word of a line.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Word {
    pub(super) key: Option<String>,
    pub(super) text: String,
    /// Whether it stands between quotation marks: then it is a name, and no word of the format.
    pub(super) is_quoted: bool,
}

/// Takes a line apart; `None` when a quotation mark or an escape is not closed.
pub(super) fn words(line: &str) -> Option<Vec<Word>> {
    let mut words = Vec::new();
    let mut chars = line.chars().peekable();
    loop {
        while chars.next_if(|c| *c == ' ' || *c == '\t').is_some() {}
        if chars.peek().is_none() {
            return Some(words);
        }
        let (mut key, mut bare) = (None, String::new());
        if chars.peek() != Some(&'"') {
            while let Some(c) = chars.next_if(|c| !matches!(c, ' ' | '\t' | '=' | '"')) {
                bare.push(c);
            }
            if chars.next_if_eq(&'=').is_some() {
                key = Some(std::mem::take(&mut bare));
            }
        }
        let is_quoted = chars.next_if_eq(&'"').is_some();
        if is_quoted {
            if !bare.is_empty() {
                return None;
            }
            bare = rest_of_quoted(&mut chars)?;
        } else if key.is_some() {
            while let Some(c) = chars.next_if(|c| !matches!(c, ' ' | '\t' | '"')) {
                bare.push(c);
            }
        }
        words.push(Word { key, text: bare, is_quoted });
    }
}

fn rest_of_quoted(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<String> {
    let mut text = String::new();
    loop {
        match chars.next()? {
            '"' => return Some(text),
            '\\' => match chars.next()? {
                'n' => text.push('\n'),
                'u' => {
                    chars.next_if_eq(&'{')?;
                    let mut digits = String::new();
                    while let Some(digit) = chars.next_if(char::is_ascii_hexdigit) {
                        digits.push(digit);
                    }
                    chars.next_if_eq(&'}')?;
                    text.push(char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?);
                }
                c @ ('"' | '\\') => text.push(c),
                _ => return None,
            },
            c => text.push(c),
        }
    }
}

/// Whether the character separates lines, or shows nothing and changes how the rest is read.
fn hides(c: char) -> bool {
    const SEPARATORS: [char; 2] = ['\u{2028}', '\u{2029}'];
    let turns = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    SEPARATORS.contains(&c) || turns || matches!(c, '\u{200b}'..='\u{200f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_name_holds_it_is_one_word() {
        for name in
            ["charge", "", " ", "a b", "\"", "\\", "a\nb", "\u{202e}evil", "->", "x=y", "größe", "\u{0}\r"]
        {
            let line = format!("a key={} {} b", quoted(name), quoted(name));
            assert_eq!(line.lines().count(), 1, "{line:?}");
            let words = words(&line).unwrap();
            assert_eq!(words.len(), 4, "{line}");
            assert_eq!((words[1].key.as_deref(), words[1].text.as_str()), (Some("key"), name));
            assert_eq!((&words[2].key, words[2].text.as_str()), (&None, name));
        }
        assert!(quoted("->") != "->" && quoted("\u{202e}") == "\"\\u{202e}\"");
    }

    #[test]
    fn what_is_not_closed_is_no_line() {
        for line in ["\"a", "\"\\", "\"\\u{110000}\"", "\"\\x\"", "a\"b\"", "\"\\u{}\""] {
            assert_eq!(words(line), None, "{line}");
        }
    }
}
