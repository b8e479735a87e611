//! `#[derive(Message)]`: gives a type the name and the correlation key by which runs wait for it, and the other party.
//! It must not know how messages travel.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Attribute, Data, DeriveInput, Fields, Ident, LitStr};

use crate::errors::Errors;
use crate::suggest::{closest, listed, unknown};
use crate::words;

/// What `#[message(..)]` says.
#[derive(Default)]
struct Words {
    name: Option<String>,
    key: Option<Ident>,
    participant: Option<String>,
}

const WORDS: [&str; 3] = ["name", "key", "participant"];

const EXAMPLE: &str = "#[message(key = order_id)]";

/// The expansion of the derive.
pub(crate) fn expand(item: TokenStream) -> TokenStream {
    let input: DeriveInput = match syn::parse2(item) {
        Ok(input) => input,
        Err(error) => return error.into_compile_error(),
    };
    let mut errors = Errors::default();
    let is_plain = has_no_generics(&input, &mut errors);
    let words = Words::read(&input, &mut errors);
    let fields = named_fields(&input, &mut errors);
    let key =
        words.key.filter(|key| fields.as_ref().is_some_and(|fields| is_field(key, fields, &mut errors)));
    let mut tokens = match key {
        Some(key) if is_plain => {
            let name = words.name.unwrap_or_else(|| input.ident.unraw().to_string());
            implementation(&input.ident, &name, &key, words.participant.as_deref())
        }
        _ => TokenStream::new(),
    };
    tokens.extend(errors.into_tokens());
    tokens
}

/// The name of the message that this type is: its own, unless it says otherwise.
#[cfg_attr(not(feature = "doc-diagrams"), allow(dead_code, reason = "the picture for rustdoc asks"))]
pub(crate) fn name_of(item: syn::ItemStruct) -> String {
    let input = DeriveInput::from(item);
    let words = Words::read(&input, &mut Errors::default());
    words.name.unwrap_or_else(|| input.ident.unraw().to_string())
}

fn has_no_generics(input: &DeriveInput, errors: &mut Errors) -> bool {
    if !input.generics.params.is_empty() {
        let message = "WF021: a message has no generic parameters: sender and receiver know it by its name";
        errors.push(syn::Error::new_spanned(&input.generics, message));
    }
    input.generics.params.is_empty()
}

fn named_fields(input: &DeriveInput, errors: &mut Errors) -> Option<Vec<String>> {
    let names = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => Some(
                fields.named.iter().filter_map(|field| field.ident.as_ref()).map(Ident::to_string).collect(),
            ),
            Fields::Unnamed(_) | Fields::Unit => None,
        },
        Data::Enum(_) | Data::Union(_) => None,
    };
    if names.is_none() {
        let message = "a message is a struct with named fields, one of which is its correlation key";
        errors.at(input.ident.span(), message);
    }
    names
}

fn is_field(key: &Ident, fields: &[String], errors: &mut Errors) -> bool {
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    let key_name = key.to_string();
    if fields.contains(&key_name.as_str()) {
        return true;
    }
    let help = match closest(&key_name, &fields) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("it has {}", listed(&fields)),
    };
    errors.at(key.span(), format!("the message has no field `{key_name}`; {help}"));
    false
}

impl Words {
    fn read(input: &DeriveInput, errors: &mut Errors) -> Words {
        let mut read = Words::default();
        let is_ours = |attribute: &&Attribute| attribute.path().is_ident("message");
        let mut all = Vec::new();
        for attribute in input.attrs.iter().filter(is_ours) {
            match attribute.meta.require_list() {
                Ok(list) => all.extend(words::split(list.tokens.clone(), errors)),
                Err(_) => errors.push(syn::Error::new_spanned(attribute, format!("write `{EXAMPLE}`"))),
            }
        }
        words::refuse_repeated(&all, errors);
        for word in &all {
            match word.name.to_string().as_str() {
                "name" => read.name = name(word, errors),
                "key" => read.key = word.value("key = order_id", errors),
                "participant" => read.participant = participant(word, errors),
                other => errors.at(word.name.span(), unknown("`#[message]`", other, &WORDS)),
            }
        }
        if !all.iter().any(|word| word.name == "key") {
            let message = format!("say which field tells one conversation from another: `{EXAMPLE}`");
            errors.at(input.ident.span(), message);
        }
        read
    }
}

fn name(word: &words::Word, errors: &mut Errors) -> Option<String> {
    let name: LitStr = word.value("name = \"NewCard\"", errors)?;
    if name.value().trim().is_empty() {
        errors.at(name.span(), "a message needs a name; leave it out to use the type's");
        return None;
    }
    Some(name.value())
}

fn participant(word: &words::Word, errors: &mut Errors) -> Option<String> {
    let participant: LitStr = word.value("participant = \"Customer\"", errors)?;
    if participant.value().trim().is_empty() {
        errors.at(participant.span(), "a participant needs a name; leave it out when nobody is to be named");
        return None;
    }
    Some(participant.value())
}

fn implementation(message: &Ident, name: &str, key: &Ident, participant: Option<&str>) -> TokenStream {
    // A key that cannot be written as text is reported at the name of the field.
    let text = quote_spanned! {key.span()=> ::std::string::ToString::to_string(&self.#key) };
    let field = key.unraw().to_string();
    let participant = participant.map(|name| quote!(const PARTICIPANT: &'static str = #name;));
    quote! {
        impl ::workflow_runtime::__private::core::Message for #message {
            const NAME: &'static str = #name;
            const KEY: &'static str = #field;
            #participant
            fn key(&self) -> ::std::string::String {
                #text
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(item: &str) -> String {
        expand(item.parse().unwrap()).to_string()
    }

    #[test]
    fn the_name_is_the_types_unless_it_is_given() {
        assert!(expanded("#[message(key = id)] struct Paid { id: u8 }").contains("= \"Paid\""));
        assert!(
            expanded("#[message(name = \"paid\", key = id)] struct Paid { id: u8 }").contains("= \"paid\"")
        );
    }

    #[test]
    fn the_other_party_and_the_field_of_the_key_are_told() {
        let item = "#[message(key = r#type, participant = \"Customer\")] struct Paid { r#type: u8 }";
        let tokens = expanded(item);
        assert!(tokens.contains("const PARTICIPANT : & 'static str = \"Customer\""), "{tokens}");
        assert!(tokens.contains("const KEY : & 'static str = \"type\""), "{tokens}");
        assert!(!expanded("#[message(key = id)] struct Paid { id: u8 }").contains("PARTICIPANT"));
    }

    #[test]
    fn a_wrong_key_is_answered_with_the_right_one() {
        let tokens = expanded("#[message(key = oder_id)] struct Paid { order_id: u8 }");
        assert!(tokens.contains("the message has no field `oder_id`; did you mean `order_id`?"), "{tokens}");
    }

    #[test]
    fn what_cannot_be_a_message_is_refused() {
        let wrong = [
            ("struct Paid { id: u8 }", "say which field"),
            ("#[message(key = id)] enum Paid { A { id: u8 } }", "a message is a struct with named fields"),
            ("#[message(key = id)] struct Paid(u8);", "a message is a struct with named fields"),
            ("#[message(key = id)] struct Paid<T> { id: T }", "WF021: a message has no generic parameters"),
            (
                "#[message(key = id, participant = \" \")] struct Paid { id: u8 }",
                "a participant needs a name",
            ),
            ("#[message(key = id, participant)] struct Paid { id: u8 }", "write `participant = "),
            (
                "#[message(key = id, kay = id)] struct Paid { id: u8 }",
                "does not know `kay`; did you mean `key`?",
            ),
        ];
        for (item, text) in wrong {
            assert!(expanded(item).contains(text), "{item}");
        }
    }
}
