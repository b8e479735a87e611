//! A graph as the lines of a version: its arguments, then each of its flows with a line for each node.
//! Only what a journal depends on is written; labels and policies change freely.

use crate::reading::text_of;
use std::collections::BTreeMap;
use std::fmt::Write;

use super::words::quoted;
use crate::lock::Owned;
use crate::lock::automaton::{Act, Automaton, State, StepAct};
use crate::lock::names::Names;
use crate::{FlowKind, Graph, Outcome, Wire};

pub(super) fn lines(graph: &Graph) -> Vec<String> {
    let owned = Owned::of(graph);
    let automaton = owned.automaton();
    let mut lines = vec![format!("takes {}", quoted(automaton.takes))];
    if automaton.has_deadline {
        lines.push("deadline".to_owned());
    }
    for allowance in graph.allowances.iter() {
        lines.push(format!("allow {} {}", quoted(&allowance.rule), quoted(&allowance.reason)));
    }
    let names = flow_names(automaton, &graph.workflow);
    let mut flow = usize::MAX;
    for (index, state) in automaton.states.iter().enumerate() {
        if state.flow != flow {
            flow = state.flow;
            lines.push(format!("flow {}", quoted(&names[flow])));
        }
        lines.push(line(automaton, index, &names));
    }
    lines
}

/// What each flow is called: the workflow by its name, subflows by theirs, numbered where two have one name.
fn flow_names(automaton: Automaton<'_>, workflow: &str) -> Vec<String> {
    let mut names = BTreeMap::from([(0, workflow.to_owned())]);
    for state in automaton.states {
        if let (Act::Subflow { name }, Some(inner)) = (state.act, state.inner) {
            let flow = automaton.states[inner].flow;
            let is_taken = |name: &str| names.iter().any(|(other, known)| *other != flow && known == name);
            let numbered = (1..).map(|number| match number {
                1 => name.to_owned(),
                number => format!("{name}_{number}"),
            });
            let name = numbered.into_iter().find(|name| !is_taken(name)).unwrap_or_default();
            names.entry(flow).or_insert(name);
        }
    }
    names.into_values().collect()
}

fn line(automaton: Automaton<'_>, index: usize, flows: &[String]) -> String {
    let state = &automaton.states[index];
    let mut line = format!("  {} {}", quoted(state.id), kind(&state.act));
    let mut key = |key: &str, value: &str| {
        let _ = write!(line, " {key}={}", quoted(value));
    };
    match &state.act {
        Act::Step(step) => of_step(step, &mut key),
        Act::Receive { message, .. } | Act::Send { message } => key("message", message),
        Act::Child { workflow, gives, errors, .. } => {
            key("workflow", workflow);
            key("gives", gives);
            each(*errors, |error| key("error", error));
        }
        Act::Switch { patch, .. } => key("patch", patch),
        Act::Subflow { .. } => {
            let inner = state.inner.map(|inner| automaton.states[inner].flow);
            key("flow", inner.map_or("", |flow| &flows[flow]));
        }
        _ => {}
    }
    if let Some(block) = block_of(automaton, state) {
        key("in", block);
    }
    if let Some(many) = &state.many {
        key("limit", many.limit);
    }
    if state.guard != 0 {
        key("guard", &format!("{:016x}", state.guard));
    }
    let flags = [
        (matches!(&state.act, Act::Step(step) if step.is_pivot), "pivot"),
        (matches!(&state.act, Act::Receive { is_forever: true, .. }), "forever"),
        (matches!(&state.act, Act::Child { detached: true, .. }), "detached"),
        (state.many.is_some_and(|many| many.fails_fast), "fails_fast"),
    ];
    for (_, flag) in flags.iter().filter(|(is_set, _)| *is_set) {
        let _ = write!(line, " {flag}");
    }
    for leaving in &automaton.moves[state.first..state.first + state.count] {
        let _ = write!(line, " -> {}{}", quoted(automaton.states[leaving.to].id), when(leaving.when));
    }
    line
}

/// The block that a state stands in.
fn block_of<'a>(automaton: Automaton<'a>, state: &State<'a>) -> Option<&'a str> {
    let scope = state.scope?;
    Some(automaton.states[scope].id)
}

pub(super) fn kind(act: &Act<'_>) -> &'static str {
    match act {
        Act::Start => "start",
        Act::Merge => "merge",
        Act::Step(_) => "step",
        Act::Timer => "timer",
        Act::Receive { .. } => "receive",
        Act::Send { .. } => "send",
        Act::Child { .. } => "child",
        Act::Subflow { .. } => "subflow",
        Act::Block => "block",
        Act::Fork => "fork",
        Act::Join => "join",
        Act::Race => "race",
        Act::Decision => "decision",
        Act::Switch { .. } => "switch",
        Act::Undo => "compensate",
        Act::End(Outcome::Success) => "success",
        Act::End(Outcome::Failure) => "failure",
        Act::End(Outcome::Continued) => "continues",
    }
}

fn of_step(step: &StepAct<'_>, key: &mut impl FnMut(&str, &str)) {
    key("name", step.name);
    key("takes", step.takes);
    key("gives", step.gives);
    each(step.errors, |error| key("error", error));
    if let Some(undo) = &step.undo {
        key("undo", undo.name);
        key("undo_takes", undo.takes);
        for wire in undo.wiring {
            match wire {
                Wire::Output => key("wire", "output"),
                Wire::Argument(position) => key("wire", &position.to_string()),
            }
        }
    }
}

fn each(names: Names<'_>, mut take: impl FnMut(&str)) {
    for index in 0..names.len() {
        take(names.get(index));
    }
}

fn when(kind: &FlowKind) -> String {
    match kind {
        FlowKind::Next => String::new(),
        FlowKind::Answer { condition, default: false, .. } => format!(" if {}", quoted(text_of(condition))),
        FlowKind::Answer { condition, default: true, .. } => format!(" else {}", quoted(text_of(condition))),
        FlowKind::Error { variant, .. } => format!(" error {}", quoted(text_of(variant))),
        FlowKind::Timeout => " timeout".to_owned(),
    }
}
