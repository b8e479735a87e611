//! What a call says in place of its step: how long an attempt may take, how failed ones are repeated.
//! Literals are read, whatever else stands there is kept as text; what a step says itself is read elsewhere.

use std::str::FromStr;

use syn::{Expr, ExprCall, ExprLit, ExprMethodCall, ExprPath, ExprStruct, Lit, Member};
use workflow_graph::RetryPolicy;

use super::phrases;

/// What is written behind a call.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Said<T> {
    /// The text alone tells it.
    Literal(T),
    /// It is computed while the workflow runs, by this expression.
    Computed(String),
}

/// The argument of `.timeout(..)`, in milliseconds.
pub(crate) fn timeout(duration: &Expr) -> Said<u64> {
    phrases::literal_ms(duration).map_or_else(|| computed(duration), Said::Literal)
}

/// The argument of `.retry(..)`.
pub(crate) fn retry(policy: &Expr) -> Said<RetryPolicy> {
    literal_policy(policy).map_or_else(|| computed(policy), Said::Literal)
}

fn computed<T>(expression: &Expr) -> Said<T> {
    Said::Computed(phrases::source_text(expression))
}

/// `RetryPolicy::attempts(3).initial_ms(200)`, `RetryPolicy::DEFAULT`, `RetryPolicy { factor: 3.0, ..other }`.
fn literal_policy(expression: &Expr) -> Option<RetryPolicy> {
    match expression {
        Expr::Paren(paren) => literal_policy(&paren.expr),
        Expr::Group(group) => literal_policy(&group.expr),
        Expr::Path(path) => match of_policies(path)?.as_str() {
            "DEFAULT" => Some(RetryPolicy::DEFAULT),
            "UNTIL_SUCCESS" => Some(RetryPolicy::UNTIL_SUCCESS),
            _ => None,
        },
        Expr::Call(ExprCall { func, args, .. }) => match (&**func, args.len()) {
            (Expr::Path(path), 1) if of_policies(path)? == "attempts" => {
                Some(RetryPolicy::attempts(whole(args.first()?)?))
            }
            _ => None,
        },
        Expr::MethodCall(ExprMethodCall { receiver, method, args, .. }) if args.len() == 1 => {
            changed(literal_policy(receiver)?, &method.to_string(), args.first()?)
        }
        Expr::Struct(written) => of_fields(written),
        _ => None,
    }
}

/// What is named behind `RetryPolicy::`.
fn of_policies(ExprPath { path, .. }: &ExprPath) -> Option<String> {
    let mut names = path.segments.iter().rev().map(|segment| segment.ident.to_string());
    let last = names.next()?;
    names.next().filter(|name| name == "RetryPolicy").map(|_| last)
}

/// The same policy with another part, by the name of its method, which is that of its field.
fn changed(policy: RetryPolicy, part: &str, value: &Expr) -> Option<RetryPolicy> {
    Some(match part {
        "initial_ms" => policy.initial_ms(whole(value)?),
        "factor" => policy.factor(float(value)?),
        "max_ms" => policy.max_ms(whole(value)?),
        _ => return None,
    })
}

fn of_fields(written: &ExprStruct) -> Option<RetryPolicy> {
    if written.path.segments.last()?.ident != "RetryPolicy" {
        return None;
    }
    // Without a rest all fields are there, or rustc says so.
    let mut policy = written.rest.as_ref().map_or(Some(RetryPolicy::DEFAULT), |rest| literal_policy(rest))?;
    for field in &written.fields {
        let Member::Named(name) = &field.member else { return None };
        policy = match name.to_string().as_str() {
            "attempts" => RetryPolicy { attempts: limit(&field.expr)?, ..policy },
            part => changed(policy, part, &field.expr)?,
        };
    }
    Some(policy)
}

/// `Some(3)` or `None`.
fn limit(expression: &Expr) -> Option<Option<u32>> {
    match expression {
        Expr::Path(path) if path.path.is_ident("None") => Some(None),
        Expr::Call(call) => match &*call.func {
            Expr::Path(path) if path.path.is_ident("Some") => Some(Some(whole(call.args.first()?)?)),
            _ => None,
        },
        _ => None,
    }
}

fn whole<T: FromStr>(expression: &Expr) -> Option<T>
where
    T::Err: std::fmt::Display,
{
    match expression {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => number.base10_parse().ok(),
        _ => None,
    }
}

fn float(expression: &Expr) -> Option<f64> {
    match expression {
        Expr::Lit(ExprLit { lit: Lit::Float(number), .. }) => number.base10_parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Said<RetryPolicy> {
        retry(&syn::parse_str(text).unwrap())
    }

    #[test]
    fn a_policy_that_is_written_out_is_known() {
        let three = RetryPolicy::attempts(3);
        for (text, policy) in [
            ("RetryPolicy::attempts(3)", three),
            ("(workflow_runtime::RetryPolicy::attempts(3_u32))", three),
            (
                "RetryPolicy::attempts(3).initial_ms(1_500).factor(3.0).max_ms(9000)",
                three.initial_ms(1_500).factor(3.0).max_ms(9_000),
            ),
            ("RetryPolicy::UNTIL_SUCCESS.max_ms(5)", RetryPolicy::UNTIL_SUCCESS.max_ms(5)),
            (
                "RetryPolicy { attempts: None, ..RetryPolicy::DEFAULT }",
                RetryPolicy { attempts: None, ..RetryPolicy::DEFAULT },
            ),
            (
                "RetryPolicy { attempts: Some(2), initial_ms: 1, factor: 1.0, max_ms: 2 }",
                RetryPolicy { attempts: Some(2), initial_ms: 1, factor: 1.0, max_ms: 2 },
            ),
        ] {
            assert_eq!(said(text), Said::Literal(policy), "{text}");
        }
    }

    #[test]
    fn a_policy_that_is_computed_is_kept_as_text() {
        for text in [
            "policy",
            "RetryPolicy::attempts(tries)",
            "RetryPolicy::attempts(3).max_ms(longest)",
            "Other::attempts(3)",
            "PATIENT",
        ] {
            assert_eq!(said(text), Said::Computed(text.to_owned()));
        }
        assert!(matches!(said("RetryPolicy { attempts: Some(2), ..policy }"), Said::Computed(_)));
        assert_eq!(timeout(&syn::parse_str("minutes(2)").unwrap()), Said::Literal(120_000));
        assert_eq!(timeout(&syn::parse_str("limit").unwrap()), Said::Computed("limit".to_owned()));
    }
}
