//! WF031: `compensate = undo(order, output)`: what undoes a step, and what it is given.
//! Names are checked here; whether the types fit is checked by what is emitted.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use syn::Path;
use syn::parse::Parser;
use workflow_graph::Wire;

use crate::errors::Errors;
use crate::suggest::{did_you_mean, listed};
use crate::words::{Value, Word};

use super::parameters::{Data, Parameter, data};

const EXAMPLE: &str = "compensate = undo(order, output)";

/// The compensation as it was written.
pub(crate) struct Undo {
    pub(crate) path: Path,
    wiring: Group,
    /// `None` for what is no name; that has been told.
    names: Vec<Option<Ident>>,
}

/// The compensation with its wiring understood.
pub(super) struct Compensation {
    /// The function that undoes.
    pub(super) path: Path,
    /// The parentheses behind it.
    pub(super) wiring: Group,
    /// Where its arguments come from.
    pub(super) wires: Vec<Wire>,
}

impl Undo {
    /// Reads `compensate = path(name, ..)`.
    pub(super) fn read(word: &Word, errors: &mut Errors) -> Option<Undo> {
        let Value::Equals(tokens) = &word.value else {
            errors.at(word.name.span(), format!("write `{EXAMPLE}`"));
            return None;
        };
        let mut tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
        let last = tokens.pop()?;
        let wiring = match last {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis => group,
            last => {
                let message = format!("WF031: say what the compensation is given: `{EXAMPLE}`");
                errors.at(last.span(), message);
                return None;
            }
        };
        let path = path(tokens.into_iter().collect());
        let path =
            errors.ok(path.map_err(|error| syn::Error::new(error.span(), format!("write `{EXAMPLE}`"))))?;
        let names = names(wiring.stream(), errors);
        Some(Undo { path, wiring, names })
    }
}

fn path(tokens: TokenStream) -> syn::Result<Path> {
    Path::parse_mod_style.parse2(tokens)
}

fn names(tokens: TokenStream, errors: &mut Errors) -> Vec<Option<Ident>> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let is_comma = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',');
    let parts = tokens.split(is_comma).filter(|part| !part.is_empty());
    parts.map(|part| name(part, errors)).collect()
}

fn name(part: &[TokenTree], errors: &mut Errors) -> Option<Ident> {
    match part {
        [TokenTree::Ident(name)] => return Some(name.clone()),
        [TokenTree::Punct(punct), ..] if punct.as_char() == '&' => {
            errors.at(punct.span(), "WF031: leave the `&` out: the compensation borrows by itself");
        }
        _ => {
            let part: TokenStream = part.iter().cloned().collect();
            let message = "WF031: only whole values are wired: name a parameter of the step, or `output`";
            errors.push(syn::Error::new_spanned(part, message));
        }
    }
    None
}

/// Finds each name of the wiring among the recorded parameters.
pub(super) fn check(undo: &Undo, parameters: &[Parameter], errors: &mut Errors) -> Option<Compensation> {
    let wires: Vec<Option<Wire>> =
        undo.names.iter().map(|name| wire(name.as_ref()?, parameters, errors)).collect();
    let wires = wires.into_iter().collect::<Option<Vec<Wire>>>()?;
    Some(Compensation { path: undo.path.clone(), wiring: undo.wiring.clone(), wires })
}

fn wire(name: &Ident, parameters: &[Parameter], errors: &mut Errors) -> Option<Wire> {
    let is_meant = |data: &Data| data.is_named && data.name == *name;
    if let Some(position) = data(parameters).position(is_meant) {
        if name == "output" {
            let message =
                "WF031: `output` is what the step returns; give the parameter of that name another one";
            errors.at(name.span(), message);
        }
        return Some(Wire::Argument(position));
    }
    if parameters.iter().any(|parameter| parameter.name() == Some(name)) {
        let message = format!(
            "WF031: `{name}` is supplied, not recorded: a compensation asks for resources and the context by itself"
        );
        errors.at(name.span(), message);
        return None;
    }
    if name == "output" {
        return Some(Wire::Output);
    }
    let names: Vec<String> =
        data(parameters).filter(|data| data.is_named).map(|data| data.name.to_string()).collect();
    let known: Vec<&str> = names.iter().map(String::as_str).chain(["output"]).collect();
    let help = match did_you_mean(&name.to_string(), &known) {
        none if none.is_empty() => format!("; there is {}", listed(&known)),
        meant => meant,
    };
    errors.at(name.span(), format!("WF031: the step has no recorded parameter `{name}`{help}"));
    None
}
