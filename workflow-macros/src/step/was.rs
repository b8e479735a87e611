//! `was = "old_name"`: the names that a step had before it was renamed.
//! It only reads them; how a journal that knows them is replayed is the core's affair.

use syn::{Expr, ExprLit, Lit, LitStr};
use workflow_graph::is_node_id;

use crate::errors::Errors;
use crate::words::Word;

const EXAMPLE: &str = "was = \"charge_card\"";

/// The former names, in the order in which they are written. `name` is the one that the step has now.
pub(super) fn read(word: &Word, name: &str, errors: &mut Errors) -> Vec<String> {
    let Some(value) = word.value::<Expr>(EXAMPLE, errors) else { return Vec::new() };
    let items = match value {
        Expr::Array(list) => list.elems.into_iter().collect(),
        one => vec![one],
    };
    if items.is_empty() {
        errors.at(word.name.span(), format!("name at least one: `{EXAMPLE}`"));
    }
    let mut names = Vec::new();
    for item in items {
        let Expr::Lit(ExprLit { lit: Lit::Str(former), .. }) = item else {
            let message = format!("write `{EXAMPLE}`, or a list: `was = [\"charge\", \"charge_card\"]`");
            errors.push(syn::Error::new_spanned(item, message));
            continue;
        };
        match check(&former, name, &names) {
            Ok(()) => names.push(former.value()),
            Err(message) => errors.at(former.span(), message),
        }
    }
    names
}

fn check(former: &LitStr, name: &str, names: &[String]) -> Result<(), String> {
    let former = former.value();
    if former == name {
        return Err(format!(
            "`{former}` is the name that the step has now; `was` is for the names it had before"
        ));
    }
    if names.contains(&former) {
        return Err(format!("`{former}` is written twice"));
    }
    if !is_node_id(&former) {
        return Err(format!("no step was ever called `{former}`: it is no name that a step can have"));
    }
    Ok(())
}
