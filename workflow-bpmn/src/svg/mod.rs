//! Paints the drawing as SVG, with symbols of our own.
//! It copies places out of the drawing and computes none; the look is in the style sheet at the top.

mod icons;
mod marks;
mod part;
mod shapes;

use std::fmt::Write;

use crate::diagram::{Diagram, Edge, EdgeKind, Label, Page, Point, Shape, ShapeKind};
use crate::highlight::Highlights;
use crate::layout::{LABEL_FONT, LINE_HEIGHT, TASK_FONT};
use crate::markup::{Attributes, Markup};
use crate::palette::{HUMAN_FILL, HUMAN_LINE, LINE, PAPER, UNDO_FILL, UNDO_LINE};
use crate::text;

/// Radius of the rounded corners of lines.
const BEND: i32 = 6;
/// Height of the name above the inside of a collapsed sub-process.
const HEADING: i32 = 34;
/// From the left border to such a name.
const MARGIN: i32 = 30;

/// The picture of a workflow with this title.
pub(crate) fn document(title: &str, diagram: &Diagram, highlights: &Highlights) -> String {
    let style = style_of(diagram, highlights);
    write(Markup::new(), &[], title, &style, diagram, highlights)
}

/// The same as a part of a page that knows it by this id.
pub(crate) fn part_of_page(id: &str, title: &str, diagram: &Diagram, highlights: &Highlights) -> String {
    let style = part::style(id, &style_of(diagram, highlights), highlights);
    let (width, _) = size(diagram);
    let (size, title) = (part::size(width), text::one_line(title));
    let attributes = [("id", ""), ("style", size.as_str()), ("aria-label", &title)];
    let svg = write(Markup::part_of_page(id), &attributes, &title, &style, diagram, highlights);
    svg.trim_end().to_owned()
}

fn pages(diagram: &Diagram) -> impl Iterator<Item = &Diagram> {
    diagram.details.iter().map(|detail| &detail.diagram)
}

/// Of the drawing and all its pages.
fn size(diagram: &Diagram) -> (i32, i32) {
    let headings = diagram.details.iter().map(|detail| text::width(&detail.name, 16) + 2 * MARGIN);
    let width = pages(diagram).map(|page| page.width).chain(headings).fold(diagram.width, i32::max);
    (width, diagram.height + pages(diagram).map(|page| page.height + HEADING).sum::<i32>())
}

/// What the style sheet says, of what there is.
fn style_of(diagram: &Diagram, highlights: &Highlights) -> String {
    let mut style = style_sheet();
    let shapes = || std::iter::once(diagram).chain(pages(diagram)).flat_map(|page| &page.shapes);
    if shapes().any(|shape| shape.kind.is_human()) {
        style.push_str(&human_style());
    }
    if has_pools(diagram) {
        style.push_str(POOL_STYLE);
    }
    if shapes().any(|shape| shape.kind == ShapeKind::EventSubProcess) {
        style.push_str(APART_STYLE);
    }
    if !highlights.is_empty() {
        style.push_str(marks::STYLE);
    }
    style
}

fn has_pools(diagram: &Diagram) -> bool {
    diagram.shapes.iter().any(|shape| shape.kind.is_pool())
}

fn write(
    mut markup: Markup,
    more: Attributes<'_>,
    title: &str,
    style: &str,
    diagram: &Diagram,
    highlights: &Highlights,
) -> String {
    let (full_width, full_height) = size(diagram);
    let (width, height) = (full_width.to_string(), full_height.to_string());
    let view_box = format!("0 0 {width} {height}");
    let attributes = [
        ("xmlns", "http://www.w3.org/2000/svg"),
        ("width", &width),
        ("height", &height),
        ("viewBox", &view_box),
        ("role", "img"),
    ];
    markup.open("svg", &[&attributes, more].concat());
    markup.text("title", &[], &text::one_line(title));
    markup.text("style", &[], style);
    write_markers(&mut markup, has_pools(diagram));
    markup.empty("rect", &[("class", "paper"), ("width", &width), ("height", &height), ("rx", "8")]);
    write_page(&mut markup, diagram, highlights);
    let mut top = diagram.height;
    for detail in &diagram.details {
        write_detail(&mut markup, detail, (top, full_width), highlights);
        top += HEADING + detail.diagram.height;
    }
    markup.finish()
}

/// Frames, then lines, then everything else: no line may vanish behind a frame, none may run over a symbol.
fn write_page(markup: &mut Markup, diagram: &Diagram, highlights: &Highlights) {
    let is_frame = |shape: &&Shape| shape.kind.is_frame();
    for shape in diagram.shapes.iter().filter(is_frame) {
        shapes::write(markup, shape, highlights);
    }
    for edge in &diagram.edges {
        write_edge(markup, edge, highlights);
    }
    for shape in diagram.shapes.iter().filter(|shape| !is_frame(shape)) {
        shapes::write(markup, shape, highlights);
    }
}

/// The inside of a collapsed sub-process, under its name, below what was painted before.
fn write_detail(markup: &mut Markup, detail: &Page, (top, full_width): (i32, i32), highlights: &Highlights) {
    let place = format!("translate(0 {top})");
    markup.open("g", &[("class", "page"), ("transform", &place)]);
    markup.empty("path", &[("class", "line"), ("d", &format!("M{MARGIN} 0 L{} 0", full_width - MARGIN))]);
    let (x, y) = (MARGIN.to_string(), (HEADING - 8).to_string());
    let style = ("style", "text-anchor: start; font-size: 14px; font-weight: bold");
    markup.text("text", &[style, ("x", &x), ("y", &y)], &detail.name);
    markup.open("g", &[("transform", &format!("translate(0 {HEADING})"))]);
    write_page(markup, &detail.diagram, highlights);
    markup.close();
    markup.close();
}

/// Groups carry the ids of nodes as classes, so no rule may apply to a group that is merely called like one of ours:
/// what is said of a group has a dash in its name, and what is said of its parts names their elements.
fn style_sheet() -> String {
    format!(
        "
    text {{ font-family: Arial, 'Liberation Sans', Helvetica, sans-serif; fill: {LINE}; text-anchor: middle; }}
    text.inside {{ font-size: {TASK_FONT}px; }}
    text.beside {{ font-size: {LABEL_FONT}px; }}
    rect.paper {{ fill: {PAPER}; }}
    rect.body, circle.body, path.body {{ fill: {PAPER}; stroke: {LINE}; stroke-width: 1.6; }}
    rect.bold, circle.bold {{ stroke-width: 3.6; }}
    path.icon, circle.icon, rect.icon \
{{ fill: none; stroke: {LINE}; stroke-width: 1.1; stroke-linecap: round; stroke-linejoin: round; }}
    path.filled, circle.filled, rect.filled {{ fill: {LINE}; stroke: none; }}
    path.cross {{ stroke-width: 3; stroke-linecap: butt; }}
    path.line {{ fill: none; stroke: {LINE}; stroke-width: 1.5; }}
    path.association {{ stroke-dasharray: 0.5 4; stroke-linecap: round; stroke-width: 1.8; stroke: {UNDO_LINE}; }}
    .undo-tint .body {{ fill: {UNDO_FILL}; stroke: {UNDO_LINE}; }}
    .undo-tint .icon {{ stroke: {UNDO_LINE}; }}
    .undo-tint .filled {{ fill: {UNDO_LINE}; stroke: none; }}
  "
    )
}

/// Only where there are pools.
const POOL_STYLE: &str = "  path.message-line { stroke-dasharray: 8 5; }
    .message-flow circle { stroke-width: 1.2; }
    .collaboration-pool > .inside { font-weight: bold; }
  ";
/// Only where a frame stands apart.
const APART_STYLE: &str = "  .event-sub-process > .body { stroke-dasharray: 3 4; }
  ";

/// Only where people take part, so that no other picture changes.
fn human_style() -> String {
    format!(
        "  .user-task > .body {{ fill: {HUMAN_FILL}; stroke: {HUMAN_LINE}; }}
    .user-task > .icon {{ stroke: {HUMAN_LINE}; }}
  "
    )
}

fn write_markers(markup: &mut Markup, has_pools: bool) {
    markup.open("defs", &[]);
    let size = [
        ("markerWidth", "10"),
        ("markerHeight", "10"),
        ("markerUnits", "userSpaceOnUse"),
        ("orient", "auto"),
    ];
    let arrow = [&[("id", "arrow"), ("refX", "9"), ("refY", "5")], &size[..]].concat();
    markup.open("marker", &arrow);
    markup.empty("path", &[("d", "M0 1.2 L10 5 L0 8.8 Z"), ("fill", LINE)]);
    markup.close();
    let open_arrow = [&[("id", "open-arrow"), ("refX", "9"), ("refY", "5")], &size[..]].concat();
    markup.open("marker", &open_arrow);
    let stroke = [("fill", "none"), ("stroke", UNDO_LINE), ("stroke-width", "1.5")];
    markup.empty("path", &[&[("d", "M1 1 L9 5 L1 9")], &stroke[..]].concat());
    markup.close();
    if has_pools {
        let arrow = [&[("id", "hollow-arrow"), ("refX", "9"), ("refY", "5")], &size[..]].concat();
        markup.open("marker", &arrow);
        let hollow = [("d", "M1 1 L9 5 L1 9 Z"), ("fill", PAPER), ("stroke", LINE), ("stroke-width", "1.2")];
        markup.empty("path", &hollow);
        markup.close();
    }
    markup.close();
}

fn write_edge(markup: &mut Markup, edge: &Edge, highlights: &Highlights) {
    let kind = match edge.kind {
        EdgeKind::SequenceFlow => "edge",
        EdgeKind::DefaultFlow => "edge default",
        EdgeKind::Association => "edge undo-tint",
        EdgeKind::MessageFlow => "edge message-flow",
    };
    let class = marks::class(&format!("{kind} {}", edge.id), &edge.id, highlights);
    markup.open("g", &[("id", &edge.id), ("class", &class)]);
    let name =
        if edge.name.is_empty() { format!("{} → {}", edge.from, edge.to) } else { edge.name.clone() };
    markup.text("title", &[], &marks::title(&name, &edge.id, highlights));
    let (class, marker) = match edge.kind {
        EdgeKind::Association => ("line association", "url(#open-arrow)"),
        EdgeKind::MessageFlow => ("line message-line", "url(#hollow-arrow)"),
        _ => ("line", "url(#arrow)"),
    };
    let (path, width) = (rounded(&edge.points), marks::width(&edge.id, highlights));
    let mut attributes = vec![("class", class), ("d", &path), ("marker-end", marker)];
    attributes.extend(width.as_ref().map(|width| ("style", width.as_str())));
    markup.empty("path", &attributes);
    if edge.kind == EdgeKind::MessageFlow {
        let (x, y) = (edge.points[0].x.to_string(), edge.points[0].y.to_string());
        markup.empty("circle", &[("class", "body"), ("cx", &x), ("cy", &y), ("r", "4")]);
    }
    if edge.kind == EdgeKind::DefaultFlow {
        markup.empty("path", &[("class", "line"), ("d", &slash(&edge.points))]);
    }
    if let Some(label) = &edge.label {
        write_label(markup, label, "beside", LABEL_FONT);
    }
    marks::write_on_edge(markup, edge, highlights);
    markup.close();
}

/// A path through all corners, each rounded where there is room.
fn rounded(points: &[Point]) -> String {
    let mut path = String::new();
    for (index, here) in points.iter().enumerate() {
        let (before, after) = (index.checked_sub(1).map(|i| points[i]), points.get(index + 1));
        match (before, after) {
            (None, _) => write!(path, "M{} {}", here.x, here.y),
            (Some(_), None) => write!(path, " L{} {}", here.x, here.y),
            (Some(before), Some(after)) => {
                let (from, to) = (towards(*here, before), towards(*here, *after));
                write!(path, " L{} {} Q{} {} {} {}", from.x, from.y, here.x, here.y, to.x, to.y)
            }
        }
        .expect("writing into memory cannot fail");
    }
    path
}

/// The point where the bend at this corner begins, or ends, on the way to that neighbour.
fn towards(corner: Point, neighbour: Point) -> Point {
    let step = |from: i32, to: i32| from + (to - from).clamp(-2 * BEND, 2 * BEND) / 2;
    Point { x: step(corner.x, neighbour.x), y: step(corner.y, neighbour.y) }
}

/// The slash near the beginning of a default flow.
fn slash(points: &[Point]) -> String {
    let [first, second, ..] = points else { return String::new() };
    let (dx, dy) = ((second.x - first.x).signum() * 10, (second.y - first.y).signum() * 10);
    let (x, y) = (first.x + dx, first.y + dy);
    if dy == 0 {
        format!("M{} {} L{} {}", x - 3, y + 6, x + 3, y - 6)
    } else {
        format!("M{} {} L{} {}", x - 6, y + 3, x + 6, y - 3)
    }
}

fn write_label(markup: &mut Markup, label: &Label, class: &str, font_size: i32) {
    let x = label.bounds.center().x.to_string();
    for (line, text) in (0..).zip(&label.lines) {
        let y = (label.bounds.y + line * LINE_HEIGHT + font_size - 1).to_string();
        markup.text("text", &[("class", class), ("x", &x), ("y", &y)], text);
    }
}
