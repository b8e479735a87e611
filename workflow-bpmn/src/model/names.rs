//! What people read on elements that the author did not name: blocks, races, starts, ends, errors.
//! It decides wording only, never what is drawn.

use std::collections::BTreeSet;

use workflow_graph::{
    ErrorFacts, Flow, FlowKind, Graph, NodeIndex, NodeKind, Outcome, Span, Trigger, humanise,
};

use super::outcomes::failing_end;
use super::phrases::{schedule, spoken};
use super::thrown::error_named;
use crate::text;

/// On compensation events.
pub(super) const UNDO: &str = "Undo";
/// On what begins when something fails.
pub(super) const ON_FAILURE: &str = "If something fails";
/// On its start.
pub(super) const SOMETHING_FAILED: &str = "Something failed";
/// On its end, where several are folded into it.
pub(super) const FAILED: &str = "Failed";
/// On the border of a scope whose error is a value.
pub(super) const KEPT: &str = "Failed";
/// On the start of what happens side by side.
pub(super) const ALL_STARTED: &str = "All started";
/// On the gateway behind a race.
pub(super) const WHAT_CAME_FIRST: &str = "What came first?";

/// The title of a node; where the author's label is blank, the id still says something.
pub(super) fn of_node(graph: &Graph, index: NodeIndex) -> String {
    let node = &graph.nodes[index];
    if let Some(failure) = of_failure(graph, index) {
        return text::name(&failure);
    }
    if !text::name(&node.label).is_empty() {
        return text::name(&node.label);
    }
    let inside = node.scope.is_some();
    let name = match (&node.kind, &graph.trigger) {
        (NodeKind::Start, _) if inside => ALL_STARTED.to_owned(),
        (NodeKind::Start, Trigger::Message(message)) => humanise(message),
        (NodeKind::Start, Trigger::Schedule { cron, .. }) => schedule(cron),
        (NodeKind::End(Outcome::Success), _) if inside => "All done".to_owned(),
        (NodeKind::End(Outcome::Continued), _) => "Continues as new".to_owned(),
        (NodeKind::Block, _) => format!("All of: {}", list(graph, index)),
        (NodeKind::Race, _) if has_more_than_events(graph, index) => {
            let titles: Vec<String> = graph.outgoing(index).map(|flow| of_node(graph, flow.to)).collect();
            format!("First of: {}", titles.join(", "))
        }
        (NodeKind::End(_), _) => humanise(without_number(graph, &node.id)),
        (NodeKind::TimerAt { text }, _) => spoken(text).unwrap_or_else(|| "Time has come".to_owned()),
        (NodeKind::Timer(span), _) => of_span(span),
        (NodeKind::Compensate, _) => UNDO.to_owned(),
        (NodeKind::Child(child), _) if child.detached => format!("Start: {}", node.title()),
        _ => node.title(),
    };
    let name = text::name(&name);
    let needs_none = matches!(node.kind, NodeKind::Merge | NodeKind::Fork | NodeKind::Join | NodeKind::Race);
    if name.is_empty() && !needs_none { humanise(&node.id) } else { name }
}

/// The same for a task that waits for a message: what is done, and not what has been reached.
pub(super) fn of_receiving(graph: &Graph, index: NodeIndex) -> String {
    let node = &graph.nodes[index];
    match &node.kind {
        NodeKind::Receive { message, .. } if text::name(&node.label).is_empty() => {
            let message = humanise(message);
            let message = message.strip_suffix(" received").unwrap_or(&message);
            text::name(&format!("Receive {}", uncapitalised(message)))
        }
        _ => of_node(graph, index),
    }
}

/// A word that is written in capitals stays so.
fn uncapitalised(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next();
    if chars.clone().next().is_some_and(char::is_uppercase) {
        return text.to_owned();
    }
    first.into_iter().flat_map(char::to_lowercase).chain(chars).collect()
}

/// An end that is called after the function that failed: people know that by its label.
fn of_failure(graph: &Graph, end: NodeIndex) -> Option<String> {
    let failed = graph.nodes[end].label.strip_suffix(" failed")?;
    let is_called_so = |node: &NodeIndex| {
        let node = &graph.nodes[*node];
        let is_call = matches!(node.kind, NodeKind::Step(_) | NodeKind::Subflow(_) | NodeKind::Child(_));
        is_call && humanise(without_number(graph, &node.id)) == failed
    };
    let calls: Vec<NodeIndex> = (0..graph.nodes.len()).filter(is_called_so).collect();
    let leads_here =
        |call: &&NodeIndex| graph.outgoing(**call).any(|flow| failing_end(graph, flow.to) == Some(end));
    let call = calls.iter().find(leads_here).or(calls.first())?;
    Some(format!("{} failed", of_node(graph, *call)))
}

/// The same texts, with a number behind each that stands there already, so that no two are alike.
pub(super) fn distinct(texts: &[String]) -> Vec<String> {
    let mut taken: BTreeSet<String> = texts.iter().cloned().collect();
    let mut seen = BTreeSet::new();
    let numbered = texts.iter().map(|text| {
        if seen.insert(text) {
            return text.clone();
        }
        let mut numbers = (2..).map(|number| format!("{text} ({number})"));
        numbers.find(|text| taken.insert(text.clone())).expect("numbers do not end")
    });
    numbered.collect()
}

/// Two ends of one name are the same outcome to people; the number is there to tell their ids apart.
fn without_number<'a>(graph: &Graph, id: &'a str) -> &'a str {
    let numbered =
        id.rsplit_once('_').filter(|(_, number)| number.bytes().all(|digit| digit.is_ascii_digit()));
    numbered.map(|(name, _)| name).filter(|name| graph.index_of(name).is_some()).unwrap_or(id)
}

/// How long something takes, in words.
pub(super) fn of_span(span: &Span) -> String {
    if !span.iso.is_empty() {
        return text::name(&span.text);
    }
    text::name(&spoken(&span.text).unwrap_or_else(|| "Time has passed".to_owned()))
}

fn has_more_than_events(graph: &Graph, race: NodeIndex) -> bool {
    let is_event = |kind: &NodeKind| {
        matches!(kind, NodeKind::Timer(_) | NodeKind::TimerAt { .. } | NodeKind::Receive { .. })
    };
    graph.outgoing(race).any(|flow| !is_event(&graph.nodes[flow.to].kind))
}

/// The first thing of every branch, with an ellipsis where more follows.
fn list(graph: &Graph, block: NodeIndex) -> String {
    let fork = (0..graph.nodes.len())
        .find(|&node| graph.nodes[node].scope == Some(block) && graph.nodes[node].kind == NodeKind::Fork);
    let branches = fork.into_iter().flat_map(|fork| graph.outgoing(fork));
    let names = branches.filter_map(|branch| {
        let operations = operations_before_join(graph, branch.to);
        let first = graph.nodes[*operations.first()?].title();
        Some(if operations.len() > 1 { format!("{first} …") } else { first })
    });
    names.collect::<Vec<_>>().join(", ")
}

fn operations_before_join(graph: &Graph, from: NodeIndex) -> Vec<NodeIndex> {
    let mut operations = Vec::new();
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(node) = open.pop() {
        if graph.nodes[node].kind == NodeKind::Join || !seen.insert(node) {
            continue;
        }
        if graph.nodes[node].is_operation() {
            operations.push(node);
        }
        open.extend(graph.outgoing(node).map(|flow| flow.to));
    }
    operations
}

/// What a race ends with when it is left on this way.
pub(super) fn winner(graph: &Graph, flow: &Flow) -> String {
    let title = of_node(graph, flow.from);
    match (&flow.kind, &graph.nodes[flow.from].kind) {
        (FlowKind::Error { .. }, _) => text::name(&format!("{title}: {}", of_error(graph, flow))),
        (FlowKind::Timeout, NodeKind::Receive { deadline: Some(deadline), .. }) => of_span(deadline),
        _ => title,
    }
}

/// The name of the event where an error leaves.
pub(super) fn of_error(graph: &Graph, flow: &Flow) -> String {
    let FlowKind::Error { variant, label } = &flow.kind else { return String::new() };
    let name = text::name(label);
    if !name.is_empty() {
        return name;
    }
    if !variant.is_empty() {
        return wording(error_named(graph, flow.from, variant), variant);
    }
    let others = graph
        .outgoing(flow.from)
        .any(|other| matches!(&other.kind, FlowKind::Error { variant, .. } if !variant.is_empty()));
    if others { "Other failure" } else { "Failed" }.to_owned()
}

/// An error in words: its label, else its variant.
pub(super) fn wording(facts: Option<&ErrorFacts>, variant: &str) -> String {
    let known = facts.map(|error| text::name(&error.label)).filter(|label| !label.is_empty());
    let text = known.unwrap_or_else(|| humanise(variant));
    let mut chars = text.chars();
    chars.next().into_iter().flat_map(char::to_uppercase).chain(chars).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_are_alike_are_numbered_past_those_that_are_taken() {
        let texts = ["a", "a", "a (2)", "b", "a"].map(str::to_owned);
        assert_eq!(distinct(&texts), ["a", "a (3)", "a (2)", "b", "a (4)"]);
    }

    #[test]
    fn a_message_is_received_in_small_letters_unless_it_is_written_in_capitals() {
        assert_eq!(
            ["New card", "HTTP answer", "", "A"].map(uncapitalised),
            ["new card", "HTTP answer", "", "a"]
        );
    }
}
