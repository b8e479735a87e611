//! The types that a journal records, as text: what a lock compares. It goes by how they are written, so that a type
//! that was only moved to another module, or lent instead of given, stays the same.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{GenericArgument, PathArguments, Type};

/// The types of arguments, each with whether it is lent: what is recorded is what it refers to.
pub(crate) fn types<'a>(types: impl Iterator<Item = (&'a Type, bool)>) -> String {
    let texts: Vec<String> = types.map(|(ty, is_lent)| if is_lent { owned(ty) } else { text(ty) }).collect();
    texts.join(", ")
}

/// The type of an answer; that of its errors is told by the errors.
pub(crate) fn answer(ty: &Type) -> String {
    match success(ty) {
        Some(success) => format!("Result<{}>", text(success)),
        None => text(ty),
    }
}

/// The good half of a type that is called `Result`.
pub(crate) fn success(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == "Result")?;
    let PathArguments::AngleBracketed(halves) = &last.arguments else { return None };
    match halves.args.first() {
        Some(GenericArgument::Type(success)) => Some(success),
        _ => None,
    }
}

/// What is kept of a value of this type that was lent.
fn owned(ty: &Type) -> String {
    match ty {
        Type::Path(path) if path.path.is_ident("str") => "String".to_owned(),
        Type::Slice(slice) => format!("Vec<{}>", text(&slice.elem)),
        ty => text(ty),
    }
}

/// A type without the modules that its names come from, and without needless space.
pub(crate) fn text(ty: &Type) -> String {
    let mut told: Vec<String> = Vec::new();
    for word in words(&ty.to_token_stream()) {
        if word == "::" {
            // What stands before is a module, or `<T as Trait>`, which stays.
            if told.last().is_some_and(|last| is_word(last)) {
                told.pop();
            }
            continue;
        }
        if matches!(word.as_str(), ">" | ")" | "]") && told.last().is_some_and(|last| last == ",") {
            told.pop();
        }
        told.push(word);
    }
    let mut text = String::new();
    for word in told {
        let after_word = text.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        if (after_word && is_word(&word)) || text.ends_with([',', ';']) {
            text.push(' ');
        }
        text.push_str(&word);
    }
    text
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphanumeric() || c == '_')
}

/// The tokens one by one, whatever space stands between them in the source.
pub(crate) fn words(tokens: &TokenStream) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut is_joint = false;
    for token in tokens.clone() {
        match token {
            TokenTree::Punct(punct) => {
                match words.last_mut() {
                    // Only `::` and `->` are told as one here; of all others nobody asks.
                    Some(last)
                        if is_joint && matches!((&**last, punct.as_char()), (":", ':') | ("-", '>')) =>
                    {
                        last.push(punct.as_char());
                    }
                    _ => words.push(punct.as_char().to_string()),
                }
                is_joint = punct.spacing() == Spacing::Joint;
                continue;
            }
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                words.extend(Some(open.to_owned()).filter(|open| !open.is_empty()));
                words.extend(self::words(&group.stream()));
                words.extend(Some(close.to_owned()).filter(|close| !close.is_empty()));
            }
            other => words.push(other.to_string()),
        }
        is_joint = false;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Type {
        syn::parse_str(text).unwrap()
    }

    #[test]
    fn a_type_is_told_by_its_names_alone() {
        for (written, told) in [
            ("crate::model::Order", "Order"),
            ("std::collections::BTreeMap<std::string::String,Vec< u8 >>", "BTreeMap<String, Vec<u8>>"),
            ("( u8 ,String , )", "(u8, String)"),
            ("[ u8 ; 32 ]", "[u8; 32]"),
            ("Option<(u8,)>", "Option<(u8)>"),
        ] {
            assert_eq!(text(&parse(written)), told);
        }
    }

    #[test]
    fn what_is_lent_is_recorded_as_what_it_refers_to() {
        let (name, lines, order) = (parse("str"), parse("[Line]"), parse("Order"));
        let lent = [(&name, true), (&lines, true), (&order, true), (&order, false)];
        assert_eq!(types(lent.into_iter()), "String, Vec<Line>, Order, Order");
    }

    #[test]
    fn the_type_of_an_error_is_not_told() {
        assert_eq!(answer(&parse("Result<shop::Payment, PaymentError>")), "Result<Payment>");
        assert_eq!(answer(&parse("Payment")), "Payment");
        assert_eq!(answer(&parse("ShopResult<Payment>")), "ShopResult<Payment>");
    }
}
