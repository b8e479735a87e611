//! Which error it is that leaves: an error of a step becomes one of the function that says `?`, which may have it
//! inside of a variant of its own (`#[from]`). Where types alone do not tell, nothing is claimed.
//! It knows the graph only, nothing of BPMN.

use std::collections::BTreeSet;

use workflow_graph::{ErrorFacts, Flow, FlowKind, Graph, Node, NodeIndex, NodeKind, Outcome, humanise};

/// The ways in which a node can fail; of a block, those of everything in it, as the function has them.
pub(super) fn errors_of(graph: &Graph, node: NodeIndex) -> Vec<&ErrorFacts> {
    let kind = &graph.nodes[node].kind;
    if *kind != NodeKind::Block {
        return kind.errors().iter().collect();
    }
    let own = words_in(graph, &graph.errors, Some(node));
    let inside = (0..graph.nodes.len()).filter(|&inner| graph.nodes[inner].scope == Some(node));
    let as_function = |inner: NodeIndex| match &graph.nodes[inner].kind {
        NodeKind::Receive { deadline: Some(_), .. } => timed_out(own).into_iter().collect(),
        kind => match wrapper(own, kind.errors()) {
            Some(outer) => vec![outer],
            None => errors_of(graph, inner),
        },
    };
    let said = inside.clone().filter(|&inner| graph.nodes[inner].kind == FAILS);
    let said = said.filter_map(|end| named_as(graph, own, end));
    inside.flat_map(as_function).chain(said).collect()
}

/// In whose words errors are told in this block: in the function's, unless the code tells variants apart that the
/// function does not have. Then the block fails as what is in it does, and nothing is known of what its errors become.
fn words_in<'g>(graph: &'g Graph, own: &'g [ErrorFacts], block: Option<NodeIndex>) -> &'g [ErrorFacts] {
    let Some(block) = block else { return own };
    let is_own = |variant: &&str| own.iter().any(|error| error.variant == **variant);
    if told_apart(graph, block).iter().all(is_own) {
        words_in(graph, own, graph.nodes[block].scope)
    } else {
        &[]
    }
}

const FAILS: NodeKind = NodeKind::End(Outcome::Failure);

/// The error of a node that the code calls by this variant.
pub(super) fn error_named<'g>(graph: &'g Graph, node: NodeIndex, variant: &str) -> Option<&'g ErrorFacts> {
    let is_block = graph.nodes[node].kind == NodeKind::Block;
    let own = if is_block { words_in(graph, &graph.errors, Some(node)) } else { &[] };
    errors_of(graph, node).into_iter().chain(own).find(|error| error.variant == variant)
}

/// The variants of a node that have flows of their own.
pub(super) fn told_apart(graph: &Graph, node: NodeIndex) -> BTreeSet<&str> {
    let variants = graph.outgoing(node).filter_map(|flow| match &flow.kind {
        FlowKind::Error { variant, .. } if !variant.is_empty() => Some(variant.as_ref()),
        _ => None,
    });
    variants.collect()
}

/// What becomes of an error of this node in a function that fails in these ways; `None` when the types do not tell.
pub(super) fn becomes<'g>(
    graph: &'g Graph,
    own: &'g [ErrorFacts],
    node: NodeIndex,
    error: &'g ErrorFacts,
) -> Option<&'g ErrorFacts> {
    let kind = &graph.nodes[node].kind;
    if *kind == NodeKind::Block || kind.errors() == own {
        return Some(error);
    }
    wrapper(words_in(graph, own, graph.nodes[node].scope), kind.errors())
}

/// Whether the errors of this node become others in the function that says `?`.
pub(super) fn is_wrapped(graph: &Graph, own: &[ErrorFacts], node: NodeIndex) -> bool {
    let Node { kind, scope, .. } = &graph.nodes[node];
    wrapper(words_in(graph, own, *scope), kind.errors()).is_some()
}

/// The error that a failing end throws, where the code tells which one it is.
pub(super) fn thrown<'g>(graph: &'g Graph, own: &'g [ErrorFacts], end: NodeIndex) -> Option<&'g ErrorFacts> {
    let own = words_in(graph, own, graph.nodes[end].scope);
    named_as(graph, own, end).or_else(|| arriving(graph, own, end))
}

/// The error that an end is called like: `return Err(Trouble::Refused)`.
fn named_as<'g>(graph: &Graph, own: &'g [ErrorFacts], end: NodeIndex) -> Option<&'g ErrorFacts> {
    let title = graph.nodes[end].title().to_lowercase();
    let says = |name: &str| humanise(name).to_lowercase() == title;
    own.iter().find(|error| says(&error.variant) || says(&error.label))
}

/// The one error with which this end is reached, if there is no other way to it.
fn arriving<'g>(graph: &'g Graph, own: &'g [ErrorFacts], end: NodeIndex) -> Option<&'g ErrorFacts> {
    let mut found: Option<&ErrorFacts> = None;
    let mut seen = BTreeSet::new();
    let mut open = vec![end];
    while let Some(node) = open.pop() {
        for flow in graph.incoming(node) {
            if flow.kind == FlowKind::Next && graph.nodes[flow.from].kind == NodeKind::Merge {
                if seen.insert(flow.from) {
                    open.push(flow.from);
                }
                continue;
            }
            let error = on_flow(graph, own, flow)?;
            if found.replace(error).is_some_and(|other| other.code != error.code) {
                return None;
            }
        }
    }
    found
}

/// The one error that leaves on this flow, as the function has it.
fn on_flow<'g>(graph: &'g Graph, own: &'g [ErrorFacts], flow: &Flow) -> Option<&'g ErrorFacts> {
    match &flow.kind {
        FlowKind::Timeout => timed_out(own),
        FlowKind::Error { variant, .. } if variant.is_empty() => {
            let handled = told_apart(graph, flow.from);
            let is_left = |error: &&ErrorFacts| !handled.contains(error.variant.as_ref());
            if graph.nodes[flow.from].kind == NodeKind::Block {
                let of_block = |end: &usize| {
                    graph.nodes[*end].kind == FAILS && graph.nodes[*end].scope == Some(flow.from)
                };
                let ends = (0..graph.nodes.len()).filter(of_block).map(|end| thrown(graph, own, end));
                return the_same(ends.filter(|error| error.as_ref().is_none_or(is_left)));
            }
            let left = errors_of(graph, flow.from).into_iter().filter(is_left);
            the_same(left.map(|error| becomes(graph, own, flow.from, error)))
        }
        FlowKind::Error { variant, .. } => {
            let error = error_named(graph, flow.from, variant)?;
            Some(becomes(graph, own, flow.from, error).unwrap_or(error))
        }
        _ => None,
    }
}

/// The one error that all of these are.
fn the_same<'g>(mut errors: impl Iterator<Item = Option<&'g ErrorFacts>>) -> Option<&'g ErrorFacts> {
    let first = errors.next()??;
    errors.all(|error| error.is_some_and(|error| error.code == first.code)).then_some(first)
}

/// The one way to fail that has an error inside which fails in these ways.
fn wrapper<'g>(own: &'g [ErrorFacts], inner: &[ErrorFacts]) -> Option<&'g ErrorFacts> {
    let mut wrappers = own.iter().filter(|error| !inner.is_empty() && error.wraps == inner);
    wrappers.next().filter(|_| wrappers.next().is_none())
}

/// What becomes of a message that does not come in time: `TimedOut` is the one error that no node names.
fn timed_out(own: &[ErrorFacts]) -> Option<&ErrorFacts> {
    own.iter().find(|error| matches!(error.wraps, [inner] if inner.variant == "TimedOut"))
}
