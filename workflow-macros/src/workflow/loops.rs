//! Loops and labelled blocks, with their labels, `break` and `continue`.
//! A loop in which nothing happens that is drawn is local code and leaves no trace.

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::{
    Block, Expr, ExprBreak, ExprContinue, ExprForLoop, ExprLit, ExprLoop, ExprWhile, Label, Lifetime, Lit,
    LitBool,
};
use workflow_graph::FlowKind;

use super::conditions::Answers;
use super::expressions::{body_is_drawn, is_drawn};
use super::fingerprints::Basis;
use super::graph::Ways;
use super::lower::{Loop, Lowerer, answer};
use super::matches::End;
use super::patterns::bound_by;
use super::phrases;

impl Lowerer<'_> {
    /// A loop that ends with `break` only; with a result of the function, if that is what its value is.
    pub(crate) fn loop_(&mut self, loop_: &ExprLoop, ways: Ways, end: End) -> Ways {
        if !loop_is_drawn(loop_) {
            return ways;
        }
        let endless = Endless { label: loop_.label.as_ref(), names: Vec::new(), body: &loop_.body };
        self.endless(endless, loop_.loop_token.span, ways, end)
    }

    /// A loop without a question.
    fn endless(&mut self, endless: Endless<'_>, keyword: Span, ways: Ways, end: End) -> Ways {
        let label = self.take_label();
        let head = self.begin_loop(endless.label, ways, end);
        self.graph.set_label(head, label.unwrap_or_default());
        let outer_heads = self.heads.len();
        if !self.ending.is_of_branch() {
            self.heads.push((head, keyword)); // A branch without an end is refused as such.
        }
        let ways = self.block_binding(endless.names, endless.body, self.after(head));
        if self.loops.last().is_some_and(|left| left.is_left) && !self.ending.is_of_branch() {
            self.heads.remove(outer_heads); // Where a `break` leads is no matter, also when it is an error.
        }
        self.end_loop(head, ways)
    }

    pub(crate) fn while_(&mut self, while_: &ExprWhile, ways: Ways) -> Ways {
        if !body_is_drawn(while_.label.as_ref(), &while_.body, true) && !is_drawn(&while_.cond) {
            return ways;
        }
        if matches!(&*while_.cond, Expr::Lit(ExprLit { lit: Lit::Bool(LitBool { value: true, .. }), .. })) {
            let endless = Endless { label: while_.label.as_ref(), names: Vec::new(), body: &while_.body };
            return self.endless(endless, while_.while_token.span, ways, End::Value);
        }
        let head = self.begin_loop(while_.label.as_ref(), ways, End::Value);
        let outside = self.locals.len();
        let Answers { yes, no } = self.condition(&while_.cond, self.after(head), while_.while_token.span);
        let ways = self.block(&while_.body, yes);
        self.locals.truncate(outside);
        let mut after = no;
        after.extend(self.end_loop(head, ways));
        after
    }

    pub(crate) fn for_(&mut self, for_: &ExprForLoop, ways: Ways) -> Ways {
        if !body_is_drawn(for_.label.as_ref(), &for_.body, true) {
            return self.expression(&for_.expr, ways);
        }
        let label = self.take_label();
        let ways = self.expression(&for_.expr, ways);
        if is_endless(&for_.expr) {
            self.label = label;
            let names = bound_by(&for_.pat);
            let endless = Endless { label: for_.label.as_ref(), names, body: &for_.body };
            return self.endless(endless, for_.for_token.span, ways, End::Value);
        }
        let head = self.begin_loop(for_.label.as_ref(), ways, End::Value);
        self.label = label;
        let what = phrases::answer(&for_.pat);
        let what = match &*for_.pat {
            syn::Pat::Ident(ident) => {
                workflow_graph::humanise(&ident.ident.unraw().to_string()).to_lowercase()
            }
            _ if what == "otherwise" => "round".to_owned(),
            _ => what,
        };
        let question = format!("Another {what}?");
        let basis = Basis::of(&for_.pat).and(Basis::of_expression(&for_.expr));
        let decision = self.decision(self.after(head), question, for_.for_token.span, basis);
        let condition =
            format!("for {} in {}", phrases::source_text(&for_.pat), phrases::source_text(&for_.expr));
        let yes = answer(decision, "yes", condition, false);
        let ways = self.block_binding(bound_by(&for_.pat), &for_.body, vec![yes]);
        let mut after = vec![answer(decision, "no", String::new(), true)];
        after.extend(self.end_loop(head, ways));
        after
    }

    /// A block that `break 'label` leaves, with its value.
    pub(crate) fn labelled_block(&mut self, label: &Label, block: &Block, ways: Ways, end: End) -> Ways {
        if matches!(end, End::Value) && !body_is_drawn(Some(label), block, false) {
            return ways;
        }
        let label = Some(label.name.ident.to_string());
        self.loops.push(Loop { label, head: None, end, is_left: false, breaks: Vec::new() });
        let mut ways = match end {
            End::Value => self.block(block, ways),
            End::Result => self.block_end(block, ways),
        };
        ways.extend(self.loops.pop().map(|ended| ended.breaks).unwrap_or_default());
        ways
    }

    fn begin_loop(&mut self, label: Option<&Label>, ways: Ways, end: End) -> usize {
        let head = self.graph.add_merge(ways, "repeat");
        let label = label.map(|label| label.name.ident.to_string());
        self.loops.push(Loop { label, head: Some(head), end, is_left: false, breaks: Vec::new() });
        head
    }

    /// Leads the end of the body back to the head; returns the ways of the breaks.
    fn end_loop(&mut self, head: usize, ways: Ways) -> Ways {
        let back = if ways.len() > 1 { self.after_merge(ways) } else { ways };
        self.graph.connect(back, head);
        self.loops.pop().map(|ended| ended.breaks).unwrap_or_default()
    }

    fn after_merge(&mut self, ways: Ways) -> Ways {
        let merge = self.graph.add_merge(ways, "merge");
        self.after(merge)
    }

    pub(crate) fn break_(&mut self, break_: &ExprBreak, ways: Ways) -> Ways {
        let target = self.target(break_.label.as_ref());
        if let Some(target) = target
            && !ways.is_empty()
        {
            self.loops[target..].iter_mut().for_each(|around| around.is_left = true);
        }
        let ways = match (&break_.expr, target.map(|target| self.loops[target].end)) {
            (Some(value), Some(End::Result)) => self.conclude(value, ways),
            (Some(value), _) => self.expression(value, ways),
            (None, _) => ways,
        };
        let ways = self.labelled(ways);
        if let Some(target) = target {
            self.loops[target].breaks.extend(ways);
        }
        Vec::new()
    }

    pub(crate) fn continue_(&mut self, continue_: &ExprContinue, ways: Ways) -> Ways {
        let ways = self.labelled(ways);
        let target = self.target(continue_.label.as_ref());
        if let Some(head) = target.and_then(|target| self.loops[target].head) {
            self.graph.connect(ways, head);
        }
        Vec::new()
    }

    /// A label above a `break` or `continue` stands at the answer or error that leads there: there is nothing else.
    fn labelled(&mut self, mut ways: Ways) -> Ways {
        if let [way] = &mut ways[..]
            && let FlowKind::Answer { label, .. } | FlowKind::Error { label, .. } = &mut way.kind
            && let Some(text) = self.take_label()
        {
            *label = text.into();
        }
        ways
    }

    /// The position of the loop, or of the labelled block, that a `break` or `continue` is about.
    fn target(&self, label: Option<&Lifetime>) -> Option<usize> {
        let label = label.map(|label| label.ident.to_string());
        self.loops.iter().rposition(|surrounding| match &label {
            Some(label) => surrounding.label.as_ref() == Some(label),
            None => surrounding.head.is_some(),
        })
    }
}

/// A loop that goes on until something in it leaves it.
struct Endless<'e> {
    label: Option<&'e Label>,
    /// What is bound in each round.
    names: Vec<String>,
    body: &'e Block,
}

/// Whether these values never end: `0..`
fn is_endless(values: &Expr) -> bool {
    match values {
        Expr::Paren(paren) => is_endless(&paren.expr),
        Expr::Group(group) => is_endless(&group.expr),
        Expr::Range(range) => range.start.is_some() && range.end.is_none(),
        _ => false,
    }
}

/// Whether anything happens in the loop that makes it worth drawing.
pub(crate) fn loop_is_drawn(loop_: &ExprLoop) -> bool {
    body_is_drawn(loop_.label.as_ref(), &loop_.body, true)
}
