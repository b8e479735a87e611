//! Whether an element is drawn as its operation is written: kind, message, duration, markers, errors, undoing.
//! One element at a time; how elements lead to each other is compared by `structure`.

use super::border::{error_of, goes_on, is_drawn_only};
use super::compare::first_of;
use super::deadlines::{has_timeout, is_kept};
use super::letters::{duration_ms, key};
use super::matching::Matching;
use super::model::{Element, ElementKind, Model, ROOM, Repeats};
use super::plan::{NOWHERE, Place, Plan, Role, is_operation};
use super::relations::has;
use super::structure::{Colours, END, Structure, mixed};
use super::wording::unlike as differs;
use super::wording::{at, named};
use crate::reading::{flows_of, text_of};
use crate::{FlowKind, Node, NodeIndex, NodeKind, Notice, StepFacts};

/// What is drawn otherwise than it is written; empty when nothing is.
pub(super) const fn unlike(plan: &Plan, model: &Model, matching: &Matching, index: usize) -> Notice {
    let mut notice = Notice::new("");
    let mut place = 0;
    while place < plan.count {
        // Of several that are called alike, one has to be so.
        if has(&matching.places[index], place) {
            let told = unlike_place(plan, model, matching, index, place);
            if told.is_empty() {
                return told;
            }
            if notice.is_empty() {
                notice = told;
            }
        }
        place += 1;
    }
    notice
}

const fn unlike_place(
    plan: &Plan,
    model: &Model,
    matching: &Matching,
    index: usize,
    place_index: usize,
) -> Notice {
    let elements = model.list();
    let element = &elements[index];
    let place = plan.place(place_index);
    let (drawn, called) = twins(plan, model, matching, index);
    if drawn != called && element.kind.is_required() && is_operation(&place.node.kind) {
        let notice = at(Notice::new("WF060: "), model, element).with(" draws ");
        return named(notice, element)
            .with(" ")
            .with_number(drawn)
            .with(if drawn == 1 { " time, but the code calls it " } else { " times, but the code calls it " })
            .with_number(called)
            .with(if called == 1 { " time" } else { " times" })
            .with("; see docs/errors/WF060.md");
    }
    if let Some((how, what)) = unlike_kind(element.kind, &place) {
        return differs(model, element, how, what);
    }
    if let Some((how, what)) = unlike_detail(element, &place) {
        return differs(model, element, how, what);
    }
    match (element.repeats, place.node.instances.is_some()) {
        (Repeats::InTurn, true) if is_in_turn(place.node) => {}
        (Repeats::InTurn, _) => {
            return differs(
                model,
                element,
                "with a marker for one after the other",
                "is drawn with gateways where it repeats something: draw a gateway before, one behind, and a flow back",
            );
        }
        (Repeats::InParallel, false) => {
            return differs(model, element, "for each of many in parallel", "calls it once");
        }
        // A deadline stands at the border of what is repeated, and has no marker of its own.
        (Repeats::Once, true) if !matches!(place.role, Role::Deadline) => {
            return differs(model, element, "once", "calls it for each of many, with `join_all`");
        }
        _ => {}
    }
    if let Some((how, what)) = unlike_undoing(elements, index, &place) {
        return differs(model, element, how, what);
    }
    unlike_border(plan, model, index, place_index)
}

const fn is_in_turn(node: &Node) -> bool {
    match &node.instances {
        Some(instances) => instances.is_in_turn(),
        None => false,
    }
}

/// How often the class of this element is drawn, and how often it is called.
const fn twins(plan: &Plan, model: &Model, matching: &Matching, index: usize) -> (u64, u64) {
    let (elements, class) = (model.list(), matching.class_of_element[index]);
    let (mut drawn, mut called) = (0, 0);
    let mut element = 0;
    while element < elements.len() {
        drawn += (matching.class_of_element[element] == class && elements[element].kind.may_match()) as u64;
        element += 1;
    }
    let mut place = 0;
    while place < plan.count {
        called += (matching.class_of_place[place] == class) as u64;
        place += 1;
    }
    (drawn, called)
}

const fn unlike_kind(kind: ElementKind, place: &Place) -> Option<(&'static str, &'static str)> {
    let node = &place.node.kind;
    let (fits, what) = match (place.role, node) {
        (Role::Deadline, _) => return None,
        (_, NodeKind::Step(_)) => (
            matches!(kind, ElementKind::Task | ElementKind::ManualTask | ElementKind::SendTask),
            "calls a step: draw a task",
        ),
        (_, NodeKind::Timer(_) | NodeKind::TimerAt { .. }) => {
            (matches!(kind, ElementKind::TimerCatch), "sleeps: draw a timer event")
        }
        (_, NodeKind::Receive { .. }) => (
            matches!(kind, ElementKind::ReceiveTask | ElementKind::MessageCatch),
            "waits for a message: draw a message catch event or a receive task",
        ),
        (_, NodeKind::Send { .. }) => (
            matches!(kind, ElementKind::SendTask | ElementKind::MessageThrow | ElementKind::MessageEnd),
            "sends a message: draw a send task or a message throw event",
        ),
        (_, NodeKind::Child(child)) if child.detached => (
            matches!(kind, ElementKind::SendTask),
            "starts a workflow and waits for nothing: draw a send task",
        ),
        (_, NodeKind::Child(_)) => (
            matches!(kind, ElementKind::CallActivity | ElementKind::SubProcess),
            "calls another workflow: draw a call activity",
        ),
        (_, NodeKind::Subflow(_)) => (
            matches!(kind, ElementKind::CallActivity | ElementKind::SubProcess),
            "calls a subflow: draw a sub-process",
        ),
        _ => (matches!(kind, ElementKind::SubProcess), "has a frame there: draw a sub-process"),
    };
    let drawn = match kind {
        ElementKind::Task | ElementKind::ManualTask => "as a task",
        ElementKind::ReceiveTask => "as a receive task",
        ElementKind::SendTask => "as a send task",
        ElementKind::CallActivity => "as a call activity",
        ElementKind::SubProcess => "as a sub-process",
        ElementKind::TimerCatch => "as a timer event",
        ElementKind::MessageCatch => "as a message catch event",
        ElementKind::MessageThrow => "as a message throw event",
        ElementKind::MessageEnd => "as an end event",
        ElementKind::TimerBoundary | ElementKind::MessageBoundary => "on the border of an activity",
        _ => "as an event of another kind",
    };
    if fits { None } else { Some((drawn, what)) }
}

const fn unlike_detail(element: &Element, place: &Place) -> Option<(&'static str, &'static str)> {
    let detail = text_of(&element.detail);
    let length = match (place.role, &place.node.kind) {
        (Role::Deadline, NodeKind::Receive { deadline: Some(span), .. }) => text_of(&span.iso),
        (Role::Node, NodeKind::Timer(span)) => text_of(&span.iso),
        (_, NodeKind::Send { message, .. } | NodeKind::Receive { message, .. }) => {
            let is_other =
                element.kind.is_message() && !detail.is_empty() && key(detail) != key(text_of(message));
            return if is_other {
                Some(("with another message", "names its own: call both alike"))
            } else {
                None
            };
        }
        _ => return None,
    };
    match (duration_ms(detail), duration_ms(length)) {
        (Some(drawn), Some(written)) if element.kind.is_timer() && drawn != written => {
            Some(("with another duration", "waits as long as it says: change the one or the other"))
        }
        _ => None,
    }
}

const fn unlike_undoing(
    elements: &[Element],
    index: usize,
    place: &Place,
) -> Option<(&'static str, &'static str)> {
    let mut is_drawn = false;
    let mut other = 0;
    while other < elements.len() {
        if matches!(elements[other].kind, ElementKind::Handler)
            && matches!(elements[other].host, Some(host) if host == index)
        {
            is_drawn = true;
        }
        other += 1;
    }
    let NodeKind::Step(StepFacts { compensation, .. }) = &place.node.kind else { return None };
    match (is_drawn, compensation.is_some()) {
        (false, true) => Some((
            "without a compensation",
            "undoes it: draw a compensation event on its border, and the task that undoes it",
        )),
        (true, false) => {
            Some(("with a compensation", "does not undo it: write `compensate = ..` at the step"))
        }
        _ => None,
    }
}

/// Errors and times that leave an activity on its border.
const fn unlike_border(plan: &Plan, model: &Model, index: usize, place_index: usize) -> Notice {
    let (elements, place) = (model.list(), plan.place(place_index));
    let flows = flows_of(place.graph);
    let node = place_index - place.base;
    if !matches!(place.role, Role::Node | Role::Frame) || plan.is_boxed_race(place_index) {
        return Notice::new("");
    }
    let mut other = 0;
    while other < elements.len() {
        let event = &elements[other];
        if matches!(event.host, Some(host) if host == index) {
            let is_known = match event.kind {
                ElementKind::ErrorBoundary => {
                    error_of(&place, node, event).is_some() || is_drawn_only(plan, model, place_index, other)
                }
                ElementKind::TimerBoundary => {
                    has_timeout(&place, node) || is_kept(&place, node) && goes_on(model, other)
                }
                ElementKind::MessageBoundary | ElementKind::OtherBoundary => false,
                _ => true,
            };
            if !is_known {
                return differs(
                    model,
                    event,
                    "on the border of an activity",
                    "does not tell this apart there: write a `match` on it, or handle the timeout of `.within(..)`",
                );
            }
        }
        other += 1;
    }
    let mut flow = 0;
    while flow < flows.len() {
        let missing = match &flows[flow].kind {
            FlowKind::Error { variant, .. } if flows[flow].from == node => {
                let mut is_drawn = false;
                let mut other = 0;
                while other < elements.len() {
                    let event = &elements[other];
                    if matches!(event.kind, ElementKind::ErrorBoundary)
                        && matches!(event.host, Some(host) if host == index)
                        && let Some(found) = error_of(&place, node, event)
                        && found == key(text_of(variant))
                    {
                        is_drawn = true;
                    }
                    other += 1;
                }
                !is_drawn
            }
            _ => false,
        };
        if missing && let FlowKind::Error { variant, .. } = &flows[flow].kind {
            let notice = at(Notice::new("WF060: "), model, &elements[index]).with(" draws ");
            let notice = named(notice, &elements[index]);
            let notice = if text_of(variant).is_empty() {
                notice.with(" without an event for all other errors on its border, but the code handles them")
            } else {
                let notice = notice.with(" without an event for the error `").with(text_of(variant));
                notice.with("` on its border, but the code tells it apart")
            };
            return notice.with(": draw an error boundary event with its code; see docs/errors/WF060.md");
        }
        flow += 1;
    }
    Notice::new("")
}

/// Where the flow is drawn otherwise than it is written, although each element is as it should be.
pub(super) const fn unlike_flow(
    plan: &Plan,
    model: &Model,
    matching: &Matching,
    waived: &[NodeIndex],
) -> Option<(NodeIndex, Notice)> {
    let code = Structure::of_code(plan, model, matching, waived);
    let drawn = Structure::of_model(plan, model, matching);
    let (mut of_code, mut of_model) = (code.colours, drawn.colours);
    let mut round = 0;
    while round < 16 {
        of_code = code.refined(&of_code);
        of_model = drawn.refined(&of_model);
        let start = (code.start != END && drawn.start != END) && of_code[code.start] != of_model[drawn.start];
        if start {
            let notice = Notice::new("WF060: `")
                .with(text_of(&model.file))
                .with("` does not begin as the code does: ");
            let notice =
                drawn.describe(notice.with("there it begins with "), drawn.start, plan, model, matching);
            let notice = code.describe(notice.with(", here with "), code.start, plan, model, matching);
            let notice = if round == 0 { notice } else { notice.with(", and what follows that differs") };
            return Some((NOWHERE, notice.with("; see docs/errors/WF060.md")));
        }
        let drawn_sums = sums(&of_model, &matching.class_of_element, model.list().len());
        let code_sums = sums(&of_code, &matching.class_of_place, plan.count);
        let mut element = 0;
        while element < model.list().len() {
            let place = first_of(&matching.places[element]);
            let counts = place < plan.count
                && model.list()[element].kind.is_required()
                && matching.class_of_element[element] == element;
            if counts && drawn_sums[element] != code_sums[element] {
                let this = &model.list()[element];
                let notice = at(Notice::new("WF060: by "), model, this);
                let notice = named(notice.with(", behind "), this);
                let notice = drawn.describe(notice.with(" comes "), element, plan, model, matching);
                let notice = code.describe(notice.with(", but in the code "), place, plan, model, matching);
                let notice = if round == 0 { notice } else { notice.with(", and what follows that differs") };
                let notice = notice.with("; draw it as it is written, or write it as it is drawn");
                return Some((plan.place(place).call, notice.with("; see docs/errors/WF060.md")));
            }
            element += 1;
        }
        round += 1;
    }
    None
}

/// For each class, its colours in one number that knows no order.
const fn sums(colours: &Colours, classes: &[usize; ROOM], count: usize) -> [u64; ROOM] {
    let (mut sums, mut index) = ([0_u64; ROOM], 0);
    while index < count {
        let class = classes[index];
        if class != NOWHERE {
            sums[class] = sums[class].wrapping_add(mixed(colours[index]));
        }
        index += 1;
    }
    sums
}

/// Whether an element stands for a frame that BPMN has no word for.
pub(super) const fn is_block(plan: &Plan, matching: &Matching, element: usize) -> bool {
    let mut place = 0;
    while place < plan.count {
        if has(&matching.places[element], place) {
            return matches!(plan.place(place).node.kind, NodeKind::Block | NodeKind::Race);
        }
        place += 1;
    }
    false
}
