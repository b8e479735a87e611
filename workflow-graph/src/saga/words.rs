//! What is said about a saga that is out of order: what is wrong, why, and what to write instead.
//! Each text begins with its code and ends with its page; what is wrong is decided elsewhere.

use std::borrow::Cow;

use crate::{Effect, Flow, Graph, Node, NodeIndex, NodeKind, Notice};

use super::inside::{self, Wanted};
use super::part::name_of;
use super::ways::is_error;
use super::{Disorder, Finding, open};
use crate::reading::text_of;

/// The text about what was found at a node.
pub(super) const fn notice(nodes: &[Node], flows: &[Flow], node: NodeIndex, finding: Finding) -> Notice {
    let Finding { disorder, cause } = finding;
    match disorder {
        Disorder::AfterPivot => after(nodes, node, cause).with("; see docs/errors/WF033.md"),
        Disorder::BesidePivot => beside(nodes, node, cause).with("; see docs/errors/WF036.md"),
        Disorder::FailsAfterPivot => {
            fails_after(nodes, flows, node, cause).with("; see docs/errors/WF034.md")
        }
        Disorder::FailsBesidePivot => fails_beside(nodes, node, cause).with("; see docs/errors/WF036.md"),
        Disorder::KeptEffect => kept(nodes, node).with("; see docs/errors/WF038.md"),
    }
}

const fn after(nodes: &[Node], node: NodeIndex, cause: NodeIndex) -> Notice {
    let this = named(Notice::new("WF033: "), &nodes[node]);
    if has_pivot(&nodes[node]) {
        if node == cause {
            return this.with(
                " is a point of no return, and a loop leads back to it: it may happen twice; call it \
                              behind the loop, or mark it `#[step(retriable)]`",
            );
        }
        let this = pivot(this.with(" is a second point of no return after "), &nodes[cause]);
        return this.with(
            "; a run has one: mark this step, or that one, `#[step(retriable)]`, or give that one a \
                          compensation",
        );
    }
    let this = pivot(this.with(" comes after "), &nodes[cause]);
    let this = unfit(this.with(", when nothing is undone any more and nothing may fail"), &nodes[node]);
    this.with("; call it before the pivot, or mark it `#[step(retriable)]`")
}

const fn beside(nodes: &[Node], node: NodeIndex, cause: NodeIndex) -> Notice {
    let this = named(Notice::new("WF036: "), &nodes[node]);
    if node == cause {
        return this.with(" is a point of no return for each of many values, side by side: when one has happened, the \
                          others can still fail; make one call for all of them, or mark it `#[step(retriable)]`");
    }
    if has_pivot(&nodes[node]) {
        let this = pivot(this.with(" is a second point of no return beside "), &nodes[cause]);
        return this
            .with("; a run has one: mark one of them `#[step(retriable)]`, or give it a compensation");
    }
    let this = pivot(this.with(" runs beside "), &nodes[cause]);
    let this =
        unfit(this.with(": once that has happened, nothing is undone and nothing may fail"), &nodes[node]);
    this.with("; call it before these branches, or the pivot behind them, or mark it `#[step(retriable)]`")
}

const fn fails_after(nodes: &[Node], flows: &[Flow], node: NodeIndex, cause: NodeIndex) -> Notice {
    let this = match &nodes[node].kind {
        NodeKind::Compensate => Notice::new("WF034: `compensate()` comes after "),
        _ => Notice::new("WF034: this can fail after "),
    };
    let this = pivot(this, &nodes[cause]).with(", when nothing is undone any more; ");
    if can_fail(&nodes[cause]) && is_looked_at_later(flows, cause) {
        let this = named(this.with("tell the error of "), &nodes[cause]);
        return this.with(
            " apart where it is awaited, with `?` or `match`, so that it is known that it did not happen; \
                          what fails behind it has to be handled",
        );
    }
    this.with("do what can fail before the pivot, or handle the error here so that the run still succeeds")
}

const fn fails_beside(nodes: &[Node], node: NodeIndex, cause: NodeIndex) -> Notice {
    let this = match &nodes[node].kind {
        NodeKind::Compensate => Notice::new("WF036: `compensate()` stands beside "),
        _ => Notice::new("WF036: this can fail beside "),
    };
    let this =
        pivot(this, &nodes[cause]).with(", which may have happened before, and then nothing is undone; ");
    this.with("do what can fail before these branches, or call the pivot behind them")
}

const fn kept(nodes: &[Node], node: NodeIndex) -> Notice {
    if let NodeKind::Subflow(subflow) = &nodes[node].kind
        && let Some(graph) = subflow.graph.known()
        && !inside::is_saga(graph)
        && let Some((function, step)) = open::kept(graph)
    {
        return left(&nodes[node], function, step);
    }
    let this = named(Notice::new("WF038: "), &nodes[node]);
    let this = match &nodes[node].kind {
        NodeKind::Child(_) => {
            this.with(" has effects of its own that stay although this can still fail behind it; ")
        }
        NodeKind::Subflow(subflow) => {
            let this = this.with(" stays");
            let this = match subflow.graph.known() {
                Some(graph) => match inside::kept(graph) {
                    Some(step) => named(this.with(", with "), step).with(" in it,"),
                    None => this,
                },
                None => this,
            };
            this.with(" although this can still fail behind it; ")
        }
        _ => this.with(" is never undone and stays although this can still fail behind it; "),
    };
    let this = this.with("call it once the outcome is decided");
    let this = match &nodes[node].kind {
        NodeKind::Step(_) => {
            this.with(", give it a compensation, or say that it is meant to stay: `.without_compensation()`")
        }
        _ => this,
    };
    this.with(", or switch this off with a reason: `#[allow_workflow(kept_effect, reason = \"..\")]`")
}

/// A subflow that nothing of its own makes a saga fails after an effect, and the saga that calls it is undone without.
const fn left(node: &Node, function: &Graph, step: &Node) -> Notice {
    let this = named(named(Notice::new("WF038: "), node).with(" may fail when "), step);
    let own = text_of(&function.workflow);
    let this = this.with(" has happened, which is never undone and stays: in `").with(own);
    let this = this.with("`, call it once the outcome of that function is decided");
    let this = match &step.kind {
        NodeKind::Step(_) => {
            this.with(", give it a compensation, or say that it is meant to stay: `.without_compensation()`")
        }
        _ => this,
    };
    this.with(", or switch this off here with a reason: `#[allow_workflow(kept_effect, reason = \"..\")]`")
}

const fn named(notice: Notice, node: &Node) -> Notice {
    notice.with("`").with(name_of(node)).with("`")
}

/// Names the pivot, or the subflow with the pivot in it, and its line.
const fn pivot(notice: Notice, node: &Node) -> Notice {
    let inner = match &node.kind {
        NodeKind::Subflow(subflow) => match subflow.graph.known() {
            Some(graph) => inside::find(graph, Wanted::Pivot),
            None => None,
        },
        _ => None,
    };
    let notice = match inner {
        Some(step) => named(named(notice.with("the pivot "), step).with(" in "), node),
        None => named(notice.with("the pivot "), node),
    };
    if node.line == 0 { notice } else { notice.with(" (line ").with_number(node.line as u64).with(")") }
}

/// Says which step of a subflow makes it nothing for after the pivot.
const fn unfit(notice: Notice, node: &Node) -> Notice {
    let NodeKind::Subflow(subflow) = &node.kind else { return notice };
    match subflow.graph.known() {
        Some(graph) => match inside::find(graph, Wanted::Unfit) {
            Some(step) => {
                named(notice.with(", and "), step).with(" in it is neither read-only nor retriable")
            }
            None => notice,
        },
        None => notice,
    }
}

const fn has_pivot(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Step(step) => matches!(step.effect, Effect::Pivot),
        NodeKind::Subflow(subflow) => match subflow.graph.known() {
            Some(graph) => inside::find(graph, Wanted::Pivot).is_some(),
            None => false,
        },
        _ => false,
    }
}

const fn can_fail(node: &Node) -> bool {
    let errors = match &node.kind {
        NodeKind::Step(step) => &step.errors,
        NodeKind::Subflow(subflow) => &subflow.errors,
        _ => return false,
    };
    match errors {
        Cow::Borrowed(errors) => !errors.is_empty(),
        Cow::Owned(errors) => !errors.is_empty(),
    }
}

/// Whether the flow takes the error of this node along as a value, together with its success.
const fn is_looked_at_later(flows: &[Flow], node: NodeIndex) -> bool {
    let (mut is_told_apart, mut next) = (false, None);
    let mut index = 0;
    while index < flows.len() {
        if flows[index].from == node && !is_error(&flows[index].kind) {
            next = Some(flows[index].to);
        }
        index += 1;
    }
    let mut index = 0;
    while index < flows.len() {
        if flows[index].from == node && is_error(&flows[index].kind) {
            if let Some(next) = next
                && next == flows[index].to
            {
                return true;
            }
            is_told_apart = true;
        }
        index += 1;
    }
    !is_told_apart
}
