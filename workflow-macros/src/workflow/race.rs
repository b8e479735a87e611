//! `select!`: the first of several operations wins; the others are withdrawn before its arm runs.
//! What is drawn: one node with a way to each operation, behind each of which stands its arm.

use proc_macro2::Span;
use syn::{Expr, Macro};
use workflow_graph::{NodeIndex, NodeKind};

use super::branches::{Branch, BranchBody};
use super::graph::{Draft, Ways, next};
use super::lower::{Lowerer, line_of, span_of};
use super::matches::{ArmBody, End};
use super::patterns::bound_by;

impl Lowerer<'_> {
    pub(crate) fn select(&mut self, call: &Macro, ways: Ways, end: End) -> Ways {
        let Some(region) = self.region(call) else { return ways };
        let label = self.take_label().unwrap_or_default();
        let (branches, ways) = self.branches(region, ways);
        if branches.len() < region.parts.len() {
            return ways; // What is wrong has been told.
        }
        let line = line_of(region.span);
        let race = self
            .graph
            .add(ways, Draft { label, line, span: region.span, ..Draft::new("race", NodeKind::Race) });
        let mut after = Ways::new();
        for (part, branch) in region.parts.iter().zip(branches) {
            let Some(arm) = &part.arm else { continue };
            let ways = self.racer(branch, race);
            let outside = self.locals.len();
            self.locals.extend(bound_by(&arm.pattern.tree));
            after.extend(self.arm_body(ArmBody::Expression(&arm.body.tree), ways, end));
            self.locals.truncate(outside);
        }
        after
    }

    /// One of the operations, and the way on when it is first.
    fn racer(&mut self, branch: Branch<'_>, race: NodeIndex) -> Ways {
        let BranchBody::Call { text, await_number, written } = branch.body else { return next(race) };
        let repeats = text.instances.is_some();
        self.label = branch.label;
        let (node, ways) = self.begin(*text, await_number, written, next(race));
        self.label = None;
        let Some(node) = node else {
            self.refuse_racer(
                written,
                "only what takes time can be first: steps, workflows, timers and messages",
            );
            return ways;
        };
        if repeats {
            let why =
                "a `join_all` in `select!` could stop half way; await it before, or in a branch of `join!`";
            self.refuse_racer(written, why);
        } else if matches!(self.graph.kind_of(node), NodeKind::Send { .. }) {
            self.refuse_racer(
                written,
                "sending takes no time, so that it is always first; do it inside an arm",
            );
        }
        ways
    }

    fn refuse_racer(&mut self, written: &Expr, why: &str) {
        let span: Span = span_of(written);
        self.refuse_as(syn::Error::new(span, format!("WF005: {why}; see docs/errors/WF005.md")));
    }
}
