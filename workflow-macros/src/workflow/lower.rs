//! From the function's body to the flow graph: blocks and statements.
//! What cannot be lowered is a spanned error, never a wrong graph; types are unknown here.

use std::collections::BTreeSet;

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::visit::Visit;
use syn::{Attribute, Block, Expr, ExprPath, Item, ItemUse, Pat, ReturnType, Stmt, Type};
use workflow_graph::{Flow, FlowKind, Node, NodeIndex, NodeKind};

use super::awaits::Body;
use super::graph::{Builder, Draft, Way, Ways, next};
use crate::docs;
use crate::errors::Errors;
use crate::signature::RawFn;

/// What lowering leaves for emission.
pub(crate) struct Lowered {
    pub(crate) nodes: Vec<Node>,
    pub(crate) flows: Vec<Flow>,
    /// Operations, with the index of their node among `nodes`.
    pub(crate) operations: Vec<Operation>,
    /// How many awaits the body has.
    pub(crate) awaits: usize,
    /// `use` declarations inside the body, for the constants beside it.
    pub(crate) uses: Vec<ItemUse>,
}

/// An operation that the journal records.
pub(crate) struct Operation {
    pub(crate) await_number: usize,
    pub(crate) node: NodeIndex,
    pub(crate) what: What,
    /// The `await` keyword.
    pub(crate) span: Span,
}

/// What an operation is, as the source names it.
pub(crate) enum What {
    Step(ExprPath),
    Receive(Box<Type>),
    Timer,
}

pub(crate) struct Lowerer<'a> {
    pub(crate) body: &'a Body,
    pub(crate) graph: Builder,
    pub(crate) operations: Vec<Operation>,
    pub(crate) loops: Vec<Loop>,
    /// Names that are bound in the body: calling one of them is no call of a step.
    pub(crate) locals: BTreeSet<String>,
    pub(crate) errors: &'a mut Errors,
    /// Whether the function returns a `Result`.
    pub(crate) is_fallible: bool,
    /// The label above the statement, until a node takes it.
    pub(crate) label: Option<String>,
    /// The line of the statement.
    pub(crate) line: usize,
}

/// A loop that is being lowered.
pub(crate) struct Loop {
    pub(crate) label: Option<String>,
    /// The merge at which every round begins.
    pub(crate) head: NodeIndex,
    pub(crate) breaks: Ways,
}

/// Lowers a body to its graph.
pub(crate) fn lower(function: &RawFn, body: &Body, errors: &mut Errors) -> Lowered {
    let mut names = Names::default();
    names.visit_block(&body.block);
    for input in &function.sig.inputs {
        names.visit_fn_arg(input);
    }
    let mut lowerer = Lowerer {
        body,
        graph: Builder::default(),
        operations: Vec::new(),
        loops: Vec::new(),
        locals: names.bound,
        errors,
        is_fallible: returns_result(&function.sig.output),
        label: None,
        line: 0,
    };
    let start = Draft {
        name: "started".to_owned(),
        kind: NodeKind::Start,
        label: String::new(),
        line: line_of(function.sig.ident.span()),
    };
    let start = lowerer.graph.add(Vec::new(), start);
    let ways = lowerer.block_end(&body.block, next(start));
    lowerer.end_of_function(ways);
    let Lowerer { graph, operations, .. } = lowerer;
    let built = graph.finish();
    let operations = operations
        .into_iter()
        .filter_map(|operation| Some(Operation { node: built.places[operation.node]?, ..operation }))
        .collect();
    Lowered { nodes: built.nodes, flows: built.flows, operations, awaits: body.awaits, uses: names.uses }
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
    pub(crate) fn block(&mut self, block: &Block, mut ways: Ways) -> Ways {
        for statement in &block.stmts {
            ways = self.statement(statement, ways);
        }
        ways
    }

    /// A block whose value is the function's result.
    pub(crate) fn block_end(&mut self, block: &Block, mut ways: Ways) -> Ways {
        let Some((last, statements)) = block.stmts.split_last() else { return ways };
        for statement in statements {
            ways = self.statement(statement, ways);
        }
        match last {
            Stmt::Expr(value, None) => {
                self.set_label(attributes(value));
                self.line = line_of(value.span());
                let ways = self.conclude(value, ways);
                self.label = None;
                ways
            }
            last => self.statement(last, ways),
        }
    }

    fn statement(&mut self, statement: &Stmt, ways: Ways) -> Ways {
        self.line = line_of(statement.span());
        let ways = match statement {
            Stmt::Local(local) => {
                self.set_label(&local.attrs);
                match &local.init {
                    Some(init) => match &init.diverge {
                        Some((_, diverge)) => self.let_else(&local.pat, &init.expr, diverge, ways),
                        None => self.expression(&init.expr, ways),
                    },
                    None => ways,
                }
            }
            Stmt::Expr(expression, _) => {
                self.set_label(attributes(expression));
                self.expression(expression, ways)
            }
            Stmt::Macro(call) => {
                self.set_label(&call.attrs);
                self.macro_call(&call.mac, ways)
            }
            Stmt::Item(Item::Fn(function)) if function.sig.asyncness.is_some() => {
                self.refuse(
                    function.sig.ident.span(),
                    "an async function inside a workflow is not drawn; move it out and make it a `#[step]`",
                );
                ways
            }
            Stmt::Item(_) => ways,
        };
        self.label = None;
        ways
    }

    /// What the function's text does not say: that it ends.
    fn end_of_function(&mut self, ways: Ways) {
        if !ways.is_empty() {
            self.success(ways);
        }
    }

    pub(crate) fn set_label(&mut self, attributes: &[Attribute]) {
        self.label = docs::split(attributes).label;
    }

    /// Reports what cannot be drawn.
    pub(crate) fn refuse(&mut self, span: Span, why: &str) {
        self.errors.push(syn::Error::new(span, format!("WF044: {why}; see docs/errors/WF044.md")));
    }

    /// Adds a node that asks a question.
    pub(crate) fn decision(&mut self, ways: Ways, question: String, span: Span) -> NodeIndex {
        let question = self.label.take().unwrap_or(question);
        let name = format!("if_{}", super::phrases::slug(&question));
        let kind = NodeKind::Decision { question: question.into() };
        self.graph.add(ways, Draft { name, kind, label: String::new(), line: line_of(span) })
    }
}

/// One answer to a decision.
pub(crate) fn answer(from: NodeIndex, label: &str, condition: String, default: bool) -> Way {
    let kind = FlowKind::Answer { label: label.to_owned().into(), condition: condition.into(), default };
    Way { from, kind }
}

/// The attributes of an expression statement, which syn keeps at its leftmost part.
pub(crate) fn attributes(expression: &Expr) -> &[Attribute] {
    match expression {
        Expr::Array(e) => &e.attrs,
        Expr::Assign(e) if e.attrs.is_empty() => attributes(&e.left),
        Expr::Assign(e) => &e.attrs,
        Expr::Await(e) if e.attrs.is_empty() => attributes(&e.base),
        Expr::Await(e) => &e.attrs,
        Expr::Binary(e) if e.attrs.is_empty() => attributes(&e.left),
        Expr::Block(e) => &e.attrs,
        Expr::Break(e) => &e.attrs,
        Expr::Call(e) if e.attrs.is_empty() => attributes(&e.func),
        Expr::Call(e) => &e.attrs,
        Expr::Continue(e) => &e.attrs,
        Expr::ForLoop(e) => &e.attrs,
        Expr::If(e) => &e.attrs,
        Expr::Loop(e) => &e.attrs,
        Expr::Match(e) => &e.attrs,
        Expr::MethodCall(e) if e.attrs.is_empty() => attributes(&e.receiver),
        Expr::MethodCall(e) => &e.attrs,
        Expr::Paren(e) => &e.attrs,
        Expr::Path(e) => &e.attrs,
        Expr::Return(e) => &e.attrs,
        Expr::Struct(e) => &e.attrs,
        Expr::Try(e) if e.attrs.is_empty() => attributes(&e.expr),
        Expr::Try(e) => &e.attrs,
        Expr::While(e) => &e.attrs,
        Expr::Macro(e) => &e.attrs,
        _ => &[],
    }
}

/// All names that the function binds, and all `use` declarations in its body.
#[derive(Default)]
struct Names {
    bound: BTreeSet<String>,
    uses: Vec<ItemUse>,
}

impl<'ast> Visit<'ast> for Names {
    fn visit_pat(&mut self, pattern: &'ast Pat) {
        if let Pat::Ident(ident) = pattern {
            self.bound.insert(ident.ident.to_string());
        }
        syn::visit::visit_pat(self, pattern);
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.uses.push(item.clone());
    }
}

/// Where an error about an expression stands.
pub(crate) fn span_of(expression: &Expr) -> Span {
    expression.span()
}
