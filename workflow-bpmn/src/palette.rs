//! The few colours of a diagram: black on white, one tint for undoing, one for people.
//! Colour repeats what shape and symbol already say; it never says anything alone.

/// Lines and symbols.
pub(crate) const LINE: &str = "#22242a";
/// The card that the drawing lies on, so that it reads the same on light and dark pages.
pub(crate) const PAPER: &str = "#ffffff";
/// Inside of what belongs to undoing.
pub(crate) const UNDO_FILL: &str = "#fdf3e1";
/// Inside of what a person does.
pub(crate) const HUMAN_FILL: &str = "#e8f1fa";
/// Border of what a person does.
pub(crate) const HUMAN_LINE: &str = "#1f4e79";
/// Border of what belongs to undoing.
pub(crate) const UNDO_LINE: &str = "#8a5300";

/// What each colour is called as a variable, and what it is on a dark page.
const VARIABLES: [(&str, &str, &str); 6] = [
    (LINE, "--bpmn-line", "#d9dce3"),
    (PAPER, "--bpmn-paper", "#1d2025"),
    (UNDO_FILL, "--bpmn-undo-fill", "#3a2c12"),
    (UNDO_LINE, "--bpmn-undo-line", "#e6ab4d"),
    (HUMAN_FILL, "--bpmn-human-fill", "#1b3047"),
    (HUMAN_LINE, "--bpmn-human-line", "#8ec1f0"),
];

/// The values of all variables, as declarations of a style sheet.
pub(crate) fn declarations(dark: bool) -> String {
    let value = |(light, name, on_dark): &(&str, &str, &str)| {
        format!("{name}:{};", if dark { on_dark } else { light })
    };
    VARIABLES.iter().map(value).collect()
}

/// The same text with variables in the place of our colours.
pub(crate) fn as_variable(text: &str) -> String {
    VARIABLES
        .iter()
        .fold(text.to_owned(), |text, (colour, name, _)| text.replace(colour, &format!("var({name})")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How much light a colour gives, as the guidelines for accessibility count it.
    fn light(colour: &str) -> f64 {
        let channel = |at: usize| {
            let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
            if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }

    fn contrast(one: &str, other: &str) -> f64 {
        let (one, other) = (light(one), light(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn text_and_lines_can_be_read_on_every_ground_on_light_and_dark_pages() {
        for dark in [false, true] {
            let shown = |colour: &str| {
                let (light, _, on_dark) = VARIABLES.iter().find(|(light, ..)| *light == colour).unwrap();
                if dark { *on_dark } else { *light }
            };
            for (line, ground) in [
                (LINE, PAPER),
                (LINE, UNDO_FILL),
                (LINE, HUMAN_FILL),
                (UNDO_LINE, PAPER),
                (UNDO_LINE, UNDO_FILL),
                (HUMAN_LINE, PAPER),
                (HUMAN_LINE, HUMAN_FILL),
            ] {
                let contrast = contrast(shown(line), shown(ground));
                assert!(contrast >= 4.5, "{} on {}: {contrast:.1}", shown(line), shown(ground));
            }
        }
    }
}
