//! A text with a cursor in it, and the same text without the words of the workflows.
//! Text only; nothing here knows a server.

/// Where the cursor stands in a text that is written down here.
const CURSOR: &str = "$0";

/// A text with a cursor.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    pub(crate) whole: String,
    cursor: usize,
}

impl Text {
    /// The text with `$0` taken out, and the cursor there.
    pub(crate) fn with_cursor(marked: &str) -> Text {
        let cursor = marked.find(CURSOR).unwrap_or_else(|| panic!("there is no {CURSOR} in\n{marked}"));
        Text { whole: marked.replace(CURSOR, ""), cursor }
    }

    /// The cursor inside of the last word of `place`, which stands in the text once.
    pub(crate) fn at(whole: &str, place: &str) -> Text {
        let found: Vec<usize> = whole.match_indices(place).map(|(at, _)| at).collect();
        assert_eq!(found.len(), 1, "`{place}` does not stand once in\n{whole}");
        Text { whole: whole.to_owned(), cursor: found[0] + place.len() - 1 }
    }

    /// Line and column of the cursor, counted from 0, in the units of the protocol.
    pub(crate) fn position(&self) -> (usize, usize) {
        position(&self.whole, self.cursor)
    }

    /// The same place in the plain text.
    pub(crate) fn in_plain(&self) -> Text {
        let mut marked = self.whole.clone();
        marked.insert_str(self.cursor, CURSOR);
        Text::with_cursor(&plain(&marked))
    }
}

/// Line and column of a place in a text, counted from 0, in the units of the protocol.
pub(crate) fn position(text: &str, place: usize) -> (usize, usize) {
    let before = &text[..place];
    let line = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count(), line.encode_utf16().count())
}

/// The text without the attributes of the workflows: ordinary async functions.
pub(crate) fn plain(text: &str) -> String {
    let ours = ["#[step", "#[subflow", "#[workflow", "#[allow_workflow"];
    let is_ours = |line: &&str| ours.iter().any(|ours| line.trim_start().starts_with(ours));
    let lines: Vec<&str> = text.lines().filter(|line| !is_ours(line)).collect();
    let text = lines.join("\n") + "\n";
    text.replace(
        "workflow_runtime::prelude::*",
        "serde::{Deserialize, Serialize};\nuse tokio::{join, select, try_join}",
    )
    .replace(", StepError", "")
}
