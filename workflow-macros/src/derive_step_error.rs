//! `#[derive(StepError)]`: gives each way to fail a name, and says whether to try again.
//! It must not know what the errors mean; their text is for `Display`, usually from `thiserror`.

use std::collections::BTreeMap;

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt;
use syn::{Attribute, Data, DeriveInput, Fields, LitStr, Type};

use crate::docs;
use crate::errors::Errors;
use crate::suggest::unknown;
use crate::words::{self, Word};

/// One way to fail.
pub(crate) struct Failing {
    pub(crate) variant: Ident,
    words: Words,
    pub(crate) label: String,
    /// The type of the error inside of it, which `?` turns into this one.
    pub(crate) wraps: Option<Type>,
}

/// What `#[step_error(..)]` says.
#[derive(Default)]
struct Words {
    code: Option<LitStr>,
    label: Option<String>,
    transient: bool,
}

/// The expansion of the derive.
pub(crate) fn expand(item: TokenStream) -> TokenStream {
    let input: DeriveInput = match syn::parse2(item) {
        Ok(input) => input,
        Err(error) => return error.into_compile_error(),
    };
    let mut errors = Errors::default();
    let is_plain = has_no_generics(&input, &mut errors);
    let tokens = match &input.data {
        Data::Enum(data) => {
            refuse_words(&input.attrs, &mut errors);
            let failings: Vec<Failing> = data
                .variants
                .iter()
                .map(|variant| Failing::of(&variant.ident, &variant.attrs, &variant.fields, &mut errors))
                .collect();
            refuse_equal_codes(&failings, &mut errors);
            Some(implementation(&input.ident, &failings, index_of_variant(&failings)))
        }
        Data::Struct(data) => {
            let failing = Failing::of(&input.ident, &input.attrs, &data.fields, &mut errors);
            Some(implementation(&input.ident, &[failing], quote! { 0 }))
        }
        Data::Union(data) => {
            errors.at(data.union_token.span, "only enums and structs can be step errors");
            None
        }
    };
    let mut tokens = tokens.filter(|_| is_plain).unwrap_or_default();
    tokens.extend(errors.into_tokens());
    tokens
}

fn has_no_generics(input: &DeriveInput, errors: &mut Errors) -> bool {
    if !input.generics.params.is_empty() {
        let message =
            "WF021: a step error has no generic parameters: it is read back from the journal as one type";
        errors.push(syn::Error::new_spanned(&input.generics, message));
    }
    input.generics.params.is_empty()
}

/// An enum says nothing about itself; its variants do.
fn refuse_words(attributes: &[Attribute], errors: &mut Errors) {
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("step_error")) {
        errors
            .push(syn::Error::new_spanned(attribute, "put `#[step_error(..)]` on the variants it is about"));
    }
}

fn refuse_equal_codes(failings: &[Failing], errors: &mut Errors) {
    let mut seen = BTreeMap::new();
    for failing in failings {
        let code = failing.code();
        if let Some(earlier) = seen.get(&code) {
            let message =
                format!("`{earlier}` has the code `{code}` already; the journal tells errors apart by it");
            errors.at(failing.code_span(), message);
        }
        seen.entry(code).or_insert(&failing.variant);
    }
}

impl Failing {
    pub(crate) fn of(
        variant: &Ident,
        attributes: &[Attribute],
        fields: &Fields,
        errors: &mut Errors,
    ) -> Failing {
        let words = Words::read(attributes, errors);
        let label = words.label.clone().or_else(|| docs::split(attributes).label);
        let label = label.unwrap_or_else(|| workflow_graph::humanise(&variant.unraw().to_string()));
        let is_from = |attribute: &Attribute| attribute.path().is_ident("from");
        let wraps = fields.iter().find(|field| field.attrs.iter().any(is_from)).map(|field| field.ty.clone());
        Failing { variant: variant.clone(), words, label, wraps }
    }

    /// The code that the journal and the diagram carry.
    pub(crate) fn code(&self) -> String {
        self.words.code.as_ref().map_or_else(|| self.variant.unraw().to_string(), LitStr::value)
    }

    fn code_span(&self) -> Span {
        self.words.code.as_ref().map_or_else(|| self.variant.span(), LitStr::span)
    }

    fn facts(&self) -> TokenStream {
        let (variant, code, label) = (self.variant.unraw().to_string(), self.code(), &self.label);
        let transient = self.words.transient;
        // It need not be an error of ours: then it has no ways to fail that anybody could tell apart.
        let wraps = match &self.wraps {
            Some(inner) => quote!(::workflow_runtime::__private::core::Wrapped::<#inner>::ERRORS),
            None => quote!(&[]),
        };
        quote! {
            ::workflow_runtime::__private::graph::ErrorFacts {
                variant: ::std::borrow::Cow::Borrowed(#variant),
                code: ::std::borrow::Cow::Borrowed(#code),
                label: ::std::borrow::Cow::Borrowed(#label),
                transient: #transient,
                wraps: #wraps,
            }
        }
    }
}

impl Words {
    fn read(attributes: &[Attribute], errors: &mut Errors) -> Words {
        let mut read = Words::default();
        let mut all = Vec::new();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("step_error")) {
            match attribute.meta.require_list() {
                Ok(list) => all.extend(words::split(list.tokens.clone(), errors)),
                Err(_) => {
                    let message =
                        "write `#[step_error(transient)]` or `#[step_error(code = \"CARD_EXPIRED\")]`";
                    errors.push(syn::Error::new_spanned(attribute, message));
                }
            }
        }
        words::refuse_repeated(&all, errors);
        for word in &all {
            read.take(word, errors);
        }
        read
    }

    fn take(&mut self, word: &Word, errors: &mut Errors) {
        match word.name.to_string().as_str() {
            "code" => self.code = not_empty(word, "code = \"CARD_EXPIRED\"", errors),
            "label" => {
                self.label = not_empty(word, "label = \"Card expired\"", errors).map(|text| text.value())
            }
            "transient" => self.transient = word.flag(errors).is_some(),
            name => {
                let message = unknown("`#[step_error]`", name, &["code", "label", "transient"]);
                errors.at(word.name.span(), message);
            }
        }
    }
}

fn not_empty(word: &Word, example: &str, errors: &mut Errors) -> Option<LitStr> {
    let text: LitStr = word.value(example, errors)?;
    if text.value().trim().is_empty() {
        errors.at(text.span(), format!("this is empty; write `{example}`, or leave it out"));
        return None;
    }
    Some(text)
}

fn index_of_variant(failings: &[Failing]) -> TokenStream {
    if failings.is_empty() {
        return quote! { match *self {} };
    }
    let arms = failings.iter().enumerate().map(|(index, Failing { variant, .. })| {
        let index = Literal::usize_unsuffixed(index);
        quote! { Self::#variant { .. } => #index, }
    });
    quote! { match self { #(#arms)* } }
}

fn implementation(name: &Ident, failings: &[Failing], index: TokenStream) -> TokenStream {
    let facts = failings.iter().map(Failing::facts);
    let mut errors = quote!(&[#(#facts),*]);
    if failings.iter().any(|failing| failing.wraps.is_some()) {
        errors = quote!({
            #[allow(unused_imports)]
            use ::workflow_runtime::__private::core::WrapsNoStepError as _;
            #errors
        });
    }
    quote! {
        impl ::workflow_runtime::__private::core::StepError for #name {
            const ERRORS: &'static [::workflow_runtime::__private::graph::ErrorFacts] = #errors;
            fn index(&self) -> usize {
                #index
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(item: &str) -> Vec<String> {
        let tokens = expand(item.parse().unwrap()).to_string();
        let texts = tokens.split("compile_error ! {").skip(1);
        texts.map(|text| text.split('"').nth(1).unwrap_or_default().to_owned()).collect()
    }

    #[test]
    fn two_errors_with_one_code_are_refused_at_the_second() {
        let errors = refused("enum E { A, #[step_error(code = \"A\")] B(u8), C {} }");
        assert_eq!(errors, ["`A` has the code `A` already; the journal tells errors apart by it"]);
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let errors = refused(
            "enum E<T> { #[step_error(transiant)] A, #[step_error] B(T), #[step_error(label = 1)] C }",
        );
        let beginnings =
            ["WF021", "`#[step_error]` does not know `transiant`; did you", "write `#[step", "write `label"];
        assert_eq!(errors.len(), beginnings.len(), "{errors:?}");
        for (error, beginning) in errors.iter().zip(beginnings) {
            assert!(error.starts_with(beginning), "{error}");
        }
    }

    #[test]
    fn what_is_made_of_another_error_by_a_question_mark_knows_its_ways_to_fail() {
        let tokens = expand("enum E { A(#[from] Inner), B(u8) }".parse().unwrap()).to_string();
        assert_eq!(tokens.matches("Wrapped :: < Inner > :: ERRORS").count(), 1, "{tokens}");
        assert_eq!(tokens.matches("wraps : & []").count(), 1, "{tokens}");
    }

    #[test]
    fn an_enum_without_variants_cannot_fail() {
        let tokens = expand("enum Never {}".parse().unwrap()).to_string();
        assert!(tokens.contains("= & [] ;") && tokens.contains("match * self { }"), "{tokens}");
    }
}
