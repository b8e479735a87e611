//! Text as diagrams need it: cleaned for XML, measured, wrapped into lines.
//! It knows nothing of elements or places.

/// Width of printable ASCII (from the space on) in thousandths of an em, as in Arial and its metric twins.
const ASCII_WIDTHS: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556,
    556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278,
    500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469,
    556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500,
    278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];

/// Replaces what XML 1.0 forbids even when escaped, and what would tear a drawing apart when shown.
///
/// Line breaks and tabs survive, since documentation uses them; [`one_line`] and [`name`] are for the rest.
pub(crate) fn clean(text: &str) -> String {
    text.chars().map(|c| if is_allowed(c) { c } else { '\u{FFFD}' }).collect()
}

/// A name: cleaned, and every run of white space is one blank.
pub(crate) fn one_line(text: &str) -> String {
    clean(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Longest name, in characters: more is no label, and tools that draw the file would spill it over the picture.
const NAME_LENGTH: usize = 80;

/// A name that fits a shape: one line, cut with an ellipsis where it is too long.
pub(crate) fn name(text: &str) -> String {
    let name = one_line(text);
    if name.chars().count() <= NAME_LENGTH {
        return name;
    }
    name.chars().take(NAME_LENGTH - 1).chain(['…']).collect()
}

fn is_allowed(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => true,
        // Overrides and isolates would turn around the rest of the line, also in the reader's editor.
        '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => false,
        '\u{FFFE}' | '\u{FFFF}' => false,
        _ => !c.is_control(),
    }
}

/// The width in whole pixels, rounded up.
pub(crate) fn width(text: &str, font_size: i32) -> i32 {
    let thousandths: i64 = text.chars().map(|c| i64::from(char_width(c))).sum();
    let pixels = (thousandths * i64::from(font_size) + 999) / 1000;
    i32::try_from(pixels).unwrap_or(i32::MAX / 4)
}

fn char_width(c: char) -> u16 {
    match c {
        ' '..='~' => ASCII_WIDTHS[c as usize - ' ' as usize],
        // Marks that sit on the letter before them, and joiners.
        '\u{0300}'..='\u{036F}' | '\u{0591}'..='\u{05C7}' | '\u{064B}'..='\u{065F}' => 0,
        '\u{200B}'..='\u{200F}' | '\u{FE00}'..='\u{FE0F}' => 0,
        // East Asian scripts and emoji fill the square.
        '\u{1100}'..='\u{115F}' | '\u{2E80}'..='\u{D7A3}' | '\u{F900}'..='\u{FAFF}' => 1000,
        '\u{FE30}'..='\u{FE4F}' | '\u{FF00}'..='\u{FF60}' => 1000,
        '\u{2600}'..='\u{27BF}' | '\u{1F000}'..='\u{1FAFF}' | '\u{20000}'..='\u{3FFFD}' => 1300,
        _ => 640,
    }
}

/// Breaks the text into at most `max_lines` lines of at most `max_width` pixels; what does not fit ends in `…`.
pub(crate) fn wrap(text: &str, font_size: i32, max_width: i32, max_lines: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for piece in text.split_whitespace().flat_map(|word| pieces(word, font_size, max_width)) {
        let longer = if line.is_empty() || piece.continues {
            format!("{line}{}", piece.text)
        } else {
            format!("{line} {}", piece.text)
        };
        if width(&longer, font_size) <= max_width {
            line = longer;
        } else {
            lines.push(std::mem::replace(&mut line, piece.text));
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines.retain(|line| !line.is_empty());
    if lines.len() > max_lines {
        lines.truncate(max_lines);
        if let Some(last) = lines.last_mut() {
            while !last.is_empty() && width(last, font_size) + width("…", font_size) > max_width {
                last.pop();
            }
            last.push('…');
        }
    }
    lines
}

struct Piece {
    text: String,
    /// Whether it is the rest of a word that was too long for one line.
    continues: bool,
}

fn pieces(word: &str, font_size: i32, max_width: i32) -> Vec<Piece> {
    let mut pieces = vec![Piece { text: String::new(), continues: false }];
    for c in word.chars() {
        let last = pieces.len() - 1;
        let longer = width(&pieces[last].text, font_size) + width(c.encode_utf8(&mut [0; 4]), font_size);
        if longer > max_width && !pieces[last].text.is_empty() {
            pieces.push(Piece { text: String::new(), continues: true });
        }
        let last = pieces.len() - 1;
        pieces[last].text.push(c);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_wrap_at_blanks_and_long_words_break() {
        assert_eq!(wrap("Retrieve payment", 12, 80, 3), ["Retrieve", "payment"]);
        assert_eq!(wrap("Retrieve payment", 12, 120, 3), ["Retrieve payment"]);
        assert!(wrap(&"x".repeat(100), 12, 80, 20).iter().all(|line| width(line, 12) <= 80));
        assert!(wrap("   ", 12, 80, 3).is_empty());
    }

    #[test]
    fn too_much_text_ends_in_an_ellipsis() {
        let lines = wrap(&"many words ".repeat(50), 12, 80, 3);
        assert_eq!(lines.len(), 3);
        assert!(lines[2].ends_with('…') && width(&lines[2], 12) <= 80);
    }

    #[test]
    fn what_xml_forbids_is_replaced() {
        assert_eq!(clean("a\u{0}b\u{8}c\nd"), "a\u{FFFD}b\u{FFFD}c\nd");
        assert_eq!(one_line(" a\u{202E}\n b "), "a\u{FFFD} b");
    }
}
