//! The diagram in the documentation of a workflow: drawn while rustdoc expands it (feature `doc-diagrams`).
//! What it calls is looked up in the sources of the same package; it decides no look, which is the exporter's affair.

mod callees;
mod neighbours;
#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;
use quote::quote;
use syn::ReturnType;
use syn::ext::IdentExt;
use workflow_bpmn::Export;
use workflow_graph::{Graph, Trigger};

use super::attribute::Options;
use super::emit::{self, Source};
use super::lower::Lowered;
use crate::editor;
use callees::Callees;
use neighbours::Neighbours;

/// The attribute that adds the picture; nothing where nobody reads it, or where there is nothing sound to draw.
pub(super) fn documentation(source: &Source<'_>) -> Option<TokenStream> {
    if !rustdoc_asks() || editor::asks() {
        return None;
    }
    let lowered = source.lowered.as_ref().filter(|_| source.errors.is_empty())?;
    let neighbours = Neighbours::around(source.function.sig.ident.span());
    let named = Graph {
        label: emit::label(source).into(),
        trigger: trigger(&source.options, &neighbours),
        ..Graph::named(&emit::name_of(source.function, &source.options))
    };
    let graph = graph(named, &source.function.sig.output, lowered, &neighbours)?;
    // rustdoc takes the first paragraph for lists of items, and a picture would be none.
    let title = if source.docs.label.is_none() { graph.label.clone() } else { "".into() };
    let text = section(&source.function.sig.ident.unraw().to_string(), &title, &graph);
    Some(quote!(#[doc = #text]))
}

/// Only rustdoc shows it: the compiler and the language server should not pay for it.
fn rustdoc_asks() -> bool {
    let program = std::env::current_exe().ok();
    let name = program.as_deref().and_then(|path| path.file_name()?.to_str());
    name.is_some_and(|name| name.starts_with("rustdoc"))
}

/// The section with the picture, as Markdown: up to an empty line it is one piece of HTML, in which Markdown has no
/// meaning. A picture that is wider than the page can be scrolled, with the keyboard too.
fn section(function: &str, title: &str, graph: &Graph) -> String {
    let svg = Export::of(graph).part_of_page(&format!("diagram-{function}"));
    let title = escaped(title);
    format!("{title}\n\n# Diagram\n\n<div style=\"overflow-x:auto\" tabindex=\"0\">{svg}</div>\n\n")
}

/// A text in which Markdown and HTML find nothing of theirs.
fn escaped(text: &str) -> String {
    text.chars().flat_map(|c| c.is_ascii_punctuation().then_some('\\').into_iter().chain([c])).collect()
}

/// The flow, as far as the texts of the package tell.
fn graph(named: Graph, output: &ReturnType, lowered: &Lowered, neighbours: &Neighbours) -> Option<Graph> {
    let (callees, home) = (Callees::of(neighbours), neighbours.home());
    let (nodes, errors) = (callees.nodes(lowered, home), callees.own_errors(lowered, output, home));
    let flows = lowered.flows.clone().into();
    let graph = Graph { nodes: nodes.into(), flows, errors: errors.into(), ..named };
    graph.defects().is_empty().then_some(graph)
}

/// What begins it. A message that is not found is called like its type, as most are.
fn trigger(options: &Options, neighbours: &Neighbours) -> Trigger {
    match (&options.on, &options.schedule) {
        (Some(message), _) => {
            let known = Callees::of(neighbours).message(message, &[], neighbours.home());
            let of_type = || message.segments.last().map(|last| last.ident.unraw().to_string());
            Trigger::Message(known.or_else(of_type).unwrap_or_default().into())
        }
        (None, Some(schedule)) => Trigger::Schedule {
            cron: schedule.cron.clone().into(),
            timezone: schedule.timezone.clone().into(),
            catch_up: schedule.catch_up,
        },
        (None, None) => Trigger::None,
    }
}
