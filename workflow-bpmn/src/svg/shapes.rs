//! One shape of the drawing: its outline, its symbols, its name.
//! It copies places out of the drawing and computes none.

use super::{icons, marks, write_label};
use crate::diagram::{Label, Point, Rect, Shape, ShapeKind};
use crate::highlight::Highlights;
use crate::layout::{LABEL_FONT, LINE_HEIGHT, TASK_FONT};
use crate::markup::Markup;

/// Writes a shape as a group of its own.
pub(super) fn write(markup: &mut Markup, shape: &Shape, highlights: &Highlights) {
    let tint = if shape.kind.is_undo() { " undo-tint" } else { "" };
    let class = format!("{}{tint} {}", css_class(shape.kind), shape.node);
    let class = marks::class(&class, &shape.id, highlights);
    markup.open("g", &[("id", &shape.id), ("class", &class)]);
    let title = marks::title(&shape.name, &shape.id, highlights);
    if !title.is_empty() {
        markup.text("title", &[], &title);
    }
    write_body(markup, shape, marks::tint(&shape.id, highlights).as_deref());
    icons::write(markup, shape);
    if let Some(label) = &shape.label {
        let is_inside = shape.kind.is_task() || shape.kind.is_frame() || shape.kind.is_pool();
        let (class, font) = if is_inside { ("inside", TASK_FONT) } else { ("beside", LABEL_FONT) };
        match shape.kind {
            ShapeKind::Pool => write_upright(markup, label),
            ShapeKind::BlackBoxPool => {
                let lines = i32::try_from(label.lines.len()).unwrap_or(1) * LINE_HEIGHT;
                let y = shape.bounds.center().y - lines / 2;
                write_label(
                    markup,
                    &Label { bounds: Rect { y, ..label.bounds }, ..label.clone() },
                    class,
                    font,
                );
            }
            _ => write_label(markup, label, class, font),
        }
    }
    marks::write_on_shape(markup, shape, highlights);
    markup.close();
}

fn css_class(kind: ShapeKind) -> &'static str {
    match kind {
        ShapeKind::StartEvent
        | ShapeKind::MessageStartEvent
        | ShapeKind::TimerStartEvent
        | ShapeKind::ErrorStartEvent => "start-event",
        ShapeKind::EndEvent
        | ShapeKind::MessageEndEvent
        | ShapeKind::CompensationEndEvent
        | ShapeKind::ErrorEndEvent
        | ShapeKind::TerminateEndEvent => "end-event",
        ShapeKind::ServiceTask => "service-task",
        ShapeKind::SendTask => "send-task",
        ShapeKind::UserTask => "user-task",
        ShapeKind::BusinessRuleTask => "business-rule-task",
        ShapeKind::CompensationTask | ShapeKind::CompensationUserTask | ShapeKind::CompensationRuleTask => {
            "compensation-task"
        }
        ShapeKind::ReceiveTask => "receive-task",
        ShapeKind::CallActivity => "call-activity",
        ShapeKind::SubProcess | ShapeKind::CollapsedSubProcess => "sub-process",
        ShapeKind::EventSubProcess => "sub-process event-sub-process",
        ShapeKind::Pool | ShapeKind::BlackBoxPool => "collaboration-pool",
        ShapeKind::MessageCatchEvent | ShapeKind::TimerCatchEvent => "catch-event",
        ShapeKind::MessageThrowEvent | ShapeKind::CompensationThrowEvent => "throw-event",
        ShapeKind::ExclusiveGateway | ShapeKind::ParallelGateway | ShapeKind::EventGateway => "gateway",
        ShapeKind::ErrorBoundaryEvent
        | ShapeKind::TimerBoundaryEvent
        | ShapeKind::CompensationBoundaryEvent => "boundary-event",
    }
}

fn write_body(markup: &mut Markup, shape: &Shape, tint: Option<&str>) {
    let tint: Vec<(&str, &str)> = tint.map(|tint| ("style", tint)).into_iter().collect();
    let Rect { x, y, width, height } = shape.bounds;
    let center = shape.bounds.center();
    let class = css_class(shape.kind);
    if shape.kind == ShapeKind::Pool {
        write_pool(markup, shape.bounds);
    } else if shape.kind.is_task() || shape.kind.is_frame() || shape.kind.is_pool() {
        let corner = if shape.kind.is_pool() { "0" } else { "10" };
        let (x, y) = (x.to_string(), y.to_string());
        let (width, height) = (width.to_string(), height.to_string());
        let place = [("x", x.as_str()), ("y", &y), ("width", &width), ("height", &height), ("rx", corner)];
        let class = if shape.kind == ShapeKind::CallActivity { "body bold" } else { "body" };
        markup.empty("rect", &[&[("class", class)], &place[..], &tint[..]].concat());
    } else if shape.kind.is_gateway() {
        let (right, bottom) = (shape.bounds.right(), shape.bounds.bottom());
        let diamond =
            format!("M{} {y} L{right} {} L{} {bottom} L{x} {} Z", center.x, center.y, center.x, center.y);
        markup.empty("path", &[&[("class", "body"), ("d", diamond.as_str())], &tint[..]].concat());
        if shape.kind == ShapeKind::EventGateway {
            write_circle(markup, center, 13, "icon", &[]);
            write_circle(markup, center, 10, "icon", &[]);
        }
    } else {
        let ends = class == "end-event";
        write_circle(markup, center, width / 2, if ends { "body bold" } else { "body" }, &tint);
        if !ends && class != "start-event" {
            write_circle(markup, center, width / 2 - 3, "body", &tint);
        }
    }
}

/// A frame with a band at the left, for the name.
fn write_pool(markup: &mut Markup, Rect { x, y, width, height }: Rect) {
    let band = format!("M{x} {y} h{width} v{height} h-{width} Z M{} {y} v{height}", x + 30);
    markup.empty("path", &[("class", "body"), ("d", &band)]);
}

/// A name from the bottom to the top, in the middle of its band.
fn write_upright(markup: &mut Markup, label: &Label) {
    let Point { x, y } = label.bounds.center();
    let place = format!("translate({} {y}) rotate(-90)", x + 4);
    for line in &label.lines {
        markup.text("text", &[("class", "inside"), ("transform", &place)], line);
    }
}

fn write_circle(markup: &mut Markup, center: Point, radius: i32, class: &str, tint: &[(&str, &str)]) {
    let (x, y, radius) = (center.x.to_string(), center.y.to_string(), radius.to_string());
    let place = [("class", class), ("cx", x.as_str()), ("cy", &y), ("r", &radius)];
    markup.empty("circle", &[&place[..], tint].concat());
}
