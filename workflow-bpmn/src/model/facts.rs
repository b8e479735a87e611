//! What is known beside the picture: documentation for people, extension elements for machines.
//! It decides wording only, never what is drawn.

use workflow_graph::{Effect, Graph, Node, NodeKind, RetryPolicy, Source, StepFacts};

use super::Fact;
use crate::text;

/// The facts about the whole workflow.
pub(crate) fn of_workflow(graph: &Graph) -> Vec<Fact> {
    let mut attributes =
        vec![("name", text::one_line(&graph.workflow)), ("version", graph.version.to_string())];
    if !graph.owner.is_empty() {
        attributes.push(("owner", text::one_line(&graph.owner)));
    }
    let mut facts = vec![Fact { element: "definition", attributes }];
    facts.extend(of_source(&graph.source));
    facts
}

/// The facts about a node: what its step does, and where it stands in the source text.
pub(crate) fn of_node(graph: &Graph, node: &Node) -> Vec<Fact> {
    let mut facts = Vec::new();
    if let NodeKind::Step(step) = &node.kind {
        facts.push(of_step(step));
        facts.extend(of_source(&step.source));
    }
    if node.line > 0 {
        let place = [("file", text::one_line(&graph.source.file)), ("line", node.line.to_string())];
        let attributes = place.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        facts.push(Fact { element: "call", attributes });
    }
    facts
}

fn of_source(source: &Source) -> Option<Fact> {
    (*source != Source::UNKNOWN).then(|| Fact {
        element: "source",
        attributes: vec![("file", text::one_line(&source.file)), ("line", source.line.to_string())],
    })
}

fn of_step(step: &StepFacts) -> Fact {
    let RetryPolicy { attempts, initial_ms, factor, max_ms } = &step.retry;
    let mut attributes =
        vec![("name", text::one_line(&step.name)), ("effect", effect(step.effect).to_owned())];
    let attempts = attempts.map_or_else(|| "unlimited".to_owned(), |attempts| attempts.to_string());
    attributes.push(("attempts", attempts));
    attributes.push(("initialMs", initial_ms.to_string()));
    attributes.push(("factor", factor.to_string()));
    attributes.push(("maxMs", max_ms.to_string()));
    attributes.extend(step.timeout_ms.map(|timeout| ("timeoutMs", timeout.to_string())));
    attributes.extend(step.heartbeat_ms.map(|heartbeat| ("heartbeatMs", heartbeat.to_string())));
    Fact { element: "step", attributes }
}

fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::Undeclared => "undeclared",
        Effect::ReadOnly => "readOnly",
        Effect::Compensatable => "compensatable",
        Effect::Pivot => "pivot",
        Effect::Retriable => "retriable",
    }
}

/// The author's own words about a node, then what a reader should know about its step, in one sentence each.
pub(crate) fn documentation_of(node: &Node) -> String {
    let mut paragraphs = Vec::new();
    let title = text::one_line(&node.title());
    if text::name(&title) != title {
        paragraphs.push(title);
    }
    if let NodeKind::Step(step) = &node.kind {
        paragraphs.extend(sentences_about(step));
    }
    paragraphs.join("\n")
}

fn sentences_about(step: &StepFacts) -> Vec<String> {
    let mut sentences = Vec::new();
    if !step.documentation.trim().is_empty() {
        sentences.push(text::clean(step.documentation.trim()));
    }
    match step.retry.attempts {
        Some(0 | 1) => sentences.push("Tried once.".to_owned()),
        Some(attempts) => sentences.push(format!("Tried up to {attempts} times, {}.", waits(&step.retry))),
        None => sentences.push(format!("Repeated until it succeeds, {}.", waits(&step.retry))),
    }
    if let Some(timeout) = step.timeout_ms {
        sentences.push(format!("One attempt may take {}.", span(timeout)));
    }
    if let Some(heartbeat) = step.heartbeat_ms {
        sentences.push(format!("It gives a sign of life every {}.", span(heartbeat)));
    }
    if step.effect == Effect::Pivot {
        sentences
            .push("The point of no return: once it has happened, nothing is undone any more.".to_owned());
    }
    sentences
}

fn waits(retry: &RetryPolicy) -> String {
    let first = span(retry.initial_ms);
    if retry.factor == 1.0 {
        return format!("waiting {first} in between");
    }
    format!(
        "waiting {first} at first, then {} times as long each time, at most {}",
        retry.factor,
        span(retry.max_ms)
    )
}

/// A length of time for people, in the largest unit that divides it.
fn span(ms: u64) -> String {
    let units = [(86_400_000, "day"), (3_600_000, "hour"), (60_000, "minute"), (1_000, "second")];
    let (size, unit) = units
        .into_iter()
        .find(|(size, _)| ms >= *size && ms.is_multiple_of(*size))
        .unwrap_or((1, "millisecond"));
    let count = ms / size;
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}
