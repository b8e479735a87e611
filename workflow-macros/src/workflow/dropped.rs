//! Calls whose value is dropped in so many words: `let _ = call(..);`, `_ = call(..);`, `drop(call(..))`, also as
//! parts of what is dropped: `let _ = (call(..), 1);`, `let _ = if late { call(..) } else { other(..) };`.
//! Whether one is an operation, which then never happens (WF003), only its type tells. Syntax only.

use proc_macro2::{LineColumn, Span};
use syn::spanned::Spanned;
use syn::{Block, Expr, ExprAssign, ExprCall, Local, Pat, Stmt};

use super::source_file::Names;

/// Where the call ends, and where an error about it stands.
pub(crate) type Dropped = (LineColumn, Span);

/// What this `let` drops.
pub(crate) fn by_let(local: &Local) -> Vec<Dropped> {
    let Some(init) = local.init.as_ref().filter(|init| init.diverge.is_none()) else { return Vec::new() };
    let mut found = Found::default();
    found.by_pattern(&local.pat, &init.expr);
    found.0
}

/// What this assignment drops.
pub(crate) fn by_assignment(assign: &ExprAssign) -> Vec<Dropped> {
    let mut found = Found::default();
    found.by_place(&assign.left, &assign.right);
    found.0
}

/// What this call drops, where the imports call things so.
pub(crate) fn by_function(drops: &ExprCall, names: impl FnOnce() -> Names) -> Vec<Dropped> {
    let mut found = Found::default();
    let Expr::Path(path) = &*drops.func else { return found.0 };
    let path: Vec<String> = path.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    let is_it = path.last().is_some_and(|last| last == "drop" || last == "forget");
    if is_it && is_of_std(path, names()) {
        drops.args.iter().take(1).for_each(|given| found.value(given, false));
    }
    found.0
}

/// Whether this path means `std::mem::drop` or `std::mem::forget`, and no function of somebody else.
fn is_of_std(mut path: Vec<String>, names: Names) -> bool {
    if let Some(meant) = names.get(&path[0]).filter(|meant| meant[..] != path[..1]) {
        path.splice(..1, meant.iter().cloned());
    }
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    matches!(path[..], ["drop"] | ["mem", _] | ["std" | "core", "mem", _])
}

/// What was found.
#[derive(Default)]
struct Found(Vec<Dropped>);

impl Found {
    /// What this pattern drops of the value.
    fn by_pattern(&mut self, pattern: &Pat, value: &Expr) {
        match (pattern, value) {
            (Pat::Wild(_), value) => self.value(value, false),
            (Pat::Paren(pattern), value) => self.by_pattern(&pattern.pat, value),
            (Pat::Type(pattern), value) => self.by_pattern(&pattern.pat, value),
            (pattern, Expr::Paren(value)) => self.by_pattern(pattern, &value.expr),
            // A name that says that it is of no use; what is made by a type may get the rest of its type later.
            (Pat::Ident(name), value) if name.ident.to_string().starts_with('_') => {
                self.0.extend(call(value).filter(|(base, _)| is_free(base)).map(|(_, dropped)| dropped));
            }
            (Pat::Tuple(patterns), Expr::Tuple(values)) if patterns.elems.len() == values.elems.len() => {
                let parts = patterns.elems.iter().zip(&values.elems);
                // Behind `..` nothing belongs together by its place.
                let parts = parts.take_while(|(pattern, _)| !matches!(pattern, Pat::Rest(_)));
                parts.for_each(|(pattern, value)| self.by_pattern(pattern, value));
            }
            _ => {}
        }
    }

    /// What this left side of an assignment drops of the value.
    fn by_place(&mut self, place: &Expr, value: &Expr) {
        match (place, value) {
            (Expr::Infer(_), value) => self.value(value, false),
            (Expr::Tuple(places), Expr::Tuple(values)) if places.elems.len() == values.elems.len() => {
                let parts = places.elems.iter().zip(&values.elems);
                let parts = parts.take_while(|(place, _)| !matches!(place, Expr::Range(_)));
                parts.for_each(|(place, value)| self.by_place(place, value));
            }
            _ => {}
        }
    }

    /// All calls of a value that is dropped as a whole. Where it is one of several values of one type, that type may be
    /// known from another one, and asking for it here would be an error of ours: there only free functions count.
    fn value(&mut self, value: &Expr, is_one_of_several: bool) {
        match value {
            Expr::Paren(paren) => self.value(&paren.expr, is_one_of_several),
            Expr::Group(group) => self.value(&group.expr, is_one_of_several),
            Expr::Reference(reference) => self.value(&reference.expr, is_one_of_several),
            Expr::Tuple(tuple) => tuple.elems.iter().for_each(|part| self.value(part, is_one_of_several)),
            Expr::Array(array) => array.elems.iter().for_each(|part| self.value(part, true)),
            Expr::Block(block) => self.block(&block.block, is_one_of_several),
            Expr::If(if_) => {
                self.block(&if_.then_branch, true);
                if_.else_branch.iter().for_each(|(_, other)| self.value(other, true));
            }
            Expr::Match(match_) => match_.arms.iter().for_each(|arm| self.value(&arm.body, true)),
            other => {
                let call = call(other).filter(|(base, _)| !is_one_of_several || is_free(base));
                self.0.extend(call.map(|(_, dropped)| dropped));
            }
        }
    }

    fn block(&mut self, block: &Block, is_one_of_several: bool) {
        if let Some(Stmt::Expr(value, None)) = block.stmts.last() {
            self.value(value, is_one_of_several);
        }
    }
}

/// The call of a function by its name, with whatever is said about it behind it.
fn call(expression: &Expr) -> Option<(&ExprCall, Dropped)> {
    match expression {
        Expr::Call(call) => match &*call.func {
            Expr::Path(path) => Some((call, (call.paren_token.span.open().start(), path.span()))),
            _ => None,
        },
        Expr::MethodCall(method) => {
            let (base, (_, span)) = call(&method.receiver)?;
            Some((base, (method.paren_token.span.open().start(), span)))
        }
        _ => None,
    }
}

/// Whether a function of a module is called.
fn is_free(call: &ExprCall) -> bool {
    let Expr::Path(path) = &*call.func else { return false };
    let mut names = path.path.segments.iter().map(|segment| segment.ident.to_string());
    names.all(|name| name.starts_with(|first: char| first.is_lowercase() || first == '_'))
}
