//! The facts about a step as a constant: `StepFacts { .. }` in tokens.
//! It must not know how the step runs.

use proc_macro2::{Literal, Span, TokenStream};
use quote::{quote, quote_spanned};
use workflow_graph::{Effect, Rate, RetryPolicy, Wire};

use super::Step;
use super::compensation::Compensation;
use super::emit::stored_type;
use super::parameters::{data, has_transaction};

/// The constant.
pub(super) fn of(step: &Step) -> TokenStream {
    let (name, label, documentation) =
        (text(&step.attribute.name), text(&step.label), text(&step.documentation));
    let was = was(&step.attribute.was);
    let (takes, gives) = (step.takes(), step.gives());
    let effect = effect(step.attribute.effect);
    let retry = retry(&step.attribute);
    let timeout_ms = optional(step.attribute.timeout_ms.map(Literal::u64_unsuffixed));
    let heartbeat_ms = optional(step.attribute.heartbeat.map(|(ms, _)| Literal::u64_unsuffixed(ms)));
    let concurrency = optional(step.attribute.concurrency.map(Literal::u32_unsuffixed));
    let rate = optional(step.attribute.rate.map(rate));
    let errors = errors(step);
    let compensation = optional(step.compensation.as_ref().map(|undo| compensation(step, undo)));
    let transactional = has_transaction(&step.parameters);
    let cancellable = step.attribute.cancellable.is_some();
    // `file!()` and `line!()` tell where the function stands, not where the attribute does.
    let at_fn = step.function.sig.fn_token.span;
    let place = quote_spanned! {at_fn=> ::core::file!(), ::core::line!() };
    quote! {
        ::workflow_runtime::__private::graph::StepFacts {
            name: #name,
            was: #was,
            label: #label,
            documentation: #documentation,
            signature: ::workflow_runtime::__private::graph::Signature::of(#takes, #gives),
            effect: #effect,
            retry: #retry,
            timeout_ms: #timeout_ms,
            heartbeat_ms: #heartbeat_ms,
            concurrency: #concurrency,
            rate: #rate,
            errors: #errors,
            compensation: #compensation,
            transactional: #transactional,
            cancellable: #cancellable,
            kept: false,
            source: ::workflow_runtime::__private::graph::Source::at(#place),
        }
    }
}

fn text(text: &str) -> TokenStream {
    quote! { ::std::borrow::Cow::Borrowed(#text) }
}

fn was(names: &[String]) -> TokenStream {
    let names = was_names(names);
    quote! { ::std::borrow::Cow::Borrowed(#names) }
}

/// The names that it had, as a list.
pub(super) fn was_names(names: &[String]) -> TokenStream {
    let names = names.iter().map(|name| text(name));
    quote! { &[#(#names),*] }
}

fn optional<T: quote::ToTokens>(value: Option<T>) -> TokenStream {
    match value {
        Some(value) => quote! { ::core::option::Option::Some(#value) },
        None => quote! { ::core::option::Option::None },
    }
}

fn effect(effect: Effect) -> TokenStream {
    let effect = match effect {
        Effect::Undeclared => quote! { Undeclared },
        Effect::ReadOnly => quote! { ReadOnly },
        Effect::Compensatable => quote! { Compensatable },
        Effect::Pivot => quote! { Pivot },
        Effect::Retriable => quote! { Retriable },
    };
    quote! { ::workflow_runtime::__private::graph::Effect::#effect }
}

fn retry(attribute: &super::Attribute) -> TokenStream {
    let policy = &attribute.retry;
    if *policy == RetryPolicy::DEFAULT {
        return quote! { ::workflow_runtime::__private::graph::RetryPolicy::DEFAULT };
    }
    if *policy == RetryPolicy::UNTIL_SUCCESS {
        return quote! { ::workflow_runtime::__private::graph::RetryPolicy::UNTIL_SUCCESS };
    }
    let attempts = optional(policy.attempts.map(Literal::u32_unsuffixed));
    let initial_ms = Literal::u64_unsuffixed(policy.initial_ms);
    let factor = Literal::f64_unsuffixed(policy.factor);
    let max_ms = Literal::u64_unsuffixed(policy.max_ms);
    quote! {
        ::workflow_runtime::__private::graph::RetryPolicy {
            attempts: #attempts,
            initial_ms: #initial_ms,
            factor: #factor,
            max_ms: #max_ms,
        }
    }
}

fn rate(Rate { count, per_ms }: Rate) -> TokenStream {
    let (count, per_ms) = (Literal::u32_unsuffixed(count), Literal::u64_unsuffixed(per_ms));
    quote! { ::workflow_runtime::__private::graph::Rate { count: #count, per_ms: #per_ms } }
}

fn errors(step: &Step) -> TokenStream {
    if !step.is_fallible() {
        return quote! { ::std::borrow::Cow::Borrowed(&[]) };
    }
    let error = step.error_type();
    quote! {
        ::std::borrow::Cow::Borrowed(<#error as ::workflow_runtime::__private::core::StepError>::ERRORS)
    }
}

/// Here is also where WF031 is told: the compensation has to be a step that takes what is passed.
fn compensation(step: &Step, Compensation { path, wiring, wires }: &Compensation) -> TokenStream {
    let arguments: Vec<_> = data(&step.parameters).collect();
    let passed = wires.iter().map(|wire| match wire {
        Wire::Argument(position) => stored_type(arguments[*position]),
        Wire::Output => step.ok_type(),
    });
    let passed = quote! { (#(#passed,)*) };
    let wires = wires.iter().map(|wire| match wire {
        Wire::Argument(position) => {
            let position = Literal::usize_unsuffixed(*position);
            quote! { ::workflow_runtime::__private::graph::Wire::Argument(#position) }
        }
        Wire::Output => quote! { ::workflow_runtime::__private::graph::Wire::Output },
    });
    let wires = quote! { &[#(#wires),*] };
    let at_wiring = Span::call_site().located_at(wiring.span());
    quote_spanned! {at_wiring=>
        ::workflow_runtime::__private::core::compensation_of::<#passed, _, _>(#path, #wires)
    }
}
