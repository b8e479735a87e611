//! How the function ends: with a result, with an error, or with a value that only the run will know.
//! Ends are named by what they mean to the business, as far as the text tells.

use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{Expr, Macro, Pat};
use workflow_graph::{FlowKind, NodeIndex, NodeKind, Outcome, Thrown, humanise};

use super::fingerprints::Basis;
use super::graph::{Draft, Way, Ways};
use super::loops::loop_is_drawn;
use super::lower::{Lowerer, answer};
use super::matches::End;
use super::operations::{Awaited, awaited};
use super::patterns::is_constant;
use super::phrases;
use super::regions::Word;

const FAILS: NodeKind = NodeKind::End(Outcome::Failure);

impl Lowerer<'_> {
    /// An expression whose value is the result of the function. Nothing comes after it.
    pub(crate) fn conclude(&mut self, value: &Expr, ways: Ways) -> Ways {
        if !self.is_fallible || self.ending.takes_any() {
            return match value {
                // `return` and loops without an end have no value; what they lead to has been drawn.
                Expr::If(if_) => {
                    let ways = self.if_(if_, ways, End::Value);
                    self.success(ways)
                }
                other => {
                    let ways = self.expression(other, ways);
                    self.success(ways)
                }
            };
        }
        if let Some(await_) = awaited(value) {
            let (node, ways) = self.operation(await_, ways);
            self.place = await_.span();
            self.error_leaves(node, value);
            return self.success(ways);
        }
        match value {
            Expr::Paren(paren) => self.conclude(&paren.expr, ways),
            Expr::Group(group) => self.conclude(&group.expr, ways),
            Expr::Block(block) => match &block.label {
                Some(label) => self.labelled_block(label, &block.block, ways, End::Result),
                None => self.block_end(&block.block, ways),
            },
            Expr::Unsafe(block) => self.block_end(&block.block, ways),
            Expr::Loop(loop_) if loop_is_drawn(loop_) => self.loop_(loop_, ways, End::Result),
            Expr::If(if_) => self.if_(if_, ways, End::Result),
            Expr::Match(match_) => self.match_(match_, ways, End::Result),
            Expr::Return(return_) => match &return_.expr {
                Some(value) => self.conclude(value, ways),
                None => self.success(ways),
            },
            Expr::Call(call) => match (last_segment(&call.func).as_deref(), call.args.first()) {
                (Some("Ok"), Some(inner)) => {
                    let ways = self.expression(inner, ways);
                    self.success(ways)
                }
                (Some("Err"), Some(inner)) => {
                    let ways = self.expression(inner, ways);
                    self.place = call.func.span();
                    let thrown = self.thrown_by(inner);
                    match error_name(inner) {
                        Some(name) => self.failure_named(ways, &humanise(&name), thrown),
                        None => self.failure(ways, thrown),
                    }
                }
                _ => self.unknown(value, ways),
            },
            Expr::Macro(call) => self.conclude_macro(&call.mac, ways),
            Expr::Break(_) | Expr::Continue(_) => {
                let ways = self.expression(value, ways);
                if ways.is_empty() { ways } else { self.unknown_after(value, ways) }
            }
            other => self.unknown(other, ways),
        }
    }

    /// A macro call whose value is the result of the function.
    pub(crate) fn conclude_macro(&mut self, call: &Macro, ways: Ways) -> Ways {
        let tells_result = self.is_fallible && !self.ending.takes_any();
        let (ways, is_over) = match (Word::of(call), tells_result) {
            (Some(Word::Select), true) => (self.select(call, ways, End::Result), true),
            (Some(Word::TryJoin), true) => {
                let (node, ways) = self.operation(Awaited::TryJoin(call), ways);
                if let Some(way) = node.and_then(|node| self.error_way(node)) {
                    self.failure(vec![way], Thrown::Arriving);
                }
                (self.success(ways), true)
            }
            _ => (self.macro_call(call, ways), false),
        };
        match (is_over || ways.is_empty(), tells_result) {
            (true, _) => ways,
            (false, true) => self.unknown_after(call, ways),
            (false, false) => self.success(ways),
        }
    }

    /// A result whose outcome the text does not tell.
    fn unknown(&mut self, value: &Expr, ways: Ways) -> Ways {
        let ways = self.expression(value, ways);
        self.unknown_after(value, ways)
    }

    fn unknown_after(&mut self, value: &(impl ToTokens + Spanned), ways: Ways) -> Ways {
        if ways.is_empty() {
            return ways;
        }
        let basis = match syn::parse2(value.to_token_stream()) {
            Ok(value) => Basis::of_expression(&value),
            Err(_) => Basis::of(value),
        };
        let decision = self.decision(ways, "Succeeded?".to_owned(), value.span(), basis);
        let condition = format!("{} is `Err`", phrases::source_text(value));
        self.failure_named(vec![answer(decision, "no", condition, false)], "Failed", Thrown::Unknown);
        self.success(vec![answer(decision, "yes", String::new(), true)])
    }

    /// The run ends with a result.
    pub(crate) fn success(&mut self, ways: Ways) -> Ways {
        let label = self.take_label().unwrap_or_default();
        let name = if label.is_empty() { "completed".to_owned() } else { phrases::slug(&label) };
        let draft = Draft { label, ..Draft::new(&name, NodeKind::End(Outcome::Success)) };
        self.end(ways, draft, Outcome::Success)
    }

    /// The errors of this node leave the function, as what `?` makes of them in this outcome.
    pub(crate) fn error_leaves(&mut self, node: Option<NodeIndex>, outcome: &Expr) {
        let Some(way) = node.and_then(|node| self.error_way(node)) else { return };
        let thrown = self.passed_on(outcome);
        match replaced_error_name(outcome) {
            Some(name) => self.failure_named(vec![way], &humanise(&name), thrown),
            None => self.failure(vec![way], thrown),
        };
    }

    /// The run ends with an error; named after the way that leads here.
    pub(crate) fn failure(&mut self, ways: Ways, thrown: Thrown) -> Ways {
        let name = match &ways[..] {
            [way] => self.name_of_failure(way),
            ways => self
                .failed_operation(ways)
                .map(|node| format!("{} failed", humanise(self.graph.name_of(node)))),
        };
        let name = name.unwrap_or_else(|| "Failed".to_owned());
        self.failure_named(ways, &name, thrown)
    }

    /// What went wrong on this way.
    fn name_of_failure(&self, way: &Way) -> Option<String> {
        let way = self.error_behind(way)?;
        let name = humanise(self.graph.name_of(way.from));
        match &way.kind {
            FlowKind::Error { variant, .. } if !variant.is_empty() => Some(humanise(variant)),
            FlowKind::Timeout => Some(format!("{name} timed out")),
            _ => Some(format!("{name} failed")),
        }
    }

    /// The operation whose errors all of these ways come from.
    fn failed_operation(&self, ways: &[Way]) -> Option<NodeIndex> {
        let mut nodes = ways.iter().map(|way| self.error_behind(way).map(|way| way.from));
        let first = nodes.next()??;
        nodes.all(|node| node == Some(first)).then_some(first)
    }

    /// The way that an error took out of its operation, when only decisions stand between.
    fn error_behind(&self, way: &Way) -> Option<Way> {
        match &way.kind {
            FlowKind::Error { .. } | FlowKind::Timeout => Some(way.clone()),
            FlowKind::Answer { .. } => self.error_behind(&self.graph.way_to(way.from)?),
            FlowKind::Next => None,
        }
    }

    /// The run ends with an error of this name.
    pub(crate) fn failure_named(&mut self, ways: Ways, name: &str, thrown: Thrown) -> Ways {
        let label = self.take_label().unwrap_or_else(|| name.to_owned());
        let draft = Draft { label, thrown, ..Draft::new(&phrases::slug(name), FAILS) };
        self.end(ways, draft, Outcome::Failure)
    }

    fn end(&mut self, ways: Ways, draft: Draft, outcome: Outcome) -> Ways {
        let ways = self.leave_branch(ways, outcome);
        if !ways.is_empty() {
            let name = if draft.name.is_empty() { "ended".to_owned() } else { draft.name };
            self.graph.add(ways, Draft { name, line: self.line, span: self.place, ..draft });
        }
        Vec::new()
    }
}

fn last_segment(function: &Expr) -> Option<String> {
    match function {
        Expr::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()),
        _ => None,
    }
}

/// Whether this is `Err(..)`.
pub(crate) fn is_error(value: &Expr) -> bool {
    match value {
        Expr::Paren(paren) => is_error(&paren.expr),
        Expr::Call(call) => call.args.len() == 1 && last_segment(&call.func).as_deref() == Some("Err"),
        _ => false,
    }
}

/// The variant that `.ok_or(..)`, `.ok_or_else(|| ..)` or `.map_err(|_| ..)` makes of what is missing or went wrong.
pub(crate) fn mapped_error_name(value: &Expr) -> Option<String> {
    match value {
        Expr::Paren(paren) => mapped_error_name(&paren.expr),
        Expr::MethodCall(call) => match (call.method.to_string().as_str(), call.args.first()?) {
            ("ok_or_else" | "map_err", Expr::Closure(closure)) => error_name(&closure.body),
            ("ok_or", error) => error_name(error),
            _ => None,
        },
        _ => None,
    }
}

/// The variant that `.map_err(|_| ..)` puts in the place of an error of which nothing is left.
fn replaced_error_name(value: &Expr) -> Option<String> {
    match value {
        Expr::Paren(paren) => replaced_error_name(&paren.expr),
        Expr::MethodCall(call) if call.method == "map" => replaced_error_name(&call.receiver),
        Expr::MethodCall(call) if call.method == "map_err" => match call.args.first()? {
            Expr::Closure(closure) if matches!(closure.inputs.first(), Some(Pat::Wild(_))) => {
                error_name(&closure.body)
            }
            _ => None,
        },
        _ => None,
    }
}

/// The variant that an error expression names: `OrderError::OutOfStock { .. }`, also before `.into()`.
fn error_name(error: &Expr) -> Option<String> {
    let path = match error {
        Expr::Path(path) => &path.path,
        Expr::Struct(named) => &named.path,
        Expr::Call(call) => match &*call.func {
            Expr::Path(path) => &path.path,
            _ => return None,
        },
        Expr::MethodCall(call) => return error_name(&call.receiver),
        Expr::Paren(paren) => return error_name(&paren.expr),
        _ => return None,
    };
    let ident = &path.segments.last()?.ident;
    is_constant(ident).then(|| ident.to_string())
}
