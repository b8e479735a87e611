//! The words in the parentheses of an attribute: `pivot`, `timeout = "30s"`, `retry(attempts = 5)`.
//! It must not know which words there are; it splits, so that one bad word does not hide the others.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use syn::parse::Parse;

use crate::errors::Errors;

/// One word with what belongs to it.
#[derive(Clone)]
pub(crate) struct Word {
    /// The word itself.
    pub(crate) name: Ident,
    /// What follows it.
    pub(crate) value: Value,
}

/// What follows a word.
#[derive(Clone)]
pub(crate) enum Value {
    /// Nothing.
    Nothing,
    /// `= ..`
    Equals(TokenStream),
    /// `( .. )`
    List(Group),
}

/// Splits at the commas. What does not begin with a word is an error, and is left out.
pub(crate) fn split(tokens: TokenStream, errors: &mut Errors) -> Vec<Word> {
    let mut words = Vec::new();
    let mut part = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == ',' => {
                words.extend(word(std::mem::take(&mut part), Some(punct.span()), errors));
            }
            token => part.push(token),
        }
    }
    words.extend(word(part, None, errors));
    words
}

fn word(part: Vec<TokenTree>, comma: Option<Span>, errors: &mut Errors) -> Option<Word> {
    let mut part = part.into_iter();
    let name = match (part.next(), comma) {
        (Some(TokenTree::Ident(name)), _) => name,
        (Some(other), _) => {
            errors.at(other.span(), format!("expected a word, not `{other}`"));
            return None;
        }
        (None, Some(comma)) => {
            errors.at(comma, "expected a word before this comma");
            return None;
        }
        (None, None) => return None,
    };
    let value = match part.next() {
        None => Value::Nothing,
        Some(TokenTree::Punct(punct)) if punct.as_char() == '=' => {
            let value: TokenStream = part.by_ref().collect();
            if value.is_empty() {
                errors.at(punct.span(), format!("a value is missing: `{name} = ..`"));
                return None;
            }
            Value::Equals(value)
        }
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => Value::List(group),
        Some(other) => {
            errors.at(other.span(), format!("expected `,`, `=` or `(` after `{name}`, not `{other}`"));
            return None;
        }
    };
    if let Some(surplus) = part.next() {
        errors.at(surplus.span(), format!("expected `,` before `{surplus}`"));
        return None;
    }
    Some(Word { name, value })
}

impl Word {
    /// That nothing follows the word.
    pub(crate) fn flag(&self, errors: &mut Errors) -> Option<()> {
        match &self.value {
            Value::Nothing => Some(()),
            Value::Equals(_) | Value::List(_) => self.refuse(&format!("write `{}` alone", self.name), errors),
        }
    }

    /// What follows the `=`. `example` shows how it is written.
    pub(crate) fn value<T: Parse>(&self, example: &str, errors: &mut Errors) -> Option<T> {
        match &self.value {
            Value::Equals(tokens) => {
                let unreadable =
                    |error: syn::Error| syn::Error::new(error.span(), format!("write `{example}`"));
                errors.ok(syn::parse2(tokens.clone()).map_err(unreadable))
            }
            Value::Nothing | Value::List(_) => self.refuse(&format!("write `{example}`"), errors),
        }
    }

    /// What stands in the parentheses. `example` shows how it is written.
    pub(crate) fn list(&self, example: &str, errors: &mut Errors) -> Option<Vec<Word>> {
        match &self.value {
            Value::List(group) => Some(split(group.stream(), errors)),
            Value::Nothing | Value::Equals(_) => self.refuse(&format!("write `{example}`"), errors),
        }
    }

    fn refuse<T>(&self, message: &str, errors: &mut Errors) -> Option<T> {
        errors.at(self.name.span(), message);
        None
    }
}

/// Says of every word that comes a second time that it does.
pub(crate) fn refuse_repeated(words: &[Word], errors: &mut Errors) {
    for (position, word) in words.iter().enumerate() {
        if words[..position].iter().any(|earlier| earlier.name == word.name) {
            errors.at(word.name.span(), format!("`{}` is written twice", word.name));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> (Vec<String>, Vec<String>) {
        let mut errors = Errors::default();
        let words = split(text.parse().unwrap(), &mut errors);
        refuse_repeated(&words, &mut errors);
        let form = |word: &Word| match &word.value {
            Value::Nothing => word.name.to_string(),
            Value::Equals(tokens) => format!("{} = {tokens}", word.name),
            Value::List(group) => format!("{}{group}", word.name),
        };
        (words.iter().map(form).collect(), errors.texts())
    }

    #[test]
    fn words_come_in_three_forms() {
        let (words, errors) =
            words("pivot, timeout = \"30s\", compensate = m::undo(order, output), retry(a = 1, b),");
        let expected =
            ["pivot", "timeout = \"30s\"", "compensate = m :: undo (order , output)", "retry(a = 1 , b)"];
        assert_eq!((words, errors), (expected.map(String::from).to_vec(), vec![]));
    }

    #[test]
    fn each_bad_word_is_told_and_the_others_are_kept() {
        let (words, errors) = words("a b, = 1, c =, , d, d");
        assert_eq!(words, ["d", "d"]);
        let expected = [
            "expected `,`, `=` or `(` after `a`, not `b`",
            "expected a word, not `=`",
            "a value is missing: `c = ..`",
            "expected a word before this comma",
            "`d` is written twice",
        ];
        assert_eq!(errors, expected);
    }
}
