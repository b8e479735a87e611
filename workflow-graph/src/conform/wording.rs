//! What is said about each disagreement: the line of the model, what was probably meant, and what to do.
//! It decides nothing; every text begins with the code of the check and ends with its page.

use super::compare::{OfClasses, place_of};
use super::letters::distance;
use super::matching::Matching;
use super::model::{Element, ElementKind, Model, ROOM};
use super::plan::{NOWHERE, Place, Plan, Role, is_operation};
use super::relations::has;
use crate::reading::text_of;
use crate::{Graph, NodeKind, Notice};

const PAGE: &str = "; see docs/errors/WF060.md";

/// Longest part of a name that is repeated, in bytes.
const LONGEST: usize = 60;

/// What is too large to be compared.
pub(super) const fn too_large(model: &Model) -> Notice {
    Notice::new("WF060: `")
        .with(text_of(&model.file))
        .with("` and this workflow are too large to be compared; at most ")
        .with_number(ROOM as u64)
        .with(" elements and operations are: divide both into workflows that call each other")
        .with(PAGE)
}

/// An element that the code has nothing for.
pub(super) const fn not_done(
    plan: &Plan,
    model: &Model,
    matching: &Matching,
    graph: &'static Graph,
    index: usize,
) -> Notice {
    let element = &model.list()[index];
    let notice = at(Notice::new("WF060: "), model, element);
    if matches!(element.kind, ElementKind::Handler) {
        let notice = match element.host {
            Some(host) => named(notice.with(" undoes "), &model.list()[host]),
            None => notice.with(" undoes something"),
        };
        return named(notice.with(" with "), element)
            .with(", which the code does not; name this step in `#[step(compensate = ..)]` of the step that it ")
            .with("undoes, or take it out of the model")
            .with(PAGE);
    }
    let notice = notice.with(" draws the ").with(element.kind.word());
    if text_of(&element.name).is_empty() {
        return notice
            .with(" with the id `")
            .with(short(text_of(&element.id)))
            .with("`, which has no name; name it after what the code does there")
            .with(PAGE);
    }
    let notice = named(notice.with(" "), element).with(", but `");
    let notice = notice.with(short(text_of(&graph.workflow))).with("` does nothing of that name; ");
    let meant = meant_by_element(plan, matching, element);
    if meant != NOWHERE {
        let notice = called(notice.with("did you mean "), &plan.place(meant)).with("? Call both alike");
        return notice.with(", in the model or with `label = \"..\"`").with(PAGE);
    }
    let left = only_undrawn(plan, model, matching);
    if left != NOWHERE {
        let notice = called(notice.with("is it "), &plan.place(left))
            .with("? Then call both alike, in the model or with ");
        return notice.with("`label = \"..\"`; else write it, or take it out of the model").with(PAGE);
    }
    notice.with(remedy(element.kind)).with(", or take it out of the model").with(PAGE)
}

const fn remedy(kind: ElementKind) -> &'static str {
    match kind {
        ElementKind::SubProcess => "write it as a `#[subflow]`",
        ElementKind::EventSubProcess => {
            "nothing of the language does what an event sub-process does: draw it otherwise"
        }
        ElementKind::CallActivity => "call a `#[workflow]` of that name",
        ElementKind::TimerCatch => "write a `sleep(..)` with that label above it",
        ElementKind::MessageCatch | ElementKind::ReceiveTask => "write a `receive::<..>(..)` of that message",
        ElementKind::MessageThrow | ElementKind::SendTask => {
            "write a `send(..)` or `publish(..)` of that message"
        }
        _ => "write it, or give what does it that `label = \"..\"`",
    }
}

/// What is left out, so that the list does not bury the first ones.
pub(super) const fn more_not_done(model: &Model, count: u64) -> Notice {
    Notice::new("WF060: `")
        .with(text_of(&model.file))
        .with("` draws ")
        .with_number(count)
        .with(if count == 1 { " more element" } else { " more elements" })
        .with(" that the code does nothing for; is it the model of this workflow?")
        .with(PAGE)
}

/// An operation that the model does not draw.
pub(super) const fn not_drawn(plan: &Plan, model: &Model, matching: &Matching, index: usize) -> Notice {
    let place = plan.place(index);
    let notice = Notice::new("WF060: `").with(text_of(&model.file)).with("` does not draw ");
    let notice = called(notice, &place);
    let notice = if place.base == 0 { notice } else { notice.with(", to which this call leads") };
    let meant = meant_by_place(model, matching, &place);
    if meant != NOWHERE {
        let element = &model.list()[meant];
        let notice = notice.with("; did you mean the ").with(element.kind.word()).with(" ");
        let notice = at(named(notice, element).with(" ("), model, element).with(")? Call both alike");
        return notice.with(", in the model or with `label = \"..\"`").with(PAGE);
    }
    let left = only_undone(plan, model, matching);
    if left != NOWHERE {
        let element = &model.list()[left];
        let notice = notice.with("; is it the ").with(element.kind.word()).with(" ");
        let notice =
            at(named(notice, element).with(" ("), model, element).with(")? Then call both alike; else");
        return notice
            .with(" draw it, or write `#[allow_workflow(model_deviation, reason = \"..\")]` above this statement")
            .with(PAGE);
    }
    notice
        .with("; draw it there, or write `#[allow_workflow(model_deviation, reason = \"..\")]` above this statement")
        .with(PAGE)
}

/// Two operations that the model puts into another order.
pub(super) const fn other_order(
    plan: &Plan,
    model: &Model,
    matching: &Matching,
    code: &OfClasses,
    drawn: &OfClasses,
    class: usize,
    other: usize,
) -> Notice {
    let elements = model.list();
    let notice = at(Notice::new("WF060: by "), model, &elements[class]);
    let notice =
        if class == other { notice } else { notice.with(" and ").with_number(elements[other].line as u64) };
    let (class, other) = if place_of(plan, matching, class) <= place_of(plan, matching, other) {
        (class, other)
    } else {
        (other, class)
    };
    let (one, two) = (&elements[class], &elements[other]);
    let notice = relation(notice.with(" "), drawn, class, other, one, two).with(", but by the code ");
    relation(notice, code, class, other, one, two).with("; change the one or the other").with(PAGE)
}

const fn relation(
    notice: Notice,
    of: &OfClasses,
    class: usize,
    other: usize,
    one: &Element,
    two: &Element,
) -> Notice {
    let (then, before) = (has(&of.after[class], other), has(&of.after[other], class));
    let beside = has(&of.beside[class], other);
    if class == other {
        return named(notice, one).with(match (beside, then) {
            (true, _) => " happens several times in parallel",
            (_, true) => " can happen again",
            _ => " happens at most once",
        });
    }
    match (beside, then, before) {
        (true, false, false) => named(named(notice, one).with(" and "), two).with(" happen side by side"),
        (true, ..) => {
            named(named(notice, one).with(" and "), two).with(" happen side by side, again and again")
        }
        (_, true, true) => {
            named(named(notice.with("each of "), one).with(" and "), two).with(" can follow the other")
        }
        (_, true, _) => named(named(notice, two).with(" comes after "), one),
        (_, _, true) => named(named(notice, one).with(" comes after "), two),
        _ => named(named(notice.with("only one of "), one).with(" and "), two).with(" happens"),
    }
}

/// A sub-process that the code has no scope for.
pub(super) const fn mere_frame(model: &Model, index: usize) -> Notice {
    let element = &model.list()[index];
    let notice = at(Notice::new("WF060: "), model, element).with(" draws a frame, the sub-process ");
    named(notice, element)
        .with(", which the code does not have; write what stands in it as a `#[subflow]` of that name, or `///` with ")
        .with("that name above the `try_join!` or `select!`")
        .with(PAGE)
}

/// What is drawn in another way than it is written: the model's way, then the code's.
pub(super) const fn unlike(model: &Model, element: &Element, drawn: &str, written: &str) -> Notice {
    let notice = at(Notice::new("WF060: "), model, element).with(" draws ");
    named(notice, element).with(" ").with(drawn).with(", but the code ").with(written).with(PAGE)
}

/// `order.bpmn:17`.
pub(super) const fn at(notice: Notice, model: &Model, element: &Element) -> Notice {
    notice.with(text_of(&model.file)).with(":").with_number(element.line as u64)
}

/// The name of an element, else its id.
pub(super) const fn named(notice: Notice, element: &Element) -> Notice {
    let name = text_of(&element.name);
    let name = if name.is_empty() { text_of(&element.id) } else { name };
    notice.with("`").with(short(name)).with("`")
}

/// What people call an operation, and what the code calls it.
const fn called(notice: Notice, place: &Place) -> Notice {
    let (kind, name, _) = names(place);
    let notice = notice.with(kind).with(" `").with(short(name)).with("`");
    let label =
        if text_of(&place.node.label).is_empty() { names(place).2 } else { text_of(&place.node.label) };
    if label.is_empty() || matches!(distance(label, name), Some(0)) {
        return notice;
    }
    notice.with(" (`").with(short(label)).with("`)")
}

/// What it is, its name in the code and what people call it.
const fn names(place: &Place) -> (&'static str, &'static str, &'static str) {
    let node = place.node;
    match (place.role, &node.kind) {
        (_, NodeKind::Step(step)) => ("the step", text_of(&step.name), text_of(&step.label)),
        (_, NodeKind::Subflow(subflow)) => ("the subflow", text_of(&subflow.name), text_of(&subflow.label)),
        (_, NodeKind::Child(child)) => ("the workflow", text_of(&child.workflow), text_of(&child.label)),
        (_, NodeKind::Send { message, publishes: false }) => ("the sending of", text_of(message), ""),
        (_, NodeKind::Send { message, .. }) => ("the publishing of", text_of(message), ""),
        (Role::Deadline, NodeKind::Receive { message, .. }) => ("the deadline of", text_of(message), ""),
        (_, NodeKind::Receive { message, .. }) => ("the wait for", text_of(message), ""),
        (_, NodeKind::Timer(span)) => ("the sleep of", text_of(&span.text), ""),
        (_, NodeKind::TimerAt { text: time }) => ("the sleep until", text_of(time), ""),
        _ => ("the", text_of(&node.id), ""),
    }
}

/// The one operation that the model does not draw, if one element is left as well: most often they are the same.
const fn only_undrawn(plan: &Plan, model: &Model, matching: &Matching) -> usize {
    if leftovers(plan, model, matching).1 == 1 { leftovers(plan, model, matching).0 } else { NOWHERE }
}

/// The other way round.
const fn only_undone(plan: &Plan, model: &Model, matching: &Matching) -> usize {
    if leftovers(plan, model, matching).1 == 1 { leftovers(plan, model, matching).2 } else { NOWHERE }
}

/// An operation that is not drawn, how many there are on the side that has more, and an element that is not done.
const fn leftovers(plan: &Plan, model: &Model, matching: &Matching) -> (usize, usize, usize) {
    let (mut place, mut places, mut element, mut elements) = (NOWHERE, 0, NOWHERE, 0);
    let mut index = 0;
    while index < plan.count {
        let this = plan.place(index);
        let counts = is_operation(&this.node.kind) && matches!(this.role, Role::Node | Role::Frame);
        if counts && !has(&matching.is_drawn, index) {
            (place, places) = (index, places + 1);
        }
        index += 1;
    }
    let list = model.list();
    let mut index = 0;
    while index < list.len() {
        if list[index].kind.is_required() && !matching.is_done(index) {
            (element, elements) = (index, elements + 1);
        }
        index += 1;
    }
    match (places, elements) {
        (0, _) | (_, 0) => (place, 0, element),
        (more, fewer) if more > fewer => (place, more, element),
        (_, more) => (place, more, element),
    }
}

const fn meant_by_element(plan: &Plan, matching: &Matching, element: &Element) -> usize {
    let (mut nearest, mut meant) = (usize::MAX, NOWHERE);
    let mut index = 0;
    while index < plan.count {
        let place = plan.place(index);
        if is_operation(&place.node.kind)
            && matches!(place.role, Role::Node | Role::Frame)
            && !has(&matching.is_drawn, index)
            && let Some(distance) = between(element, &place)
            && distance < nearest
        {
            (nearest, meant) = (distance, index);
        }
        index += 1;
    }
    meant
}

const fn meant_by_place(model: &Model, matching: &Matching, place: &Place) -> usize {
    let elements = model.list();
    let (mut nearest, mut meant) = (usize::MAX, NOWHERE);
    let mut index = 0;
    while index < elements.len() {
        if elements[index].kind.is_required()
            && !matching.is_done(index)
            && let Some(distance) = between(&elements[index], place)
            && distance < nearest
        {
            (nearest, meant) = (distance, index);
        }
        index += 1;
    }
    meant
}

/// How far the names are apart; `None` when neither can be meant by the other.
const fn between(element: &Element, place: &Place) -> Option<usize> {
    let (_, name, label) = names(place);
    let drawn = text_of(&element.name);
    let mut nearest = distance(drawn, name);
    let labels = [label, text_of(&place.node.label)];
    let mut index = 0;
    while index < labels.len() {
        nearest = match (distance(drawn, labels[index]), nearest) {
            (Some(one), Some(other)) if one < other => Some(one),
            (one, None) => one,
            (_, other) => other,
        };
        index += 1;
    }
    nearest
}

/// As much of a name as a sentence bears.
const fn short(text: &str) -> &str {
    if text.len() <= LONGEST {
        return text;
    }
    let mut end = LONGEST;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.split_at(end).0
}
