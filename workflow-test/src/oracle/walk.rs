//! Graph soundness: everything a run did is a way through the static graph, so each test tests the diagram.
//! It knows the graph and the journal; it does not know the code.
//!
//! A run is played as a token game: a token leaves an operation when its event comes, is split by forks and put
//! together by joins, and shows where it is when the next operation begins. Control flow between two operations is not
//! in the journal; where it leaves several ways open, all are followed.

mod map;
mod regions;
mod seek;
mod token;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use workflow_core::{Command, Conclusion, Event, OpId, Payload, Record};
use workflow_graph::{Graph, NodeIndex, NodeKind, Outcome};

use crate::atlas::graphs_of;
use crate::violation::{Oracle, Violation};
use map::Map;
use seek::{Found, Goal, Visit};
use token::{Answer, Call, Segment, Step, Token};

/// More ways than that are not told apart any more.
const MOST_STATES: usize = 64;

/// The way of one run. Where control flow between two operations leaves several ways open, it is the shortest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Path {
    /// The nodes that were come to, each with its graph's place in [`graphs_of`].
    pub(crate) nodes: Vec<(usize, NodeIndex)>,
    /// The flows that were taken.
    pub(crate) flows: Vec<(usize, usize)>,
    /// From which place in `flows` on they stand in another call of a subflow, with its id; first in none.
    pub(crate) calls: Vec<(usize, String)>,
    /// The subflows that came to their end.
    pub(crate) scopes: Vec<ScopeEnd>,
    /// Operations that a failure beside them ended, and the rows in which the code went on.
    pub(crate) dropped: Vec<(String, usize)>,
    /// Subflows that a failure beside them broke off, and the rows in which the code went on.
    pub(crate) broken_off: Vec<(String, usize)>,
    /// The scopes that were undone on purpose, the workflow's own without a name; and the rows in which the code
    /// went on.
    pub(crate) compensated: Vec<(String, usize)>,
    /// There were too many ways: one on which subflows ended otherwise may have been left out.
    pub(crate) is_vague: bool,
}

/// That a subflow came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ScopeEnd {
    pub(crate) scope: String,
    pub(crate) outcome: Outcome,
    /// The row in which what comes after it began.
    pub(crate) row: usize,
}

/// The graphs of a workflow, prepared for being walked.
pub(crate) struct Walker {
    maps: Vec<Map>,
}

/// One way in which the run may have come where it is.
struct State<'a> {
    token: Token<'a>,
    steps: Vec<Step<'a>>,
    is_vague: bool,
}

/// What happened last, for people; put into words where a run has left the graph, which hardly any does.
struct Said<'a> {
    /// `None` at the beginning.
    op: Option<&'a OpId>,
    answer: Answer<'a>,
    node: &'a str,
}

impl<'a> Said<'a> {
    fn of(op: &'a OpId, answer: Answer<'a>) -> Said<'a> {
        Said { op: Some(op), answer, node: op.node() }
    }

    fn text(&self) -> String {
        self.op.map_or("at its beginning".to_owned(), |op| format!("after `{op}`{}", self.answer.text()))
    }
}

impl Walker {
    pub(crate) fn new(graph: &'static Graph) -> Walker {
        Walker { maps: Map::all(&graphs_of(graph)) }
    }

    /// Whether the code of this scope undoes on purpose.
    pub(crate) fn compensates(&self, scope: Option<&OpId>) -> bool {
        let map = scope.map_or(Some(0), |scope| {
            let (map, node) = self.place_of(scope)?;
            self.maps[map].inside[node]
        });
        let nodes = map.map_or(&[][..], |map| &self.maps[map].graph.nodes);
        nodes.iter().any(|node| node.kind == NodeKind::Compensate)
    }

    /// Whether the call says `.without_compensation()`: then its node shows a step that cannot be undone.
    pub(crate) fn says_without_compensation(&self, op: &OpId) -> bool {
        let Some((map, node)) = self.place_of(op) else { return false };
        matches!(&self.maps[map].graph.nodes[node].kind, NodeKind::Step(step) if step.compensation.is_none())
    }

    /// The node of an operation, and its map.
    pub(crate) fn place_of(&self, op: &OpId) -> Option<(usize, NodeIndex)> {
        let (mut map, mut segment) = (0, Segment::at(op.as_str(), 0));
        loop {
            let node = self.maps[map].node(segment.node)?;
            let Some(from) = segment.next else { return Some((map, node)) };
            map = self.maps[map].inside[node]?;
            segment = Segment::at(op.as_str(), from);
        }
    }

    /// Whether this operation is one of several of which the first wins.
    pub(crate) fn is_in_race(&self, op: &OpId) -> bool {
        let Some((map, node)) = self.place_of(op) else { return false };
        let graph = self.maps[map].graph;
        graph.flows.iter().any(|flow| flow.to == node && graph.nodes[flow.from].kind == NodeKind::Race)
    }

    /// Tells what goes on one after the other from what goes on beside it: the same for all operations of one branch,
    /// or of one of many calls.
    pub(crate) fn branch_of(&self, op: &OpId) -> u64 {
        let mut hasher = DefaultHasher::new();
        let (mut map, mut from) = (0, 0);
        loop {
            let segment = Segment::at(op.as_str(), from);
            let Some(node) = self.maps[map].node(segment.node) else { break };
            self.maps[map].branches[node].hash(&mut hasher);
            // Which of many calls it is: what stands behind the part that all of them share.
            segment.id[segment.activation.len()..].hash(&mut hasher);
            let (Some(next), Some(inside)) = (segment.next, self.maps[map].inside[node]) else { break };
            (map, from) = (inside, next);
        }
        hasher.finish()
    }

    /// Walks the ways that the journal tells; several, where it does not tell which.
    pub(crate) fn walk(&self, journal: &[&Record]) -> Result<Vec<Path>, Violation> {
        let root = &self.maps[0];
        let Some(start) = root.starts.get(&None) else {
            return Err(Violation::new(Oracle::Graph, "the graph has no start"));
        };
        let first = Step::Node { map: 0, node: start.node };
        let mut states = vec![State { token: Token::Left(start.flow), steps: vec![first], is_vague: false }];
        let mut said = Said { op: None, answer: Answer::Open, node: &root.graph.nodes[start.node].id };
        let mut begun: BTreeSet<&OpId> = BTreeSet::new();
        for (row, record) in (1..).zip(journal) {
            if let Some((op, answer)) = self.answer(&record.event)
                && begun.contains(op)
            {
                said = Said::of(op, answer);
                for state in &mut states {
                    state.token.settle(op.as_str(), answer);
                }
            }
            for command in &record.commands {
                // Nobody waits for it any more, whatever its outcome will be.
                if let Command::Withdraw { op } | Command::CancelStep { op } | Command::CancelChild { op } =
                    command
                {
                    states.iter_mut().for_each(|state| state.token.settle(op.as_str(), Answer::Gone));
                }
                let Some(op) = begins(command) else { continue };
                // Another attempt, or another round of attempts, is the same visit.
                if !begun.insert(op) {
                    continue;
                }
                states = self.begin(states, op, row, &said)?;
                if let Command::Send { .. } = command {
                    states.iter_mut().for_each(|state| state.token.settle(op.as_str(), Answer::Good));
                }
                said = Said::of(op, Answer::Open);
            }
        }
        let outcome = match journal.last().and_then(|record| record.commands.last()) {
            Some(Command::Finish(Conclusion::Completed(_))) => Outcome::Success,
            Some(Command::Finish(Conclusion::Failed { .. })) => Outcome::Failure,
            Some(Command::Continue { .. }) => Outcome::Continued,
            // A cancel ends the walk wherever it is, as does a test that ends early.
            _ => return Ok(states.into_iter().map(|state| self.path(state)).collect()),
        };
        let ended = self.follow(states, journal.len(), |state, visit, out| {
            self.seek(0, &state.token, Goal::End, visit, out);
            out.retain(
                |(token, _)| matches!(token, Token::At { outcome: found, .. } if *found == Some(outcome)),
            );
        });
        let ended = ended.map_err(|states| {
            let how = match outcome {
                Outcome::Success => "ended with a result",
                Outcome::Failure => "ended with an error",
                Outcome::Continued => "continued as new",
            };
            let text = format!("{} the run {how}; {}", said.text(), self.alternatives(&states, &said));
            Violation::new(Oracle::Graph, text)
        })?;
        Ok(ended.into_iter().map(|state| self.path(state)).collect())
    }

    /// An operation begins.
    fn begin<'a>(
        &self,
        states: Vec<State<'a>>,
        op: &'a OpId,
        row: usize,
        said: &Said<'_>,
    ) -> Result<Vec<State<'a>>, Violation> {
        let mut states = states;
        if let [state] = &mut states[..]
            && self.begin_next(state, op, row)
        {
            return Ok(states);
        }
        let goal = Goal::Begin { text: op.as_str(), from: 0 };
        let begun = self.follow(states, row, |state, visit, out| {
            self.seek(0, &state.token, goal, visit, out);
        });
        begun.map_err(|states| {
            let name = op.node();
            let text = if self.maps.iter().any(|map| map.node(name).is_some()) {
                let come = if op.scope().is_some() { op.as_str() } else { name };
                format!("{} the run came to `{come}`; {}", said.text(), self.alternatives(&states, said))
            } else {
                format!("the run came to `{name}`, which is not in the graph")
            };
            Violation::new(Oracle::Graph, text)
        })
    }

    /// The usual case, without a search: the run goes from one plain operation of its own to the next.
    fn begin_next<'a>(&self, state: &mut State<'a>, op: &'a OpId, row: usize) -> bool {
        let root = &self.maps[0];
        let segment = Segment::at(op.as_str(), 0);
        let flow = match &state.token {
            Token::Left(flow) => Some(*flow),
            Token::In { node, calls } => match &calls[..] {
                [call] if call.inside.is_none() && root.graph.nodes[*node].instances.is_none() => {
                    match self.ways_after(0, *node, call.answer)[..] {
                        [only] => Some(only),
                        _ => None,
                    }
                }
                _ => None,
            },
            _ => None,
        };
        let ways = flow.map(|flow| &root.ways[flow]);
        let next = ways.into_iter().flatten().find(|(node, _)| {
            let node = &root.graph.nodes[**node];
            node.id == segment.node && node.is_operation()
        });
        let Some((&node, flows)) = next.filter(|(node, _)| root.inside[**node].is_none()) else {
            return false;
        };
        if segment.next.is_some() {
            return false;
        }
        state.steps.push(Step::Way { map: 0, scope: "", flows: flows.clone() });
        if flow.is_some_and(|flow| root.compensating[flow].contains(&node)) {
            state.steps.push(Step::Compensated { scope: None, row });
        }
        let call = Call { id: segment.id, answer: Answer::Open, inside: None };
        state.token = Token::In { node, calls: vec![call] };
        true
    }

    /// Follows each way further; gives the ways back when none leads on.
    fn follow<'a>(
        &self,
        mut states: Vec<State<'a>>,
        row: usize,
        seek: impl Fn(&State<'a>, &mut Visit<'a>, &mut Found<'a>),
    ) -> Result<Vec<State<'a>>, Vec<State<'a>>> {
        let mut found: Vec<(usize, Token<'a>, Vec<Step<'a>>)> = Vec::new();
        for (number, state) in states.iter().enumerate() {
            let mut out = Vec::new();
            seek(state, &mut Visit::at(row), &mut out);
            found.extend(out.into_iter().map(|(token, steps)| (number, token, steps)));
        }
        if found.is_empty() {
            return Err(states);
        }
        if states.len() == 1 && found.len() == 1 {
            // The usual case, without a copy of the way so far.
            for (state, (_, token, mut more)) in states.iter_mut().zip(found) {
                state.token = token;
                state.steps.append(&mut more);
            }
            return Ok(states);
        }
        let mut followed: Vec<State<'a>> = Vec::new();
        for (number, token, more) in found {
            let steps = [&states[number].steps[..], &more].concat();
            let mut is_vague = states[number].is_vague;
            // Two ways to the same place differ only in how the subflows on them ended.
            let mut same = followed.iter_mut().filter(|other| other.token == token);
            if let Some(other) = same.find(|other| token::has_same_ends(&other.steps, &steps)) {
                other.is_vague |= is_vague;
                continue;
            }
            if followed.len() >= MOST_STATES / 2 {
                let mut is_there = false;
                for other in followed.iter_mut().filter(|other| other.token == token) {
                    (is_there, other.is_vague) = (true, true);
                }
                if is_there {
                    continue;
                }
                is_vague = true;
            }
            followed.push(State { token, steps, is_vague });
        }
        if followed.len() > MOST_STATES {
            followed.truncate(MOST_STATES);
            followed.iter_mut().for_each(|state| state.is_vague = true);
        }
        Ok(followed)
    }

    /// What the graph would have allowed.
    fn alternatives(&self, states: &[State<'_>], said: &Said<'_>) -> String {
        let names = RefCell::new(Vec::new());
        for state in states {
            self.seek(0, &state.token, Goal::Any(&names), &mut Visit::at(0), &mut Vec::new());
        }
        let names = names.into_inner();
        if !names.is_empty() {
            return format!("the graph leads from there to {} only", names.join(", "));
        }
        let mut open = Vec::new();
        states.iter().for_each(|state| state.token.open(&mut open));
        if open.is_empty() {
            return format!("no flow of the graph leaves `{}` then", said.node);
        }
        let open: Vec<String> = open.iter().map(|id| format!("`{id}`")).collect();
        format!("the graph has no second way beside the open {}", open.join(", "))
    }

    /// What an event says about an operation.
    fn answer<'a>(&self, event: &'a Event) -> Option<(&'a OpId, Answer<'a>)> {
        Some(match event {
            Event::StepCompleted { op, error: Some(variant), .. } => (op, Answer::Error(variant)),
            Event::StepCompleted { op, error: None, .. }
            | Event::MessageReceived { op, .. }
            | Event::ChildStarted { op } => (op, Answer::Good),
            Event::ChildEnded { op, conclusion: Conclusion::Completed(_) } => (op, Answer::Good),
            Event::ChildEnded { op, conclusion: Conclusion::Failed { code, .. } } => {
                (op, Answer::Error(self.variant(op.node(), code)))
            }
            Event::TimerFired { op } => (op, Answer::TimedOut),
            Event::Skipped { op, output } => (op, skipped(output)),
            Event::GivenUp { op, .. } => (op, Answer::Gone),
            _ => return None,
        })
    }

    /// The graphs that are walked: the workflow's own first, then those of its subflows.
    pub(crate) fn graphs(&self) -> impl Iterator<Item = &'static Graph> {
        self.maps.iter().map(|map| map.graph)
    }

    /// The code of an error that an operation answered with.
    pub(crate) fn code(&self, op: &OpId, variant: &str) -> String {
        let errors = self.place_of(op).map(|(map, node)| self.maps[map].graph.nodes[node].kind.errors());
        let found = errors.into_iter().flatten().find(|error| error.variant == variant);
        found.map_or(variant, |error| &error.code).to_owned()
    }

    /// The variant of a child's error with this code.
    pub(crate) fn variant<'a>(&self, node: &str, code: &'a str) -> &'a str {
        let graphs = self.maps.iter().map(|map| map.graph);
        let kinds = graphs.filter_map(|graph: &'static Graph| Some(&graph.nodes[graph.index_of(node)?].kind));
        let found = kinds.flat_map(NodeKind::errors).find(|error| error.code == code);
        found.map_or(code, |error| &error.variant)
    }

    fn path(&self, state: State<'_>) -> Path {
        let mut path = Path { is_vague: state.is_vague, ..Path::default() };
        for step in state.steps {
            match step {
                Step::Node { map, node } => path.nodes.push((map, node)),
                Step::Way { map, scope, flows } => {
                    let is_known = |(_, last): &(usize, String)| last == scope;
                    if !path.calls.last().map_or(scope.is_empty(), is_known) {
                        path.calls.push((path.flows.len(), scope.to_owned()));
                    }
                    let graph = self.maps[map].graph;
                    path.nodes.extend(flows.iter().map(|&flow| (map, graph.flows[flow].to)));
                    path.flows.extend(flows.iter().map(|&flow| (map, flow)));
                }
                Step::Scope { id, outcome, row } => {
                    path.scopes.push(ScopeEnd { scope: id.to_owned(), outcome, row });
                }
                Step::Dropped { id, row } => path.dropped.push((id.to_owned(), row)),
                Step::BrokenOff { id, row } => path.broken_off.push((id.to_owned(), row)),
                Step::Compensated { scope, row } => {
                    path.compensated.push((scope.unwrap_or_default().to_owned(), row));
                }
            }
        }
        path
    }
}

/// The operation of the code that this command begins; compensations are not the code's.
fn begins(command: &Command) -> Option<&OpId> {
    let op = match command {
        Command::StartStep { op, .. }
        | Command::SetTimer { op, .. }
        | Command::AwaitMessage { op, .. }
        | Command::StartChild { op, .. }
        | Command::Send { op, .. } => op,
        _ => return None,
    };
    (op.undoes().is_none() && !op.as_str().starts_with('*')).then_some(op)
}

/// What somebody said about an operation in place of its answer.
fn skipped(output: &Payload) -> Answer<'static> {
    if output.as_json().starts_with("{\"Err\":") { Answer::AnyError } else { Answer::Good }
}
