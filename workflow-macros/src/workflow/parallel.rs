//! `join!` and `try_join!`: branches that all run, drawn between a fork and a join.
//! The branches of a `try_join!` stand in a block, because the first error leaves all of them.

use syn::ext::IdentExt;
use syn::visit::Visit;
use syn::{Expr, ExprAwait, Macro};
use workflow_graph::{NodeIndex, NodeKind, Outcome, humanise};

use super::branches::{Branch, BranchBody, Ending};
use super::graph::{Draft, Ways, next};
use super::lower::{Lowerer, line_of};
use super::phrases;
use super::regions::Region;

impl<'a> Lowerer<'a> {
    /// Branches whose outcomes are all values.
    pub(crate) fn join(&mut self, call: &Macro, ways: Ways) -> Ways {
        let Some(region) = self.region(call) else { return ways };
        let label = self.take_label().unwrap_or_default();
        let (branches, ways) = self.branches(region, ways);
        self.side_by_side(region, label, branches, false, ways)
    }

    /// Branches whose errors leave all of them.
    pub(crate) fn try_join(&mut self, region: &'a Region, ways: Ways) -> (Option<NodeIndex>, Ways) {
        let label = self.take_label().unwrap_or_default();
        let (branches, ways) = self.branches(region, ways);
        let (name, line) = (name_of(&branches), line_of(region.span));
        let draft = Draft { label, line, span: region.span, ..Draft::new(&name, NodeKind::Block) };
        let block = self.graph.add(ways, draft);
        let around = self.graph.enter(Some(block));
        let inside = Ending::Branch { exits: Ways::new(), fails: true };
        let outside = std::mem::replace(&mut self.ending, inside);
        let start = self.graph.add(Ways::new(), Draft { line, ..Draft::new("started", NodeKind::Start) });
        let ways = self.side_by_side(region, String::new(), branches, true, next(start));
        let is_reached = !ways.is_empty();
        if is_reached {
            let end = NodeKind::End(Outcome::Success);
            self.graph.add(ways, Draft { line, span: region.span, ..Draft::new("all_done", end) });
        }
        self.ending = outside;
        self.graph.enter(around);
        (Some(block), if is_reached { next(block) } else { Ways::new() })
    }

    /// All branches, between a fork and a join where there are several.
    fn side_by_side(
        &mut self,
        region: &Region,
        label: String,
        branches: Vec<Branch<'_>>,
        fails: bool,
        ways: Ways,
    ) -> Ways {
        let mut drawn: Vec<Branch<'_>> = branches.into_iter().filter(Branch::is_drawn).collect();
        if drawn.len() < 2 {
            let Some(mut only) = drawn.pop() else { return ways };
            only.label = only.label.or(Some(label).filter(|label| !label.is_empty()));
            return self.branch(only, fails, ways);
        }
        let line = line_of(region.span);
        let fork = self
            .graph
            .add(ways, Draft { label, line, span: region.span, ..Draft::new("fork", NodeKind::Fork) });
        let mut arrived = Ways::new();
        for branch in drawn {
            let mut after = self.branch(branch, fails, next(fork));
            if after.is_empty() {
                let why = "a branch of this never comes to its end with a value, so that nothing behind it is \
                           ever reached";
                self.refuse(region.span, why);
            }
            if after.len() > 1 {
                after = next(self.graph.add_merge(after, "merge"));
            }
            arrived.extend(after);
        }
        let join = self.graph.add_join(arrived);
        self.graph.set_span(join, region.span);
        next(join)
    }
}

/// What a block does, by what its branches do first: `ship_and_send_invoice`.
fn name_of(branches: &[Branch<'_>]) -> String {
    let names: Vec<String> = branches.iter().filter_map(name_of_branch).collect();
    let words = match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(" ")),
        None => "all".to_owned(),
    };
    phrases::slug(&words)
}

fn name_of_branch(branch: &Branch<'_>) -> Option<String> {
    match &branch.body {
        BranchBody::Call { text, .. } => {
            text.function.path.segments.last().map(|last| humanise(&last.ident.unraw().to_string()))
        }
        BranchBody::Block(block) => {
            let mut first = FirstCall(None);
            first.visit_block(block);
            first.0
        }
    }
}

/// Finds what a block calls first.
struct FirstCall(Option<String>);

impl<'ast> Visit<'ast> for FirstCall {
    fn visit_expr_await(&mut self, await_: &'ast ExprAwait) {
        let mut callee = &*await_.base;
        while let Expr::MethodCall(method) = callee {
            callee = &method.receiver;
        }
        if self.0.is_none()
            && let Expr::Call(call) = callee
            && let Expr::Path(path) = &*call.func
        {
            self.0 = path.path.segments.last().map(|last| humanise(&last.ident.unraw().to_string()));
        }
    }
}
