//! The symbols inside shapes, drawn by hand as simple paths.
//! It knows what each kind shows, not where the shapes come from.

use crate::diagram::{Point, Rect, ShapeKind};
use crate::markup::Markup;

/// Eight teeth around the middle.
const GEAR: &str = "M-1.6 -8 L1.6 -8 L2.1 -5.7 L3.9 -5 L5.9 -6.2 L8.1 -4 L6.9 -2 L7.6 -0.2 L9.9 0.3 L9.9 3.5 \
    L7.6 4 L6.9 5.8 L8.1 7.8 L5.9 10 L3.9 8.8 L2.1 9.5 L1.6 11.8 L-1.6 11.8 L-2.1 9.5 L-3.9 8.8 L-5.9 10 \
    L-8.1 7.8 L-6.9 5.8 L-7.6 4 L-9.9 3.5 L-9.9 0.3 L-7.6 -0.2 L-6.9 -2 L-8.1 -4 L-5.9 -6.2 L-3.9 -5 L-2.1 -5.7 Z \
    M3.4 1.9 A3.4 3.4 0 1 1 -3.4 1.9 A3.4 3.4 0 1 1 3.4 1.9 Z";
const ENVELOPE: &str = "M-9 -6 L9 -6 L9 6 L-9 6 Z M-9 -6 L0 1 L9 -6";
const BOLT: &str = "M-9 8 L-4.5 -8 L2.5 0 L9 -9 L4.5 8.5 L-2.5 0.5 Z";
const REWIND: &str = "M-1 -5.5 L-9 0 L-1 5.5 Z M7.5 -5.5 L-0.5 0 L7.5 5.5 Z";
const CROSS: &str = "M-7 -8 L7 8 M7 -8 L-7 8";
const CLOCK: &str = "M10 0 A10 10 0 1 1 -10 0 A10 10 0 1 1 10 0 Z M0 -10 L0 -8 M0 10 L0 8 M-10 0 L-8 0 M10 0 L8 0 \
    M0.8 -7 L0 0 L5 0.8";

/// Draws the symbol of this kind of shape into its bounds.
pub(super) fn write(markup: &mut Markup, kind: ShapeKind, bounds: Rect) {
    let center = bounds.center();
    let corner = Point { x: bounds.x + 16, y: bounds.y + 15 };
    let foot = Point { x: center.x, y: bounds.bottom() - 11 };
    match kind {
        ShapeKind::StartEvent | ShapeKind::EndEvent => {}
        ShapeKind::ServiceTask => icon(markup, "icon", GEAR, corner, "0.8"),
        ShapeKind::CompensationTask => {
            icon(markup, "icon", GEAR, corner, "0.8");
            icon(markup, "icon", REWIND, foot, "0.9");
        }
        ShapeKind::ReceiveTask => icon(markup, "icon", ENVELOPE, corner, "1"),
        ShapeKind::MessageCatchEvent => icon(markup, "icon", ENVELOPE, center, "0.95"),
        ShapeKind::TimerCatchEvent | ShapeKind::TimerBoundaryEvent => {
            icon(markup, "icon", CLOCK, center, "1")
        }
        ShapeKind::ExclusiveGateway => icon(markup, "icon cross", CROSS, center, "1"),
        ShapeKind::ErrorBoundaryEvent => icon(markup, "icon", BOLT, center, "0.95"),
        ShapeKind::CompensationBoundaryEvent => icon(markup, "icon", REWIND, center, "1"),
        ShapeKind::CompensationEndEvent => icon(markup, "filled", REWIND, center, "1"),
    }
}

fn icon(markup: &mut Markup, class: &str, path: &str, at: Point, scale: &str) {
    let place = format!("translate({} {}) scale({scale})", at.x, at.y);
    markup.empty("path", &[("class", class), ("transform", &place), ("d", path)]);
}
