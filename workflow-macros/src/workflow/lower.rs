//! From the function's body to the flow graph: blocks and statements.
//! What cannot be lowered is a spanned error, never a wrong graph; types are unknown here.

use std::collections::BTreeSet;

use proc_macro2::{LineColumn, Span};
use syn::spanned::Spanned;
use syn::{
    Attribute, Block, Expr, ExprPath, FnArg, ItemUse, Local, LocalInit, Pat, ReturnType, Stmt, StmtMacro,
    Type,
};
use workflow_graph::{Flow, FlowKind, Node, NodeIndex, NodeKind, RetryPolicy, Thrown};

use super::awaits::Body;
use super::branches::Ending;
use super::determinism::Foreign;
use super::emit::Kind;
use super::expressions::is_drawn;
use super::fingerprints::{self, Basis};
use super::graph::{Builder, Built, Draft, Way, Ways, next};
use super::imports;
use super::language::values_of;
use super::matches::End;
use super::operations::keeps_outcome;
use super::patterns::bound_by;
use super::policies::Said;
use super::regions::Word;
use super::thrown;
use crate::docs;
use crate::errors::Errors;
use crate::signature::RawFn;

/// What lowering leaves for emission.
pub(crate) struct Lowered {
    pub(crate) nodes: Vec<Node>,
    pub(crate) flows: Vec<Flow>,
    /// Where an error about each node stands: at the `await` of an operation, at what leads to an end.
    pub(crate) spans: Vec<Span>,
    /// Operations, with the index of their node among `nodes`.
    pub(crate) operations: Vec<Operation>,
    /// How many awaits the body has.
    pub(crate) awaits: usize,
    /// Where loops begin that nothing but an error ends.
    pub(crate) endless: Vec<Span>,
    /// Arms that keep errors which no arm names.
    pub(crate) swallowed: Vec<Span>,
    /// The parentheses of waits that were refused, since they say nothing about their end.
    pub(crate) endless_waits: Vec<LineColumn>,
}

/// An operation that the journal records.
pub(crate) struct Operation {
    pub(crate) await_number: usize,
    pub(crate) node: NodeIndex,
    pub(crate) what: What,
    /// The `use` declarations inside the body that give its names their meaning, block by block.
    pub(crate) uses: Vec<Vec<ItemUse>>,
    /// The `await` keyword.
    pub(crate) span: Span,
    /// How long an attempt may take, in milliseconds, where the call says so.
    pub(crate) timeout: Option<Said<u64>>,
    /// How failed attempts are repeated, where the call says so.
    pub(crate) retry: Option<Said<RetryPolicy>>,
    /// Whether the call is not undone, whatever the step says.
    pub(crate) without_compensation: bool,
}

/// What an operation is, as the source names it.
pub(crate) enum What {
    /// Of a step, a subflow or another workflow: which one, only its type tells.
    Call(ExprPath),
    /// Of a workflow that nobody waits for.
    Detached(ExprPath),
    Receive(Box<Type>),
    Send(Box<Type>),
    Timer,
}

pub(crate) struct Lowerer<'a> {
    pub(crate) body: &'a Body,
    pub(crate) foreign: &'a Foreign,
    pub(crate) graph: Builder,
    pub(crate) operations: Vec<Operation>,
    /// The awaits that the journal knows nothing of.
    pub(crate) undrawn: Vec<usize>,
    pub(crate) loops: Vec<Loop>,
    /// Names that are bound where we are: calling one of them is no call of a step.
    pub(crate) locals: Vec<String>,
    /// The `use` declarations of the blocks around us, from the outside in.
    pub(crate) uses: Vec<Vec<ItemUse>>,
    pub(crate) errors: &'a mut Errors,
    /// Whether something was refused already.
    pub(crate) has_refused: bool,
    /// The heads of the loops that end with `break` only, and their keywords.
    pub(crate) heads: Vec<(NodeIndex, Span)>,
    /// Arms that keep errors which no arm names.
    pub(crate) swallowed: Vec<Span>,
    /// The parentheses of waits that were refused.
    pub(crate) endless_waits: Vec<LineColumn>,
    /// Which of the names that are bound where we are hold the outcome of an operation.
    pub(crate) outcomes: Vec<usize>,
    /// Which of them hold an error that an arm has caught, and what is thrown with it.
    pub(crate) caught: Vec<(usize, Thrown)>,
    /// The type of the function's errors, where its signature names it.
    pub(crate) own_error: Option<String>,
    /// Whether the function returns a `Result`.
    pub(crate) is_fallible: bool,
    /// Whether the function is a part of the runs that call it.
    pub(crate) is_subflow: bool,
    /// Where results lead.
    pub(crate) ending: Ending,
    /// The label above the statement, until a node takes it.
    pub(crate) label: Option<String>,
    /// The label above an arm that no flow shows, until the first node of the arm takes it.
    pub(crate) arm_label: Option<String>,
    /// The line of the statement.
    pub(crate) line: usize,
    /// What leads to the end that is lowered next: a `?`, a `return`, the last expression.
    pub(crate) place: Span,
}

/// A loop, or a labelled block, that is being lowered.
pub(crate) struct Loop {
    pub(crate) label: Option<String>,
    /// The merge at which every round of a loop begins; a block has none.
    pub(crate) head: Option<NodeIndex>,
    /// What becomes of the value of a `break`.
    pub(crate) end: End,
    /// Whether a `break` leads out of it.
    pub(crate) is_left: bool,
    pub(crate) breaks: Ways,
}

/// Lowers a body to its graph.
pub(crate) fn lower(
    kind: Kind,
    function: &RawFn,
    body: &Body,
    foreign: &Foreign,
    errors: &mut Errors,
) -> Lowered {
    let parameters = function.sig.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(typed) => Some(bound_by(&typed.pat)),
        FnArg::Receiver(_) => None,
    });
    let parameters: Vec<String> = parameters.flatten().collect();
    let has_errors = !errors.is_empty();
    let mut lowerer = Lowerer {
        body,
        foreign,
        graph: Builder::default(),
        operations: Vec::new(),
        undrawn: Vec::new(),
        loops: Vec::new(),
        locals: parameters.clone(),
        uses: Vec::new(),
        errors,
        has_refused: false,
        heads: Vec::new(),
        swallowed: Vec::new(),
        outcomes: Vec::new(),
        caught: Vec::new(),
        own_error: thrown::error_type(&function.sig.output),
        endless_waits: Vec::new(),
        is_fallible: returns_result(&function.sig.output),
        is_subflow: kind == Kind::Subflow,
        ending: Ending::Function,
        label: None,
        arm_label: None,
        line: 0,
        place: Span::call_site(),
    };
    let line = line_of(function.sig.ident.span());
    let span = function.sig.ident.span();
    let start = Draft { line, span, ..Draft::new("started", NodeKind::Start) };
    let start = lowerer.graph.add(Vec::new(), start);
    let ways = lowerer.block_end(&body.block, next(start));
    lowerer.end_of_function(ways);
    // Where something was refused, the graph may lack what ends a loop.
    let endless = if lowerer.has_refused { Vec::new() } else { lowerer.graph.endless(&lowerer.heads) };
    if !has_errors {
        lowerer.refuse_what_was_missed();
    }
    let swallowed = std::mem::take(&mut lowerer.swallowed);
    let endless_waits = std::mem::take(&mut lowerer.endless_waits);
    let built = std::mem::take(&mut lowerer.graph).finish();
    let mut operations = Vec::new();
    for operation in std::mem::take(&mut lowerer.operations) {
        match built.places[operation.node] {
            Some(node) => operations.push(Operation { node, ..operation }),
            None => {
                let why = "this can never be reached; take it out, or what ends the flow before it";
                lowerer.refuse(operation.span, why);
            }
        }
    }
    let Built { mut nodes, flows, spans, bases, .. } = built;
    fingerprints::mark(body, &parameters, &mut nodes, &bases);
    if kind == Kind::Subflow {
        fingerprints::mark_results(body, &parameters, &mut nodes);
    }
    Lowered {
        nodes,
        flows,
        spans,
        operations,
        awaits: body.awaits().len(),
        endless,
        swallowed,
        endless_waits,
    }
}

/// Whether the type is called `Result`; the emitted code checks that no other type is one.
pub(crate) fn returns_result(output: &ReturnType) -> bool {
    match output {
        ReturnType::Type(_, ty) => match &**ty {
            Type::Path(path) => path.path.segments.last().is_some_and(|segment| segment.ident == "Result"),
            _ => false,
        },
        ReturnType::Default => false,
    }
}

pub(crate) fn line_of(span: Span) -> usize {
    span.start().line
}

impl Lowerer<'_> {
    /// A block whose value is used or dropped.
    pub(crate) fn block(&mut self, block: &Block, ways: Ways) -> Ways {
        self.block_binding(Vec::new(), block, ways)
    }

    /// A block that sees names from what stands before it.
    pub(crate) fn block_binding(&mut self, names: Vec<String>, block: &Block, mut ways: Ways) -> Ways {
        let outside = self.enter(names, block);
        for statement in &block.stmts {
            ways = self.statement(statement, ways);
        }
        self.leave(outside);
        ways
    }

    fn enter(&mut self, names: Vec<String>, block: &Block) -> usize {
        let outside = self.locals.len();
        self.locals.extend(names);
        self.uses.push(imports::of(block));
        outside
    }

    fn leave(&mut self, outside: usize) {
        self.locals.truncate(outside);
        self.uses.pop();
    }

    /// A block whose value is the function's result.
    pub(crate) fn block_end(&mut self, block: &Block, mut ways: Ways) -> Ways {
        let Some((last, statements)) = block.stmts.split_last() else { return ways };
        let outside = self.enter(Vec::new(), block);
        for statement in statements {
            ways = self.statement(statement, ways);
        }
        let ways = match last {
            Stmt::Expr(value, None) => self.tail(value, ways),
            Stmt::Macro(call) if call.semi_token.is_none() => {
                self.set_label(&call.attrs);
                self.stand_at(call.mac.span());
                self.refuse_conditional_macro(call);
                let ways = self.conclude_macro(&call.mac, ways);
                self.label = None;
                ways
            }
            last => self.statement(last, ways),
        };
        self.leave(outside);
        ways
    }

    fn tail(&mut self, value: &Expr, ways: Ways) -> Ways {
        self.set_label(attributes(value));
        self.stand_at(value.span());
        let ways = self.conclude(value, ways);
        self.label = None;
        ways
    }

    fn statement(&mut self, statement: &Stmt, ways: Ways) -> Ways {
        self.stand_at(statement.span());
        let ways = match statement {
            Stmt::Local(local) => {
                self.set_label(&local.attrs);
                let ways = match &local.init {
                    Some(init) => {
                        if is_drawn(&init.expr) || init.diverge.is_some() {
                            self.refuse_conditional(&local.attrs);
                        }
                        match &init.diverge {
                            Some((_, diverge)) => self.let_else(&local.pat, &init.expr, diverge, ways),
                            None => self.expression(&init.expr, ways),
                        }
                    }
                    None => ways,
                };
                self.bind(local);
                ways
            }
            Stmt::Expr(expression, _) => {
                self.set_label(attributes(expression));
                if is_drawn(expression) {
                    self.refuse_conditional(attributes(expression));
                }
                self.expression(expression, ways)
            }
            Stmt::Macro(call) => {
                self.set_label(&call.attrs);
                self.refuse_conditional_macro(call);
                self.macro_call(&call.mac, ways)
            }
            Stmt::Item(_) => ways,
        };
        self.label = None;
        ways
    }

    /// The names of this `let` are bound from here on.
    fn bind(&mut self, local: &Local) {
        self.outcomes.retain(|&place| place < self.locals.len());
        if let (Pat::Ident(_), Some(LocalInit { expr, diverge: None, .. })) = (&local.pat, &local.init)
            && keeps_outcome(expr)
        {
            self.outcomes.push(self.locals.len());
        }
        self.locals.extend(bound_by(&local.pat));
    }

    /// Whether this name is bound to the outcome of an operation, all of it.
    pub(crate) fn holds_outcome(&self, name: &str) -> bool {
        let place = self.locals.iter().rposition(|local| local == name);
        place.is_some_and(|place| self.outcomes.contains(&place))
    }

    /// What is lowered from here on belongs to this statement.
    fn stand_at(&mut self, span: Span) {
        (self.line, self.place) = (line_of(span), span);
    }

    /// What the function's text does not say: that it ends.
    pub(crate) fn end_of_function(&mut self, ways: Ways) {
        if !ways.is_empty() {
            self.success(ways);
        }
    }

    pub(crate) fn set_label(&mut self, attributes: &[Attribute]) {
        self.label = docs::split(attributes).label;
    }

    /// The label for the node that comes next: of its statement, else of the arm that begins with it.
    pub(crate) fn take_label(&mut self) -> Option<String> {
        let of_arm = self.arm_label.take();
        self.label.take().or(of_arm)
    }

    /// Reports what cannot be drawn.
    pub(crate) fn refuse(&mut self, span: Span, why: &str) {
        self.refuse_as(syn::Error::new(span, format!("WF044: {why}; see docs/errors/WF044.md")));
    }

    /// Reports an error under a code of its own.
    pub(crate) fn refuse_as(&mut self, error: syn::Error) {
        self.has_refused = true;
        self.errors.push(error);
    }

    fn refuse_conditional_macro(&mut self, call: &StmtMacro) {
        if Word::of(&call.mac).is_some() {
            self.refuse_conditional(&call.attrs);
        }
    }

    /// Refuses what is drawn but, under a condition of the build, not compiled.
    pub(crate) fn refuse_conditional(&mut self, attributes: &[Attribute]) {
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")) {
            let why = "the diagram cannot depend on how the code is built; write `if cfg!(..)`";
            self.refuse(attribute.span(), why);
        }
    }

    /// No await may be without its place in the graph, wherever it hides.
    fn refuse_what_was_missed(&mut self) {
        if self.has_refused {
            return;
        }
        let values = values_of(self.body);
        let drawn: BTreeSet<usize> = self.operations.iter().map(|operation| operation.await_number).collect();
        for (number, &span) in self.body.awaits().iter().enumerate() {
            if !drawn.contains(&number) && !self.undrawn.contains(&number) && !values.contains(&number) {
                self.refuse(span, "what is awaited here is not drawn; write it as a statement of its own");
            }
        }
    }

    /// Adds a node that asks a question.
    pub(crate) fn decision(&mut self, ways: Ways, question: String, span: Span, basis: Basis) -> NodeIndex {
        let question = self.take_label().unwrap_or(question);
        let name = format!("if_{}", super::phrases::slug(&question));
        let kind = NodeKind::Decision { question: question.into() };
        self.graph.add(ways, Draft { line: line_of(span), span, basis, ..Draft::new(&name, kind) })
    }
}

/// One answer to a decision.
pub(crate) fn answer(from: NodeIndex, label: &str, condition: String, default: bool) -> Way {
    let kind = FlowKind::Answer { label: label.to_owned().into(), condition: condition.into(), default };
    Way { from, kind }
}

/// The attributes of an expression statement, which syn keeps at its leftmost part.
pub(crate) fn attributes(expression: &Expr) -> &[Attribute] {
    let (own, leftmost) = match expression {
        Expr::Assign(e) => (&e.attrs, Some(&e.left)),
        Expr::Await(e) => (&e.attrs, Some(&e.base)),
        Expr::Binary(e) => (&e.attrs, Some(&e.left)),
        Expr::Call(e) => (&e.attrs, Some(&e.func)),
        Expr::Cast(e) => (&e.attrs, Some(&e.expr)),
        Expr::Field(e) => (&e.attrs, Some(&e.base)),
        Expr::Index(e) => (&e.attrs, Some(&e.expr)),
        Expr::MethodCall(e) => (&e.attrs, Some(&e.receiver)),
        Expr::Try(e) => (&e.attrs, Some(&e.expr)),
        Expr::Range(e) => (&e.attrs, e.start.as_ref()),
        Expr::Array(e) => (&e.attrs, None),
        Expr::Async(e) => (&e.attrs, None),
        Expr::Block(e) => (&e.attrs, None),
        Expr::Break(e) => (&e.attrs, None),
        Expr::Closure(e) => (&e.attrs, None),
        Expr::Continue(e) => (&e.attrs, None),
        Expr::ForLoop(e) => (&e.attrs, None),
        Expr::If(e) => (&e.attrs, None),
        Expr::Let(e) => (&e.attrs, None),
        Expr::Lit(e) => (&e.attrs, None),
        Expr::Loop(e) => (&e.attrs, None),
        Expr::Macro(e) => (&e.attrs, None),
        Expr::Match(e) => (&e.attrs, None),
        Expr::Paren(e) => (&e.attrs, None),
        Expr::Path(e) => (&e.attrs, None),
        Expr::Reference(e) => (&e.attrs, None),
        Expr::Repeat(e) => (&e.attrs, None),
        Expr::Return(e) => (&e.attrs, None),
        Expr::Struct(e) => (&e.attrs, None),
        Expr::Tuple(e) => (&e.attrs, None),
        Expr::Unary(e) => (&e.attrs, None),
        Expr::Unsafe(e) => (&e.attrs, None),
        Expr::While(e) => (&e.attrs, None),
        _ => return &[],
    };
    match leftmost {
        Some(leftmost) if own.is_empty() => attributes(leftmost),
        _ => own,
    }
}

/// Where an error about an expression stands.
pub(crate) fn span_of(expression: &Expr) -> Span {
    expression.span()
}
