//! The macros: Rust source to flow graph, ordinary Rust and checks.
//! parse, check, lower, expand and emit have one file each; nothing here knows how a run is stored or drawn.

use proc_macro::TokenStream;
use workflow_graph::suggest;

mod built_in;
mod derive_message;
mod derive_step_error;
mod docs;
mod duration;
mod editor;
mod errors;
mod model;
mod recorded;
mod signature;
mod step;
mod stored;
mod words;
mod workflow;
mod workflow_test;

/// Turns an `async fn` into a durable workflow.
#[proc_macro_attribute]
pub fn workflow(attribute: TokenStream, item: TokenStream) -> TokenStream {
    workflow::expand(workflow::Kind::Workflow, attribute.into(), item.into()).into()
}

/// Turns an `async fn` into a part of workflows with a scope of its own: when it ends with an error, what was done in
/// it has been undone.
#[proc_macro_attribute]
pub fn subflow(attribute: TokenStream, item: TokenStream) -> TokenStream {
    workflow::expand(workflow::Kind::Subflow, attribute.into(), item.into()).into()
}

/// Turns a function into a step of a workflow; a plain `fn` runs on a thread of its own.
#[proc_macro_attribute]
pub fn step(attribute: TokenStream, item: TokenStream) -> TokenStream {
    step::expand(attribute.into(), item.into()).into()
}

/// Names the ways in which a step or workflow can fail.
#[proc_macro_derive(StepError, attributes(step_error))]
pub fn derive_step_error(item: TokenStream) -> TokenStream {
    derive_step_error::expand(item.into()).into()
}

/// Makes a type a message that runs can wait for.
#[proc_macro_derive(Message, attributes(message))]
pub fn derive_message(item: TokenStream) -> TokenStream {
    derive_message::expand(item.into()).into()
}

/// A plain `#[test]` that is handed its kit: `fn name(kit: Kit)`, or with `(explore)`: `fn name(kit: Explore)`.
#[proc_macro_attribute]
pub fn workflow_test(attribute: TokenStream, item: TokenStream) -> TokenStream {
    workflow_test::expand(attribute.into(), item.into()).into()
}
