//! The code that stands together in one process or one test: what belongs to it, and what cannot stand side by side.
//! Names are all that a journal has to find code again, so no two things may share one. It knows no run.

use std::collections::{BTreeMap, BTreeSet};
use std::ptr;

use workflow_graph::suggest::closest;
use workflow_graph::{NodeKind, Source, Trigger};

use crate::whereabouts::all_graphs;
use crate::{Definition, StepDef};

impl Definition {
    /// Where the function stands.
    pub fn source(&self) -> &'static Source {
        &self.graph().source
    }

    /// Whether it is the same function: two may have one name and version by mistake.
    pub fn is_same_code(&self, other: &Definition) -> bool {
        let same_name = (self.name, self.version) == (other.name, other.version);
        same_name && (ptr::eq(self.graph(), other.graph()) || self.graph() == other.graph())
    }

    /// The names of the messages that runs of this workflow begin with or wait for, also inside of subflows.
    pub fn messages(&self) -> BTreeSet<&'static str> {
        let graphs = all_graphs(self.graph());
        let nodes = graphs.iter().flat_map(|graph| graph.nodes.iter());
        let received = nodes.filter_map(|node| match &node.kind {
            NodeKind::Receive { message, .. } => Some(&**message),
            _ => None,
        });
        let begins_with = match &self.graph().trigger {
            Trigger::Message(message) => Some(&**message),
            _ => None,
        };
        received.chain(begins_with).collect()
    }
}

/// These workflows and all that they start as children, and so on; each function once.
pub fn with_children(definitions: impl IntoIterator<Item = Definition>) -> Vec<Definition> {
    let mut known: Vec<Definition> = Vec::new();
    let mut waiting: Vec<Definition> = definitions.into_iter().collect();
    waiting.reverse();
    while let Some(next) = waiting.pop() {
        if !known.iter().any(|other| other.is_same_code(&next)) {
            known.push(next);
            waiting.extend(next.children().into_iter().rev());
        }
    }
    known
}

/// What cannot stand side by side, one sentence each: two workflows of one name and version, two steps of one name, a
/// former name that another step has or had too. Steps of different versions of one workflow may share names.
pub fn clashes(definitions: &[Definition]) -> Vec<String> {
    let mut clashes = same_workflows(definitions);
    clashes.extend(same_steps(definitions));
    clashes.extend(same_former_names(definitions));
    clashes
}

fn same_workflows(definitions: &[Definition]) -> Vec<String> {
    let mut clashes = Vec::new();
    for (number, one) in definitions.iter().enumerate() {
        let is_other = |other: &&Definition| {
            (one.name, one.version) == (other.name, other.version) && !one.is_same_code(other)
        };
        if let Some(other) = definitions[number + 1..].iter().find(is_other) {
            let Definition { name, version, .. } = one;
            clashes.push(format!(
                "there are two workflows `{name}`, version {version}: at {} and at {}; runs find their code by name \
                 and version, so give one of them another name, `#[workflow(name = \"..\")]`, or another version",
                one.source(),
                other.source()
            ));
        }
    }
    clashes
}

/// A step, and a workflow that comes to it.
type Use = (&'static StepDef, Definition);

/// All steps by their names, each function with the workflows that come to it.
fn steps_by_name(definitions: &[Definition]) -> BTreeMap<&'static str, Vec<Use>> {
    let mut by_name: BTreeMap<&'static str, Vec<Use>> = BTreeMap::new();
    for definition in definitions {
        for step in definition.steps() {
            by_name.entry(&step.facts.name).or_default().push((step, *definition));
        }
    }
    by_name
}

fn is_same_step(one: &StepDef, other: &StepDef) -> bool {
    one.is(other) || (one.facts.source == other.facts.source && one.facts == other.facts)
}

fn same_steps(definitions: &[Definition]) -> Vec<String> {
    let mut clashes = Vec::new();
    for (name, uses) in steps_by_name(definitions) {
        let clash = uses.iter().enumerate().find_map(|(number, one)| {
            let is_clash = |other: &&Use| {
                let are_versions = one.1.name == other.1.name && one.1.version != other.1.version;
                !are_versions && !is_same_step(one.0, other.0)
            };
            uses[number + 1..].iter().find(is_clash).map(|other| (one, other))
        });
        if let Some(((one, in_one), (other, in_other))) = clash {
            let (one, other) = (&one.facts.source, &other.facts.source);
            clashes.push(format!(
                "there are two steps `{name}`: at {one} (in the workflow `{}`) and at {other} (in `{}`); journals, \
                 limits and mocks know a step by its name, so give one of them another, `#[step(name = \"..\")]`",
                in_one.name, in_other.name
            ));
        }
    }
    clashes
}

fn same_former_names(definitions: &[Definition]) -> Vec<String> {
    let mut clashes = BTreeSet::new();
    for definition in definitions {
        let steps = definition.steps();
        for (number, one) in steps.iter().enumerate() {
            for former in one.facts.was.iter() {
                let (name, at) = (&one.facts.name, &one.facts.source);
                let begin = format!("the step `{name}` ({at}) was called `{former}` before");
                let has_it =
                    steps.iter().find(|other| other.facts.name == *former && !is_same_step(one, other));
                if let Some(other) = has_it {
                    clashes.insert(format!(
                        "{begin}, and so is now another step of the workflow `{}` ({}): journals from then cannot be \
                         told apart; give that one another name, or drop the `was`",
                        definition.name, other.facts.source
                    ));
                }
                let had_it = steps[number + 1..].iter().find(|other| other.facts.was.contains(former));
                if let Some(other) = had_it.filter(|other| !is_same_step(one, other)) {
                    clashes.insert(format!(
                        "{begin}, and so was `{}` ({}): a journal from then cannot tell which of them it means; drop \
                         one `was`",
                        other.facts.name, other.facts.source
                    ));
                }
            }
        }
    }
    clashes.into_iter().collect()
}

/// What to tell somebody who sends a message that none of these workflows waits for or begins with; `None` when one
/// does.
pub fn explain_unknown_message(message: &str, definitions: &[Definition]) -> Option<String> {
    let knows = |name: &str| definitions.iter().find(|definition| definition.messages().contains(name));
    if knows(message).is_some() {
        return None;
    }
    let all: BTreeSet<&str> = definitions.iter().flat_map(Definition::messages).collect();
    let all: Vec<&str> = all.into_iter().collect();
    let meant = closest(message, &all).and_then(|meant| Some((meant, knows(meant)?)));
    let hint = match meant {
        Some((name, workflow)) => {
            format!(
                "did you mean `{name}`? The workflow `{}` ({}) knows that one",
                workflow.name,
                workflow.source()
            )
        }
        None => "is the workflow registered?".to_owned(),
    };
    let text = format!("no registered workflow waits for the message `{message}` or begins with it; {hint}");
    Some(format!("{text} (WF070, docs/errors/WF070.md)"))
}
