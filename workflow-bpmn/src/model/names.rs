//! What people read on elements that the author did not name: blocks, races, starts, ends, errors.
//! It decides wording only, never what is drawn.

use std::collections::BTreeSet;

use workflow_graph::{ErrorFacts, Flow, FlowKind, Graph, NodeIndex, NodeKind, Outcome, Trigger, humanise};

use crate::text;

use super::thrown::error_named;

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
            let titles: Vec<String> =
                graph.outgoing(index).map(|flow| graph.nodes[flow.to].title()).collect();
            format!("First of: {}", titles.join(", "))
        }
        (NodeKind::End(_), _) => humanise(without_number(graph, &node.id)),
        (NodeKind::TimerAt { text }, _) => spoken(text),
        (NodeKind::Timer(span), _) if span.iso.is_empty() => spoken(&span.text),
        (NodeKind::Compensate, _) => UNDO.to_owned(),
        (NodeKind::Child(child), _) if child.detached => format!("Start: {}", node.title()),
        _ => node.title(),
    };
    let name = text::name(&name);
    let needs_none = matches!(node.kind, NodeKind::Merge | NodeKind::Fork | NodeKind::Join | NodeKind::Race);
    if name.is_empty() && !needs_none { humanise(&node.id) } else { name }
}

/// Two ends of one name are the same outcome to people; the number is there to tell their ids apart.
fn without_number<'a>(graph: &Graph, id: &'a str) -> &'a str {
    let numbered =
        id.rsplit_once('_').filter(|(_, number)| number.bytes().all(|digit| digit.is_ascii_digit()));
    numbered.map(|(name, _)| name).filter(|name| graph.index_of(name).is_some()).unwrap_or(id)
}

/// An expression that only names something, in words: `order.ship_at`. What computes stays as it is written.
fn spoken(text: &str) -> String {
    let names = text.replace("()", "");
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | ':' | '&');
    if names.chars().all(is_plain) { humanise(&names.replace("::", ".")) } else { text.to_owned() }
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
    let title = graph.nodes[flow.from].title();
    match (&flow.kind, &graph.nodes[flow.from].kind) {
        (FlowKind::Error { .. }, _) => text::name(&format!("{title}: {}", of_error(graph, flow))),
        (FlowKind::Timeout, NodeKind::Receive { deadline: Some(deadline), .. }) => text::name(&deadline.text),
        _ => text::name(&title),
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

/// A schedule in words, where it is one of the usual ones.
fn schedule(cron: &str) -> String {
    let fields: Vec<&str> = cron.split_whitespace().collect();
    let number = |field: &str| field.parse::<u32>().ok();
    let [minute, hour, day, month, weekday] = fields[..] else { return "On schedule".to_owned() };
    let days = match (day, month, weekday) {
        ("*", "*", "*") => "Every day".to_owned(),
        ("*", "*", "1-5") => "Monday to Friday".to_owned(),
        ("*", "*", weekday) => match number(weekday).and_then(|day| WEEKDAYS.get(day as usize)) {
            Some(weekday) => format!("Every {weekday}"),
            None => return "On schedule".to_owned(),
        },
        (day, "*", "*") => match number(day) {
            Some(day) => format!("Day {day} of every month"),
            None => return "On schedule".to_owned(),
        },
        _ => return "On schedule".to_owned(),
    };
    match (number(hour), number(minute)) {
        (Some(hour), Some(minute)) => format!("{days} at {hour:02}:{minute:02}"),
        _ => "On schedule".to_owned(),
    }
}

/// As cron counts them.
const WEEKDAYS: [&str; 8] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_schedules_are_read_out() {
        assert_eq!(schedule("0 6 * * *"), "Every day at 06:00");
        assert_eq!(schedule("30 17 * * 1-5"), "Monday to Friday at 17:30");
        assert_eq!(schedule("0 0 * * 7"), "Every Sunday at 00:00");
        assert_eq!(schedule("15 4 1 * *"), "Day 1 of every month at 04:15");
        for other in ["*/5 * * * *", "0 6 1 1 *", "0 6 * * MON", "nonsense"] {
            assert_eq!(schedule(other), "On schedule");
        }
    }
}
