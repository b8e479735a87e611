//! The symbols inside shapes, drawn by hand as simple paths.
//! It knows what each kind shows, not where the shapes come from.

use crate::diagram::{Point, Rect, Shape, ShapeKind};
use crate::markup::Markup;

/// Eight teeth around the middle.
const GEAR: &str = "M-1.6 -8 L1.6 -8 L2.1 -5.7 L3.9 -5 L5.9 -6.2 L8.1 -4 L6.9 -2 L7.6 -0.2 L9.9 0.3 L9.9 3.5 \
    L7.6 4 L6.9 5.8 L8.1 7.8 L5.9 10 L3.9 8.8 L2.1 9.5 L1.6 11.8 L-1.6 11.8 L-2.1 9.5 L-3.9 8.8 L-5.9 10 \
    L-8.1 7.8 L-6.9 5.8 L-7.6 4 L-9.9 3.5 L-9.9 0.3 L-7.6 -0.2 L-6.9 -2 L-8.1 -4 L-5.9 -6.2 L-3.9 -5 L-2.1 -5.7 Z \
    M3.4 1.9 A3.4 3.4 0 1 1 -3.4 1.9 A3.4 3.4 0 1 1 3.4 1.9 Z";
/// Head and shoulders.
const PERSON: &str = "M3.4 -4.6 A3.4 3.4 0 1 1 -3.4 -4.6 A3.4 3.4 0 1 1 3.4 -4.6 Z M-7 8 L-7 4.6 Q-6.4 0.6 -2 0.2 \
    L2 0.2 Q6.4 0.6 7 4.6 L7 8 Z";
/// A table with a heading.
const TABLE: &str =
    "M-8.5 -6.5 L8.5 -6.5 L8.5 6.5 L-8.5 6.5 Z M-8.5 -2.4 L8.5 -2.4 M-8.5 2 L8.5 2 M-3.6 -2.4 L-3.6 6.5";
const ENVELOPE: &str = "M-9 -6 L9 -6 L9 6 L-9 6 Z M-9 -6 L0 1 L9 -6";
const BOLT: &str = "M-9 8 L-4.5 -8 L2.5 0 L9 -9 L4.5 8.5 L-2.5 0.5 Z";
const REWIND: &str = "M-1 -5.5 L-9 0 L-1 5.5 Z M7.5 -5.5 L-0.5 0 L7.5 5.5 Z";
const CROSS: &str = "M-7 -8 L7 8 M7 -8 L-7 8";
const ENVELOPE_FILLED: &str = "M-9 -6 L0 0.4 L9 -6 Z M-9 -4 L0 2.4 L9 -4 L9 6 L-9 6 Z";
const DISC: &str = "M10 0 A10 10 0 1 1 -10 0 A10 10 0 1 1 10 0 Z";
const PLUS: &str = "M-10 0 L10 0 M0 -10 L0 10";
const PENTAGON: &str = "M0 -7 L6.7 -2.2 L4.1 5.7 L-4.1 5.7 L-6.7 -2.2 Z";
const FOLDED: &str = "M-7 -7 L7 -7 L7 7 L-7 7 Z M0 -4 L0 4 M-4 0 L4 0";
const BARS: &str = "M-6 -6 h2.4 v12 h-2.4 Z M-1.2 -6 h2.4 v12 h-2.4 Z M3.6 -6 h2.4 v12 h-2.4 Z";
const LYING_BARS: &str = "M-6 -6 h12 v2.4 h-12 Z M-6 -1.2 h12 v2.4 h-12 Z M-6 3.6 h12 v2.4 h-12 Z";
const CLOCK: &str = "M10 0 A10 10 0 1 1 -10 0 A10 10 0 1 1 10 0 Z M0 -10 L0 -8 M0 10 L0 8 M-10 0 L-8 0 M10 0 L8 0 \
    M0.8 -7 L0 0 L5 0.8";

/// Draws the symbols of a shape into its bounds.
pub(super) fn write(markup: &mut Markup, shape: &Shape) {
    write_kind(markup, shape.kind, shape.bounds);
    // Symbols at the foot of a box stand side by side.
    let foot = Point { x: shape.bounds.center().x, y: shape.bounds.bottom() - 11 };
    let folded = matches!(shape.kind, ShapeKind::CollapsedSubProcess | ShapeKind::CallActivity);
    let aside = if folded && shape.is_multiple { 12 } else { 0 };
    if folded {
        icon(markup, "icon", FOLDED, Point { x: foot.x + aside, ..foot }, "1");
    }
    if shape.is_multiple {
        let bars = if shape.is_sequential { LYING_BARS } else { BARS };
        icon(markup, "filled", bars, Point { x: foot.x - aside, ..foot }, "1");
    }
}

fn write_kind(markup: &mut Markup, kind: ShapeKind, bounds: Rect) {
    let center = bounds.center();
    let corner = Point { x: bounds.x + 16, y: bounds.y + 15 };
    let foot = Point { x: center.x, y: bounds.bottom() - 11 };
    match kind {
        ShapeKind::StartEvent
        | ShapeKind::EndEvent
        | ShapeKind::CallActivity
        | ShapeKind::SubProcess
        | ShapeKind::EventSubProcess
        | ShapeKind::Pool
        | ShapeKind::BlackBoxPool
        | ShapeKind::CollapsedSubProcess => {}
        ShapeKind::ServiceTask => icon(markup, "icon", GEAR, corner, "0.8"),
        ShapeKind::UserTask => icon(markup, "icon", PERSON, corner, "0.9"),
        ShapeKind::BusinessRuleTask => icon(markup, "icon", TABLE, corner, "1"),
        ShapeKind::CompensationTask | ShapeKind::CompensationUserTask | ShapeKind::CompensationRuleTask => {
            let (path, scale) = match kind {
                ShapeKind::CompensationUserTask => (PERSON, "0.9"),
                ShapeKind::CompensationRuleTask => (TABLE, "1"),
                _ => (GEAR, "0.8"),
            };
            icon(markup, "icon", path, corner, scale);
            icon(markup, "icon", REWIND, foot, "0.9");
        }
        ShapeKind::ReceiveTask => icon(markup, "icon", ENVELOPE, corner, "1"),
        ShapeKind::SendTask => icon(markup, "filled", ENVELOPE_FILLED, corner, "1"),
        ShapeKind::MessageThrowEvent | ShapeKind::MessageEndEvent => {
            icon(markup, "filled", ENVELOPE_FILLED, center, "0.95")
        }
        ShapeKind::MessageStartEvent | ShapeKind::MessageCatchEvent => {
            icon(markup, "icon", ENVELOPE, center, "0.95")
        }
        ShapeKind::TimerStartEvent | ShapeKind::TimerCatchEvent | ShapeKind::TimerBoundaryEvent => {
            icon(markup, "icon", CLOCK, center, "1");
        }
        ShapeKind::ParallelGateway => icon(markup, "icon cross", PLUS, center, "1"),
        ShapeKind::EventGateway => icon(markup, "icon", PENTAGON, center, "0.9"),
        ShapeKind::ErrorEndEvent => icon(markup, "filled", BOLT, center, "0.95"),
        ShapeKind::TerminateEndEvent => icon(markup, "filled", DISC, center, "1"),
        ShapeKind::ExclusiveGateway => icon(markup, "icon cross", CROSS, center, "1"),
        ShapeKind::ErrorBoundaryEvent | ShapeKind::ErrorStartEvent => {
            icon(markup, "icon", BOLT, center, "0.95")
        }
        ShapeKind::CompensationBoundaryEvent => icon(markup, "icon", REWIND, center, "1"),
        ShapeKind::CompensationEndEvent | ShapeKind::CompensationThrowEvent => {
            icon(markup, "filled", REWIND, center, "1")
        }
    }
}

fn icon(markup: &mut Markup, class: &str, path: &str, at: Point, scale: &str) {
    let place = format!("translate({} {}) scale({scale})", at.x, at.y);
    markup.empty("path", &[("class", class), ("transform", &place), ("d", path)]);
}
