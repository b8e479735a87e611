//! A graph as text: one line per node, with the ways that leave it. For snapshots, reviews and error messages.
//! It shows structure only; people who do not read code get the diagram.

use std::fmt;

use crate::{FlowKind, Graph, Instances, Node, NodeKind, Outcome, Trigger};

impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} v{}", self.workflow, self.version)?;
        if let Trigger::Message(message) = &self.trigger {
            write!(f, " on {message}")?;
        }
        writeln!(f)?;
        for (index, node) in self.nodes.iter().enumerate() {
            let ways: Vec<String> = self
                .outgoing(index)
                .map(|flow| format!("{}-> {}", when(&flow.kind), self.nodes[flow.to].id))
                .collect();
            let what = what(node);
            let label = if node.label.is_empty() { String::new() } else { format!(" \"{}\"", node.label) };
            let separator = if ways.is_empty() { "" } else { " " };
            let indent = "  ".repeat(self.depth(index) + 1);
            let instances = node.instances.as_ref().map(many).unwrap_or_default();
            writeln!(f, "{indent}{}: {what}{instances}{label}{separator}{}", node.id, ways.join(", "))?;
        }
        Ok(())
    }
}

fn what(node: &Node) -> String {
    match &node.kind {
        NodeKind::Start => "start".to_owned(),
        NodeKind::Step(step) if step.name == node.id => "step".to_owned(),
        NodeKind::Step(step) => format!("step {}", step.name),
        NodeKind::Timer(span) => format!("timer {}", span.text),
        NodeKind::Receive { message, deadline: Some(span) } => {
            format!("receive {message} within {}", span.text)
        }
        NodeKind::Receive { message, deadline: None } => format!("receive {message}"),
        NodeKind::TimerAt { text } => format!("timer at {text}"),
        NodeKind::Send { message, publishes: false } => format!("send {message}"),
        NodeKind::Send { message, publishes: true } => format!("publish {message}"),
        NodeKind::Child(child) if child.detached => format!("detached child {}", child.workflow),
        NodeKind::Child(child) => format!("child {}", child.workflow),
        NodeKind::Subflow(subflow) => format!("subflow {}", subflow.name),
        NodeKind::Block => "block".to_owned(),
        NodeKind::Fork => "fork".to_owned(),
        NodeKind::Join => "join".to_owned(),
        NodeKind::Race => "race".to_owned(),
        NodeKind::VersionSwitch { patch } => format!("version switch {patch}"),
        NodeKind::Compensate => "compensate".to_owned(),
        NodeKind::Decision { question } => format!("decision \"{question}\""),
        NodeKind::Merge => "merge".to_owned(),
        NodeKind::End(Outcome::Success) => "success".to_owned(),
        NodeKind::End(Outcome::Failure) => "failure".to_owned(),
        NodeKind::End(Outcome::Continued) => "continues as new".to_owned(),
    }
}

fn many(instances: &Instances) -> String {
    let limit =
        if instances.limit.is_empty() { String::new() } else { format!(", {} at a time", instances.limit) };
    let until = if instances.fails_fast { ", until one fails" } else { "" };
    format!(" for each{limit}{until}")
}

fn when(kind: &FlowKind) -> String {
    match kind {
        FlowKind::Next => String::new(),
        FlowKind::Answer { label, default: true, .. } => format!("[{label}, default] "),
        FlowKind::Answer { label, .. } => format!("[{label}] "),
        FlowKind::Error { variant, .. } if variant.is_empty() => "error ".to_owned(),
        FlowKind::Error { variant, .. } => format!("error {variant} "),
        FlowKind::Timeout => "timeout ".to_owned(),
    }
}
