//! Expressions, in the order in which they are evaluated.
//! Pure local code leaves no trace; only operations, and what decides about them, is drawn.

use syn::ext::IdentExt;
use syn::visit::Visit;
use syn::{BinOp, Block, Expr, Label, Lifetime, Macro};

use super::awaits::count_tokens;
use super::ends::{is_error, mapped_error_name};
use super::fingerprints::Basis;
use super::forbidden;
use super::graph::{Ways, next};
use super::language::is_value;
use super::lower::{Lowerer, answer, span_of};
use super::matches::End;
use super::operations::{Awaited, awaited};
use super::phrases;
use super::regions::Word;
use super::source_file;

/// Macros of well-known crates that leave the function with an error without showing it. What the macros of the file do
/// is looked up there; those of other files are taken at their word.
const HIDDEN_EXITS: &[&str] = &["bail", "ensure", "ensure_whatever", "whatever", "throw", "yeet", "try"];

impl Lowerer<'_> {
    /// An expression whose value is used or dropped.
    pub(crate) fn expression(&mut self, expression: &Expr, ways: Ways) -> Ways {
        match expression {
            Expr::Await(await_) => self.operation(Awaited::Call(await_), ways).1,
            Expr::Try(try_) => self.question_mark(&try_.expr, try_.question_token.spans[0], ways),
            Expr::If(if_) => self.if_(if_, ways, End::Value),
            Expr::Match(match_) => self.match_(match_, ways, End::Value),
            Expr::Loop(loop_) => self.loop_(loop_, ways, End::Value),
            Expr::While(while_) => self.while_(while_, ways),
            Expr::ForLoop(for_) => self.for_(for_, ways),
            Expr::Return(return_) => {
                self.place = return_.return_token.span;
                match &return_.expr {
                    Some(value) => self.conclude(value, ways),
                    None => self.success(ways),
                }
            }
            Expr::Break(break_) => self.break_(break_, ways),
            Expr::Continue(continue_) => self.continue_(continue_, ways),
            Expr::Block(block) => match &block.label {
                Some(label) => self.labelled_block(label, &block.block, ways, End::Value),
                None => self.block(&block.block, ways),
            },
            Expr::Binary(binary) if matches!(binary.op, BinOp::And(_) | BinOp::Or(_)) => {
                self.logic(binary, ways)
            }
            Expr::Binary(binary) if is_assignment(&binary.op) => {
                if is_drawn(&binary.left) {
                    let why = "which side of this assignment comes first depends on types; bind the left with `let`";
                    self.refuse(span_of(&binary.left), why);
                }
                self.expression(&binary.right, ways)
            }
            Expr::Closure(closure) if awaits(&closure.body) => {
                self.refuse(
                    closure.inputs_begin.span,
                    "a closure that awaits is not drawn; write a loop instead",
                );
                ways
            }
            Expr::Async(block) if block_awaits(&block.block) => {
                let why = "an `async` block is drawn only as a branch of `join!` or `try_join!`";
                self.refuse(block.async_token.span, why);
                ways
            }
            Expr::Call(call) if self.foreign.is_call(call.paren_token.span.open()) => self.refused(ways),
            Expr::MethodCall(call) if self.foreign.is_call(call.paren_token.span.open()) => {
                self.refused(ways)
            }
            Expr::Unsafe(block) => self.block(&block.block, ways),
            Expr::Macro(call) => self.macro_call(&call.mac, ways),
            other => self.expressions(parts(other).into_iter(), ways),
        }
    }

    /// What has been refused as it stands: nothing in it is looked at.
    pub(crate) fn refused(&mut self, ways: Ways) -> Ways {
        self.has_refused = true;
        ways
    }

    /// Several expressions, one after the other.
    pub(crate) fn expressions<'e>(&mut self, list: impl Iterator<Item = &'e Expr>, mut ways: Ways) -> Ways {
        for expression in list {
            ways = self.expression(expression, ways);
        }
        ways
    }

    /// A macro call: its tokens are not looked into, so they must hide nothing that would have to be drawn.
    pub(crate) fn macro_call(&mut self, call: &Macro, ways: Ways) -> Ways {
        let Some(name) = call.path.segments.last().map(|segment| segment.ident.clone()) else { return ways };
        let text = name.unraw().to_string();
        if let Some(word) = Word::of(call) {
            return self.own_macro(word, call, ways);
        }
        if forbidden::macro_(&text).is_some_and(forbidden::Kind::is_foreign) {
            self.has_refused = true;
        } else if HIDDEN_EXITS.contains(&text.as_str()) {
            self.refuse(
                name.span(),
                &format!("`{text}!` leaves the workflow unseen; write `return Err(..)`"),
            );
        } else if let Some(hidden) = hidden_in(call) {
            let why = format!("`{text}!` {hidden} unseen; write out what it does, or have it give a value");
            self.refuse(name.span(), &why);
        } else if count_tokens(call.tokens.clone()) > 0 {
            let why = format!("what is awaited inside `{text}!` is not drawn; bind it with `let` before");
            self.refuse(name.span(), &why);
        } else if may_exit(call) {
            let why = format!(
                "a `?`, `return` or `break` inside `{text}!` is not drawn; bind the value with `let` before"
            );
            self.refuse(name.span(), &why);
        }
        ways
    }

    /// One of the language's macros, as a value.
    fn own_macro(&mut self, word: Word, call: &Macro, ways: Ways) -> Ways {
        match word {
            Word::Join => self.join(call, ways),
            Word::TryJoin => self.operation(Awaited::TryJoin(call), ways).1,
            Word::Select => self.select(call, ways, End::Value),
        }
    }

    /// `x?`: the error of an operation, or of a local computation, leaves the function.
    fn question_mark(&mut self, inner: &Expr, span: proc_macro2::Span, ways: Ways) -> Ways {
        if self.is_fallible
            && let Some(await_) = awaited(inner)
        {
            let (node, ways) = self.operation(await_, ways);
            self.place = span;
            self.error_leaves(node, inner);
            return ways;
        }
        if self.is_fallible && is_error(inner) {
            return self.conclude(inner, ways); // `Err(x)?` goes no way but out.
        }
        let ways = self.expression(inner, ways);
        if ways.is_empty() {
            return ways;
        }
        let words = phrases::question(inner);
        let subject = words.trim_end_matches('?').to_owned();
        let basis = Basis::of_expression(inner);
        let decision = self.decision(ways, format!("{subject} succeeded?"), span, basis);
        // Where the function returns no `Result`, it returns an `Option`, and `None` is a result like any other.
        let bad = if self.is_fallible { "Err" } else { "None" };
        let no = answer(decision, "no", format!("{} is `{bad}`", phrases::source_text(inner)), false);
        self.place = span;
        if self.is_fallible {
            let named = mapped_error_name(inner).map(|name| workflow_graph::humanise(&name));
            let thrown = self.passed_on(inner);
            self.failure_named(vec![no], &named.unwrap_or_else(|| format!("{subject} failed")), thrown);
        } else {
            self.success(vec![no]);
        }
        vec![answer(decision, "yes", String::new(), true)]
    }

    /// The way on from a node that was just added.
    pub(crate) fn after(&self, node: usize) -> Ways {
        next(node)
    }
}

/// `+=` and the like.
fn is_assignment(operator: &BinOp) -> bool {
    !matches!(
        operator,
        BinOp::Add(_)
            | BinOp::Sub(_)
            | BinOp::Mul(_)
            | BinOp::Div(_)
            | BinOp::Rem(_)
            | BinOp::And(_)
            | BinOp::Or(_)
            | BinOp::BitXor(_)
            | BinOp::BitAnd(_)
            | BinOp::BitOr(_)
            | BinOp::Shl(_)
            | BinOp::Shr(_)
            | BinOp::Eq(_)
            | BinOp::Lt(_)
            | BinOp::Le(_)
            | BinOp::Ne(_)
            | BinOp::Ge(_)
            | BinOp::Gt(_)
    )
}

/// The parts of an expression that only combines values, in the order of evaluation.
fn parts(expression: &Expr) -> Vec<&Expr> {
    match expression {
        Expr::Array(e) => e.elems.iter().collect(),
        Expr::Assign(e) => vec![&e.right, &e.left],
        Expr::Binary(e) => vec![&e.left, &e.right],
        Expr::Call(e) => std::iter::once(&*e.func).chain(&e.args).collect(),
        Expr::Cast(e) => vec![&e.expr],
        Expr::Field(e) => vec![&e.base],
        Expr::Group(e) => vec![&e.expr],
        Expr::Index(e) => vec![&e.expr, &e.index],
        Expr::Let(e) => vec![&e.expr],
        Expr::MethodCall(e) => std::iter::once(&*e.receiver).chain(&e.args).collect(),
        Expr::Paren(e) => vec![&e.expr],
        Expr::RawAddr(e) => vec![&e.expr],
        Expr::Range(e) => e.start.iter().chain(&e.end).map(|e| &**e).collect(),
        Expr::Reference(e) => vec![&e.expr],
        Expr::Repeat(e) => vec![&e.expr],
        Expr::Struct(e) => {
            e.fields.iter().map(|field| &field.expr).chain(e.rest.iter().map(|e| &**e)).collect()
        }
        Expr::Tuple(e) => e.elems.iter().collect(),
        Expr::Unary(e) => vec![&e.expr],
        _ => Vec::new(),
    }
}

/// Whether the expression holds anything that is drawn: an operation, or a way out.
pub(crate) fn is_drawn(expression: &Expr) -> bool {
    let mut finder = Finder { exits: true, ..Finder::default() };
    finder.visit_expr(expression);
    finder.found
}

/// Whether the block holds anything that is drawn.
pub(crate) fn block_is_drawn(block: &Block) -> bool {
    let mut finder = Finder { exits: true, ..Finder::default() };
    finder.visit_block(block);
    finder.found
}

/// Whether the body of a loop, or of a labelled block, holds anything that makes it worth drawing.
pub(crate) fn body_is_drawn(label: Option<&Label>, body: &Block, is_loop: bool) -> bool {
    let mut finder = Finder { exits: true, inner_loops: usize::from(is_loop), ..Finder::default() };
    finder.inner_labels.extend(label.map(|label| label.name.ident.to_string()));
    finder.visit_block(body);
    finder.found
}

fn awaits(expression: &Expr) -> bool {
    let mut finder = Finder::default();
    finder.visit_expr(expression);
    finder.found
}

fn block_awaits(block: &Block) -> bool {
    let mut finder = Finder::default();
    finder.visit_block(block);
    finder.found
}

#[derive(Default)]
struct Finder {
    found: bool,
    /// Whether `return`, `?`, `break` and `continue` count too.
    exits: bool,
    /// How many loops inside the searched text surround the place: an unlabelled `break` leaves only those.
    inner_loops: usize,
    /// The labels inside the searched text that surround the place.
    inner_labels: Vec<String>,
}

impl Finder {
    /// Whether a `break` or `continue` leads out of the searched text.
    fn leads_out(&self, label: Option<&Lifetime>) -> bool {
        match label {
            Some(label) => !self.inner_labels.contains(&label.ident.to_string()),
            None => self.inner_loops == 0,
        }
    }

    fn visit_labelled(&mut self, expression: &Expr, label: Option<&Label>, is_loop: bool) {
        self.inner_loops += usize::from(is_loop);
        self.inner_labels.extend(label.map(|label| label.name.ident.to_string()));
        syn::visit::visit_expr(self, expression);
        if label.is_some() {
            self.inner_labels.pop();
        }
        self.inner_loops -= usize::from(is_loop);
    }
}

impl<'ast> Visit<'ast> for Finder {
    fn visit_expr(&mut self, expression: &'ast Expr) {
        match expression {
            Expr::Await(await_) if is_value(await_) => syn::visit::visit_expr(self, &await_.base),
            Expr::Await(_) => self.found = true,
            Expr::Return(_) | Expr::Try(_) if self.exits => self.found = true,
            Expr::Break(break_) if self.exits && self.leads_out(break_.label.as_ref()) => self.found = true,
            Expr::Continue(continue_) if self.exits && self.leads_out(continue_.label.as_ref()) => {
                self.found = true;
            }
            // Their ways out are their own; awaiting in them is refused.
            Expr::Closure(closure) => self.found |= awaits(&closure.body),
            Expr::Async(block) => self.found |= block_awaits(&block.block),
            Expr::Loop(loop_) => self.visit_labelled(expression, loop_.label.as_ref(), true),
            Expr::While(while_) => self.visit_labelled(expression, while_.label.as_ref(), true),
            Expr::ForLoop(for_) => self.visit_labelled(expression, for_.label.as_ref(), true),
            Expr::Block(block) => self.visit_labelled(expression, block.label.as_ref(), false),
            _ => syn::visit::visit_expr(self, expression),
        }
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        let name =
            call.path.segments.last().map(|segment| segment.ident.unraw().to_string()).unwrap_or_default();
        let is_told = forbidden::macro_(&name).is_some_and(forbidden::Kind::is_foreign)
            || HIDDEN_EXITS.contains(&name.as_str())
            || Word::of(call).is_some()
            || (self.exits && hidden_in(call).is_some());
        self.found |= is_told || count_tokens(call.tokens.clone()) > 0 || (self.exits && may_exit(call));
    }

    /// Nested items are no code of the workflow.
    fn visit_item(&mut self, _: &'ast syn::Item) {}
}

/// What a macro of this file does unseen. Those of the standard library and of the usual crates are not looked up.
fn hidden_in(call: &Macro) -> Option<&'static str> {
    const KNOWN: &[&str] = &[
        "vec",
        "format",
        "write",
        "writeln",
        "matches",
        "assert",
        "assert_eq",
        "assert_ne",
        "debug_assert",
        "debug_assert_eq",
        "debug_assert_ne",
        "panic",
        "unreachable",
        "todo",
        "unimplemented",
        "concat",
        "cfg",
        "trace",
        "debug",
        "info",
        "warn",
        "error",
        "json",
        "anyhow",
        "format_err",
        "env",
        "line",
        "file",
        "stringify",
    ];
    let name = call.path.get_ident().filter(|name| !KNOWN.iter().any(|known| *name == known))?;
    source_file::around(name.span())?.hidden_in(&name.unraw().to_string())
}

/// Whether the tokens of a macro call hold a `?` operator, a `return`, or a way out of a loop.
fn may_exit(call: &Macro) -> bool {
    fn search(tokens: proc_macro2::TokenStream) -> bool {
        tokens.into_iter().any(|token| match token {
            proc_macro2::TokenTree::Group(group) => search(group.stream()),
            proc_macro2::TokenTree::Ident(ident) => {
                ident == "return" || ident == "break" || ident == "continue"
            }
            // `tracing` and friends write `?value` before a value; the operator stands behind one.
            proc_macro2::TokenTree::Punct(_) | proc_macro2::TokenTree::Literal(_) => false,
        })
    }
    fn question_mark(tokens: proc_macro2::TokenStream) -> bool {
        let mut after_value = false;
        for token in tokens {
            match &token {
                proc_macro2::TokenTree::Punct(punct) if punct.as_char() == '?' && after_value => return true,
                proc_macro2::TokenTree::Group(group) if question_mark(group.stream()) => return true,
                _ => {}
            }
            after_value = !matches!(token, proc_macro2::TokenTree::Punct(_));
        }
        false
    }
    search(call.tokens.clone()) || question_mark(call.tokens.clone())
}
