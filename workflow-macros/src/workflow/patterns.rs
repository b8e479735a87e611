//! What a pattern over a `Result` takes: successes, an error's variants, or everything else, whole or in part.
//! Syntax only; whether a variant exists is rustc's affair.

use syn::ext::IdentExt;
use syn::visit::Visit;
use syn::{Expr, Ident, Pat, PatIdent, Path};

/// One kind of outcome that an operation can have, as the arms of a `match` tell them apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind<'k> {
    Success,
    /// An error of this variant.
    Variant(&'k str),
    /// An error of a variant that no arm names.
    OtherError,
    /// The only error that a message with a deadline has.
    TimedOut,
}

/// How much of one kind of outcome a pattern takes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Share {
    Nothing,
    Part,
    Whole,
}

/// Whether this is a pattern over a `Result`.
pub(crate) fn is_over_result(pattern: &Pat) -> bool {
    match pattern {
        Pat::Or(or) => or.cases.iter().all(is_over_result),
        Pat::TupleStruct(tuple) => tuple.elems.len() == 1 && ["Ok", "Err"].contains(&&*last(&tuple.path)),
        pattern => inner(pattern).map_or_else(|| takes_all(pattern), is_over_result),
    }
}

/// Whether this pattern, without a look inside, takes successes and errors alike.
pub(crate) fn takes_all(pattern: &Pat) -> bool {
    match pattern {
        Pat::Wild(_) => true,
        Pat::Ident(ident) => ident.subpat.is_none() && !is_constant(&ident.ident),
        _ => false,
    }
}

/// How much of this kind of outcome a pattern over a `Result` takes.
pub(crate) fn share(pattern: &Pat, kind: Kind<'_>) -> Share {
    let share_of = |part: &Pat| match kind {
        _ if is_irrefutable(part) => Share::Whole,
        Kind::Variant(_) | Kind::TimedOut if is_whole_variant(part) => Share::Whole,
        _ => Share::Part,
    };
    within(pattern, kind).into_iter().map(share_of).max().unwrap_or(Share::Nothing)
}

/// The parts of a pattern over a `Result` that look at an outcome of this kind.
pub(crate) fn within<'a>(pattern: &'a Pat, kind: Kind<'_>) -> Vec<&'a Pat> {
    match pattern {
        Pat::Or(or) => or.cases.iter().flat_map(|case| within(case, kind)).collect(),
        Pat::TupleStruct(tuple) if tuple.elems.len() == 1 => match (last(&tuple.path).as_str(), kind) {
            ("Ok", Kind::Success) => vec![&tuple.elems[0]],
            ("Ok", _) | ("Err", Kind::Success) => Vec::new(),
            _ => within_error(&tuple.elems[0], kind),
        },
        pattern => inner(pattern).map_or_else(|| vec![pattern], |inner| within(inner, kind)),
    }
}

fn within_error<'a>(pattern: &'a Pat, kind: Kind<'_>) -> Vec<&'a Pat> {
    if let Pat::Or(or) = pattern {
        return or.cases.iter().flat_map(|case| within_error(case, kind)).collect();
    }
    match (inner(pattern), variant(pattern), kind) {
        (Some(inner), ..) => within_error(inner, kind),
        (_, Some(name), Kind::Variant(wanted)) if name != wanted => Vec::new(),
        (_, Some(_), Kind::OtherError) => Vec::new(),
        _ => vec![pattern],
    }
}

/// The variants of the error that a pattern over a `Result` names, whole or in part.
pub(crate) fn variants(pattern: &Pat) -> Vec<String> {
    within(pattern, Kind::TimedOut).into_iter().filter_map(variant).collect()
}

/// What a pattern that only binds, borrows or groups stands around.
fn inner(pattern: &Pat) -> Option<&Pat> {
    match pattern {
        Pat::Paren(paren) => Some(&paren.pat),
        Pat::Reference(reference) => Some(&reference.pat),
        Pat::Ident(ident) => ident.subpat.as_ref().map(|(_, inner)| &**inner),
        _ => None,
    }
}

/// The variant that a pattern names.
fn variant(pattern: &Pat) -> Option<String> {
    match pattern {
        Pat::Ident(ident) if is_constant(&ident.ident) => Some(ident.ident.unraw().to_string()),
        Pat::Path(path) => Some(last(&path.path)),
        Pat::TupleStruct(tuple) => Some(last(&tuple.path)),
        Pat::Struct(named) => Some(last(&named.path)),
        _ => None,
    }
}

/// Whether the pattern takes every value of the variant that it names.
fn is_whole_variant(pattern: &Pat) -> bool {
    match pattern {
        Pat::Ident(_) | Pat::Path(_) => variant(pattern).is_some(),
        Pat::TupleStruct(tuple) => tuple.elems.iter().all(is_irrefutable),
        Pat::Struct(named) => named.fields.iter().all(|field| is_irrefutable(&field.pat)),
        _ => false,
    }
}

/// Whether the pattern takes every value, as far as its syntax tells.
pub(crate) fn is_irrefutable(pattern: &Pat) -> bool {
    match pattern {
        Pat::Wild(_) | Pat::Rest(_) => true,
        Pat::Ident(ident) => match &ident.subpat {
            Some((_, inner)) => is_irrefutable(inner),
            None => !is_constant(&ident.ident),
        },
        Pat::Paren(paren) => is_irrefutable(&paren.pat),
        Pat::Reference(reference) => is_irrefutable(&reference.pat),
        Pat::Tuple(tuple) => tuple.elems.iter().all(is_irrefutable),
        _ => false,
    }
}

/// Whether an identifier in a pattern names a constant or variant rather than binding a value.
pub(crate) fn is_constant(ident: &Ident) -> bool {
    ident.to_string().chars().next().is_some_and(char::is_uppercase)
}

/// The names that this pattern binds.
pub(crate) fn bound_by(pattern: &Pat) -> Vec<String> {
    let mut bound = Bound(Vec::new());
    bound.visit_pat(pattern);
    bound.0
}

/// The names that the `let` patterns in this condition bind.
pub(crate) fn bound_by_condition(condition: &Expr) -> Vec<String> {
    match condition {
        Expr::Let(condition) => bound_by(&condition.pat),
        Expr::Paren(paren) => bound_by_condition(&paren.expr),
        Expr::Binary(binary) => {
            [&binary.left, &binary.right].into_iter().flat_map(|e| bound_by_condition(e)).collect()
        }
        _ => Vec::new(),
    }
}

struct Bound(Vec<String>);

impl<'ast> Visit<'ast> for Bound {
    fn visit_pat_ident(&mut self, pattern: &'ast PatIdent) {
        self.0.push(pattern.ident.unraw().to_string());
        syn::visit::visit_pat_ident(self, pattern);
    }
}

fn last(path: &Path) -> String {
    path.segments.last().map(|segment| segment.ident.unraw().to_string()).unwrap_or_default()
}
