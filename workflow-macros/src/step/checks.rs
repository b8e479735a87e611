//! What only the compiler's types can check, at the tokens that the user wrote.
//! Nothing here is generic: `cargo check` evaluates no generic constant.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};

use super::Step;
use super::compensation::Compensation;
use super::emit::hidden_name;
use super::parameters::{Data, data};
use crate::stored::{self, How};
use crate::workflow::source_text;

/// WF020: what a call records and what it answers.
pub(super) fn recorded_types(step: &Step) -> TokenStream {
    let how = |data: &Data| if data.lent.is_some() { How::Lent } else { How::Given };
    let arguments = data(&step.parameters).map(|data| (how(data), data.ty.to_token_stream()));
    let result = step.returns.is_written.then(|| (How::Given, step.ok_type()));
    stored::fields(arguments.chain(result))
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
    if !step.returns.may_be_alias {
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
