//! The facts about a step as a constant: `step(..).read_only()..` in tokens.
//! It must not know how the step runs.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use workflow_graph::{Effect, Rate, RetryPolicy, Task, Wire};

use super::Step;
use super::compensation::Compensation;
use super::emit::stored_type;
use super::parameters::{data, has_transaction};
use crate::workflow::line_of;

/// The constant: what every step has, and then only what this one says.
pub(super) fn of(step: &Step) -> TokenStream {
    let attribute = &step.attribute;
    let (name, label) = (&attribute.name, &step.label);
    let (takes, gives) = (step.takes(), step.gives());
    // Where the function stands, not where the attribute does.
    let line = u32::try_from(line_of(step.function.sig.fn_token.span)).unwrap_or(0);
    let line = Literal::u32_unsuffixed(line);
    let documentation = (!step.documentation.is_empty()).then(|| {
        let text = &step.documentation;
        quote! { .with_documentation(#text) }
    });
    let was = (!attribute.was.is_empty()).then(|| {
        let names = was_names(&attribute.was);
        quote! { .formerly(#names) }
    });
    let (effect, retry, errors) = (effect(attribute.effect), retry(attribute), errors(step));
    let timeout = attribute.timeout_ms.map(|ms| said("with_timeout_ms", Literal::u64_unsuffixed(ms)));
    let heartbeat = attribute.heartbeat.map(|(ms, _)| said("with_heartbeat_ms", Literal::u64_unsuffixed(ms)));
    let concurrency = attribute.concurrency.map(|n| said("with_concurrency", Literal::u32_unsuffixed(n)));
    let rate = attribute.rate.map(|limit| said("with_rate", rate(limit)));
    let compensation =
        step.compensation.as_ref().map(|undo| said("with_compensation", compensation(step, undo)));
    let transactional = has_transaction(&step.parameters).then(|| quote! { .transactional() });
    let task = match attribute.task {
        Task::Service => None,
        Task::User => Some(quote! { .human() }),
        Task::BusinessRule => Some(quote! { .rule() }),
    };
    let participant = attribute.participant.as_ref().map(|name| said("with_participant", name));
    let cancellable = attribute.cancellable.as_ref().map(|_| quote! { .cancellable() });
    quote! {
        ::workflow_runtime::__private::step(#name, #label, #takes, #gives, #line)
            #effect #errors #documentation #was #retry #timeout #heartbeat #concurrency #rate #compensation
            #transactional #cancellable #task #participant
    }
}

/// `.method(value)`.
fn said(method: &str, value: impl ToTokens) -> TokenStream {
    let method = Ident::new(method, Span::call_site());
    quote! { .#method(#value) }
}

fn text(text: &str) -> TokenStream {
    quote! { ::std::borrow::Cow::Borrowed(#text) }
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

fn effect(effect: Effect) -> Option<TokenStream> {
    match effect {
        Effect::Undeclared => None,
        Effect::ReadOnly => Some(quote! { .read_only() }),
        Effect::Compensatable => Some(quote! { .compensatable() }),
        Effect::Pivot => Some(quote! { .pivot() }),
        Effect::Retriable => Some(quote! { .retriable() }),
    }
}

/// Unless it is what the effect brings along.
fn retry(attribute: &super::Attribute) -> Option<TokenStream> {
    let policy = &attribute.retry;
    let usual = match attribute.effect {
        Effect::Retriable => RetryPolicy::UNTIL_SUCCESS,
        _ => RetryPolicy::DEFAULT,
    };
    if *policy == usual {
        return None;
    }
    Some(said("with_retry", policy_tokens(policy, quote! { ::workflow_runtime::__private::graph })))
}

/// A policy as a constant; `graph` is the crate where it is defined.
pub(crate) fn policy_tokens(policy: &RetryPolicy, graph: TokenStream) -> TokenStream {
    let attempts = optional(policy.attempts.map(Literal::u32_unsuffixed));
    let initial_ms = Literal::u64_unsuffixed(policy.initial_ms);
    let factor = Literal::f64_unsuffixed(policy.factor);
    let max_ms = Literal::u64_unsuffixed(policy.max_ms);
    quote! {
        #graph::RetryPolicy {
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

fn errors(step: &Step) -> Option<TokenStream> {
    let error = step.is_fallible().then(|| step.error_type())?;
    Some(quote! { .with_errors(<#error as ::workflow_runtime::StepError>::ERRORS) })
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
