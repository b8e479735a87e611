//! `retry(..)`: how often, and after which waits, a failed attempt is repeated.
//! It must not know when a step is repeated; it only reads the numbers.

use proc_macro2::Span;
use syn::{LitFloat, LitInt, LitStr};
use workflow_graph::{Effect, RetryPolicy};

use crate::duration;
use crate::errors::Errors;
use crate::suggest::unknown;
use crate::words::{self, Value, Word};

const PARTS: [&str; 4] = ["attempts", "initial", "factor", "max"];
const EXAMPLE: &str = "retry(attempts = 5, initial = \"1s\", factor = 2.0, max = \"1m\")";

/// The policy: what `retry(..)` leaves open is as without it, stretched where it would contradict what is said.
pub(super) fn policy(retry: Option<&Word>, effect: Effect, errors: &mut Errors) -> RetryPolicy {
    let mut policy =
        if effect == Effect::Retriable { RetryPolicy::UNTIL_SUCCESS } else { RetryPolicy::DEFAULT };
    let Some(parts) = retry.and_then(|word| word.list(EXAMPLE, errors)) else { return policy };
    words::refuse_repeated(&parts, errors);
    let (mut initial, mut max) = (None, None);
    for part in &parts {
        match part.name.to_string().as_str() {
            "attempts" => policy.attempts = attempts(part, errors).or(policy.attempts),
            "initial" => initial = wait_ms(part, "initial = \"1s\"", errors),
            "factor" => policy.factor = factor(part, errors).unwrap_or(policy.factor),
            "max" => max = wait_ms(part, "max = \"1m\"", errors),
            name => errors.at(part.name.span(), unknown("`retry`", name, &PARTS)),
        }
    }
    if let (Some((initial_ms, _)), Some((max_ms, span))) = (initial, max)
        && initial_ms > max_ms
    {
        errors.at(span, "the longest wait is shorter than the first one; raise `max` or lower `initial`");
    }
    let initial_ms = initial.map(|(ms, _)| ms);
    let max_ms = max.map(|(ms, _)| ms);
    policy.initial_ms = initial_ms.unwrap_or(policy.initial_ms.min(max_ms.unwrap_or(u64::MAX)));
    policy.max_ms = max_ms.unwrap_or(policy.max_ms.max(policy.initial_ms));
    policy
}

fn attempts(part: &Word, errors: &mut Errors) -> Option<u32> {
    let literal: LitInt = part.value("attempts = 5", errors)?;
    match literal.base10_parse::<u32>() {
        Ok(0) => {
            errors
                .at(literal.span(), "a step is attempted at least once; `attempts = 1` is for no repetition");
            None
        }
        parsed => errors.ok(parsed),
    }
}

fn factor(part: &Word, errors: &mut Errors) -> Option<f64> {
    let Value::Equals(tokens) = &part.value else {
        return part.value::<LitFloat>("factor = 2.0", errors).map(|_| 1.0);
    };
    let as_int = syn::parse2::<LitInt>(tokens.clone()).and_then(|literal| literal.base10_parse::<f64>());
    let as_float =
        || syn::parse2::<LitFloat>(tokens.clone()).and_then(|literal| literal.base10_parse::<f64>());
    match as_int.or_else(|_| as_float()) {
        Ok(factor) if factor.is_finite() && factor >= 1.0 => Some(factor),
        Ok(_) => {
            let message = "waits never become shorter: `factor` is 1.0 or more";
            errors.push(syn::Error::new_spanned(tokens, message));
            None
        }
        Err(_) => {
            errors.push(syn::Error::new_spanned(tokens, "write `factor = 2.0`"));
            None
        }
    }
}

fn wait_ms(part: &Word, example: &str, errors: &mut Errors) -> Option<(u64, Span)> {
    let literal: LitStr = part.value(example, errors)?;
    Some((errors.ok(duration::positive_ms(&literal))?, literal.span()))
}
