//! Steps that were renamed: a run keeps the ids that its journal began with, so its idempotency keys stay the same.
//! It finds out which nodes had another id; that the code passes them in the recorded order is the replay's to check.

use std::collections::{BTreeMap, BTreeSet};
use std::ptr;

use workflow_graph::{Graph, Node, NodeIndex, NodeKind, StepFacts};

use crate::whereabouts::graph_around;
use crate::{Command, Definition, OpId, Record};

/// The ids that nodes have in the journal of one run, where they are not those of the graph. A graph is known by its
/// address: there is one value of each.
#[derive(Default)]
pub(crate) struct Renames(BTreeMap<(usize, NodeIndex), String>);

impl Renames {
    /// What the journal of a run tells about steps that had another name when the run came to them.
    pub(crate) fn of(graph: &'static Graph, journal: &[&Record]) -> Renames {
        let began = || journal.iter().flat_map(|record| &record.commands).filter_map(began);
        // A journal whose ids are all there has none of a former name: such an id would be that of another operation. A
        // gateway or an end may have taken the id over.
        let mut latest = 0;
        let mut is_there = |op: &OpId| {
            // Most operations go by the id of a node, and come in the order of the text.
            let mut nodes = (latest..graph.nodes.len()).chain(0..latest);
            let is_it = |node: &Node| node.is_operation() && node.id == op.as_str();
            if let Some(node) = nodes.find(|&node| is_it(&graph.nodes[node])) {
                latest = node;
                return true;
            }
            graph_around(graph, op).is_none_or(|graph| graph.node(op.node()).is_some_and(Node::is_operation))
        };
        if began().all(|(op, _)| is_there(op)) {
            return Renames::default();
        }
        let mut recorded: BTreeMap<usize, (&'static Graph, Recorded<'_>)> = BTreeMap::new();
        for (op, step) in began() {
            if let Some(graph) = graph_around(graph, op) {
                let (_, recorded) =
                    recorded.entry(address(graph)).or_insert_with(|| (graph, BTreeMap::new()));
                recorded.entry(op.node()).or_default().insert(step);
            }
        }
        let mut renames = BTreeMap::new();
        for (address, (graph, recorded)) in recorded {
            let former = former_ids(graph, &recorded).into_iter();
            renames.extend(former.map(|(node, id)| ((address, node), id)));
        }
        Renames(renames)
    }

    /// The id under which this run knows the node, if it is another one than that of the graph.
    pub(crate) fn former_id(&self, graph: &Graph, node: NodeIndex) -> Option<&str> {
        let former = if self.0.is_empty() { None } else { self.0.get(&(address(graph), node)) };
        former.map(String::as_str)
    }
}

/// The step that this command begins, and its name. An undo has the id of what it undoes, and its name is not bound to
/// a node.
fn began(command: &Command) -> Option<(&OpId, &str)> {
    match command {
        Command::StartStep { op, step, .. } if op.undoes().is_none() => Some((op, step)),
        _ => None,
    }
}

/// Whether the step that is now called `name` was called `former` when the journal was written.
pub(crate) fn is_former_name(definition: &Definition, former: &str, name: &str) -> bool {
    let steps = definition.steps();
    let mut named = steps.iter().filter(|step| step.facts.name == name);
    named.any(|step| step.facts.was.iter().any(|was| was == former))
}

/// The ids of the nodes at which the journal began steps, each with the names of those steps.
type Recorded<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

fn address(graph: &Graph) -> usize {
    ptr::from_ref(graph).addr()
}

/// The nodes that the journal knows by another id. What cannot be told with certainty is left out: then the replay
/// finds that the code asks for something else than the journal says (WF101), and nothing is taken for another.
fn former_ids(graph: &Graph, recorded: &Recorded<'_>) -> Vec<(NodeIndex, String)> {
    let mut steps: BTreeMap<&str, Calls<'_>> = BTreeMap::new();
    for (index, node) in graph.nodes.iter().enumerate() {
        if let NodeKind::Step(facts) = &node.kind {
            let calls = steps.entry(&facts.name).or_insert_with(|| Calls { facts, nodes: Vec::new() });
            calls.nodes.push(index);
        }
    }
    let former: Vec<_> = steps.values().flat_map(|calls| calls.former_ids(graph, recorded)).collect();
    let claims = |id: &str| former.iter().filter(|(_, other)| other == id).count();
    // Two steps that were one: nobody knows which of them the run came to.
    former.iter().filter(|(_, id)| claims(id) == 1).cloned().collect()
}

/// All calls of one step in one flow, in the order of the text.
struct Calls<'a> {
    facts: &'a StepFacts,
    nodes: Vec<NodeIndex>,
}

impl Calls<'_> {
    fn former_ids(&self, graph: &Graph, recorded: &Recorded<'_>) -> Vec<(NodeIndex, String)> {
        let id = |node: NodeIndex| graph.nodes[node].id.as_ref();
        let now = id(self.nodes[0]);
        let is_regular = self.nodes.iter().zip(numbered(now)).all(|(&node, number)| id(node) == number);
        // Called by several names, or numbered around something else; or the run already knows the ids of today.
        if !is_regular || self.nodes.iter().any(|&node| recorded.contains_key(id(node))) {
            return Vec::new();
        }
        // A function under `name = ".."` may have been called what its step is called still.
        let formers = self.facts.was.iter().chain([&self.facts.name]).map(AsRef::as_ref);
        let mut known = formers.filter(|former| *former != now && self.is_known_as(former, graph, recorded));
        match (known.next(), known.next()) {
            (Some(former), None) => self.nodes.iter().copied().zip(numbered(former)).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether the journal has nodes with this name that were calls of this step, and of no other.
    fn is_known_as(&self, former: &str, graph: &Graph, recorded: &Recorded<'_>) -> bool {
        let mut began = numbered(former).take(self.nodes.len()).filter_map(|id| recorded.get(id.as_str()));
        let is_this = |name: &&str| self.facts.name == *name || self.facts.was.iter().any(|was| was == name);
        let shares_numbers = graph.nodes.iter().enumerate().any(|(index, node)| {
            node.is_operation() && !self.nodes.contains(&index) && is_numbered(&node.id, former)
        });
        let Some(first) = began.next() else { return false };
        !shares_numbers && first.iter().all(is_this) && began.all(|names| names.iter().all(is_this))
    }
}

/// The ids that calls by this name get, in the order of the text, as the macro numbers them.
fn numbered(name: &str) -> impl Iterator<Item = String> {
    (1..).map(move |number| if number == 1 { name.to_owned() } else { format!("{name}_{number}") })
}

/// Whether an id may be that of a call by this name.
fn is_numbered(id: &str, name: &str) -> bool {
    let Some(rest) = id.strip_prefix(name) else { return false };
    let number = rest.strip_prefix('_').unwrap_or(rest);
    rest.is_empty() || (rest != number && number.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use workflow_graph::{Node, Outcome, Span};

    use super::*;

    /// A flow of steps: the id of the node, the name of the step, the names it had.
    fn flow(calls: &[(&str, &str, &[&'static str])]) -> Graph {
        let mut nodes = vec![Node::new("started", NodeKind::Start)];
        for (id, name, was) in calls {
            let was = was.iter().map(|was| (*was).into()).collect::<Vec<_>>().into();
            nodes.push(Node::new(id, NodeKind::Step(StepFacts { was, ..StepFacts::named(name) })));
        }
        nodes.push(Node::new("completed", NodeKind::End(Outcome::Success)));
        Graph { nodes: nodes.into(), ..Graph::named("trade") }
    }

    /// What each node that had another id was called.
    fn former(graph: &Graph, recorded: &[(&str, &str)]) -> Vec<String> {
        let mut began = Recorded::new();
        for (id, name) in recorded {
            began.entry(id).or_default().insert(name);
        }
        let former = former_ids(graph, &began).into_iter();
        former.map(|(node, id)| format!("{} was {id}", graph.nodes[node].id)).collect()
    }

    #[test]
    fn all_calls_of_a_renamed_step_keep_their_numbers() {
        let graph = flow(&[
            ("take_money", "take_money", &["pay", "charge"]),
            ("ship", "ship", &[]),
            ("take_money_2", "take_money", &["pay", "charge"]),
        ]);
        let all = ["take_money was charge", "take_money_2 was charge_2"];
        assert_eq!(former(&graph, &[("charge", "charge")]), all);
        assert_eq!(
            former(&graph, &[("charge_2", "charge"), ("ship", "ship")]),
            all,
            "the first was passed by"
        );
        assert_eq!(former(&graph, &[("pay", "pay")]), ["take_money was pay", "take_money_2 was pay_2"]);
        assert_eq!(former(&graph, &[("take_money", "take_money")]), [] as [&str; 0]);
        assert_eq!(former(&graph, &[("ship", "ship")]), [] as [&str; 0], "a run that has not come so far");
    }

    #[test]
    fn a_pinned_name_says_what_the_function_was_called() {
        let graph = flow(&[("take_money", "charge", &[])]);
        assert_eq!(former(&graph, &[("charge", "charge")]), ["take_money was charge"]);
        let graph = flow(&[("take_money", "pay-in", &["charge"])]);
        assert_eq!(former(&graph, &[("charge", "pay-in")]), ["take_money was charge"]);
        assert_eq!(former(&graph, &[("charge", "other")]), [] as [&str; 0]);
    }

    #[test]
    fn what_is_not_certain_is_no_rename() {
        let was: &[&str] = &["charge"];
        let two_of_one = flow(&[("take", "take", was), ("collect", "collect", was)]);
        let name_is_taken = flow(&[("take", "take", was), ("charge", "charge", &[])]);
        let numbers_are_shared = flow(&[("charge_2", "charge_2", &[]), ("take", "take", was)]);
        let called_by_two_names = flow(&[("take", "take", was), ("grab", "take", was)]);
        for graph in [two_of_one, name_is_taken, numbers_are_shared, called_by_two_names] {
            assert_eq!(former(&graph, &[("charge", "charge")]), [] as [&str; 0], "{graph}");
        }
        let graph = flow(&[("take", "take", &["charge", "pay"])]);
        assert_eq!(former(&graph, &[("charge", "charge"), ("pay", "pay")]), [] as [&str; 0]);
        assert_eq!(former(&graph, &[("charge", "charge"), ("take", "take")]), [] as [&str; 0]);
    }

    #[test]
    fn another_operation_that_may_have_shared_the_numbers_counts_too() {
        let mut graph = flow(&[("take", "take", &["charge"])]);
        let timer = Node::new("charge_3", NodeKind::Timer(Span::literal("P1D", "1 day")));
        graph.nodes.to_mut().push(timer);
        assert_eq!(former(&graph, &[("charge", "charge")]), [] as [&str; 0]);
        assert!(is_numbered("charge", "charge") && is_numbered("charge_12", "charge"));
        assert!(!is_numbered("charge_card", "charge") && !is_numbered("charge2", "charge"));
    }
}
