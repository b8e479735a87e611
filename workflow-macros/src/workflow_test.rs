//! `#[workflow_test]`: a plain test that is handed its kit.
//! It must not look into the body; what the kit does is the test crate's affair.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{FnArg, Signature};

use crate::errors::Errors;
use crate::signature::RawFn;

pub(crate) fn expand(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let function = match RawFn::read(item) {
        Ok(function) => function,
        Err(tokens) => return tokens,
    };
    let mut errors = Errors::default();
    let RawFn { attrs, vis, sig, body } = function;
    let kit = kit(attribute, &sig.ident, &mut errors);
    let parameter = parameter(&sig, &mut errors);
    let (name, output) = (&sig.ident, &sig.output);
    let (Some(kit), Some(parameter)) = (kit, parameter) else {
        let errors = errors.into_tokens();
        return quote! { #(#attrs)* #[allow(dead_code)] #vis #sig #body #errors };
    };
    // The user's function stands first and untouched, so that editors see what was typed.
    let call = quote_spanned! { parameter.span() => #name(#kit) };
    quote! {
        #[test]
        #(#attrs)*
        #vis fn #name() #output {
            #sig #body
            #call
        }
    }
}

/// The kit that the test gets.
fn kit(attribute: TokenStream, test: &Ident, errors: &mut Errors) -> Option<TokenStream> {
    let text = attribute.to_string();
    match text.as_str() {
        "" => Some(quote! { ::workflow_test::Kit::new() }),
        // A failure is shown with the name of the test that repeats it, and kept beside the test's package.
        "explore" => {
            let test = test.to_string();
            Some(quote! {
                ::workflow_test::Explore::of_test(
                    #test,
                    ::core::module_path!(),
                    ::core::env!("CARGO_MANIFEST_DIR"),
                )
            })
        }
        _ => {
            let message = format!(
                "`{text}` is not known; write `#[workflow_test]` for a `Kit`, or `#[workflow_test(explore)]` for an \
                 `Explore`"
            );
            errors.push(syn::Error::new_spanned(attribute, message));
            None
        }
    }
}

/// The one parameter.
fn parameter<'a>(signature: &'a Signature, errors: &mut Errors) -> Option<&'a FnArg> {
    if let Some(token) = &signature.asyncness {
        errors.at(token.span, "a workflow test is a plain `fn`: the kit needs no executor and no `.await`");
        return None;
    }
    let mut parameters = signature.inputs.iter();
    match (parameters.next(), parameters.next()) {
        (Some(parameter @ FnArg::Typed(_)), None) => Some(parameter),
        _ => {
            let message = "a workflow test takes its kit and nothing else: `fn name(kit: Kit)`, or \
                           `fn name(kit: Explore)` under `#[workflow_test(explore)]`";
            errors.at(signature.ident.span(), message);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(attribute: &str, item: &str) -> String {
        expand(attribute.parse().unwrap(), item.parse().unwrap()).to_string()
    }

    fn tokens(text: &str) -> String {
        text.parse::<TokenStream>().unwrap().to_string()
    }

    #[test]
    fn the_test_calls_the_function_as_it_was_written() {
        assert_eq!(
            expanded("", "/// Doc\n#[should_panic] fn pays(kit: Kit) { kit. }"),
            tokens(
                "#[test] #[doc = \" Doc\"] #[should_panic] fn pays() { fn pays(kit: Kit) { kit. } \
                 pays(::workflow_test::Kit::new()) }"
            )
        );
    }

    #[test]
    fn an_exploration_gets_the_kit_that_explores() {
        let text = expanded("explore", "fn survives(kit: Explore) -> Result<(), Error> { work() }");
        assert!(text.contains(&tokens("fn survives() -> Result<(), Error>")), "{text}");
        assert!(
            text.contains(&tokens(
                "survives(::workflow_test::Explore::of_test(\"survives\", ::core::module_path!(), \
             ::core::env!(\"CARGO_MANIFEST_DIR\"),))"
            )),
            "{text}"
        );
    }

    #[test]
    fn what_cannot_be_a_test_says_what_to_write() {
        for (attribute, item, message) in [
            ("all", "fn pays(kit: Kit) {}", "`all` is not known"),
            ("", "async fn pays(kit: Kit) {}", "a workflow test is a plain `fn`"),
            ("", "fn pays() {}", "a workflow test takes its kit and nothing else"),
            ("", "fn pays(kit: Kit, other: u8) {}", "a workflow test takes its kit and nothing else"),
        ] {
            let text = expanded(attribute, item);
            assert!(text.contains("compile_error") && text.contains(message), "{text}");
            assert!(text.contains("fn pays"), "{text}");
        }
    }
}
