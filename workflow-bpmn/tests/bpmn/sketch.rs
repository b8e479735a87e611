//! Writes flow graphs the way a body of code reads: steps, branches, loops, early exits.
//! It lowers them the way the macro does, and knows nothing of drawing.

use std::sync::LazyLock;

mod step;

use workflow_graph::{
    ChildFacts, ErrorFacts, Flow, FlowKind, Graph, Instances, Node, NodeIndex, NodeKind, Outcome, Source,
    Span, SubflowFacts, Subgraph, Thrown, humanise,
};

pub(crate) use step::{Step, step};

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
    /// `continue_as_new(..)`.
    ContinueAsNew(String),
    /// `join!`: all branches run, and all arrive.
    Join {
        id: String,
        branches: Vec<Vec<Stmt>>,
    },
    /// `try_join!`: the same in a block, which the first failure leaves.
    TryJoin {
        id: String,
        branches: Vec<Vec<Stmt>>,
        errors: Handlers,
    },
    /// `select!`: operations, and what is done when they win.
    Select {
        id: String,
        arms: Vec<(Stmt, Vec<Stmt>)>,
    },
    /// Any other operation.
    Operation {
        node: Box<Node>,
        errors: Handlers,
    },
}

/// Variant (empty: all others), label, what is done about it.
pub(crate) type Handlers = Vec<(String, String, Vec<Stmt>)>;

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

pub(crate) fn join(id: &str, branches: Vec<Vec<Stmt>>) -> Stmt {
    Stmt::Join { id: id.to_owned(), branches }
}

/// `try_join!(..)?`: any failure ends the workflow there.
pub(crate) fn try_join(id: &str, branches: Vec<Vec<Stmt>>, end: &str) -> Stmt {
    let errors = vec![(String::new(), String::new(), vec![fail(end)])];
    Stmt::TryJoin { id: id.to_owned(), branches, errors }
}

pub(crate) fn select(id: &str, arms: Vec<(Stmt, Vec<Stmt>)>) -> Stmt {
    Stmt::Select { id: id.to_owned(), arms }
}

pub(crate) fn operation(id: &str, kind: NodeKind) -> Stmt {
    Stmt::Operation { node: Box::new(Node::new(id, kind)), errors: vec![] }
}

pub(crate) fn send(id: &str, message: &str) -> Stmt {
    operation(id, NodeKind::Send { message: message.to_owned().into(), publishes: false })
}

pub(crate) fn publish(id: &str, message: &str) -> Stmt {
    operation(id, NodeKind::Send { message: message.to_owned().into(), publishes: true })
}

pub(crate) fn sleep_until(id: &str, text: &str) -> Stmt {
    operation(id, NodeKind::TimerAt { text: text.to_owned().into() })
}

/// The flow of a child: its parent's diagram does not show it.
fn unknown() -> &'static Graph {
    static UNKNOWN: LazyLock<Graph> = LazyLock::new(|| Graph::named("unknown"));
    &UNKNOWN
}

pub(crate) fn child(id: &str, detached: bool, end: Option<&str>) -> Stmt {
    let facts = ChildFacts {
        workflow: id.to_owned().into(),
        label: humanise(id).into(),
        detached,
        errors: vec![].into(),
        graph: Subgraph::computed(unknown),
    };
    operation(id, NodeKind::Child(facts)).or_fail(end)
}

pub(crate) fn subflow(id: &str, name: &str, graph: fn() -> &'static Graph) -> Stmt {
    let facts = SubflowFacts {
        name: name.to_owned().into(),
        label: humanise(name).into(),
        errors: vec![error_facts("BadAddress"), error_facts("CarrierDown")].into(),
        graph: Subgraph::computed(graph),
    };
    operation(id, NodeKind::Subflow(facts))
}

impl Stmt {
    /// What is done when it fails with this variant; for operations and blocks.
    pub(crate) fn on(mut self, variant: &str, label: &str, body: Vec<Stmt>) -> Stmt {
        let errors = match &mut self {
            Stmt::Step(step) => &mut step.errors,
            Stmt::Operation { errors, .. } | Stmt::TryJoin { errors, .. } => errors,
            other => panic!("{other:?} cannot fail"),
        };
        // The catch-all stays the last one.
        let at = errors.iter().position(|(variant, ..)| variant.is_empty()).unwrap_or(errors.len());
        errors.insert(at, (variant.to_owned(), label.to_owned(), body));
        self
    }

    pub(crate) fn or_fail(self, end: Option<&str>) -> Stmt {
        match end {
            Some(end) => self.on("", "", vec![fail(end)]),
            None => self,
        }
    }

    /// Once for each of many values: `try_join_all`, with this many at a time.
    pub(crate) fn for_each(mut self, limit: &str) -> Stmt {
        if let Stmt::Step(step) = self {
            let node = Box::new(Node::new(&step.id, NodeKind::Step(step.facts())));
            self = Stmt::Operation { node, errors: step.errors };
        }
        let Stmt::Operation { node, .. } = &mut self else { panic!("only operations have instances") };
        node.instances = Some(Instances { limit: limit.to_owned().into(), fails_fast: true });
        self
    }
}

pub(crate) fn error_facts(variant: &str) -> ErrorFacts {
    ErrorFacts {
        variant: variant.to_owned().into(),
        code: variant.to_uppercase().into(),
        label: humanise(variant).to_lowercase().into(),
        transient: false,
        wraps: &[],
    }
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
    /// The block around the current place.
    scope: Option<NodeIndex>,
}

impl Lowering {
    fn arrive(&mut self, open: Open, node: Node) -> NodeIndex {
        let open = if open.len() > 1 { vec![(self.merge(open), FlowKind::Next)] } else { open };
        let index = self.nodes.len();
        self.nodes.push(Node { line: 20 + index as u32, scope: self.scope, ..node });
        self.flows.extend(open.into_iter().map(|(from, kind)| Flow::new(from, index, kind)));
        index
    }

    fn merge(&mut self, open: Open) -> NodeIndex {
        self.merges += 1;
        let index = self.nodes.len();
        let merge = Node::new(&format!("merge_{}", self.merges), NodeKind::Merge);
        self.nodes.push(Node { scope: self.scope, ..merge });
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
            Stmt::ContinueAsNew(id) => {
                self.arrive(open, Node::new(id, NodeKind::End(Outcome::Continued)));
                vec![]
            }
            Stmt::Join { id, branches } => self.join(id, branches, open),
            Stmt::TryJoin { id, branches, errors } => self.try_join(id, branches, errors, open),
            Stmt::Select { id, arms } => {
                let race = self.arrive(open, Node::new(id, NodeKind::Race));
                let mut after = Vec::new();
                for (operation, body) in arms {
                    let won = self.stmt(operation, vec![(race, FlowKind::Next)]);
                    after.extend(self.block(body, won));
                }
                after
            }
            Stmt::Operation { node, errors } => {
                let node = self.arrive(open, Node::clone(node));
                self.after(node, errors)
            }
        }
    }

    fn join(&mut self, id: &str, branches: &[Vec<Stmt>], open: Open) -> Open {
        let fork = self.arrive(open, Node::new(&format!("{id}_fork"), NodeKind::Fork));
        let mut arriving = Vec::new();
        for branch in branches {
            let open = self.block(branch, vec![(fork, FlowKind::Next)]);
            arriving.extend(match open.len() {
                0 | 1 => open,
                _ => vec![(self.merge(open), FlowKind::Next)],
            });
        }
        if arriving.is_empty() {
            return arriving;
        }
        let join = self.nodes.len();
        self.nodes.push(Node { scope: self.scope, ..Node::new(&format!("{id}_join"), NodeKind::Join) });
        self.flows.extend(arriving.into_iter().map(|(from, kind)| Flow::new(from, join, kind)));
        vec![(join, FlowKind::Next)]
    }

    fn try_join(&mut self, id: &str, branches: &[Vec<Stmt>], errors: &Handlers, open: Open) -> Open {
        let block = self.arrive(open, Node::new(id, NodeKind::Block));
        let outer = self.scope.replace(block);
        // A branch is a closure: no loop reaches into it.
        let loops = std::mem::take(&mut self.loops);
        let start = self.arrive(vec![], Node::new(&format!("{id}_started"), NodeKind::Start));
        let joined = self.join(id, branches, vec![(start, FlowKind::Next)]);
        if !joined.is_empty() {
            self.arrive(joined, Node::new(&format!("{id}_done"), NodeKind::End(Outcome::Success)));
        }
        self.loops = loops;
        self.scope = outer;
        self.after(block, errors)
    }

    /// The ways on from something that can fail.
    fn after(&mut self, node: NodeIndex, errors: &Handlers) -> Open {
        let mut open = vec![(node, FlowKind::Next)];
        for (variant, label, body) in errors {
            let kind = FlowKind::Error { variant: variant.clone().into(), label: label.clone().into() };
            open.extend(self.block(body, vec![(node, kind)]));
            if let ([Stmt::Fail(_)], false) = (&body[..], variant.is_empty()) {
                // `Err(E::Gone) => return Err(Own::Gone)`
                let end = self.nodes.last_mut().expect("the end was just added");
                end.thrown = Thrown::Variant(variant.clone().into());
            }
        }
        open
    }

    fn step(&mut self, step: &Step, open: Open) -> Open {
        let node = self.arrive(open, Node::new(&step.id, NodeKind::Step(step.facts())));
        self.after(node, &step.errors)
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
        for scope in nodes.iter_mut().filter_map(|node| node.scope.as_mut()) {
            *scope -= usize::from(*scope > idle);
        }
        for flow in &mut flows {
            flow.from -= usize::from(flow.from > idle);
            flow.to -= usize::from(flow.to > idle);
        }
    }
    (nodes, flows)
}
