//! Conditions: `if`, `let else`, and `&&` and `||`, whose right side may or may not run.
//! A condition in which nothing waits is one question, however long; it is taken apart only where something does.

use proc_macro2::Span;
use syn::{BinOp, Expr, ExprBinary, ExprIf, ExprLet, Pat, UnOp};

use super::expressions::{block_is_drawn, is_drawn};
use super::fingerprints::Basis;
use super::graph::Ways;
use super::lower::{Lowerer, answer, span_of};
use super::matches::{Arm, ArmBody, End, tell_outcome};
use super::operations::{Awaited, awaited};
use super::patterns::{bound_by, bound_by_condition};
use super::phrases;

/// The ways on from a condition.
pub(crate) struct Answers {
    pub(crate) yes: Ways,
    pub(crate) no: Ways,
}

impl Lowerer<'_> {
    pub(crate) fn if_(&mut self, if_: &ExprIf, ways: Ways, end: End) -> Ways {
        let otherwise = match &if_.else_branch {
            Some((_, branch)) => ArmBody::Expression(branch),
            None => ArmBody::Nothing,
        };
        if let Expr::Let(condition) = &*if_.cond
            && let Some(await_) = outcome_of(condition)
        {
            let arms = vec![
                Arm::new(Some(&condition.pat), ArmBody::Block(&if_.then_branch)),
                Arm::new(None, otherwise),
            ];
            let thrown = self.passed_on(&condition.expr);
            return self.outcome(await_, thrown, arms, ways, end);
        }
        let is_silent = !block_is_drawn(&if_.then_branch) && !otherwise.is_drawn();
        if is_silent && matches!(end, End::Value) {
            return self.expression(&if_.cond, ways);
        }
        let outside = self.locals.len();
        let Answers { yes, no } = self.condition(&if_.cond, ways, if_.if_token.span);
        let mut after = self.arm_body(ArmBody::Block(&if_.then_branch), yes, end);
        self.locals.truncate(outside);
        after.extend(self.arm_body(otherwise, no, end));
        after
    }

    /// A condition that decides how the flow goes on. The names that it binds stay bound.
    pub(crate) fn condition(&mut self, condition: &Expr, ways: Ways, span: Span) -> Answers {
        match condition {
            Expr::Paren(paren) if is_taken_apart(condition) => self.condition(&paren.expr, ways, span),
            Expr::Group(group) if is_taken_apart(condition) => self.condition(&group.expr, ways, span),
            Expr::Unary(unary) if is_taken_apart(condition) => {
                let Answers { yes, no } = self.condition(&unary.expr, ways, span);
                Answers { yes: no, no: yes }
            }
            Expr::Binary(binary) if is_taken_apart(condition) => {
                let Answers { yes, no } = self.condition(&binary.left, ways, span);
                let right = span_of(&binary.right);
                if matches!(binary.op, BinOp::And(_)) {
                    let mut both = self.condition(&binary.right, yes, right);
                    both.no.extend(no);
                    both
                } else {
                    let mut either = self.condition(&binary.right, no, right);
                    either.yes.extend(yes);
                    either
                }
            }
            Expr::Let(let_) if let Some(await_) = outcome_of(let_) => {
                self.outcome_condition(let_, await_, ways)
            }
            condition => {
                let label = self.take_label();
                let ways = self.expression(condition, ways);
                self.label = label;
                let (_, [yes, no]) = self.decision_about(condition, ways, span);
                self.locals.extend(bound_by_condition(condition));
                Answers { yes: vec![yes], no: vec![no] }
            }
        }
    }

    /// `let Ok(x) = step().await` among other conditions: an error of the step is a no.
    fn outcome_condition(&mut self, let_: &ExprLet, awaited: Awaited<'_>, ways: Ways) -> Answers {
        let (node, ways) = self.operation(awaited, ways);
        self.locals.extend(bound_by(&let_.pat));
        let arms = [Arm::new(Some(&let_.pat), ArmBody::Nothing), Arm::new(None, ArmBody::Nothing)];
        let span = awaited.span();
        if let Some(node) = node
            && let Some(error) = self.error_way(node)
        {
            let mut leading = self.lead_outcome(node, error, &arms, span, End::Result).into_iter();
            let (yes, no) = (leading.next(), leading.next());
            return Answers { yes: yes.unwrap_or_default(), no: no.unwrap_or_default() };
        }
        let basis = Basis::of(&let_.pat);
        let decision = self.decision(ways, phrases::question(&let_.expr), span, basis);
        let yes = answer(decision, "yes", arms[0].condition(), false);
        Answers { yes: vec![yes], no: vec![answer(decision, "no", String::new(), true)] }
    }

    /// `&&` or `||` as a value: its right side is drawn behind a decision where something happens in it.
    pub(crate) fn logic(&mut self, binary: &ExprBinary, ways: Ways) -> Ways {
        if !is_drawn(&binary.right) {
            return self.expression(&binary.left, ways);
        }
        let Answers { yes, no } = self.condition(&binary.left, ways, span_of(&binary.left));
        let is_and = matches!(binary.op, BinOp::And(_));
        let (goes_on, known) = if is_and { (yes, no) } else { (no, yes) };
        let mut after = self.expression(&binary.right, goes_on);
        after.extend(known);
        after
    }

    pub(crate) fn let_else(&mut self, pattern: &Pat, value: &Expr, diverge: &Expr, ways: Ways) -> Ways {
        let arms =
            vec![Arm::new(Some(pattern), ArmBody::Nothing), Arm::new(None, ArmBody::Expression(diverge))];
        if let Some(await_) = awaited(value)
            && tell_outcome(value, &arms)
        {
            let thrown = self.passed_on(value);
            return self.outcome(await_, thrown, arms, ways, End::Value);
        }
        let ways = self.expression(value, ways);
        let basis = Basis::of(pattern).and(Basis::of_expression(value));
        let decision = self.decision(ways, phrases::question(value), span_of(value), basis);
        let condition = format!("{} = {}", phrases::source_text(pattern), phrases::source_text(value));
        let otherwise = vec![answer(decision, "no", String::new(), true)];
        let mut after = vec![answer(decision, "yes", condition, false)];
        after.extend(self.arm_body(ArmBody::Expression(diverge), otherwise, End::Value));
        after
    }
}

/// The operation whose success this condition tells from its errors.
fn outcome_of(condition: &ExprLet) -> Option<Awaited<'_>> {
    let arms = [Arm::new(Some(&condition.pat), ArmBody::Nothing), Arm::new(None, ArmBody::Nothing)];
    awaited(&condition.expr).filter(|_| tell_outcome(&condition.expr, &arms))
}

/// Whether a part of this condition has to be drawn behind the answer to another part.
fn is_taken_apart(condition: &Expr) -> bool {
    match condition {
        Expr::Paren(paren) => is_taken_apart(&paren.expr),
        Expr::Group(group) => is_taken_apart(&group.expr),
        Expr::Unary(unary) => matches!(unary.op, UnOp::Not(_)) && is_taken_apart(&unary.expr),
        Expr::Let(condition) => outcome_of(condition).is_some(),
        Expr::Binary(binary) if matches!(binary.op, BinOp::And(_) | BinOp::Or(_)) => {
            is_drawn(&binary.right) || is_taken_apart(&binary.left) || is_taken_apart(&binary.right)
        }
        _ => false,
    }
}
