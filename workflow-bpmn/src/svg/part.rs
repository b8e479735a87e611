//! A picture as a part of a page: its style sheet applies to it alone, its colours and its size follow the page.
//! It rewrites what the picture's own style sheet says, and knows nothing of shapes.

use std::fmt::Write;

use crate::highlight::Highlights;
use crate::markup::CLASSES;
use crate::palette;

/// How far a picture shrinks, in hundredths, before it is better to scroll: its smallest letters are 11 pixels high.
const SMALLEST: i32 = 75;

/// As wide as the page, but no larger than drawn, and no smaller than can be read.
pub(super) fn size(width: i32) -> String {
    let least = width * SMALLEST / 100;
    format!("display:block;width:100%;min-width:{least}px;max-width:{width}px;height:auto")
}

/// The style sheet of the picture with this id.
///
/// A page is dark when it says so, as rustdoc (`data-theme`) and mdBook (a class) do, else when the reader prefers it.
/// What is painted over a picture has colours for a light ground, so that it keeps one.
pub(super) fn style(id: &str, style: &str, highlights: &Highlights) -> String {
    let mut text = format!("#{id}{{{}}}", palette::declarations(false));
    if highlights.is_empty() {
        let dark = palette::declarations(true);
        let themes = ["[data-theme=dark]", "[data-theme=ayu]", ".coal", ".navy", ".ayu"];
        let themes = themes.map(|theme| format!("{theme} #{id}")).join(",");
        let undecided = ":root:not([data-theme],.light,.rust)";
        write!(text, "@media (prefers-color-scheme:dark){{{undecided} #{id}{{{dark}}}}}{themes}{{{dark}}}")
            .expect("writing into memory cannot fail");
    }
    for rule in style.lines().map(str::trim).filter(|rule| !rule.is_empty()) {
        // One rule is one line of the picture's style sheet.
        let (selectors, declarations) = rule.split_once('{').unwrap_or((rule, "}"));
        let of_part = |selector: &str| {
            let classes = selector.trim().replace('.', &format!(".{CLASSES}"));
            format!("#{id} {classes}")
        };
        let selectors = selectors.split(',').map(of_part).collect::<Vec<_>>().join(",");
        write!(text, "{selectors}{{{}", palette::as_variable(declarations.trim())).expect("as above");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_applies_to_the_part_alone() {
        let style = style("it", "\n    .a > .b, text { fill: #22242a; }\n  ", &Highlights::new());
        assert!(style.ends_with("#it .bpmn-a > .bpmn-b,#it text{fill: var(--bpmn-line); }"), "{style}");
        assert!(style.starts_with("#it{--bpmn-line:#22242a;") && style.contains("[data-theme=ayu] #it,"));
    }

    #[test]
    fn what_is_painted_over_a_picture_keeps_its_light_ground() {
        let painted = Highlights::new().heat("a", 0.5);
        assert!(!style("it", "", &painted).contains("data-theme"));
    }
}
