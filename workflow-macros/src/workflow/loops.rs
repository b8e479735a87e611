//! Loops, with their labels, `break` and `continue`.
//! A loop in which nothing happens that is drawn is local code and leaves no trace.

use syn::{ExprBreak, ExprContinue, ExprForLoop, ExprLoop, ExprWhile, Label, Lifetime};

use super::expressions::{is_drawn, loop_is_drawn};
use super::graph::Ways;
use super::lower::{Loop, Lowerer, answer};
use super::patterns::{bound_by, bound_by_condition};
use super::phrases;

impl Lowerer<'_> {
    pub(crate) fn loop_(&mut self, loop_: &ExprLoop, ways: Ways) -> Ways {
        if !loop_is_drawn(&loop_.body) {
            return ways;
        }
        let head = self.begin_loop(loop_.label.as_ref(), ways);
        let ways = self.block(&loop_.body, self.after(head));
        self.end_loop(head, ways)
    }

    pub(crate) fn while_(&mut self, while_: &ExprWhile, ways: Ways) -> Ways {
        if !loop_is_drawn(&while_.body) && !is_drawn(&while_.cond) {
            return ways;
        }
        let question_label = self.label.take();
        let head = self.begin_loop(while_.label.as_ref(), ways);
        let ways = self.expression(&while_.cond, self.after(head));
        self.label = question_label;
        let decision = self.decision(ways, phrases::question(&while_.cond), while_.while_token.span);
        let yes = answer(decision, "yes", phrases::source_text(&while_.cond), false);
        let ways = self.block_binding(bound_by_condition(&while_.cond), &while_.body, vec![yes]);
        let mut after = vec![answer(decision, "no", String::new(), true)];
        after.extend(self.end_loop(head, ways));
        after
    }

    pub(crate) fn for_(&mut self, for_: &ExprForLoop, ways: Ways) -> Ways {
        let question_label = self.label.take();
        let ways = self.expression(&for_.expr, ways);
        if !loop_is_drawn(&for_.body) {
            return ways;
        }
        let head = self.begin_loop(for_.label.as_ref(), ways);
        self.label = question_label;
        let what = phrases::answer(&for_.pat);
        let what = match &*for_.pat {
            syn::Pat::Ident(ident) => workflow_graph::humanise(&ident.ident.to_string()).to_lowercase(),
            _ if what == "otherwise" => "round".to_owned(),
            _ => what,
        };
        let question = format!("Another {what}?");
        let decision = self.decision(self.after(head), question, for_.for_token.span);
        let condition =
            format!("for {} in {}", phrases::source_text(&for_.pat), phrases::source_text(&for_.expr));
        let yes = answer(decision, "yes", condition, false);
        let ways = self.block_binding(bound_by(&for_.pat), &for_.body, vec![yes]);
        let mut after = vec![answer(decision, "no", String::new(), true)];
        after.extend(self.end_loop(head, ways));
        after
    }

    fn begin_loop(&mut self, label: Option<&Label>, ways: Ways) -> usize {
        let head = self.graph.add_merge(ways, "repeat");
        let label = label.map(|label| label.name.ident.to_string());
        self.loops.push(Loop { label, head, breaks: Vec::new() });
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
        let ways = match &break_.expr {
            Some(value) => self.expression(value, ways),
            None => ways,
        };
        if let Some(target) = self.target(break_.label.as_ref()) {
            self.loops[target].breaks.extend(ways);
        }
        Vec::new()
    }

    pub(crate) fn continue_(&mut self, continue_: &ExprContinue, ways: Ways) -> Ways {
        if let Some(target) = self.target(continue_.label.as_ref()) {
            let head = self.loops[target].head;
            self.graph.connect(ways, head);
        }
        Vec::new()
    }

    fn target(&self, label: Option<&Lifetime>) -> Option<usize> {
        match label {
            Some(label) => {
                let label = label.ident.to_string();
                self.loops.iter().rposition(|surrounding| surrounding.label.as_ref() == Some(&label))
            }
            None => self.loops.len().checked_sub(1),
        }
    }
}
