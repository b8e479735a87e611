//! Generated programs as workflows whose code and whose graph are values: what it does is looked up when it runs.
//! Each thread that explores has a slot of its own, since a workflow is a type and a program is none.

use std::sync::RwLock;

use lowering::What;
use workflow_core::{
    Call as _, CallFn, Conclusion, Cx, EndsWithResult, Parts, PayloadError, StepError, Subflow, SubflowCall,
    Workflow, WorkflowFuture, completed, concluded, kind_of, read_completed, read_concluded,
};
use workflow_graph::{ErrorFacts, Graph, Node, NodeKind};

use crate::code::{Code, codes};
use crate::interpret::{Outcome, body, part};
use crate::saga_order::flow::{Callee, Flow};
use crate::saga_order::render::render;
use crate::steps::*;

/// How many programs can be explored side by side.
pub(crate) const SLOTS: usize = 2;

static SLOT: [RwLock<Option<&'static Prepared>>; SLOTS] = [const { RwLock::new(None) }; SLOTS];

/// A program that can be run.
pub(crate) struct Prepared {
    functions: Vec<Function>,
}

struct Function {
    code: Code,
    graph: Graph,
    positions: Vec<usize>,
    /// What it calls, each once.
    callees: Vec<Callee>,
}

impl Prepared {
    /// Prepares a program for this slot; what it takes is never given back, since graphs live for ever.
    ///
    /// # Errors
    /// What the macros refuse.
    pub(crate) fn of<const SLOT: usize>(flow: &Flow, number: usize) -> Result<&'static Prepared, String> {
        let text = render(flow, number);
        // Behind each attribute stands a function.
        let texts = text.split("\n#[").skip(1).filter_map(|text| text.split_once("]\n"));
        let mut functions = Vec::new();
        for ((attribute, text), (code, function)) in texts.zip(codes(flow).into_iter().zip(&flow.functions)) {
            let is_subflow = attribute == "subflow";
            let drawn = lowering::draw(text, is_subflow).map_err(|refused| format!("{refused}\n{text}"))?;
            let mut nodes = drawn.nodes;
            for (node, what) in &drawn.operations {
                fill::<SLOT>(&mut nodes[*node], what);
            }
            let name = if is_subflow { "part" } else { "program" };
            let graph = Graph { nodes: nodes.into(), flows: drawn.flows.into(), ..Graph::named(name) };
            let mut callees = Vec::new();
            for statement in &function.body {
                statement.walk(&mut |inner| {
                    callees.extend(inner.calls().iter().map(|call| call.callee));
                    if matches!(inner, crate::saga_order::flow::Statement::If { looks: true, .. }) {
                        callees.push(Callee::Look);
                    }
                });
            }
            callees.sort_by_key(|callee| format!("{callee:?}"));
            callees.dedup();
            functions.push(Function { code, graph, positions: drawn.positions, callees });
        }
        Ok(Box::leak(Box::new(Prepared { functions })))
    }

    pub(crate) fn is_fallible(&self) -> bool {
        self.functions[0].code.is_fallible
    }

    /// The graph of the workflow.
    pub(crate) fn graph(&self) -> &Graph {
        &self.functions[0].graph
    }

    /// From now on, this slot runs this program.
    pub(crate) fn put_in<const INTO: usize>(&'static self) {
        *SLOT[INTO].write().expect("nobody panics with a slot") = Some(self);
    }
}

/// What only types tell of a node.
fn fill<const SLOT: usize>(node: &mut Node, what: &What) {
    match (&mut node.kind, what) {
        (NodeKind::Send { message, .. } | NodeKind::Receive { message, .. }, _) => {
            *message = <Answer as workflow_core::Message>::NAME.into();
        }
        (kind, What::Call(name, stays)) => {
            let called = kind_named::<SLOT>(name);
            *kind = if *stays { called.without_compensation() } else { called };
        }
        _ => {}
    }
}

fn kind_named<const SLOT: usize>(name: &str) -> NodeKind {
    match name {
        "look" => kind_of(look),
        "check" => kind_of(check),
        "reserve" => kind_of(reserve),
        "hold" => kind_of(hold),
        "charge" => kind_of(charge),
        "ship" => kind_of(ship),
        "tell" => kind_of(tell),
        "inquire" => kind_of(inquire),
        "deliver" => kind_of(deliver),
        "order" => kind_of(order),
        part if part.ends_with("_1") => SubflowCall::<Subprogram<SLOT, 1>>::KIND,
        part if part.ends_with("_2") => SubflowCall::<Subprogram<SLOT, 2>>::KIND,
        other => unreachable!("programs do not call `{other}`"),
    }
}

fn function(slot: usize, function: usize) -> &'static Function {
    let prepared = *SLOT[slot].read().expect("nobody panics with a slot");
    &prepared.expect("a program was put into the slot").functions[function]
}

fn add_parts<const SLOT: usize>(callees: &[Callee], parts: &mut Parts) {
    fn add<A, F: CallFn<A> + Copy>(parts: &mut Parts, function: F) {
        parts.call(function);
    }
    for callee in callees {
        match callee {
            Callee::Look => add(parts, look),
            Callee::Check => add(parts, check),
            Callee::Reserve => add(parts, reserve),
            Callee::Hold => add(parts, hold),
            Callee::Charge => add(parts, charge),
            Callee::Ship => add(parts, ship),
            Callee::Tell => add(parts, tell),
            Callee::Inquire => add(parts, inquire),
            Callee::Deliver => add(parts, deliver),
            Callee::Order => add(parts, order),
            Callee::Subflow(1) => add(parts, part::<SLOT, 1>),
            Callee::Subflow(_) => add(parts, part::<SLOT, 2>),
            Callee::Receive => {}
        }
    }
}

/// The workflow of the program in this slot.
pub(crate) struct Interpreted<const SLOT: usize, const FAILS: bool>;

impl<const SLOT: usize, const FAILS: bool> Workflow for Interpreted<SLOT, FAILS> {
    const NAME: &'static str = "program";
    const VERSION: u32 = 1;
    const LABEL: &'static str = "Program";
    const ERRORS: &'static [ErrorFacts] = if FAILS { Trouble::ERRORS } else { &[] };
    type Args = (u32,);
    type Output = Outcome;
    type Ending = EndsWithResult;

    fn graph() -> &'static Graph {
        &function(SLOT, 0).graph
    }

    fn positions() -> &'static [usize] {
        &function(SLOT, 0).positions
    }

    fn parts(parts: &mut Parts) {
        add_parts::<SLOT>(&function(SLOT, 0).callees, parts);
    }

    fn run(cx: Cx, (number,): (u32,)) -> WorkflowFuture<Outcome> {
        Box::pin(body::<SLOT>(&function(SLOT, 0).code.body, cx, number))
    }

    fn ending(output: Outcome) -> Result<Conclusion, PayloadError> {
        match &output {
            Ok(number) if !FAILS => completed(number),
            output => concluded(output),
        }
    }

    fn read(conclusion: &Conclusion) -> Result<Outcome, PayloadError> {
        if FAILS { read_concluded(conclusion) } else { read_completed(conclusion).map(Ok) }
    }
}

/// A subflow of the program in this slot.
pub(crate) struct Subprogram<const SLOT: usize, const PART: usize>;

impl<const SLOT: usize, const PART: usize> Subflow for Subprogram<SLOT, PART> {
    const NAME: &'static str = "part";
    const LABEL: &'static str = "Part";
    type Args = (u32,);
    type Output = Outcome;
    // One that cannot fail has errors here that never come.
    type Ending = EndsWithResult;

    fn graph() -> &'static Graph {
        &function(SLOT, PART).graph
    }

    fn positions() -> &'static [usize] {
        &function(SLOT, PART).positions
    }

    fn parts(parts: &mut Parts) {
        add_parts::<SLOT>(&function(SLOT, PART).callees, parts);
    }

    fn run(cx: Cx, (number,): (u32,)) -> WorkflowFuture<Outcome> {
        Box::pin(body::<SLOT>(&function(SLOT, PART).code.body, cx, number))
    }
}
