//! Paints highlights: classes on groups, signs and numbers on corners, notes in titles.
//! It knows what each mark looks like, never what it is about.

use std::fmt::Write;

use crate::diagram::{Edge, Point, Shape};
use crate::highlight::{Highlight, Highlights, Mark};
use crate::markup::Markup;
use crate::text;

/// Radius of a sign.
const SIGN: i32 = 8;
/// Height of a number's box.
const PILL: i32 = 16;
/// Font size of numbers.
const FONT: i32 = 10;

/// What the style sheet says about marks; nothing where nothing is marked.
pub(super) const STYLE: &str = "  .mark-completed > .body, .mark-completed > .line, \
    .mark-added > .body, .mark-added > .line { stroke: #1b7f3b; stroke-width: 3; }
    .mark-active > .body, .mark-active > .line { stroke: #0b5cad; stroke-width: 3.6; }
    .mark-failed > .body, .mark-failed > .line { stroke: #b3261e; stroke-width: 3; }
    .mark-compensated > .body, .mark-compensated > .line, .mark-changed > .body, \
    .mark-changed > .line { stroke: #8a5300; stroke-width: 3; stroke-dasharray: 7 4; }
    .mark-missed > .body, .mark-missed > .line, .mark-removed > .body, .mark-removed > .line \
    { stroke: #b3261e; stroke-width: 2.4; stroke-dasharray: 3 4; }
    .mark-badge circle, .mark-badge rect { stroke: #ffffff; stroke-width: 1.5; fill: #22242a; }
    .mark-badge path \
    { fill: none; stroke: #ffffff; stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; }
    .mark-badge text { fill: #ffffff; font-size: 10px; font-weight: bold; }
    .mark-completed > .mark-badge circle, .mark-added > .mark-badge circle { fill: #1b7f3b; }
    .mark-active > .mark-badge circle { fill: #0b5cad; }
    .mark-failed > .mark-badge circle, .mark-missed > .mark-badge circle, \
    .mark-removed > .mark-badge circle { fill: #b3261e; }
    .mark-compensated > .mark-badge circle, .mark-changed > .mark-badge circle { fill: #8a5300; }
  ";

const PLUS: &str = "M-3.8 0 L3.8 0 M0 -3.8 L0 3.8";
const MINUS: &str = "M-3.8 0 L3.8 0";
const WAVE: &str = "M-4 1.2 Q-2 -2.6 0 0 Q2 2.6 4 -1.2";
const TICK: &str = "M-3.6 0.4 L-1 3 L3.8 -2.8";
const TRIANGLE: &str = "M-2 -3.4 L3.6 0 L-2 3.4 Z";
const CROSS: &str = "M-3 -3 L3 3 M-3 3 L3 -3";
const BACK: &str = "M3.4 3 L3.4 -1.2 L-3.4 -1.2 M-0.8 -4 L-3.6 -1.2 L-0.8 1.6";
const QUESTION: &str = "M-2.2 -2.2 Q-2 -4.2 0 -4.2 Q2.4 -4.2 2.4 -2.2 Q2.4 -0.8 0 0.8 M0 3.6 L0 3.7";

/// The classes of a group, with those of its marks.
pub(super) fn class(class: &str, id: &str, highlights: &Highlights) -> String {
    let mut class = class.to_owned();
    if let Some(highlight) = highlights.get(id) {
        for word in
            [highlight.mark.map(Mark::class), highlight.heat.map(|_| "mark-heat")].into_iter().flatten()
        {
            class.push(' ');
            class.push_str(word);
        }
    }
    class
}

/// The title of a group, with what is said about it.
pub(super) fn title(name: &str, id: &str, highlights: &Highlights) -> String {
    let Some(highlight) = highlights.get(id) else { return name.to_owned() };
    let mut title = name.to_owned();
    let mut add = |what: String| {
        let separator = if title.is_empty() { "" } else { "\n" };
        write!(title, "{separator}{what}").expect("writing into memory cannot fail");
    };
    if let Some(mark) = highlight.mark {
        add(mark.word().to_owned());
    }
    if let Some(count) = highlight.count {
        add(format!("{count} ×"));
    }
    if let Some(heat) = highlight.heat {
        add(percent(heat));
    }
    highlight.notes.iter().for_each(|note| add(text::one_line(note)));
    title
}

/// The fill of a tinted shape, as a style of its own; nothing where there is no heat.
pub(super) fn tint(id: &str, highlights: &Highlights) -> Option<String> {
    let heat = highlights.get(id)?.heat?;
    // From white to a strong orange on which black text still reads.
    let mix = |to: f64| (255.0 + (to - 255.0) * heat).round() as u8;
    Some(format!("fill: #{:02x}{:02x}{:02x}", mix(245.0), mix(150.0), mix(60.0)))
}

/// The width of a heated line, as a style of its own.
pub(super) fn width(id: &str, highlights: &Highlights) -> Option<String> {
    let heat = highlights.get(id)?.heat?;
    Some(format!("stroke-width: {:.1}", 1.5 + 5.0 * heat))
}

/// Sign and number on the upper corners of a shape.
pub(super) fn write_on_shape(markup: &mut Markup, shape: &Shape, highlights: &Highlights) {
    let Some(highlight) = highlights.get(&shape.id) else { return };
    let is_box = shape.kind.is_task() || shape.kind.is_frame() || shape.kind.is_pool();
    // On the line of a circle or diamond, not on the corner of the box around it.
    let inset = if is_box { 4 } else { shape.bounds.width / 7 };
    let (y, right) = (shape.bounds.y + inset, shape.bounds.right() - inset);
    write_sign(markup, highlight.mark, Point { x: right, y });
    if let Some(number) = number(highlight) {
        let half = pill_width(&number) / 2;
        let x = if is_box { shape.bounds.x + half - 6 } else { shape.bounds.x + inset - half + 6 };
        // Above the symbol in the corner of a task.
        let y = if is_box { shape.bounds.y - 2 } else { y };
        write_number(markup, &number, Point { x, y });
    }
}

/// Sign and number in the middle of the longest piece of a line.
pub(super) fn write_on_edge(markup: &mut Markup, edge: &Edge, highlights: &Highlights) {
    let Some(highlight) = highlights.get(&edge.id) else { return };
    let length = |pair: &[Point]| (pair[0].x - pair[1].x).abs() + (pair[0].y - pair[1].y).abs();
    // Of pieces of one length the first, which is its own where several lines meet later.
    let longest = edge.points.windows(2).rev().max_by_key(|pair| length(pair));
    let Some(pair) = longest else { return };
    let middle = Point { x: (pair[0].x + pair[1].x) / 2, y: (pair[0].y + pair[1].y) / 2 };
    // A line that was taken needs no sign: it is bold, the ones beside it are not.
    let sign = highlight.mark.filter(|mark| *mark != Mark::Completed);
    match number(highlight) {
        Some(number) => write_number(markup, &number, middle),
        None => write_sign(markup, sign, middle),
    }
}

fn number(highlight: &Highlight) -> Option<String> {
    highlight.count.map(|count| count.to_string()).or_else(|| highlight.heat.map(percent))
}

fn percent(heat: f64) -> String {
    format!("{:.0} %", heat * 100.0)
}

fn write_sign(markup: &mut Markup, mark: Option<Mark>, at: Point) {
    let Some(mark) = mark else { return };
    let path = match mark {
        Mark::Completed => TICK,
        Mark::Active => TRIANGLE,
        Mark::Failed => CROSS,
        Mark::Compensated => BACK,
        Mark::Missed => QUESTION,
        Mark::Added => PLUS,
        Mark::Removed => MINUS,
        Mark::Changed => WAVE,
    };
    markup.open("g", &[("class", "mark-badge"), ("transform", &format!("translate({} {})", at.x, at.y))]);
    markup.empty("circle", &[("r", &SIGN.to_string())]);
    markup.empty("path", &[("d", path)]);
    markup.close();
}

fn pill_width(number: &str) -> i32 {
    (text::width(number, FONT) * 11 / 10 + 8).max(PILL)
}

fn write_number(markup: &mut Markup, number: &str, at: Point) {
    let width = pill_width(number);
    let (x, y) = ((-width / 2).to_string(), (-PILL / 2).to_string());
    markup.open("g", &[("class", "mark-badge"), ("transform", &format!("translate({} {})", at.x, at.y))]);
    let (width, height) = (width.to_string(), PILL.to_string());
    markup.empty("rect", &[("x", &x), ("y", &y), ("width", &width), ("height", &height), ("rx", "8")]);
    markup.text("text", &[("y", "3.5")], number);
    markup.close();
}
