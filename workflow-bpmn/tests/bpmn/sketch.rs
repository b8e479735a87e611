//! Writes flow graphs the way a body of code reads: steps, branches, loops, early exits.
//! It lowers them the way the macro does, and knows nothing of drawing.

use workflow_graph::{
    CompensationFacts, Effect, ErrorFacts, Flow, FlowKind, Graph, Node, NodeIndex, NodeKind, Outcome, Source,
    Span, StepFacts, humanise,
};

/// One statement of a body.
#[derive(Clone, Debug)]
pub(crate) enum Stmt {
    Step(Step),
    /// A message, and what happens when it does not come in time.
    Receive {
        id: String,
        message: String,
        timeout: Option<Vec<Stmt>>,
    },
    Sleep {
        id: String,
        span: Span,
    },
    /// A question and its answers; the last one is the default.
    Ask {
        id: String,
        question: String,
        answers: Vec<(String, Vec<Stmt>)>,
    },
    Loop {
        body: Vec<Stmt>,
    },
    /// Out of the innermost loop, or one further out.
    Break(usize),
    /// Back to the head of the innermost loop, or one further out.
    Continue(usize),
    Succeed(String),
    Fail(String),
}

/// A call of a step.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) id: String,
    pub(crate) function: String,
    pub(crate) undo: Option<String>,
    pub(crate) effect: Effect,
    /// Variant (empty: all others), label, what is done about it.
    pub(crate) errors: Vec<(String, String, Vec<Stmt>)>,
}

pub(crate) fn step(id: &str) -> Step {
    let id = id.to_owned();
    Step { function: id.clone(), id, undo: None, effect: Effect::Undeclared, errors: vec![] }
}

impl Step {
    pub(crate) fn calls(mut self, function: &str) -> Step {
        self.function = function.to_owned();
        self
    }

    pub(crate) fn undo(mut self, undo: &str) -> Step {
        self.undo = Some(undo.to_owned());
        self.effect = Effect::Compensatable;
        self
    }

    pub(crate) fn effect(mut self, effect: Effect) -> Step {
        self.effect = effect;
        self
    }

    pub(crate) fn on(mut self, variant: &str, label: &str, body: Vec<Stmt>) -> Step {
        self.errors.push((variant.to_owned(), label.to_owned(), body));
        self
    }

    pub(crate) fn or_fail(self, end: &str) -> Step {
        self.on("", "", vec![fail(end)])
    }
}

impl From<Step> for Stmt {
    fn from(step: Step) -> Stmt {
        Stmt::Step(step)
    }
}

pub(crate) fn run(id: &str) -> Stmt {
    step(id).into()
}

pub(crate) fn ask(id: &str, question: &str, answers: Vec<(&str, Vec<Stmt>)>) -> Stmt {
    let answers = answers.into_iter().map(|(label, body)| (label.to_owned(), body)).collect();
    Stmt::Ask { id: id.to_owned(), question: question.to_owned(), answers }
}

pub(crate) fn receive(id: &str, message: &str, timeout: Option<Vec<Stmt>>) -> Stmt {
    Stmt::Receive { id: id.to_owned(), message: message.to_owned(), timeout }
}

pub(crate) fn sleep(id: &str, iso: &'static str, text: &'static str) -> Stmt {
    Stmt::Sleep { id: id.to_owned(), span: Span::literal(iso, text) }
}

pub(crate) fn repeat(body: Vec<Stmt>) -> Stmt {
    Stmt::Loop { body }
}

pub(crate) fn succeed(id: &str) -> Stmt {
    Stmt::Succeed(id.to_owned())
}

pub(crate) fn fail(id: &str) -> Stmt {
    Stmt::Fail(id.to_owned())
}

/// The graph of a body that ends in the success end `completed`.
pub(crate) fn graph(workflow: &str, body: Vec<Stmt>) -> Graph {
    let mut lowering = Lowering { nodes: vec![Node::new("started", NodeKind::Start)], ..Lowering::default() };
    let open = lowering.block(&body, vec![(0, FlowKind::Next)]);
    if !open.is_empty() {
        lowering.arrive(open, Node::new("completed", NodeKind::End(Outcome::Success)));
    }
    let source = Source::at("src/orders.rs", 12);
    let (nodes, flows) = without_idle_merges(lowering.nodes, lowering.flows);
    Graph {
        nodes: nodes.into(),
        flows: flows.into(),
        source,
        owner: "order-team".into(),
        ..Graph::named(workflow)
    }
}

/// Ways that wait for the next node: where from, and when.
type Open = Vec<(NodeIndex, FlowKind)>;

#[derive(Default)]
struct Lowering {
    nodes: Vec<Node>,
    flows: Vec<Flow>,
    /// Per loop around the current place: its head, and the ways out of it.
    loops: Vec<(NodeIndex, Open)>,
    merges: usize,
}

impl Lowering {
    fn arrive(&mut self, open: Open, node: Node) -> NodeIndex {
        let open = if open.len() > 1 { vec![(self.merge(open), FlowKind::Next)] } else { open };
        let index = self.nodes.len();
        self.nodes.push(Node { line: 20 + index as u32, ..node });
        self.flows.extend(open.into_iter().map(|(from, kind)| Flow::new(from, index, kind)));
        index
    }

    fn merge(&mut self, open: Open) -> NodeIndex {
        self.merges += 1;
        let index = self.nodes.len();
        self.nodes.push(Node::new(&format!("merge_{}", self.merges), NodeKind::Merge));
        self.flows.extend(open.into_iter().map(|(from, kind)| Flow::new(from, index, kind)));
        index
    }

    fn block(&mut self, body: &[Stmt], mut open: Open) -> Open {
        for stmt in body {
            if open.is_empty() {
                return open; // What follows cannot be reached.
            }
            open = self.stmt(stmt, open);
        }
        open
    }

    fn stmt(&mut self, stmt: &Stmt, open: Open) -> Open {
        match stmt {
            Stmt::Step(step) => self.step(step, open),
            Stmt::Receive { id, message, timeout } => {
                let deadline = timeout.as_ref().map(|_| Span::literal("P7D", "7 days"));
                let kind = NodeKind::Receive { message: message.clone().into(), deadline };
                let node = self.arrive(open, Node::new(id, kind));
                let mut open = vec![(node, FlowKind::Next)];
                if let Some(body) = timeout {
                    open.extend(self.block(body, vec![(node, FlowKind::Timeout)]));
                }
                open
            }
            Stmt::Sleep { id, span } => {
                let node = self.arrive(open, Node::new(id, NodeKind::Timer(span.clone())));
                vec![(node, FlowKind::Next)]
            }
            Stmt::Ask { id, question, answers } => {
                let kind = NodeKind::Decision { question: question.clone().into() };
                let node = self.arrive(open, Node::new(id, kind));
                let mut after = Vec::new();
                for (position, (label, body)) in answers.iter().enumerate() {
                    let default = position + 1 == answers.len();
                    let condition =
                        if default { "_".to_owned() } else { format!("case.{id}() == {label:?}") };
                    let kind = FlowKind::Answer {
                        label: label.clone().into(),
                        condition: condition.into(),
                        default,
                    };
                    after.extend(self.block(body, vec![(node, kind)]));
                }
                after
            }
            Stmt::Loop { body } => {
                let head = self.merge(open);
                self.loops.push((head, Vec::new()));
                let again = self.block(body, vec![(head, FlowKind::Next)]);
                self.flows.extend(again.into_iter().map(|(from, kind)| Flow::new(from, head, kind)));
                self.loops.pop().unwrap().1
            }
            Stmt::Break(depth) => {
                let target = self.loops.len() - 1 - (*depth).min(self.loops.len() - 1);
                self.loops[target].1.extend(open);
                vec![]
            }
            Stmt::Continue(depth) => {
                let target = self.loops.len() - 1 - (*depth).min(self.loops.len() - 1);
                let head = self.loops[target].0;
                self.flows.extend(open.into_iter().map(|(from, kind)| Flow::new(from, head, kind)));
                vec![]
            }
            Stmt::Succeed(id) => {
                self.arrive(open, Node::new(id, NodeKind::End(Outcome::Success)));
                vec![]
            }
            Stmt::Fail(id) => {
                self.arrive(open, Node::new(id, NodeKind::End(Outcome::Failure)));
                vec![]
            }
        }
    }

    fn step(&mut self, step: &Step, open: Open) -> Open {
        let variants = step.errors.iter().filter(|(variant, ..)| !variant.is_empty());
        let errors: Vec<ErrorFacts> = variants
            .map(|(variant, ..)| ErrorFacts {
                variant: variant.clone().into(),
                code: variant.to_uppercase().into(),
                label: humanise(variant).to_lowercase().into(),
                transient: false,
            })
            .collect();
        let facts = StepFacts {
            effect: step.effect,
            errors: errors.into(),
            compensation: step.undo.as_ref().map(|undo| CompensationFacts {
                step: undo.clone().into(),
                label: humanise(undo).into(),
                wiring: vec![].into(),
            }),
            timeout_ms: Some(30_000),
            source: Source::at("src/steps.rs", 7),
            ..StepFacts::named(&step.function)
        };
        let node = self.arrive(open, Node::new(&step.id, NodeKind::Step(facts)));
        let mut open = vec![(node, FlowKind::Next)];
        for (variant, label, body) in &step.errors {
            let kind = FlowKind::Error { variant: variant.clone().into(), label: label.clone().into() };
            open.extend(self.block(body, vec![(node, kind)]));
        }
        open
    }
}

/// A loop that nothing comes back to is none.
fn without_idle_merges(mut nodes: Vec<Node>, mut flows: Vec<Flow>) -> (Vec<Node>, Vec<Flow>) {
    while let Some(idle) = (0..nodes.len()).find(|&node| {
        nodes[node].kind == NodeKind::Merge && flows.iter().filter(|flow| flow.to == node).count() == 1
    }) {
        let onward = flows.iter().position(|flow| flow.from == idle).unwrap();
        let target = flows.remove(onward).to;
        for flow in &mut flows {
            if flow.to == idle {
                flow.to = target;
            }
        }
        nodes.remove(idle);
        for flow in &mut flows {
            flow.from -= usize::from(flow.from > idle);
            flow.to -= usize::from(flow.to > idle);
        }
    }
    (nodes, flows)
}
