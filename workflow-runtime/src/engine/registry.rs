//! Which workflows this process has code for, checked before anything runs.
//! It knows definitions, not runs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use workflow_core::{Definition, Resources, StepDef};
use workflow_graph::{Graph, NodeKind, Trigger};

use super::schedules::Scheduled;

/// Workflows by name and version.
#[derive(Default)]
pub(crate) struct Registry {
    definitions: BTreeMap<(&'static str, u32), Definition>,
    /// The workflows that begin with a message, by its name: of each the highest version.
    starters: BTreeMap<&'static str, Vec<Definition>>,
    /// The names of all messages that a workflow waits for or begins with.
    messages: BTreeSet<&'static str>,
    /// In the order of their names; of each workflow the newest version decides.
    schedules: Vec<Arc<Scheduled>>,
}

impl Registry {
    /// Takes all definitions, or says everything that is wrong with them.
    pub(crate) fn of(
        definitions: Vec<Definition>,
        resources: &Resources,
        has_transactions: bool,
    ) -> Result<Registry, Vec<String>> {
        let mut registry = Registry::default();
        let mut defects = Vec::new();
        for definition in definitions {
            let Definition { name, version, .. } = definition;
            if registry.definitions.insert((name, version), definition).is_some() {
                defects.push(format!("the workflow `{name}`, version {version}, is registered twice"));
            }
        }
        registry.add_children(&mut defects);
        for definition in registry.definitions.values() {
            let name = definition.name;
            for step in definition.steps() {
                if step.is_transactional() && !has_transactions {
                    let step = &step.facts.name;
                    defects.push(format!(
                        "the step `{step}` of the workflow `{name}` is transactional (`&mut Tx`), and the store has \
                         no transactions for steps: use a store that has, such as `Sqlite`, or take a connection \
                         as `Resource<T>` in place of `&mut Tx`"
                    ));
                }
                for need in step.resources.iter().filter(|need| !resources.meets(need)) {
                    let (step, need) = (&step.facts.name, need.type_name());
                    defects.push(format!(
                        "the step `{step}` of the workflow `{name}` needs a resource of type `{need}`: \
                         hand one over with `.resource(..)`"
                    ));
                }
            }
        }
        registry.note_messages();
        for definition in registry.newest() {
            match Scheduled::of(definition) {
                Ok(scheduled) => registry.schedules.extend(scheduled.map(Arc::new)),
                Err(defect) => defects.push(defect),
            }
        }
        if defects.is_empty() { Ok(registry) } else { Err(defects) }
    }

    /// Children come along by themselves, and theirs.
    fn add_children(&mut self, defects: &mut Vec<String>) {
        let mut parents: Vec<Definition> = self.definitions.values().copied().collect();
        while let Some(parent) = parents.pop() {
            for child in parent.children() {
                let Definition { name, version, .. } = child;
                match self.definitions.get(&(name, version)) {
                    None => {
                        self.definitions.insert((name, version), child);
                        parents.push(child);
                    }
                    Some(known) if known.graph() == child.graph() => {}
                    Some(_) => defects.push(format!(
                        "there are two workflows `{name}`, version {version}: the one that `{}` starts as a child is \
                         another one than is registered; give one of them another name or version",
                        parent.name
                    )),
                }
            }
        }
    }

    /// All steps that runs can come to, each once, by name.
    pub(crate) fn steps(&self) -> Vec<&'static StepDef> {
        let mut steps: Vec<_> = self.definitions.values().flat_map(Definition::steps).collect();
        // Different steps may have one name: those that are the same lie together all the same.
        steps.sort_by_key(|step| (&*step.facts.name, std::ptr::from_ref(*step).addr()));
        steps.dedup_by(|a, b| std::ptr::eq(*a, *b));
        steps
    }

    fn note_messages(&mut self) {
        let newest: BTreeMap<_, _> = self.definitions.values().map(|found| (found.name, *found)).collect();
        for definition in newest.into_values() {
            if let Trigger::Message(message) = &definition.graph().trigger {
                self.starters.entry(message).or_default().push(definition);
            }
        }
        self.messages.extend(self.starters.keys());
        let mut seen = Vec::new();
        for definition in self.definitions.values() {
            note_received(definition.graph(), &mut self.messages, &mut seen);
        }
    }

    /// The workflows that begin with a message of this name, in the order of their names.
    pub(crate) fn started_by(&self, message: &str) -> &[Definition] {
        self.starters.get(message).map_or(&[], Vec::as_slice)
    }

    /// What to tell somebody who sent a message that no workflow knows; `None` when one does.
    pub(crate) fn explain_unknown_message(&self, message: &str) -> Option<String> {
        if self.messages.contains(message) {
            return None;
        }
        let hint = match nearest(message, self.messages.iter().copied()) {
            Some(name) => format!("did you mean `{name}`?"),
            None => "is the workflow registered?".to_owned(),
        };
        Some(format!("no registered workflow waits for the message `{message}` or begins with it; {hint}"))
    }

    pub(crate) fn find(&self, workflow: &str, version: u32) -> Option<Definition> {
        let mut definitions = self.definitions.range(..);
        definitions.find(|((name, v), _)| *name == workflow && *v == version).map(|(_, found)| *found)
    }

    /// The newest version of each workflow.
    fn newest(&self) -> Vec<Definition> {
        let newest: BTreeMap<&str, Definition> =
            self.definitions.values().map(|definition| (definition.name, *definition)).collect();
        newest.into_values().collect()
    }

    /// The workflows that start by themselves.
    pub(crate) fn schedules(&self) -> &[Arc<Scheduled>] {
        &self.schedules
    }

    /// Whether there is code for any version of this workflow.
    pub(crate) fn knows(&self, workflow: &str) -> bool {
        self.definitions.keys().any(|(name, _)| *name == workflow)
    }

    /// What to tell somebody who asked for a workflow that is not there.
    pub(crate) fn explain_unknown(&self, workflow: &str, version: u32) -> String {
        let versions: Vec<String> = self
            .definitions
            .keys()
            .filter(|(name, _)| *name == workflow)
            .map(|(_, version)| version.to_string())
            .collect();
        if !versions.is_empty() {
            let versions = versions.join(", ");
            return format!(
                "version {version} of the workflow `{workflow}` is not registered; registered is {versions}"
            );
        }
        let names = self.definitions.keys().map(|(name, _)| *name);
        match nearest(workflow, names) {
            Some(name) => format!("the workflow `{workflow}` is not registered; did you mean `{name}`?"),
            None => format!("the workflow `{workflow}` is not registered: add `.register({workflow})`"),
        }
    }
}

/// Adds the names of the messages that a graph waits for, also inside of its subflows.
fn note_received(graph: &'static Graph, messages: &mut BTreeSet<&'static str>, seen: &mut Vec<*const Graph>) {
    if seen.contains(&std::ptr::from_ref(graph)) {
        return; // A subflow may contain itself.
    }
    seen.push(graph);
    for node in graph.nodes.iter() {
        match &node.kind {
            NodeKind::Receive { message, .. } => {
                messages.insert(message);
            }
            NodeKind::Subflow(subflow) => note_received(subflow.graph.get(), messages, seen),
            _ => {}
        }
    }
}

/// The name that was meant, if one is close enough.
fn nearest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let (distance, name) = names.map(|name| (distance(name, word), name)).min()?;
    (distance <= word.len().max(3) / 3).then_some(name)
}

/// How many letters have to change to make one word the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, other) in b.iter().enumerate() {
            let change = diagonal + usize::from(letter != *other);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_counts_changed_letters() {
        assert_eq!(distance("fulfil_order", "fulfill_order"), 1);
        assert_eq!(distance("pay", ""), 3);
        assert_eq!(distance("pay", "ship"), 4);
    }
}
