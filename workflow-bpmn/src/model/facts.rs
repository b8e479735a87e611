//! What is known beside the picture: documentation for people, extension elements for machines.
//! It decides wording only, never what is drawn.

use workflow_graph::{
    CatchUp, ChildFacts, CompensationFacts, Effect, Graph, Instances, Node, NodeKind, Outcome, Rate,
    RetryPolicy, Source, Span, StepFacts, Trigger,
};

use super::{Fact, Job, Tries};
use crate::{Detail, text};

/// The facts about the whole workflow.
pub(crate) fn of_workflow(graph: &Graph) -> Vec<Fact> {
    let mut attributes =
        vec![("name", text::one_line(&graph.workflow)), ("version", graph.version.to_string())];
    if !graph.owner.is_empty() {
        attributes.push(("owner", text::one_line(&graph.owner)));
    }
    attributes.extend(graph.deadline_ms.map(|deadline| ("deadlineMs", deadline.to_string())));
    if graph.priority != 0 {
        attributes.push(("priority", graph.priority.to_string()));
    }
    let mut facts = vec![Fact { element: "definition", attributes }];
    facts.extend(of_trigger(&graph.trigger));
    facts.extend(of_source(&graph.source));
    facts
}

fn of_trigger(trigger: &Trigger) -> Option<Fact> {
    let Trigger::Schedule { cron, timezone, catch_up } = trigger else { return None };
    let catch_up = match catch_up {
        CatchUp::Latest => "latest",
        CatchUp::All => "all",
        CatchUp::Skip => "skip",
    };
    let attributes = vec![
        ("cron", text::one_line(cron)),
        ("timezone", text::one_line(timezone)),
        ("catchUp", catch_up.to_owned()),
    ];
    Some(Fact { element: "schedule", attributes })
}

/// The author's own words about the workflow, then what begins it and how long it may take.
pub(crate) fn documentation_of_workflow(graph: &Graph) -> String {
    let mut paragraphs = vec![text::clean(graph.documentation.trim())];
    if let Trigger::Schedule { cron, timezone, catch_up } = &graph.trigger {
        let missed = match catch_up {
            CatchUp::Latest => "of the times that passed while no engine ran, the latest is made up for",
            CatchUp::All => "every time that passed while no engine ran is made up for",
            CatchUp::Skip => "times that passed while no engine ran are left out",
        };
        let (cron, timezone) = (text::one_line(cron), text::one_line(timezone));
        paragraphs.push(format!("Begins by the schedule `{cron}` ({timezone}); {missed}."));
    }
    if let Some(deadline) = graph.deadline_ms {
        let deadline = span(deadline);
        paragraphs.push(format!("A run may take {deadline}; after that, what was done is undone."));
    }
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    paragraphs.join("\n")
}

/// The work that a worker does for a node.
pub(crate) fn job_of(node: &Node) -> Option<Job> {
    let (name, tries, participant) = match &node.kind {
        NodeKind::Step(step) => (step.name.as_ref(), tries_of(step), step.participant.as_ref()),
        NodeKind::Send { message, .. } => (message.as_ref(), None, ""),
        NodeKind::Child(child) if child.detached => (child.workflow.as_ref(), None, ""),
        _ => return None,
    };
    Some(Job { name: text::one_line(name), tries, participant: text::one_line(participant) })
}

/// The work that a worker does to undo a node.
pub(crate) fn job_of_compensation(compensation: &CompensationFacts) -> Job {
    let (name, participant) = (text::one_line(&compensation.step), text::one_line(&compensation.participant));
    Job { name, tries: compensation.facts.and_then(tries_of), participant }
}

/// Nothing where the call computes it: an engine would be told what does not hold.
fn tries_of(step: &StepFacts) -> Option<Tries> {
    let RetryPolicy { attempts, initial_ms: wait_ms, .. } = step.retry;
    step.computed.retry.is_empty().then_some(Tries { attempts, wait_ms })
}

/// The facts about a node: what its step does, and where it stands in the source text.
pub(crate) fn of_node(graph: &Graph, node: &Node) -> Vec<Fact> {
    let mut facts = Vec::new();
    if let NodeKind::Step(step) = &node.kind {
        facts.push(of_step(step));
        facts.extend(of_source(&step.source));
    }
    if let NodeKind::Subflow(subflow) = &node.kind {
        facts.extend(of_source(&subflow.graph.get().source));
    }
    facts.extend(node.instances.as_ref().map(of_instances));
    if node.line > 0 {
        let place = [("file", text::one_line(&graph.source.file)), ("line", node.line.to_string())];
        let attributes = place.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        facts.push(Fact { element: "call", attributes });
    }
    facts
}

fn of_instances(instances: &Instances) -> Fact {
    let mut attributes = vec![("failsFast", instances.fails_fast.to_string())];
    if !instances.limit.is_empty() {
        attributes.push(("limit", text::one_line(&instances.limit)));
    }
    Fact { element: "instances", attributes }
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
    if step.computed.retry.is_empty() {
        let attempts = attempts.map_or_else(|| "unlimited".to_owned(), |attempts| attempts.to_string());
        attributes.push(("attempts", attempts));
        attributes.push(("initialMs", initial_ms.to_string()));
        attributes.push(("factor", factor.to_string()));
        attributes.push(("maxMs", max_ms.to_string()));
    } else {
        attributes.push(("retry", text::one_line(&step.computed.retry)));
    }
    if !step.computed.timeout.is_empty() {
        attributes.push(("timeout", text::one_line(&step.computed.timeout)));
    }
    attributes.extend(step.timeout_ms.map(|timeout| ("timeoutMs", timeout.to_string())));
    attributes.extend(step.heartbeat_ms.map(|heartbeat| ("heartbeatMs", heartbeat.to_string())));
    attributes.extend(step.concurrency.map(|concurrency| ("concurrency", concurrency.to_string())));
    attributes.extend(step.rate.map(|rate| ("rate", rate.to_string())));
    attributes.extend(participant(&step.participant));
    Fact { element: "step", attributes }
}

/// What is known of the step that undoes another, and where it stands in the source text.
pub(crate) fn of_compensation(compensation: &CompensationFacts) -> Vec<Fact> {
    if let Some(step) = compensation.facts {
        return [of_step(step)].into_iter().chain(of_source(&step.source)).collect();
    }
    let name = ("name", text::one_line(&compensation.step));
    let attributes = [name].into_iter().chain(participant(&compensation.participant)).collect();
    vec![Fact { element: "step", attributes }]
}

/// Which end of the graph an event stands for that says something at the end.
pub(crate) fn of_end(id: &str) -> Fact {
    Fact { element: "end", attributes: vec![("id", id.to_owned())] }
}

/// The other party, where one is named.
fn participant(participant: &str) -> Option<(&'static str, String)> {
    let participant = text::one_line(participant);
    (!participant.is_empty()).then_some(("participant", participant))
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
///
/// How often something is tried is technical, and nothing for people who look at the business.
pub(crate) fn documentation_of(node: &Node, detail: Detail) -> String {
    let mut paragraphs = Vec::new();
    let title = text::one_line(&node.title());
    let is_code = match &node.kind {
        NodeKind::Timer(span) => span.iso.is_empty() && node.label.is_empty(),
        NodeKind::TimerAt { .. } => node.label.is_empty(),
        _ => false,
    };
    if text::name(&title) != title && !is_code {
        paragraphs.push(title);
    }
    match &node.kind {
        NodeKind::Timer(span) => paragraphs.extend(about_wait("Waits for", span)),
        NodeKind::TimerAt { text } => paragraphs.push(format!("Waits until `{}`.", text::one_line(text))),
        NodeKind::Step(step) => paragraphs.extend(sentences_about(step, detail)),
        NodeKind::Child(child) => paragraphs.push(about_child(child)),
        NodeKind::Subflow(subflow) => {
            paragraphs.push(text::clean(subflow.graph.get().documentation.trim()));
        }
        NodeKind::VersionSwitch { patch } => paragraphs.push(format!(
            "Runs that were already past this place when the change `{}` was made keep to the old way.",
            text::one_line(patch)
        )),
        NodeKind::End(Outcome::Continued) => {
            paragraphs.push("The run begins again under the same id, with a fresh journal.".to_owned());
        }
        _ => {}
    }
    paragraphs.extend(node.instances.as_ref().map(about_instances));
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    paragraphs.join("\n")
}

/// What computes how long a message is waited for, where anything does.
pub(crate) fn documentation_of_deadline(deadline: &Span) -> String {
    about_wait("Gives up after", deadline).unwrap_or_default()
}

fn about_wait(what: &str, span: &Span) -> Option<String> {
    span.iso.is_empty().then(|| format!("{what} `{}`.", text::one_line(&span.text)))
}

/// The same about the step that undoes another.
pub(crate) fn documentation_of_compensation(compensation: &CompensationFacts, detail: Detail) -> String {
    compensation.facts.map(|step| sentences_about(step, detail).join("\n")).unwrap_or_default()
}

fn about_child(child: &ChildFacts) -> String {
    let name = text::one_line(&child.workflow);
    if child.detached {
        format!("Starts a run of the workflow `{name}` and does not wait for it.")
    } else {
        format!("A run of the workflow `{name}`; this one waits for its result.")
    }
}

fn about_instances(instances: &Instances) -> String {
    let limit = match text::one_line(&instances.limit) {
        _ if instances.is_in_turn() => "one after the other".to_owned(),
        limit if limit.is_empty() => "all at once".to_owned(),
        limit => format!("at most {limit} at a time"),
    };
    let errors = if instances.fails_fast {
        "After the first error nothing new is begun, and what is under way is waited for."
    } else {
        "All of them are waited for, whether they succeed or fail."
    };
    format!("Once for each of many values, {limit}. {errors}")
}

fn sentences_about(step: &StepFacts, detail: Detail) -> Vec<String> {
    let mut sentences = Vec::new();
    if !step.documentation.trim().is_empty() {
        sentences.push(text::clean(step.documentation.trim()));
    }
    if detail == Detail::Full {
        sentences.extend(sentences_about_attempts(step));
    }
    if step.effect == Effect::Pivot {
        sentences
            .push("The point of no return: once it has happened, nothing is undone any more.".to_owned());
    }
    sentences
}

fn sentences_about_attempts(step: &StepFacts) -> Vec<String> {
    let mut sentences = Vec::new();
    let computed =
        |what: &str, by: &str| format!("{what} is computed by the call: `{}`.", text::one_line(by));
    match step.retry.attempts {
        _ if !step.computed.retry.is_empty() => {
            sentences.push(computed("How often it is tried", &step.computed.retry));
        }
        Some(0 | 1) => sentences.push("Tried once.".to_owned()),
        Some(attempts) => sentences.push(format!("Tried up to {attempts} times, {}.", waits(&step.retry))),
        None => sentences.push(format!("Repeated until it succeeds, {}.", waits(&step.retry))),
    }
    if !step.computed.timeout.is_empty() {
        sentences.push(computed("How long one attempt may take", &step.computed.timeout));
    }
    if let Some(timeout) = step.timeout_ms {
        sentences.push(format!("One attempt may take {}.", span(timeout)));
    }
    if let Some(heartbeat) = step.heartbeat_ms {
        sentences.push(format!("It gives a sign of life every {}.", span(heartbeat)));
    }
    if let Some(concurrency) = step.concurrency {
        sentences.push(format!("At most {concurrency} at a time."));
    }
    if let Some(Rate { count, per_ms }) = step.rate {
        sentences.push(format!("At most {count} in {}.", span(per_ms)));
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
