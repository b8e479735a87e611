//! The text of a file: its encoding, its lines, and names as they can be shown.
//! It knows nothing of BPMN.

use roxmltree::Node;

/// The text; nothing when it is in no encoding that XML requires everyone to read.
pub(super) fn decoded(bytes: &[u8]) -> Option<String> {
    let wide = |bytes: &[u8], read: fn([u8; 2]) -> u16| {
        let units = bytes.chunks_exact(2).map(|pair| read([pair[0], pair[1]]));
        bytes
            .len()
            .is_multiple_of(2)
            .then(|| char::decode_utf16(units).collect::<Result<String, _>>().ok())?
    };
    match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => std::str::from_utf8(rest).ok().map(str::to_owned),
        [0xFF, 0xFE, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => wide(rest, u16::from_be_bytes),
        bytes => std::str::from_utf8(bytes).ok().map(str::to_owned),
    }
}

/// Where each line begins.
pub(super) struct Lines(Vec<usize>);

impl Lines {
    /// Lines as all systems end them.
    pub(super) fn of(text: &str) -> Lines {
        let bytes = text.as_bytes();
        let ends = (0..bytes.len()).filter(|&at| match bytes[at] {
            b'\n' => true,
            b'\r' => bytes.get(at + 1) != Some(&b'\n'),
            _ => false,
        });
        Lines(std::iter::once(0).chain(ends.map(|end| end + 1)).collect())
    }

    /// The line in which the node begins, counted from 1.
    pub(super) fn of_node(&self, node: Node<'_, '_>) -> u32 {
        let line = self.0.partition_point(|&begin| begin <= node.range().start);
        u32::try_from(line).unwrap_or(u32::MAX)
    }
}

/// A name on one line, without what would turn around or hide the rest of a message.
pub(super) fn clean(name: &str) -> String {
    let is_shown = |c: &char| {
        !(c.is_control()
            || matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'))
    };
    let words = name.split_whitespace().map(|word| word.chars().filter(is_shown).collect::<String>());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_however_they_end() {
        for text in ["<a>\n\n<b/></a>", "<a>\r\n\r\n<b/></a>", "<a>\r\r<b/></a>"] {
            let document = roxmltree::Document::parse(text).unwrap();
            let inner = document.root_element().first_element_child().unwrap();
            assert_eq!(Lines::of(text).of_node(inner), 3, "{text:?}");
        }
    }

    #[test]
    fn encodings_that_xml_requires_are_read() {
        let utf16: Vec<u8> = "\u{FEFF}<ä/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(decoded(&utf16).as_deref(), Some("<ä/>"));
        let utf16: Vec<u8> = "\u{FEFF}<ä/>".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(decoded(&utf16).as_deref(), Some("<ä/>"));
        assert_eq!(decoded("\u{FEFF}<ä/>".as_bytes()).as_deref(), Some("<ä/>"));
        assert_eq!(decoded(b"<\xE4/>"), None);
        assert_eq!(decoded(b"\xFF\xFE<"), None);
    }

    #[test]
    fn names_are_shown_on_one_line_and_from_left_to_right() {
        assert_eq!(clean(" Charge\n  card\u{202E}\u{0}\u{200B} "), "Charge card");
    }
}
