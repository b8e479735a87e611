//! `match`, and everything else that looks at a value with patterns.
//! Over the outcome of an operation, the arms for errors become ways of their own out of it.

use std::collections::BTreeSet;

use syn::spanned::Spanned;
use syn::{Block, Expr, ExprAwait, ExprMatch, Pat};
use workflow_graph::{FlowKind, NodeIndex};

use super::expressions::{block_is_drawn, is_drawn};
use super::graph::{Way, Ways, next};
use super::lower::{Lowerer, answer, span_of};
use super::operations::{awaited, maps_errors};
use super::patterns::{Takes, bound_by, is_irrefutable, takes};
use super::phrases;
use crate::docs;

/// What becomes of the value of an arm.
#[derive(Clone, Copy)]
pub(crate) enum End {
    /// The code goes on with it.
    Value,
    /// It is the result of the function, which may be an error.
    Result,
}

/// One way to go on, chosen by a pattern.
pub(crate) struct Arm<'a> {
    /// `None` takes whatever the others do not.
    pattern: Option<&'a Pat>,
    guard: Option<&'a Expr>,
    label: Option<String>,
    body: ArmBody<'a>,
}

#[derive(Clone, Copy)]
pub(crate) enum ArmBody<'a> {
    Nothing,
    Expression(&'a Expr),
    Block(&'a Block),
}

impl ArmBody<'_> {
    pub(crate) fn is_drawn(self) -> bool {
        match self {
            ArmBody::Nothing => false,
            ArmBody::Expression(expression) => is_drawn(expression),
            ArmBody::Block(block) => block_is_drawn(block),
        }
    }
}

impl<'a> Arm<'a> {
    pub(crate) fn new(pattern: Option<&'a Pat>, body: ArmBody<'a>) -> Arm<'a> {
        Arm { pattern, guard: None, label: None, body }
    }

    fn of(arm: &'a syn::Arm) -> Arm<'a> {
        let (pattern, guard) = match &arm.pat {
            Pat::Guard(guarded) => (&*guarded.pat, Some(&*guarded.guard)),
            pattern => (pattern, None),
        };
        let label = docs::split(&arm.attrs).label;
        Arm { pattern: Some(pattern), guard, label, body: ArmBody::Expression(&arm.body) }
    }

    fn takes(&self) -> Takes<'a> {
        self.pattern.map_or(Takes::Rest, takes)
    }

    fn is_catch_all(&self) -> bool {
        self.guard.is_none() && self.pattern.is_none_or(is_irrefutable)
    }

    fn answer(&self) -> String {
        let label = self.label.clone();
        label.or_else(|| self.pattern.map(phrases::answer)).unwrap_or_else(|| "otherwise".to_owned())
    }

    fn condition(&self) -> String {
        let pattern = self.pattern.map(phrases::source_text).unwrap_or_default();
        match self.guard {
            Some(guard) => format!("{pattern} if {}", phrases::source_text(guard)),
            None => pattern,
        }
    }
}

/// Whether the arms tell the success of the awaited operation from its errors. What they tell apart otherwise, such as
/// an `Option`, numbers, or what `map_err` made of its errors, is a value like any other.
pub(crate) fn tell_outcome(value: &Expr, arms: &[Arm<'_>]) -> bool {
    let has_other_errors = maps_errors(value);
    let is_told = |arm: &Arm<'_>| match arm.takes() {
        Takes::Other => false,
        Takes::Variants(_) | Takes::Part => !has_other_errors,
        Takes::Success(_) | Takes::AnyError | Takes::Rest => true,
    };
    arms.iter().all(is_told) && !arms.iter().all(|arm| matches!(arm.takes(), Takes::Rest))
}

impl Lowerer<'_> {
    pub(crate) fn match_(&mut self, match_: &ExprMatch, ways: Ways, end: End) -> Ways {
        let arms: Vec<Arm<'_>> = match_.arms.iter().map(Arm::of).collect();
        for (arm, written) in arms.iter().zip(&match_.arms) {
            if arm.body.is_drawn() {
                self.refuse_conditional(&written.attrs);
            }
            if let Some(guard) = arm.guard.filter(|guard| is_drawn(guard)) {
                self.refuse(span_of(guard), "a guard that awaits is not drawn; decide inside the arm");
            }
        }
        if let Some(await_) = awaited(&match_.expr)
            && tell_outcome(&match_.expr, &arms)
        {
            return self.outcome(await_, arms, ways, end);
        }
        let label = self.label.take();
        let ways = self.expression(&match_.expr, ways);
        self.label = label;
        if matches!(end, End::Value) && !arms.iter().any(|arm| arm.body.is_drawn()) {
            return ways;
        }
        let question = phrases::question(&match_.expr);
        self.answers(ways, question, match_.match_token.span, arms, end)
    }

    /// A decision with an answer for each arm. Arms in which nothing happens share one.
    fn answers(
        &mut self,
        ways: Ways,
        question: String,
        span: proc_macro2::Span,
        arms: Vec<Arm<'_>>,
        end: End,
    ) -> Ways {
        let is_silent = |arm: &Arm<'_>| matches!(end, End::Value) && !arm.body.is_drawn();
        if arms.len() < 2 {
            // A pattern that takes everything decides nothing.
            return match arms.first() {
                Some(arm) => self.arm(arm, ways, end),
                None => ways,
            };
        }
        let decision = self.decision(ways, question, span);
        let default = arms.iter().position(Arm::is_catch_all).unwrap_or(arms.len() - 1);
        let mut after = Vec::new();
        let silent: Vec<usize> = (0..arms.len()).filter(|&arm| is_silent(&arms[arm])).collect();
        for (index, arm) in arms.iter().enumerate() {
            let shared: &[usize] = match silent.first() {
                Some(&first) if first == index => &silent,
                _ if silent.contains(&index) => continue,
                _ => &[index],
            };
            let answers: Vec<String> = shared.iter().map(|&arm| arms[arm].answer()).collect();
            let conditions: Vec<String> = shared.iter().map(|&arm| arms[arm].condition()).collect();
            let is_default = shared.contains(&default);
            let label = if answers.len() > 3 { "otherwise".to_owned() } else { answers.join(" or ") };
            let way = answer(decision, &label, conditions.join(" | "), is_default);
            after.extend(self.arm(arm, vec![way], end));
        }
        after
    }

    /// Arms over the outcome of an operation: its success goes on, each error that is told apart has its own way.
    pub(crate) fn outcome(&mut self, await_: &ExprAwait, arms: Vec<Arm<'_>>, ways: Ways, end: End) -> Ways {
        let (node, _) = self.operation(await_, ways);
        let Some(node) = node else { return Vec::new() };
        let Some(any_error) = self.error_way(node) else {
            // It cannot fail: its value is looked at like any other.
            let question = format!("{}?", workflow_graph::humanise(self.graph.name_of(node)));
            return self.answers(next(node), question, await_.await_token.span, arms, end);
        };
        let mut leading: Vec<Ways> = vec![Vec::new(); arms.len()];
        self.lead_success(node, &arms, await_, &mut leading);
        self.lead_errors(node, any_error, &arms, &mut leading);
        let mut after = Vec::new();
        for (arm, ways) in arms.iter().zip(leading) {
            if !ways.is_empty() {
                after.extend(self.arm(arm, ways, end));
            }
        }
        after
    }

    fn lead_success(&mut self, node: NodeIndex, arms: &[Arm<'_>], await_: &ExprAwait, leading: &mut [Ways]) {
        let candidates: Vec<usize> = (0..arms.len())
            .filter(|&arm| matches!(arms[arm].takes(), Takes::Success(_) | Takes::Rest))
            .collect();
        let Some(&first) = candidates.first() else { return };
        let takes_all = match arms[first].takes() {
            Takes::Success(inner) => is_irrefutable(inner) || candidates.len() == 1,
            _ => true,
        };
        if arms[first].guard.is_none() && takes_all {
            leading[first].extend(next(node));
            return;
        }
        let question = format!("{}?", workflow_graph::humanise(self.graph.name_of(node)));
        let decision = self.decision(next(node), question, await_.await_token.span);
        let default = candidates.iter().copied().find(|&arm| matches!(arms[arm].takes(), Takes::Rest));
        let default = default.or(candidates.last().copied());
        for &arm in &candidates {
            let words = match arms[arm].takes() {
                Takes::Success(inner) if arms[arm].label.is_none() => phrases::answer(inner),
                _ => arms[arm].answer(),
            };
            let way = answer(decision, &words, arms[arm].condition(), Some(arm) == default);
            leading[arm].push(way);
        }
    }

    fn lead_errors(&mut self, node: NodeIndex, any_error: Way, arms: &[Arm<'_>], leading: &mut [Ways]) {
        let mut seen: BTreeSet<String> = BTreeSet::new();
        let mut is_covered = false;
        let is_timeout = any_error.kind == FlowKind::Timeout;
        for (index, arm) in arms.iter().enumerate() {
            let span = arm.pattern.map_or_else(proc_macro2::Span::call_site, Spanned::span);
            let found = arm.takes();
            if arm.guard.is_some() && !matches!(found, Takes::Success(_)) {
                self.refuse(span, "a guard on an error is not drawn yet; decide inside the arm");
                continue;
            }
            let label = arm.label.clone().unwrap_or_default();
            match found {
                Takes::Variants(_) | Takes::AnyError | Takes::Rest if is_covered => {}
                Takes::Variants(_) if is_timeout => {
                    is_covered = true;
                    leading[index].push(any_error.clone());
                }
                Takes::Variants(variants) => {
                    for variant in variants {
                        if !seen.insert(variant.clone()) {
                            self.refuse(
                                span,
                                &format!("`{variant}` is told apart twice; decide inside one arm"),
                            );
                        }
                        let kind = FlowKind::Error { variant: variant.into(), label: label.clone().into() };
                        leading[index].push(Way { from: node, kind });
                    }
                }
                Takes::AnyError | Takes::Rest => {
                    is_covered = true;
                    let kind = match &any_error.kind {
                        FlowKind::Error { variant, .. } => {
                            FlowKind::Error { variant: variant.clone(), label: label.into() }
                        }
                        other => other.clone(),
                    };
                    leading[index].push(Way { from: node, kind });
                }
                Takes::Part => {
                    let why = "a pattern that takes only a part of an error's variant is not drawn yet; \
                               take the whole variant and decide inside the arm";
                    self.refuse(span, why);
                }
                Takes::Success(_) | Takes::Other => {}
            }
        }
    }

    /// An arm, with the names that its pattern binds.
    fn arm(&mut self, arm: &Arm<'_>, ways: Ways, end: End) -> Ways {
        let outside = self.locals.len();
        self.locals.extend(arm.pattern.into_iter().flat_map(bound_by));
        let ways = self.arm_body(arm.body, ways, end);
        self.locals.truncate(outside);
        ways
    }

    /// What an arm does, on the ways that lead to it.
    pub(crate) fn arm_body(&mut self, body: ArmBody<'_>, ways: Ways, end: End) -> Ways {
        match (body, end) {
            (ArmBody::Nothing, _) => ways,
            (ArmBody::Expression(expression), End::Value) => self.expression(expression, ways),
            (ArmBody::Block(block), End::Value) => self.block(block, ways),
            (ArmBody::Expression(expression), End::Result) => self.conclude(expression, ways),
            (ArmBody::Block(block), End::Result) => self.block_end(block, ways),
        }
    }
}
