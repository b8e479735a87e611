//! Reading a lock file: its versions first, and the nodes of a version when somebody asks for them.
//! What cannot be read is told with its line; nothing is guessed.

use std::collections::BTreeMap;

use super::words::{Word, words};
use super::{FORMAT, Lock, Version, VersionState};
use crate::lock::LockError;
use crate::lock::automaton::{Act, Automaton, Many, Move, State, StepAct, UndoAct};
use crate::lock::names::Names;
use crate::{FlowKind, Outcome, Text, Wire};

const REMEDY: &str = "take the file from your version control, or write it anew with `cargo workflow lock`";

fn error(line: u32, text: &str) -> LockError {
    LockError { line, text: format!("{text}; {REMEDY}") }
}

pub(super) fn lock(text: &str) -> Result<Lock, LockError> {
    let mut lock: Option<Lock> = None;
    let mut has_format = false;
    let mut number = 0;
    for line in text.lines() {
        number += 1;
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        if ["<<<<<<<", "=======", ">>>>>>>", "|||||||"].iter().any(|mark| trimmed.starts_with(mark)) {
            return Err(error(number, "this is what a merge left behind"));
        }
        let words =
            words(trimmed).ok_or_else(|| error(number, "a quotation mark or an escape is not closed"))?;
        let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
        match (&texts[..], &mut lock) {
            (["format", format], None) if !has_format => {
                match format.parse::<u32>() {
                    Ok(FORMAT) => has_format = true,
                    Ok(later) if later > FORMAT => {
                        let text = format!(
                            "this lock has the format {later}, which is newer than this version of the library \
                             knows ({FORMAT}); update the library, or take the older lock from your version control"
                        );
                        return Err(LockError { line: number, text });
                    }
                    _ => return Err(error(number, "this is no format of a lock")),
                };
            }
            (["workflow", name], None) if has_format => lock = Some(Lock::named(name)),
            (["version", version, state], Some(lock)) => {
                let version = version.parse().ok().filter(|version| *version > 0);
                let (Some(version), Some(state)) = (version, state_of(state)) else {
                    return Err(error(
                        number,
                        "a version has a number and is `active`, `draining` or `retired`",
                    ));
                };
                if lock.version(version).is_some() {
                    return Err(error(number, "this version is there twice"));
                }
                lock.versions.push(Version {
                    number: version,
                    state,
                    line: number,
                    retired: Vec::new(),
                    accepted: Vec::new(),
                    lines: Vec::new(),
                    places: Vec::new(),
                });
            }
            (texts, Some(lock)) if !lock.versions.is_empty() => {
                let last = lock.versions.len() - 1;
                let version = &mut lock.versions[last];
                match texts {
                    ["patch", patch, "retired"] if !words[0].is_quoted => {
                        version.retired.push((*patch).to_owned())
                    }
                    ["patch", _, "open"] if !words[0].is_quoted => {}
                    ["accepted", reason] if !words[0].is_quoted => {
                        version.accepted.push((*reason).to_owned());
                    }
                    _ => {
                        version.lines.push(line.trim_end().to_owned());
                        version.places.push(number);
                    }
                }
            }
            _ => return Err(error(number, "this is no lock file: it begins with `format` and `workflow`")),
        }
    }
    lock.ok_or_else(|| error(number.max(1), "this is no lock file: it begins with `format` and `workflow`"))
}

fn state_of(word: &str) -> Option<VersionState> {
    let all = [VersionState::Active, VersionState::Draining, VersionState::Retired];
    all.into_iter().find(|state| state.word() == word)
}

/// What a version in a lock says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Section {
    /// The types of the arguments.
    pub takes: String,
    /// Whether runs have a deadline.
    pub has_deadline: bool,
    /// The checks that are switched off, each with the reason.
    pub allowances: Vec<(String, String)>,
    /// The nodes of all flows.
    pub nodes: Vec<Line>,
    /// Where the nodes of each flow begin.
    flows: BTreeMap<String, usize>,
}

/// A node in a lock.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The line of the file.
    pub line: u32,
    flow: usize,
    node: usize,
    id: String,
    kind: String,
    values: BTreeMap<String, String>,
    flags: Vec<String>,
    errors: Vec<Text>,
    wires: Vec<Wire>,
    guard: u64,
    ways: Vec<(String, FlowKind)>,
}

impl Line {
    pub(super) fn patch(&self) -> Option<&str> {
        if self.kind == "switch" { Some(self.value("patch")) } else { None }
    }

    fn value(&self, key: &str) -> &str {
        self.values.get(key).map_or("", String::as_str)
    }

    fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|other| other == flag)
    }
}

pub(super) fn section(lines: &[String], places: &[u32]) -> Result<Section, LockError> {
    let mut section = Section::default();
    let (mut flow, mut node) = (None, 0);
    for (line, &place) in lines.iter().zip(places) {
        let Some(words) = words(line) else { return Err(error(place, "a quotation mark is not closed")) };
        let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
        if line.starts_with(' ') {
            let flow = flow.ok_or_else(|| error(place, "a node stands in a `flow`"))?;
            section.nodes.push(self::line(&words, place, flow, node)?);
            node += 1;
            continue;
        }
        match texts[..] {
            ["takes", takes] => section.takes = takes.to_owned(),
            ["deadline"] => section.has_deadline = true,
            ["allow", rule, reason] => section.allowances.push((rule.to_owned(), reason.to_owned())),
            ["flow", name] => {
                flow = Some(flow.map_or(0, |flow| flow + 1));
                node = 0;
                if section.flows.insert(name.to_owned(), section.nodes.len()).is_some() {
                    return Err(error(place, "two flows have one name"));
                }
            }
            _ => return Err(error(place, "this is no line of a lock")),
        }
    }
    Ok(section)
}

fn line(words: &[Word], place: u32, flow: usize, node: usize) -> Result<Line, LockError> {
    let wrong = |text: &str| error(place, text);
    let [id, kind, rest @ ..] = words else { return Err(wrong("a node has an id and a kind")) };
    let mut line = Line {
        line: place,
        flow,
        node,
        id: id.text.clone(),
        kind: kind.text.clone(),
        values: BTreeMap::new(),
        flags: Vec::new(),
        errors: Vec::new(),
        wires: Vec::new(),
        guard: 0,
        ways: Vec::new(),
    };
    let mut rest = rest.iter().peekable();
    while let Some(word) = rest.next() {
        match (word.key.as_deref(), word.text.as_str()) {
            (Some("error"), error) => line.errors.push(error.to_owned().into()),
            (Some("wire"), "output") => line.wires.push(Wire::Output),
            (Some("wire"), position) => {
                let position = position.parse().map_err(|_| wrong("a wire is `output` or a number"))?;
                line.wires.push(Wire::Argument(position));
            }
            (Some("guard"), guard) => {
                line.guard =
                    u64::from_str_radix(guard, 16).map_err(|_| wrong("a guard is a hexadecimal number"))?;
            }
            (Some(key), value) => {
                line.values.insert(key.to_owned(), value.to_owned());
            }
            (None, "->") if !word.is_quoted => {
                let to = rest.next().ok_or_else(|| wrong("`->` leads to a node"))?.text.clone();
                let when = rest.next_if(|word| !word.is_quoted && word.key.is_none() && word.text != "->");
                let mut text = || {
                    let word = rest.next().ok_or_else(|| wrong("a way says when it is taken"))?;
                    Ok::<Text, LockError>(word.text.clone().into())
                };
                let label = Text::default;
                let kind = match when.map(|word| word.text.as_str()) {
                    None => FlowKind::Next,
                    Some("if") => FlowKind::Answer { label: label(), condition: text()?, default: false },
                    Some("else") => FlowKind::Answer { label: label(), condition: text()?, default: true },
                    Some("error") => FlowKind::Error { variant: text()?, label: label() },
                    Some("timeout") => FlowKind::Timeout,
                    Some(_) => {
                        return Err(wrong("a way is taken `if`, `else`, on an `error` or a `timeout`"));
                    }
                };
                line.ways.push((to, kind));
            }
            (None, flag) => line.flags.push(flag.to_owned()),
        }
    }
    Ok(line)
}

/// What [`Section::automaton`] borrows from.
pub struct Parts<'a> {
    states: Vec<State<'a>>,
    moves: Vec<Move<'a>>,
    section: &'a Section,
}

impl Parts<'_> {
    /// The automaton.
    pub fn automaton(&self) -> Automaton<'_> {
        Automaton {
            states: &self.states,
            moves: &self.moves,
            takes: &self.section.takes,
            has_deadline: self.section.has_deadline,
        }
    }
}

impl Section {
    /// What is compared when a lock is held against the code.
    pub(super) fn without_places(mut self) -> Section {
        for node in &mut self.nodes {
            node.line = 0;
            for (_, when) in &mut node.ways {
                if let FlowKind::Answer { condition, .. } = when
                    && node.guard != 0
                {
                    *condition = Text::default();
                }
            }
        }
        self
    }

    /// The automaton of the locked code. Changes in `retired` are those from before which no unfinished run is left.
    ///
    /// # Errors
    /// When a line names what is not there.
    pub fn automaton(&self, retired: &[String]) -> Result<Parts<'_>, LockError> {
        let mut places: BTreeMap<(usize, &str), usize> = BTreeMap::new();
        for (index, node) in self.nodes.iter().enumerate() {
            if places.insert((node.flow, &node.id), index).is_some() {
                return Err(error(node.line, "two nodes have one id"));
            }
        }
        let (mut states, mut moves) = (Vec::new(), Vec::new());
        for node in &self.nodes {
            let place = |id: &str| {
                let found = places.get(&(node.flow, id)).copied();
                found.ok_or_else(|| error(node.line, &format!("there is no node `{id}` in this flow")))
            };
            let first = moves.len();
            for (to, when) in &node.ways {
                moves.push(Move { to: place(to)?, when });
            }
            let scope = node.values.get("in").map(|block| place(block)).transpose()?;
            let begins = |scope: Option<usize>, flow: usize| {
                self.nodes.iter().position(|other| {
                    let block = other.values.get("in").map(String::as_str);
                    let inside = block.and_then(|block| places.get(&(other.flow, block)).copied());
                    other.flow == flow && other.kind == "start" && inside == scope
                })
            };
            let inner = match node.kind.as_str() {
                "block" => Some(begins(Some(places[&(node.flow, node.id.as_str())]), node.flow)),
                "subflow" if !node.value("flow").is_empty() => {
                    let first = self.flows.get(node.value("flow")).copied();
                    let first = first.and_then(|first| self.nodes.get(first));
                    Some(first.and_then(|first| begins(None, first.flow)))
                }
                _ => None,
            };
            let inner = match inner {
                Some(None) => return Err(error(node.line, "what this contains is not there")),
                Some(inner) => inner,
                None => None,
            };
            let many =
                node.values.get("limit").map(|limit| Many { limit, fails_fast: node.has("fails_fast") });
            states.push(State {
                id: &node.id,
                act: act(node, retired)?,
                flow: node.flow,
                node: node.node,
                scope,
                first,
                count: node.ways.len(),
                inner,
                guard: node.guard,
                many,
                line: node.line,
            });
        }
        Ok(Parts { states, moves, section: self })
    }
}

fn act<'a>(node: &'a Line, retired: &[String]) -> Result<Act<'a>, LockError> {
    Ok(match node.kind.as_str() {
        "start" => Act::Start,
        "merge" => Act::Merge,
        "step" => Act::Step(StepAct {
            name: node.value("name"),
            was: Names::NONE,
            takes: node.value("takes"),
            gives: node.value("gives"),
            errors: Names::Texts(&node.errors),
            is_pivot: node.has("pivot"),
            undo: node.values.get("undo").map(|name| UndoAct {
                name,
                was: Names::NONE,
                takes: node.value("undo_takes"),
                wiring: &node.wires,
            }),
        }),
        "timer" => Act::Timer,
        "receive" => Act::Receive { message: node.value("message"), is_forever: node.has("forever") },
        "send" => Act::Send { message: node.value("message") },
        "child" => Act::Child {
            workflow: node.value("workflow"),
            detached: node.has("detached"),
            gives: node.value("gives"),
            errors: Names::Texts(&node.errors),
        },
        "subflow" => Act::Subflow { name: node.value("flow") },
        "block" => Act::Block,
        "fork" => Act::Fork,
        "join" => Act::Join,
        "race" => Act::Race,
        "decision" => Act::Decision,
        "switch" => {
            let patch = node.value("patch");
            Act::Switch { patch, is_retired: retired.iter().any(|other| other == patch) }
        }
        "compensate" => Act::Undo,
        "success" => Act::End(Outcome::Success),
        "failure" => Act::End(Outcome::Failure),
        "continues" => Act::End(Outcome::Continued),
        other => return Err(error(node.line, &format!("`{other}` is no kind of node"))),
    })
}
