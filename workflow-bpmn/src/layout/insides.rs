//! Sub-processes that are drawn in their place: the inside is laid out first, then framed.
//! It knows a finished inside and its frame, not where the frame stands.
//!
//! The happy path of the inside runs at the height of the line that arrives at the frame, so that it stays one
//! straight line through all frames.

use std::collections::BTreeMap;

use super::forms;
use super::{Area, Caption, EVENT, LINE_HEIGHT, TASK_FONT};
use crate::diagram::{Diagram, Rect};
use crate::model::{Element, ElementIndex, ElementKind};
use crate::text;

/// The insides of a scope's sub-processes, as far as they are drawn in their place.
pub(super) type Insides = BTreeMap<ElementIndex, Inside>;

/// Free space between the frame and what stands in it.
const PADDING: i32 = 24;
/// The same at the bottom, where symbols or events sit on the frame.
const BUSY_PADDING: i32 = 2 * EVENT + 6;
/// From the upper border to the title.
const TITLE_INSET: i32 = 8;
/// Most lines of a title.
const TITLE_LINES: usize = 2;
/// Half the room for one symbol in the middle of the bottom.
const MARKER: i32 = 12;

/// What stands in a frame, its happy path at height 0.
#[derive(Debug)]
pub(super) struct Inside {
    diagram: Diagram,
    extent: Area,
}

impl Inside {
    pub(super) fn of(diagram: Diagram) -> Inside {
        let boxes = diagram.boxes();
        let extent = Area {
            left: boxes.iter().map(|b| b.x).min().unwrap_or(0),
            right: boxes.iter().map(Rect::right).max().unwrap_or(0),
            top: boxes.iter().map(|b| b.y).min().unwrap_or(0),
            bottom: boxes.iter().map(Rect::bottom).max().unwrap_or(0),
        };
        Inside { diagram, extent }
    }

    /// The inside of the frame with this id, whose middle is at `x` and whose line arrives at `y`.
    pub(super) fn placed(self, frame: &str, x: i32, y: i32) -> Diagram {
        let mut diagram = self.diagram;
        diagram.shift(x - (self.extent.left + self.extent.right) / 2, y);
        for shape in diagram.shapes.iter_mut().filter(|shape| shape.parent.is_none()) {
            shape.parent = Some(frame.to_owned());
        }
        diagram
    }
}

/// How large an activity is at least.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub(super) width: i32,
    pub(super) top: i32,
    pub(super) bottom: i32,
}

impl Size {
    pub(super) fn of_task(element: &Element) -> Size {
        Size { width: forms::width_for(&element.name), top: 40, bottom: 40 }
    }

    /// The frame around an inside, with room for the title and for what sits on the border.
    pub(super) fn around(element: &Element, inside: &Inside, has_events: bool) -> Size {
        let Area { left, right, top, bottom } = inside.extent;
        let width = (right - left + 2 * PADDING).max(forms::width_for(&element.name));
        let title = title_height(&title_lines(&element.name, width));
        let padding = if has_events || marker(element) > 0 { BUSY_PADDING } else { PADDING };
        Size { width, top: (PADDING + title - top).max(40), bottom: (bottom + padding).max(40) }
    }
}

fn title_lines(name: &str, width: i32) -> Vec<String> {
    text::wrap(name, TASK_FONT, width - 2 * TITLE_INSET, TITLE_LINES)
}

fn title_height(lines: &[String]) -> i32 {
    let lines = i32::try_from(lines.len()).unwrap_or(0) * LINE_HEIGHT;
    if lines == 0 { 0 } else { lines + TITLE_INSET - 4 }
}

/// The title in the middle of the upper border.
pub(super) fn title(name: &str, half_width: i32, top: i32) -> Option<Caption> {
    let lines = title_lines(name, 2 * half_width);
    let width = lines.iter().map(|line| text::width(line, TASK_FONT)).max()? + 2;
    let height = i32::try_from(lines.len()).unwrap_or(0) * LINE_HEIGHT;
    let y = TITLE_INSET - top;
    let area = Area { left: -width / 2, right: width / 2 + width % 2, top: y, bottom: y + height };
    Some(Caption { lines, area })
}

/// Half the room for the symbols in the middle of the bottom: several instances, a flow that is elsewhere.
pub(super) fn marker(element: &Element) -> i32 {
    let folded = matches!(
        element.kind,
        ElementKind::SubProcess { expanded: false, .. } | ElementKind::CallActivity { .. }
    );
    MARKER * (i32::from(element.instances.is_some()) + i32::from(folded))
}
