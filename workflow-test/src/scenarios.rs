//! Scenarios: what the executions of an exploration did, in the words of the diagram, written beside the diagram, so
//! that another BPMN engine can be led the same way.
//! It tells what is in a journal; no engine is known here, and nothing is judged.

use std::collections::{BTreeSet, HashSet};
use std::ffi::OsString;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::PathBuf;

use serde::Serialize;
use workflow_bpmn::{Detail, Export, Flavour};
use workflow_core::{Command, Conclusion, Definition, Event, OpId, Record};
use workflow_graph::NodeKind;

use crate::annals::Annals;
use crate::coverage::{file_name, target_folder};
use crate::explore::TestName;
use crate::oracle::walk::{Path, Walker};

/// The variable that has all explorations write scenarios: `WORKFLOW_SCENARIOS=target/bpmn-scenarios`.
const SCENARIOS: &str = "WORKFLOW_SCENARIOS";

/// Below that folder: the same workflow as other readers get it, which judges see, and nobody follows.
const JUDGED: &str = "judged";

/// The form of the file.
const FORMAT: u32 = 1;

/// All different scenarios of one exploration, in the order in which they were found.
pub(crate) struct Scenarios {
    definition: Definition,
    folder: PathBuf,
    test: String,
    known: HashSet<u64>,
    found: Vec<serde_json::Value>,
}

#[derive(Serialize)]
struct File<'a> {
    format: u32,
    workflow: &'a str,
    version: u32,
    test: &'a str,
    scenarios: &'a [serde_json::Value],
}

/// What one run did, until it ended or continued as new.
#[derive(Serialize, Hash)]
struct Scenario {
    /// The decisions: for each flow that was taken the call of the subflow that it stands in, and its id. In order,
    /// as far as a journal tells.
    flows: Vec<(String, String)>,
    /// There were too many ways to tell apart.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    is_vague: bool,
    turns: Vec<Turn>,
    outcome: &'static str,
    /// The call of the subflow and the node of the end that was come to; none when the run was ended from outside.
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<(String, String)>,
}

/// What happened, and what the code did then.
#[derive(Serialize, Hash)]
struct Turn {
    /// `started`, `done`, `fired`, `message`, `cancelled`, `given_up`.
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    op: Option<String>,
    /// The variant of the error that it answered with, and its code.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<(String, String)>,
    /// What began, in order; compensations as `<operation>/undo`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    begun: Vec<String>,
    /// What nobody waits for any more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    gone: Vec<String>,
    /// What was told to stop; its answer still comes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stopped: Vec<String>,
}

/// What has begun so far, and what was told to stop.
#[derive(Default)]
struct Seen<'a> {
    begun: BTreeSet<&'a OpId>,
    stopped: BTreeSet<&'a OpId>,
}

impl Scenarios {
    /// `None` unless the environment asks for them.
    pub(crate) fn wanted(definition: Definition, test: &TestName) -> Option<Scenarios> {
        Scenarios::within(std::env::var_os(SCENARIOS).filter(|folder| !folder.is_empty())?, definition, test)
    }

    fn within(folder: OsString, definition: Definition, test: &TestName) -> Option<Scenarios> {
        let folder = target_folder(&PathBuf::from(folder), test.package());
        let test = test.in_program();
        Some(Scenarios { definition, folder, test, known: HashSet::new(), found: Vec::new() })
    }

    /// Looks at an execution that is over; one path per generation.
    pub(crate) fn look_at(&mut self, annals: &Annals, paths: &[Path], walker: &Walker) {
        for (journal, path) in annals.of_root().zip(paths) {
            let records: Vec<&Record> = annals.records(journal).collect();
            let scenario = Scenario::of(&records, path, walker);
            let mut hasher = DefaultHasher::new();
            scenario.hash(&mut hasher);
            if self.known.insert(hasher.finish()) {
                self.found.push(serde_json::to_value(&scenario).expect("texts are JSON"));
            }
        }
    }

    /// Writes the diagram and, beside it, what this test has found; in a folder of their own, its other files.
    /// Workflows of one name whose diagrams differ, as tests have them, are kept apart.
    pub(crate) fn write(&self) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let diagram = workflow_bpmn::to_xml(self.definition.graph());
        let mut hasher = DefaultHasher::new();
        diagram.hash(&mut hasher);
        let (name, version) = (file_name(self.definition.name), self.definition.version);
        let name = format!("{name}-v{version}-{:08x}", hasher.finish() as u32);
        replace(&self.folder.join(format!("{name}.bpmn")), &diagram)?;
        self.write_for_judges(&name)?;
        let file = File {
            format: FORMAT,
            workflow: self.definition.name,
            version,
            test: &self.test,
            scenarios: &self.found,
        };
        let json = serde_json::to_string(&file).expect("texts are JSON");
        let mut hasher = DefaultHasher::new();
        json.hash(&mut hasher);
        // A test may explore one workflow more than once, each time with other inputs.
        let file = format!("{name}.{}.{:08x}.json", file_name(&self.test), hasher.finish() as u32);
        replace(&self.folder.join(file), &json)
    }

    /// The files for engines, for people outside of the team, and for those who ask who else takes part.
    fn write_for_judges(&self, name: &str) -> io::Result<()> {
        let folder = self.folder.join(JUDGED);
        fs::create_dir_all(&folder)?;
        let export = || Export::of(self.definition.graph());
        let files = [
            ("camunda7", export().flavour(Flavour::Camunda7)),
            ("camunda8", export().flavour(Flavour::Camunda8)),
            ("business", export().detail(Detail::Business)),
            ("parties", export().collaboration(true)),
        ];
        for (kind, export) in files {
            replace(&folder.join(format!("{name}.{kind}.bpmn")), &export.xml())?;
        }
        Ok(())
    }
}

/// Tests run side by side, and several write the same diagram: whoever reads sees all of a file.
fn replace(file: &std::path::Path, text: &str) -> io::Result<()> {
    let thread = format!("{:?}", std::thread::current().id());
    let mut draft = file.as_os_str().to_owned();
    draft.push(format!(".{}-{}.tmp", std::process::id(), file_name(&thread)));
    fs::write(&draft, text)?;
    fs::rename(&draft, file)
}

impl Scenario {
    fn of(records: &[&Record], path: &Path, walker: &Walker) -> Scenario {
        let graphs: Vec<_> = walker.graphs().collect();
        let mut calls = path.calls.iter().peekable();
        let mut call = "";
        let mut flows = Vec::new();
        let mut end = None;
        for (position, &(map, flow)) in path.flows.iter().enumerate() {
            while let Some((_, next)) = calls.next_if(|(from, _)| *from <= position) {
                call = next;
            }
            let graph = graphs[map];
            flows.push((call.to_owned(), graph.flow_id(flow)));
            let to = &graph.nodes[graph.flows[flow].to];
            end = matches!(to.kind, NodeKind::End(_)).then(|| (call.to_owned(), to.id.to_string()));
        }
        let mut seen = Seen::default();
        let turns: Vec<Turn> =
            records.iter().filter_map(|record| Turn::of(record, &mut seen, walker)).collect();
        let outcome = match records.last().and_then(|record| record.commands.last()) {
            Some(Command::Finish(Conclusion::Completed(_))) => "completed",
            Some(Command::Finish(Conclusion::Failed { .. })) => "failed",
            Some(Command::Finish(Conclusion::Cancelled { .. })) => "cancelled",
            Some(Command::Continue { .. }) => "continued",
            _ => "unfinished",
        };
        let ended = matches!(outcome, "completed" | "failed" | "continued");
        Scenario { flows, is_vague: path.is_vague, turns, outcome, end: end.filter(|_| ended) }
    }
}

impl Turn {
    /// `None` when nothing happened that a diagram shows, such as another attempt.
    fn of<'a>(record: &'a Record, seen: &mut Seen<'a>, walker: &Walker) -> Option<Turn> {
        let op = record.event.op();
        let was_stopped = op.is_some_and(|op| seen.stopped.contains(op));
        let (mut begun, mut gone, mut stopped) = (Vec::new(), Vec::new(), Vec::new());
        for command in &record.commands {
            match command {
                Command::Withdraw { op } => gone.push(op.to_string()),
                Command::CancelStep { op } | Command::CancelChild { op } => {
                    seen.stopped.insert(op);
                    stopped.push(op.to_string());
                }
                _ => {
                    begun.extend(begins(command).filter(|op| seen.begun.insert(op)).map(ToString::to_string))
                }
            }
        }
        let is_silent = begun.is_empty() && gone.is_empty() && stopped.is_empty() && !was_stopped;
        let (event, error) = match &record.event {
            Event::Started { .. } => ("started", None),
            Event::StepCompleted { op, error, .. } => {
                let code = |variant: &String| (variant.clone(), walker.code(op, variant));
                ("done", error.as_ref().map(code))
            }
            Event::MessageReceived { .. } => ("message", None),
            Event::TimerFired { .. } => ("fired", None),
            Event::ChildEnded { op, conclusion: Conclusion::Failed { code, .. } } => {
                ("done", Some((walker.variant(op.node(), code).to_owned(), code.clone())))
            }
            Event::ChildStarted { .. } | Event::ChildEnded { .. } | Event::Skipped { .. } => ("done", None),
            Event::CancelRequested { .. } => ("cancelled", None),
            Event::GivenUp { .. } => ("given_up", None),
            _ if is_silent => return None,
            _ => ("other", None),
        };
        Some(Turn { event, op: op.map(ToString::to_string), error, begun, gone, stopped })
    }
}

/// The operation that this command begins, compensations included.
fn begins(command: &Command) -> Option<&OpId> {
    let op = match command {
        Command::StartStep { op, .. }
        | Command::SetTimer { op, .. }
        | Command::AwaitMessage { op, .. }
        | Command::StartChild { op, .. }
        | Command::Send { op, .. } => op,
        _ => return None,
    };
    (!op.is_deadline()).then_some(op)
}
