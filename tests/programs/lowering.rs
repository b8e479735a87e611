//! The macros' lowering at run time: from the text of a function to its graph, without a compiler.
//! This file is put into a copy of the crate of the macros, where it is a part of `workflow`. What calls are,
//! only types tell, so that whoever asks fills that in.

use proc_macro2::TokenStream;
use workflow_graph::{Flow, Node};

use super::emit::Kind;
use super::lower::{self, Lowered};
use super::{allow::Allows, awaits, determinism};
use crate::errors::Errors;
use crate::signature::RawFn;

/// The flow of one function.
pub struct Drawn {
    /// The nodes; those of calls and messages do not say of what.
    pub nodes: Vec<Node>,
    /// The flows between them.
    pub flows: Vec<Flow>,
    /// The node of each `.await`, in the order of the text.
    pub positions: Vec<usize>,
    /// What operations are, by their nodes.
    pub operations: Vec<(usize, What)>,
}

/// What an operation is, as the text names it.
pub enum What {
    /// A call of the function of this name, and whether it says `.without_compensation()`.
    Call(String, bool),
    /// It says all that there is to know.
    Other,
}

/// Lowers a function, without its attribute.
///
/// # Errors
/// What the macro would have refused, as tokens.
pub fn draw(function: &str, is_subflow: bool) -> Result<Drawn, String> {
    let tokens: TokenStream = function.parse().map_err(|error| format!("{error}"))?;
    let function = RawFn::read(tokens).map_err(|refused| refused.to_string())?;
    let body = awaits::parse_body(&function).map_err(|error| error.to_string())?;
    let mut errors = Errors::default();
    let allows = Allows::of(&body, &mut errors);
    let foreign = determinism::check(&function, &body, &allows, &mut errors);
    let kind = if is_subflow { Kind::Subflow } else { Kind::Workflow };
    let lowered = lower::lower(kind, &function, &body, &foreign, &mut errors);
    if !errors.is_empty() || !lowered.endless.is_empty() {
        return Err(format!("{} {} endless loops", errors.into_tokens(), lowered.endless.len()));
    }
    let Lowered { nodes, flows, operations, awaits, .. } = lowered;
    let mut positions = vec![usize::MAX; awaits];
    for operation in &operations {
        positions[operation.await_number] = operation.node;
    }
    let what = |operation: lower::Operation| match operation.what {
        lower::What::Call(path) => {
            let name = path.path.segments.last().map(|segment| segment.ident.to_string());
            What::Call(name.unwrap_or_default(), operation.without_compensation)
        }
        _ => What::Other,
    };
    let operations = operations.into_iter().map(|operation| (operation.node, what(operation))).collect();
    Ok(Drawn { nodes, flows, positions, operations })
}
