//! Which workflows this process has code for, checked before anything runs.
//! It knows definitions, not runs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use workflow_core::{Definition, Resources, StepDef, clashes, explain_unknown_message, with_children};
use workflow_graph::suggest::closest;
use workflow_graph::{Source, Trigger};

use super::schedules::Scheduled;
use crate::store::{KnownMessage, Worker};

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
    /// Takes all definitions and their children, or says everything that is wrong with them (WF070).
    pub(crate) fn of(
        registered: Vec<Definition>,
        resources: &Resources,
        has_transactions: bool,
    ) -> Result<Registry, Vec<String>> {
        let mut defects = registered_twice(&registered);
        let all = with_children(registered);
        defects.extend(clashes(&all));
        defects.extend(all.iter().flat_map(|definition| lacks(definition, resources, has_transactions)));
        let mut registry = Registry {
            definitions: all.into_iter().map(|found| ((found.name, found.version), found)).collect(),
            ..Registry::default()
        };
        registry.note_messages();
        for definition in registry.newest() {
            match Scheduled::of(definition) {
                Ok(scheduled) => registry.schedules.extend(scheduled.map(Arc::new)),
                Err(defect) => defects.push(defect),
            }
        }
        if defects.is_empty() { Ok(registry) } else { Err(defects) }
    }

    /// All workflows, in all their versions.
    pub(crate) fn definitions(&self) -> Vec<Definition> {
        self.definitions.values().copied().collect()
    }

    /// All steps that runs can come to, each once, by name.
    pub(crate) fn steps(&self) -> Vec<&'static StepDef> {
        let mut steps: Vec<_> = self.definitions.values().flat_map(Definition::steps).collect();
        // Different steps may have one name: those that are the same lie together all the same.
        steps.sort_by_key(|step| (&*step.facts.name, step.id));
        steps.dedup_by_key(|step| step.id);
        steps
    }

    fn note_messages(&mut self) {
        let newest: BTreeMap<_, _> = self.definitions.values().map(|found| (found.name, *found)).collect();
        for definition in newest.into_values() {
            if let Trigger::Message(message) = &definition.graph().trigger {
                self.starters.entry(message).or_default().push(definition);
            }
        }
        self.messages = self.definitions.values().flat_map(Definition::messages).collect();
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
        let all: Vec<Definition> = self.definitions.values().copied().collect();
        explain_unknown_message(message, &all)
    }

    pub(crate) fn find(&self, workflow: &str, version: u32) -> Option<Definition> {
        let mut definitions = self.definitions.range(..);
        definitions.find(|((name, v), _)| *name == workflow && *v == version).map(|(_, found)| *found)
    }

    /// All workflows with their versions, as a store knows them.
    pub(crate) fn code(&self) -> Vec<(String, u32)> {
        self.definitions.keys().map(|(name, version)| ((*name).to_owned(), *version)).collect()
    }

    /// An engine with this code, as a store knows it.
    pub(crate) fn worker(&self, id: Arc<str>) -> Worker {
        let starts = |message: &&str| {
            self.started_by(message).iter().map(|found| Some((found.name.to_owned(), found.version)))
        };
        let known = self.messages.iter().flat_map(|message| {
            let starts: Vec<_> = starts(message).chain(std::iter::once(None)).collect();
            starts.into_iter().map(|starts| KnownMessage { message: (*message).to_owned(), starts })
        });
        Worker { id, code: self.code(), messages: known.collect() }
    }

    /// The highest version of this workflow that there is code for.
    pub(crate) fn newest_version(&self, workflow: &str) -> Option<u32> {
        self.definitions.keys().filter(|(name, _)| *name == workflow).map(|(_, version)| *version).max()
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

    /// What to tell somebody who asked for a workflow that is not there; `at` is where its function stands, if there
    /// is one.
    pub(crate) fn explain_unknown(&self, workflow: &str, version: u32, at: Option<&Source>) -> String {
        let at = at.map_or(String::new(), |at| format!(" ({at})"));
        let versions = self.definitions.values().filter(|known| known.name == workflow);
        let versions: Vec<String> =
            versions.map(|known| format!("{} ({})", known.version, known.source())).collect();
        let text = if !versions.is_empty() {
            let versions = versions.join(", ");
            format!(
                "version {version} of the workflow `{workflow}`{at} is not registered; registered is {versions}"
            )
        } else {
            let names: Vec<&str> = self.definitions.keys().map(|(name, _)| *name).collect();
            let meant = closest(workflow, &names);
            let meant = meant.and_then(|meant| self.definitions.values().find(|known| known.name == meant));
            let hint = match meant {
                Some(meant) => format!("did you mean `{}` ({})?", meant.name, meant.source()),
                None => format!("add `.register({workflow})`"),
            };
            format!("the workflow `{workflow}`{at} is not registered; {hint}")
        };
        format!("{text} (WF070, docs/errors/WF070.md)")
    }
}

fn registered_twice(registered: &[Definition]) -> Vec<String> {
    let is_again = |(number, definition): &(usize, &Definition)| {
        registered[..*number].iter().any(|other| other.is_same_code(definition))
    };
    let again = registered.iter().enumerate().filter(is_again).map(|(_, definition)| {
        let Definition { name, version, .. } = definition;
        format!("the workflow `{name}`, version {version}, is registered twice ({})", definition.source())
    });
    again.collect()
}

/// What steps of this workflow need and this process does not have.
fn lacks(definition: &Definition, resources: &Resources, has_transactions: bool) -> Vec<String> {
    let mut defects = Vec::new();
    let workflow = definition.name;
    for step in definition.steps() {
        let (name, at) = (&step.facts.name, &step.facts.source);
        if step.is_transactional() && !has_transactions {
            defects.push(format!(
                "the step `{name}` of the workflow `{workflow}` ({at}) is transactional (`&mut Tx`), and the store has \
                 no transactions for steps: use a store that has, such as `Sqlite`, or take a connection as \
                 `Resource<T>` in place of `&mut Tx`"
            ));
        }
        for need in step.resources.iter().filter(|need| !resources.meets(need)) {
            let hint = match resources.closest_to(need) {
                Some(other) => format!("; handed over is a `{other}`: did you mean that one?"),
                None => String::new(),
            };
            let need = need.type_name();
            defects.push(format!(
                "the step `{name}` of the workflow `{workflow}` needs a resource of type `{need}` ({at}): hand \
                 one over with `.resource(..)`{hint}"
            ));
        }
    }
    defects
}
