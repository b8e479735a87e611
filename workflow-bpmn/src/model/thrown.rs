//! Which error it is that leaves: an error of a step becomes one of the function that says `?`, which may have it
//! inside of a variant of its own (`#[from]`). Where types alone do not tell, nothing is claimed.
//! It knows the graph only, nothing of BPMN.

use std::collections::BTreeSet;

use workflow_graph::{ErrorFacts, Flow, FlowKind, Graph, Node, NodeIndex, NodeKind, Outcome, Thrown};

/// The ways in which a node can fail, as far as they are known; of a block, those with which its ends leave it.
pub(super) fn errors_of(graph: &Graph, node: NodeIndex) -> Vec<&ErrorFacts> {
    let kind = &graph.nodes[node].kind;
    if *kind != NodeKind::Block {
        return kind.errors().iter().collect();
    }
    let mut found: Vec<&ErrorFacts> = Vec::new();
    for error in ends_of(graph, node).flat_map(|end| all_thrown(graph, &graph.errors, end)).flatten() {
        if !found.iter().any(|other| other.variant == error.variant && other.code == error.code) {
            found.push(error);
        }
    }
    found
}

/// The ends with which a block fails.
fn ends_of(graph: &Graph, block: NodeIndex) -> impl Iterator<Item = NodeIndex> {
    let fails = NodeKind::End(Outcome::Failure);
    let is_one =
        move |end: &NodeIndex| graph.nodes[*end].kind == fails && graph.nodes[*end].scope == Some(block);
    (0..graph.nodes.len()).filter(is_one)
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
    let Node { kind, scope, .. } = &graph.nodes[node];
    if *kind == NodeKind::Block || kind.errors() == own || is_told_apart_around(graph, *scope, kind.errors())
    {
        return Some(error);
    }
    wrapper(words_in(graph, own, *scope), kind.errors())
}

/// Whether a block around is looked at in the words of these errors: then they leave it as they are.
fn is_told_apart_around(graph: &Graph, scope: Option<NodeIndex>, errors: &[ErrorFacts]) -> bool {
    let Some(block) = scope else { return false };
    let is_among = |variant: &&str| errors.iter().any(|error| error.variant == **variant);
    words_in(graph, &graph.errors, scope).is_empty()
        && (told_apart(graph, block).iter().any(is_among)
            || is_told_apart_around(graph, graph.nodes[block].scope, errors))
}

/// Whether the errors of this node become others in the function that says `?`.
pub(super) fn is_wrapped(graph: &Graph, own: &[ErrorFacts], node: NodeIndex) -> bool {
    let Node { kind, scope, .. } = &graph.nodes[node];
    wrapper(words_in(graph, own, *scope), kind.errors()).is_some()
}

/// A variant that the code names in a block around which it is told apart in other words than the function's.
fn told_apart_as<'g>(graph: &'g Graph, scope: Option<NodeIndex>, variant: &str) -> Option<&'g ErrorFacts> {
    let block = scope.filter(|_| words_in(graph, &graph.errors, scope).is_empty())?;
    let name = variant.rsplit("::").next().unwrap_or(variant);
    if !told_apart(graph, block).contains(name) {
        return told_apart_as(graph, graph.nodes[block].scope, variant);
    }
    let mut inside = graph.nodes.iter().filter(|node| is_inside(graph, node, block));
    inside.find_map(|node| node.kind.errors().iter().find(|error| error.variant == *name))
}

fn is_inside(graph: &Graph, node: &Node, block: NodeIndex) -> bool {
    node.scope.is_some_and(|scope| scope == block || is_inside(graph, &graph.nodes[scope], block))
}

/// The error that a failing end throws, where it is always the same one and the code tells which.
pub(super) fn thrown<'g>(graph: &'g Graph, own: &'g [ErrorFacts], end: NodeIndex) -> Option<&'g ErrorFacts> {
    the_same(all_thrown(graph, own, end).into_iter())
}

/// All that a failing end can throw in a function that fails in these ways; `None` for what nobody knows.
fn all_thrown<'g>(graph: &'g Graph, own: &'g [ErrorFacts], end: NodeIndex) -> Vec<Option<&'g ErrorFacts>> {
    let own = words_in(graph, own, graph.nodes[end].scope);
    match &graph.nodes[end].thrown {
        Thrown::Variant(variant) => {
            let named = own.iter().find(|error| error.variant == *variant);
            vec![named.or_else(|| told_apart_as(graph, graph.nodes[end].scope, variant))]
        }
        Thrown::Unknown => vec![None],
        Thrown::Arriving => {
            let arriving = ways_to(graph, end);
            arriving.into_iter().flat_map(|flow| on_flow(graph, own, flow)).collect()
        }
    }
}

/// The flows that lead here, those that come together before included.
fn ways_to(graph: &Graph, end: NodeIndex) -> Vec<&Flow> {
    let (mut ways, mut seen, mut open) = (Vec::new(), BTreeSet::new(), vec![end]);
    while let Some(node) = open.pop() {
        for flow in graph.incoming(node) {
            let comes_together = graph.nodes[flow.from].kind == NodeKind::Merge;
            if comes_together && seen.insert(flow.from) {
                open.push(flow.from);
            } else if !comes_together {
                ways.push(flow);
            }
        }
    }
    ways
}

/// The errors that can leave on this flow, as the function has them.
fn on_flow<'g>(graph: &'g Graph, own: &'g [ErrorFacts], flow: &Flow) -> Vec<Option<&'g ErrorFacts>> {
    match &flow.kind {
        FlowKind::Timeout => vec![timed_out(own)],
        FlowKind::Error { variant, .. } if variant.is_empty() => {
            let handled = told_apart(graph, flow.from);
            let is_left = |error: &&ErrorFacts| !handled.contains(error.variant.as_ref());
            if graph.nodes[flow.from].kind == NodeKind::Block {
                let all = ends_of(graph, flow.from).flat_map(|end| all_thrown(graph, own, end));
                return all.filter(|error| error.as_ref().is_none_or(is_left)).collect();
            }
            let left = errors_of(graph, flow.from).into_iter().filter(is_left);
            left.map(|error| becomes(graph, own, flow.from, error)).collect()
        }
        FlowKind::Error { variant, .. } => {
            let error = error_named(graph, flow.from, variant);
            vec![error.and_then(|error| becomes(graph, own, flow.from, error))]
        }
        _ => vec![None],
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
