//! Programs as workflows: a graph such as the macro would make of their text, and a body that does what they say.
//! Three of them can be there at a time on one thread: the old one, the new one, and one from before.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;

use workflow_core::{AwaitExt, Cx, Definition, EndsWithResult, Parts, Workflow, WorkflowFuture};
use workflow_graph::{Flow, FlowKind, Graph, Node, NodeIndex, NodeKind, Outcome, Span, StepFacts};

use super::programs::{Block, Line};
use super::shop::*;

/// A program with its graph and the nodes of its awaits, in the order of the text.
struct Program {
    block: &'static Block,
    graph: &'static Graph,
    positions: Vec<usize>,
}

thread_local! {
    static PROGRAMS: [Cell<Option<&'static Program>>; 3] = const { [const { Cell::new(None) }; 3] };
}

/// One of the programs of this thread, until there is another one. What a test leaves behind is not taken back.
pub(crate) fn definition<const WHICH: usize>(block: &Block) -> Definition {
    let block: &'static Block = Box::leak(Box::new(block.clone()));
    let mut lowering = Lowering::default();
    let graph = lowering.whole(block);
    let defects = graph.defects();
    assert!(defects.is_empty(), "{defects:?}\n{graph}");
    let program = Program { block, graph: Box::leak(Box::new(graph)), positions: lowering.positions };
    PROGRAMS.with(|programs| programs[WHICH].set(Some(Box::leak(Box::new(program)))));
    Definition::of::<Coded<WHICH>>()
}

struct Coded<const WHICH: usize>;

fn program<const WHICH: usize>() -> &'static Program {
    PROGRAMS.with(|programs| programs[WHICH].get()).expect("it was set on this thread")
}

impl<const WHICH: usize> Workflow for Coded<WHICH> {
    const NAME: &'static str = "coded";
    const VERSION: u32 = 1;
    const LABEL: &'static str = "Coded";
    type Args = (u32,);
    type Output = Result<u32, No>;
    type Ending = EndsWithResult;

    fn graph() -> &'static Graph {
        program::<WHICH>().graph
    }

    fn positions() -> &'static [usize] {
        &program::<WHICH>().positions
    }

    fn parts(parts: &mut Parts) {
        parts.call(check);
        parts.call(weigh);
        parts.call(reserve);
        parts.call(charge);
        parts.call(notify);
    }

    fn run(cx: Cx, (order,): (u32,)) -> WorkflowFuture<Result<u32, No>> {
        Box::pin(async move {
            go(cx, program::<WHICH>().block, 0, order).await?;
            Ok(order)
        })
    }
}

/// How many awaits stand in a block.
fn awaits(block: &Block) -> usize {
    block.iter().map(awaits_of).sum()
}

fn awaits_of(line: &Line) -> usize {
    match line {
        Line::Call(..) | Line::Pause => 1,
        Line::Caught(_, inner) => 1 + awaits(inner),
        Line::If(_, one, other) | Line::Both(one, other) => awaits(one) + awaits(other),
        Line::Loop(_, inner) => awaits(inner),
        Line::Patched(_, one, other) => 1 + awaits(one) + awaits(other),
        Line::Return => 0,
    }
}

/// Does what the block says, whose first await is this one; whether the run goes on behind it.
fn go(
    cx: Cx,
    block: &'static Block,
    first: usize,
    order: u32,
) -> Pin<Box<dyn Future<Output = Result<bool, No>> + Send>> {
    Box::pin(async move {
        let mut at = first;
        for line in block {
            let goes_on = match line {
                Line::Call(step, more) => call(&cx, step, at, order + more).await.map(|()| true)?,
                Line::Caught(step, inner) => match call(&cx, step, at, order).await {
                    Ok(()) => true,
                    Err(No::SoldOut) => go(cx.clone(), inner, at + 1, order).await?,
                    Err(error) => return Err(error),
                },
                Line::Pause => {
                    sleep(days(1)).__durable(&cx, at).await;
                    true
                }
                Line::If(limit, yes, _) if order > *limit => go(cx.clone(), yes, at, order).await?,
                Line::If(_, yes, no) => go(cx.clone(), no, at + awaits(yes), order).await?,
                Line::Loop(rounds, inner) => {
                    let mut goes_on = true;
                    for _ in 0..*rounds {
                        goes_on = goes_on && go(cx.clone(), inner, at, order).await?;
                    }
                    goes_on
                }
                Line::Patched(id, new, old) => {
                    if patched(format!("patch-{id}")).__durable(&cx, at).await {
                        go(cx.clone(), new, at + 1, order).await?
                    } else {
                        go(cx.clone(), old, at + 1 + awaits(new), order).await?
                    }
                }
                Line::Both(one, other) => {
                    let region = cx.__region();
                    let branches = (
                        go(region.clone(), one, at, order),
                        go(region.clone(), other, at + awaits(one), order),
                    );
                    region.__try_join(branches).await.map(|_| true)?
                }
                Line::Return => false,
            };
            if !goes_on {
                return Ok(false);
            }
            at += awaits_of(line);
        }
        Ok(true)
    })
}

async fn call(cx: &Cx, step: &str, at: usize, of: u32) -> Result<(), No> {
    match step {
        "check" => check(of).__durable(cx, at).await.map(drop),
        "weigh" => weigh(of).__durable(cx, at).await.map(drop),
        "reserve" => reserve(of).__durable(cx, at).await.map(drop),
        "charge" => charge(of).__durable(cx, at).await.map(drop),
        _ => {
            notify(of).__durable(cx, at).await;
            Ok(())
        }
    }
}

/// What is known about a step.
fn facts(step: &str) -> StepFacts {
    use workflow_core::facts_of;
    match step {
        "check" => facts_of(check),
        "weigh" => facts_of(weigh),
        "reserve" => facts_of(reserve),
        "charge" => facts_of(charge),
        _ => facts_of(notify),
    }
}

/// A way that leads nowhere yet.
type Loose = (NodeIndex, FlowKind);

#[derive(Default)]
struct Lowering {
    nodes: Vec<Node>,
    flows: Vec<Flow>,
    positions: Vec<usize>,
    scope: Option<NodeIndex>,
}

impl Lowering {
    fn whole(&mut self, block: &Block) -> Graph {
        let start = self.node("started", NodeKind::Start, Vec::new());
        let loose = self.block(block, vec![(start, FlowKind::Next)]);
        if !loose.is_empty() {
            self.node("completed", NodeKind::End(Outcome::Success), loose);
        }
        Graph {
            nodes: std::mem::take(&mut self.nodes).into(),
            flows: std::mem::take(&mut self.flows).into(),
            ..Graph::named("coded")
        }
    }

    /// A new node at which these ways arrive, under the first id of that name that is free.
    fn node(&mut self, name: &str, kind: NodeKind, from: Vec<Loose>) -> NodeIndex {
        let ids = (1..).map(|number| if number == 1 { name.to_owned() } else { format!("{name}_{number}") });
        let id =
            ids.into_iter().find(|id| self.nodes.iter().all(|node| node.id != *id)).expect("one is free");
        self.nodes.push(Node { scope: self.scope, ..Node::new(&id, kind) });
        let to = self.nodes.len() - 1;
        self.flows.extend(from.into_iter().map(|(from, kind)| Flow::new(from, to, kind)));
        to
    }

    fn block(&mut self, block: &Block, mut loose: Vec<Loose>) -> Vec<Loose> {
        for line in block {
            if loose.is_empty() {
                self.positions.extend(std::iter::repeat_n(0, awaits_of(line)));
            } else {
                loose = self.line(line, loose);
            }
        }
        loose
    }

    fn line(&mut self, line: &Line, loose: Vec<Loose>) -> Vec<Loose> {
        match line {
            Line::Call(step, _) => {
                let node = self.operation(step, NodeKind::Step(facts(step)), loose);
                self.fails(node, step);
                vec![(node, FlowKind::Next)]
            }
            Line::Caught(step, inner) => {
                let node = self.operation(step, NodeKind::Step(facts(step)), loose);
                let mut out = vec![(node, FlowKind::Next)];
                out.extend(self.block(inner, vec![(node, error("SoldOut"))]));
                self.fails(node, step);
                self.merged(out)
            }
            Line::Pause => {
                let node = self.operation("sleep", NodeKind::Timer(Span::literal("P1D", "1 day")), loose);
                vec![(node, FlowKind::Next)]
            }
            Line::If(limit, yes, no) => {
                let condition = format!("order > {limit}");
                let kind = NodeKind::Decision { question: format!("{condition}?").into() };
                let node = self.node("if_order", kind, loose);
                self.nodes[node].guard = 1 + u64::from(*limit);
                let (yes_way, no_way) = (answer("yes", &condition, false), answer("no", "", true));
                let mut out = self.block(yes, vec![(node, yes_way)]);
                out.extend(self.block(no, vec![(node, no_way)]));
                self.merged(out)
            }
            Line::Loop(rounds, inner) => {
                let begin = self.node("repeat", NodeKind::Merge, loose);
                let decision = NodeKind::Decision { question: "Another round?".into() };
                let node = self.node("if_another", decision, vec![(begin, FlowKind::Next)]);
                self.nodes[node].guard = 1_000 + u64::from(*rounds);
                let back = self.block(inner, vec![(node, answer("yes", "", false))]);
                self.flows.extend(back.into_iter().map(|(from, kind)| Flow::new(from, begin, kind)));
                vec![(node, answer("no", "", true))]
            }
            Line::Patched(id, new, old) => {
                let patch = format!("patch-{id}");
                let node = self.operation("if_patch", NodeKind::VersionSwitch { patch: patch.into() }, loose);
                let mut out = self.block(new, vec![(node, answer("since the change", "patched", false))]);
                out.extend(self.block(old, vec![(node, answer("before it", "", true))]));
                self.merged(out)
            }
            Line::Both(one, other) => {
                let block = self.node("both", NodeKind::Block, loose);
                let outer = self.scope.replace(block);
                let start = self.node("started", NodeKind::Start, Vec::new());
                let fork = self.node("fork", NodeKind::Fork, vec![(start, FlowKind::Next)]);
                let mut arriving = self.block(one, vec![(fork, FlowKind::Next)]);
                arriving = self.merged(arriving);
                let beside = self.block(other, vec![(fork, FlowKind::Next)]);
                arriving.extend(self.merged(beside));
                let join = self.node("join", NodeKind::Join, arriving);
                self.node("all_done", NodeKind::End(Outcome::Success), vec![(join, FlowKind::Next)]);
                self.scope = outer;
                self.node("both_failed", NodeKind::End(Outcome::Failure), vec![(block, error(""))]);
                vec![(block, FlowKind::Next)]
            }
            Line::Return => {
                self.node("completed", NodeKind::End(Outcome::Success), loose);
                Vec::new()
            }
        }
    }

    /// A node at which an await stands.
    fn operation(&mut self, name: &str, kind: NodeKind, loose: Vec<Loose>) -> NodeIndex {
        let node = self.node(name, kind, loose);
        self.positions.push(node);
        node
    }

    /// Errors that nobody catches end the flow.
    fn fails(&mut self, node: NodeIndex, step: &str) {
        if !self.nodes[node].kind.errors().is_empty() {
            let failed = format!("{step}_failed");
            self.node(&failed, NodeKind::End(Outcome::Failure), vec![(node, error(""))]);
        }
    }

    /// One way out of several.
    fn merged(&mut self, loose: Vec<Loose>) -> Vec<Loose> {
        if loose.len() < 2 {
            return loose;
        }
        let node = self.node("merge", NodeKind::Merge, loose);
        vec![(node, FlowKind::Next)]
    }
}

fn error(variant: &str) -> FlowKind {
    FlowKind::Error { variant: variant.to_owned().into(), label: "".into() }
}

fn answer(label: &str, condition: &str, default: bool) -> FlowKind {
    FlowKind::Answer { label: label.to_owned().into(), condition: condition.to_owned().into(), default }
}
