//! Which constructs of the language a flow is made of, by name.
//! It tells whether a test has seen all of the language; it must not know what is right about a flow.

use std::collections::BTreeSet;

use super::flow::{Branch, Callee, Flow, Handling, LoopKind, Statement};

/// Every name that [`constructs`] may give.
pub(crate) const ALL: [&str; 50] = [
    "a branch that is a block",
    "a branch that is a call",
    "a child that leaves an effect",
    "a child that leaves an effect or fails",
    "a child that looks",
    "a child that races",
    "a compensatable step that can fail",
    "a compensatable step that cannot fail",
    "a labelled block",
    "a pivot that can fail",
    "a pivot that cannot fail",
    "a read-only step that can fail",
    "a read-only step that cannot fail",
    "a retriable step",
    "a subflow that can fail",
    "a subflow that cannot fail",
    "a tail or `return` of a call",
    "a workflow that can fail",
    "a workflow that cannot fail",
    "break",
    "compensate",
    "continue",
    "continue_as_new",
    "for",
    "if",
    "if after a look",
    "if is_ok",
    "if let Err",
    "if let Ok",
    "join!",
    "join_all",
    "let else",
    "let _",
    "loop",
    "map_err and ?",
    "match on values",
    "match with all variants",
    "match with the rest",
    "match with the rest and a guard",
    "publish",
    "question mark",
    "receive",
    "return Err",
    "return Ok",
    "select!",
    "sleep",
    "try_join!",
    "try_join_all",
    "while",
    "without_compensation",
];

/// The constructs of this flow.
pub(crate) fn constructs(flow: &Flow) -> BTreeSet<&'static str> {
    let mut found = BTreeSet::new();
    let can_fail = flow.functions[0].is_fallible;
    found.insert(if can_fail { "a workflow that can fail" } else { "a workflow that cannot fail" });
    for statement in flow.functions.iter().flat_map(|function| &function.body) {
        statement.walk(&mut |inner| {
            found.extend(of_statement(inner));
            found.extend(inner.handlings().into_iter().filter_map(of_handling));
            for call in inner.calls() {
                found.insert(of_callee(flow, call.callee));
                if call.stays {
                    found.insert("without_compensation");
                }
            }
            if let Statement::Select(arms) = inner {
                let races =
                    |callee: Callee| matches!(callee, Callee::Inquire | Callee::Deliver | Callee::Order);
                let is_child = arms.iter().any(|arm| arm.call.is_some_and(|call| races(call.callee)));
                found.extend(is_child.then_some("a child that races"));
            }
            if let Statement::Join(branches, _) | Statement::TryJoin(branches, _) = inner {
                found.extend(branches.iter().map(|branch| match branch {
                    Branch::Call(_) => "a branch that is a call",
                    Branch::Block { .. } => "a branch that is a block",
                }));
            }
        });
    }
    found
}

fn of_statement(statement: &Statement) -> Option<&'static str> {
    Some(match statement {
        Statement::Call(..) | Statement::Kept(..) => return None,
        Statement::Sleep => "sleep",
        Statement::Publish => "publish",
        Statement::Compensate => "compensate",
        Statement::If { looks: false, .. } => "if",
        Statement::If { looks: true, .. } => "if after a look",
        Statement::Choose(_) => "match on values",
        Statement::Loop(LoopKind::Endless, ..) => "loop",
        Statement::Loop(LoopKind::While, ..) => "while",
        Statement::Loop(LoopKind::For, ..) => "for",
        Statement::Labelled(..) => "a labelled block",
        Statement::Break(_) => "break",
        Statement::Continue(_) => "continue",
        Statement::ReturnOk => "return Ok",
        Statement::Fail(_) => "return Err",
        Statement::ContinueAsNew => "continue_as_new",
        Statement::Join(..) => "join!",
        Statement::TryJoin(..) => "try_join!",
        Statement::Select(_) => "select!",
        Statement::Many { fails_fast: false, .. } => "join_all",
        Statement::Many { fails_fast: true, .. } => "try_join_all",
    })
}

fn of_handling(handling: &Handling) -> Option<&'static str> {
    Some(match handling {
        Handling::Plain => return None,
        Handling::Ignore => "let _",
        Handling::Question => "question mark",
        Handling::MappedQuestion => "map_err and ?",
        Handling::Return => "a tail or `return` of a call",
        Handling::Match { .. } => "match with all variants",
        Handling::MatchRest { guarded: false, .. } => "match with the rest",
        Handling::MatchRest { guarded: true, .. } => "match with the rest and a guard",
        Handling::LetElse(_) => "let else",
        Handling::IfOk(..) => "if let Ok",
        Handling::IfErr(_) => "if let Err",
        Handling::IsOk(..) => "if is_ok",
    })
}

fn of_callee(flow: &Flow, callee: Callee) -> &'static str {
    match callee {
        Callee::Look => "a read-only step that cannot fail",
        Callee::Check => "a read-only step that can fail",
        Callee::Reserve => "a compensatable step that can fail",
        Callee::Hold => "a compensatable step that cannot fail",
        Callee::Charge => "a pivot that can fail",
        Callee::Ship => "a pivot that cannot fail",
        Callee::Tell => "a retriable step",
        Callee::Inquire => "a child that looks",
        Callee::Deliver => "a child that leaves an effect",
        Callee::Order => "a child that leaves an effect or fails",
        Callee::Receive => "receive",
        Callee::Subflow(_) if flow.is_fallible(callee) => "a subflow that can fail",
        Callee::Subflow(_) => "a subflow that cannot fail",
    }
}
