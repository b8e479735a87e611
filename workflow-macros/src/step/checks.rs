//! What only the compiler's types can check, at the tokens that the user wrote.
//! Nothing here is generic: `cargo check` evaluates no generic constant.

use proc_macro2::{Delimiter, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};

use super::Step;
use super::compensation::Compensation;
use super::emit::hidden_name;
use super::parameters::{Data, data};
use crate::workflow::source_text;

/// WF020, as a field of the hidden type, which stands before everything else: the compiler reports in the order of the
/// text, and what it says of the step itself speaks of serde's traits. Its types exist only if all is well.
pub(super) fn recorded_types(step: &Step) -> TokenStream {
    let wrapper = |data: &Data| if data.lent.is_some() { "Lent" } else { "Stored" };
    let arguments = data(&step.parameters).map(|data| (wrapper(data), data.ty.to_token_stream()));
    let result = step.returns.is_written.then(|| ("Stored", step.ok_type()));
    let unknown = arguments.chain(result).filter(|(wrapper, ty)| !is_surely_stored(wrapper, ty));
    let types = unknown.map(|(wrapper, ty)| existing(wrapper, &ty));
    // A field for each: the compiler reports at the type of a field, and would report at the whole of a tuple.
    let fields = types.enumerate().map(|(index, ty)| {
        let name = format_ident!("__{index}", span = Span::call_site());
        quote! { #name: #ty, }
    });
    fields.collect()
}

/// Types of the language and `String`: each question that is not asked is a field less for the compiler. Who gives one
/// of these names to another type is told by the implementation of the step.
const SURELY_STORED: [&str; 17] = [
    "String", "bool", "char", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128",
    "isize", "f32", "f64",
];

fn is_surely_stored(wrapper: &str, ty: &TokenStream) -> bool {
    let mut tokens = ty.clone().into_iter();
    match (tokens.next(), tokens.next()) {
        (Some(TokenTree::Ident(name)), None) => {
            SURELY_STORED.iter().any(|known| name == known) || (wrapper == "Lent" && name == "str")
        }
        (Some(TokenTree::Group(group)), None) => {
            group.delimiter() == Delimiter::Parenthesis && group.stream().is_empty()
        }
        _ => false,
    }
}

/// `wrapper<ty>`, reaching from the first to the last token of what the user wrote.
fn existing(wrapper: &str, ty: &TokenStream) -> TokenStream {
    let spans: Vec<Span> = ty.clone().into_iter().map(|token| token.span()).collect();
    let at =
        |span: Option<&Span>| Span::call_site().located_at(span.copied().unwrap_or_else(Span::call_site));
    let (first, last) = (at(spans.first()), at(spans.last()));
    let wrapper = Ident::new(wrapper, first);
    let open = quote_spanned! {first=> ::workflow_runtime::__private::#wrapper< };
    let close = quote_spanned! {last=> > };
    quote! { #open #ty #close }
}

/// WF032: what undoes a step is repeated until it succeeds: an undoing that gave up would leave the run half done.
pub(super) fn undone_for_sure(step: &Step) -> TokenStream {
    let Some(Compensation { path, wiring, .. }) = &step.compensation else { return TokenStream::new() };
    let (conditions, hidden) = (step.conditions(), hidden_name(step));
    let at_wiring = Span::call_site().located_at(wiring.span());
    let name = source_text(path);
    quote_spanned! {at_wiring=>
        #(#conditions)*
        const _: () = ::workflow_runtime::__private::core::check_undoing::<#hidden>(#name);
    }
}

/// WF021: an alias of `Result` under another name would hide from the macro that the step can fail.
pub(super) fn no_result_in_disguise(step: &Step) -> TokenStream {
    let ty = &step.returns.ty;
    if !step.returns.may_be_alias || is_surely_stored("Stored", ty) {
        return TokenStream::new();
    }
    let conditions = step.conditions();
    let at_type = Span::call_site().located_at(step.returns.span);
    let message = format!(
        "WF021: `{ty}` is a `Result` under another name; write `Result<..>` so that the step's errors are known"
    );
    let is_result =
        quote_spanned! {at_type=> ::workflow_runtime::__private::core::ResultProbe::<#ty>::IS_RESULT };
    quote_spanned! {at_type=>
        #(#conditions)*
        const _: () = {
            use ::workflow_runtime::__private::core::ResultProbeFallback as _;
            ::core::assert!(!#is_result, #message)
        };
    }
}
