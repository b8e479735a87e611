//! Calls whose value is dropped in so many words: `let _ = call(..);`, `_ = call(..);`, `drop(call(..))`.
//! Whether one is an operation, which then never happens (WF003), only its type tells. Syntax only.

use proc_macro2::{LineColumn, Span};
use syn::spanned::Spanned;
use syn::{Expr, ExprAssign, ExprCall, Local, Pat};

/// Where the call ends, and where an error about it stands.
pub(crate) type Dropped = (LineColumn, Span);

/// What this `let` drops.
pub(crate) fn by_let(local: &Local) -> Option<Dropped> {
    let init = local.init.as_ref().filter(|init| init.diverge.is_none())?;
    let (base, dropped) = call(&init.expr)?;
    match &local.pat {
        Pat::Wild(_) => Some(dropped),
        // A name that says that it is of no use; what is made by a type may get the rest of its type later.
        Pat::Ident(name) if name.ident.to_string().starts_with('_') && is_free(base) => Some(dropped),
        _ => None,
    }
}

/// What this assignment drops.
pub(crate) fn by_assignment(assign: &ExprAssign) -> Option<Dropped> {
    call(&assign.right).filter(|_| matches!(*assign.left, Expr::Infer(_))).map(|(_, dropped)| dropped)
}

/// What this call drops.
pub(crate) fn by_function(drops: &ExprCall) -> Option<Dropped> {
    let Expr::Path(path) = &*drops.func else { return None };
    let last = path.path.segments.last()?;
    let given = drops.args.first().filter(|_| last.ident == "drop" || last.ident == "forget")?;
    call(given).map(|(_, dropped)| dropped)
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
