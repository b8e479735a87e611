//! Graphs out of a few lines of text: `id kind: ways`, the kind left out for a step of that name.
//!
//! Ways are `target`, `?condition=target`, `else=target`, `!Variant=target`, `!=target` and `~=target` (timed out).
//! A node in a block says so by `id@block`.

use workflow_graph::{
    ChildFacts, CompensationFacts, ErrorFacts, Flow, FlowKind, Graph, Node, NodeIndex, NodeKind, Outcome,
    Span, StepFacts, SubflowFacts, Subgraph, lock,
};

/// The graph of these lines; between `started` and the first of them stands a way.
pub(crate) fn graph(text: &str) -> Graph {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let (mut nodes, mut ways) = (vec![Node::new("started", NodeKind::Start)], vec![]);
    let mut ids: Vec<String> = vec!["started".to_owned()];
    let mut blocks: Vec<Option<String>> = vec![None];
    for line in &lines {
        let (head, tail) = line.split_once(": ").unwrap_or((line.trim_end_matches(':'), ""));
        let (id, kind) = head.split_once(' ').unwrap_or((head, "step"));
        let (id, block) = id.split_once('@').map_or((id, None), |(id, block)| (id, Some(block.to_owned())));
        let tail: Vec<&str> = tail.split(", ").filter(|way| !way.is_empty()).collect();
        nodes.push(Node::new(id, self::kind(id, kind, &tail)));
        ids.push(id.to_owned());
        blocks.push(block);
        ways.extend(tail.into_iter().map(|way| (nodes.len() - 1, way.to_owned())));
    }
    let place = |id: &str| ids.iter().position(|other| other == id).unwrap_or_else(|| panic!("no `{id}`"));
    for (node, block) in blocks.iter().enumerate() {
        nodes[node].scope = block.as_deref().map(place);
    }
    let mut flows = vec![Flow::new(0, 1, FlowKind::Next)];
    flows.extend(ways.iter().map(|(from, way)| flow(*from, way, &place)));
    let graph = Graph { nodes: nodes.into(), flows: flows.into(), ..Graph::named("sell") };
    assert_eq!(graph.defects(), [], "{text}");
    graph
}

fn flow(from: NodeIndex, way: &str, place: &impl Fn(&str) -> NodeIndex) -> Flow {
    let Some((when, to)) = way.rsplit_once('=') else { return Flow::new(from, place(way), FlowKind::Next) };
    let answer = |condition: &str, default| FlowKind::Answer {
        label: "".into(),
        condition: condition.to_owned().into(),
        default,
    };
    let kind = match when.split_at(1) {
        ("?", condition) => answer(condition, false),
        ("e", "lse") => answer("", true),
        ("!", variant) => FlowKind::Error { variant: variant.to_owned().into(), label: "".into() },
        ("~", "") => FlowKind::Timeout,
        _ => panic!("what is {when}?"),
    };
    Flow::new(from, place(to), kind)
}

fn kind(id: &str, kind: &str, ways: &[&str]) -> NodeKind {
    let (kind, name) = kind.split_once(':').unwrap_or((kind, id));
    let text = name.to_owned().into();
    let errors: Vec<ErrorFacts> = ways
        .iter()
        .filter_map(|way| Some(way.strip_prefix('!')?.split_once('=')?.0))
        .filter(|variant| !variant.is_empty())
        .map(error)
        .collect();
    match kind {
        "start" => NodeKind::Start,
        "step" => NodeKind::Step(StepFacts { errors: errors.into(), ..StepFacts::named(name) }),
        "undone" => NodeKind::Step(StepFacts {
            errors: errors.into(),
            compensation: Some(undo(&format!("undo_{name}"))),
            ..StepFacts::named(name)
        }),
        "timer" => NodeKind::Timer(Span::literal("P1D", "1 day")),
        "receive" => NodeKind::Receive { message: text, deadline: Some(Span::literal("P1D", "1 day")) },
        "forever" => NodeKind::Receive { message: text, deadline: None },
        "send" => NodeKind::Send { message: text, publishes: false },
        "child" => NodeKind::Child(ChildFacts {
            workflow: text,
            label: "".into(),
            detached: false,
            errors: errors.into(),
            graph: known(Graph::named(name)),
        }),
        "fork" => NodeKind::Fork,
        "join" => NodeKind::Join,
        "race" => NodeKind::Race,
        "block" => NodeKind::Block,
        "merge" => NodeKind::Merge,
        "if" => NodeKind::Decision { question: "?".into() },
        "switch" => NodeKind::VersionSwitch { patch: text },
        "compensate" => NodeKind::Compensate,
        "ok" => NodeKind::End(Outcome::Success),
        "fail" => NodeKind::End(Outcome::Failure),
        "again" => NodeKind::End(Outcome::Continued),
        other => panic!("what is {other}?"),
    }
}

pub(crate) fn error(variant: &str) -> ErrorFacts {
    ErrorFacts {
        variant: variant.to_owned().into(),
        code: variant.to_owned().into(),
        label: "".into(),
        transient: false,
        wraps: &[],
    }
}

pub(crate) fn undo(name: &str) -> CompensationFacts {
    CompensationFacts {
        step: name.to_owned().into(),
        was: vec![].into(),
        takes: "".into(),
        label: "".into(),
        wiring: vec![].into(),
        retriable: true,
        task: workflow_graph::Task::Service,
        participant: "".into(),
        facts: None,
    }
}

pub(crate) fn known(graph: Graph) -> Subgraph {
    Subgraph::of(Box::leak(Box::new(graph)))
}

/// The node becomes a call of this subflow.
pub(crate) fn with_subflow(mut graph: Graph, node: &str, subflow: Subgraph) -> Graph {
    let index = graph.index_of(node).unwrap();
    graph.nodes.to_mut()[index].kind = NodeKind::Subflow(SubflowFacts {
        name: node.to_owned().into(),
        label: "".into(),
        errors: vec![].into(),
        graph: subflow,
    });
    graph
}

/// The same graph with other facts about this step.
pub(crate) fn with_step(mut graph: Graph, node: &str, change: impl FnOnce(&mut StepFacts)) -> Graph {
    let index = graph.index_of(node).unwrap();
    if let NodeKind::Step(step) = &mut graph.nodes.to_mut()[index].kind {
        change(step);
    }
    graph
}

#[track_caller]
pub(crate) fn fits(old: &Graph, new: &Graph) {
    assert_eq!(lock::incompatibility(old, new), None);
}

/// The text has these parts.
#[track_caller]
pub(crate) fn breaks(old: &Graph, new: &Graph, parts: &[&str]) {
    let text = lock::incompatibility(old, new).expect("the change breaks runs in flight");
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in: {text}");
    }
    assert!(text.starts_with("WF050: ") && text.ends_with("see docs/errors/WF050.md"), "{text}");
}
