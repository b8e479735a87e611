//! `#[step]`: a function that touches the world becomes a call that can be described, recorded and repeated.
//! parse, check and emit are in the files below; nothing here knows the workflows that call the step.

mod attempt;
pub(crate) mod attribute;
mod checks;
pub(crate) mod compensation;
mod emit;
pub(crate) mod facts;
mod limits;
mod output;
mod parameters;
mod retry;
mod signature;
#[cfg(test)]
mod tests;
mod types;
mod was;

use proc_macro2::TokenStream;
use quote::ToTokens;

use crate::built_in;
use crate::docs;
use crate::errors::Errors;
use crate::signature::RawFn;

use attribute::Attribute;
use compensation::Compensation;
use output::Returns;
use parameters::Parameter;

/// A step, read and checked.
struct Step {
    function: RawFn,
    attribute: Attribute,
    label: String,
    documentation: String,
    parameters: Vec<Parameter>,
    returns: Returns,
    compensation: Option<Compensation>,
}

/// The expansion of `#[step(attribute)] item`.
pub(crate) fn expand(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let function = match RawFn::read(item) {
        Ok(function) => function,
        Err(tokens) => return tokens,
    };
    let mut errors = Errors::default();
    let mut attribute = Attribute::read(attribute, &function.sig.ident, &mut errors);
    built_in::refuse_as_function(&function.sig.ident, "step", &mut errors);
    let is_callable = signature::check(&function.sig, &mut errors);
    let parameters = parameters::read(&function.sig, &mut errors);
    let returns = output::read(&function.sig, &mut errors);
    if let Some(parameters) = &parameters {
        attribute.limit_transaction(parameters, &mut errors);
        attribute.check_heartbeat(parameters, &mut errors);
        attribute.check_cancellable(parameters, &mut errors);
    }
    let mut tokens = match (is_callable, parameters, returns) {
        (true, Some(parameters), Some(returns)) => {
            let compensation = attribute
                .compensate
                .as_ref()
                .and_then(|undo| compensation::check(undo, &parameters, &mut errors));
            let docs = docs::split(&function.attrs);
            let label = attribute.label.clone().or(docs.label);
            let label = label.unwrap_or_else(|| workflow_graph::humanise(&attribute.name));
            let documentation = docs.documentation;
            emit::step(&Step { function, attribute, label, documentation, parameters, returns, compensation })
        }
        // Without a signature that can be recorded there is no step; the function as it stands keeps the editor
        // and the compiler informed about the rest.
        _ => as_it_stands(&function),
    };
    tokens.extend(errors.into_tokens());
    tokens
}

fn as_it_stands(function: &RawFn) -> TokenStream {
    let mut tokens = TokenStream::new();
    for attribute in &function.attrs {
        attribute.to_tokens(&mut tokens);
    }
    function.vis.to_tokens(&mut tokens);
    function.sig.to_tokens(&mut tokens);
    function.body.to_tokens(&mut tokens);
    tokens
}
