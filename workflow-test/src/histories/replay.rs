//! A history, replayed by the code of today, and the first event after which they part.
//! It replays as an engine does; it reads no files.

use workflow_core::{CoreError, Definition, Mismatch, Run};

use super::History;
use crate::{transcript, words};

/// Replays a journal.
///
/// # Errors
/// The first event that differs, what both sides say, and what the change is called where WF050 tells of it.
pub(super) fn check(definition: &Definition, history: &History) -> Result<(), String> {
    if let Some(error) = &history.journal_error {
        return Err(format!("it was exported without its journal: {error}"));
    }
    let replay = |rows: usize| Run::replay(*definition, &history.run_id, &history.journal[..rows]);
    let Err(whole) = replay(history.journal.len()) else { return Ok(()) };
    // The first prefix that does not go through ends with the event that differs.
    let mut found = (history.journal.len(), whole);
    for rows in 1..history.journal.len() {
        if let Err(error) = replay(rows) {
            found = (rows, error);
            break;
        }
    }
    let (row, error) = found;
    let Some(record) = history.journal.get(row.saturating_sub(1)) else { return Err(error.to_string()) };
    let place = record.event.op().and_then(|op| definition.source_of(op));
    let place = place.map_or(String::new(), |source| format!(" ({source})"));
    let (time, event) =
        (transcript::time(record.at_ms - history.journal[0].at_ms), words::event(&record.event));
    let of = history.journal.len();
    let class = class(&error);
    Err(format!("row {row} of {of}, {event}, after {time}{place}\n  {error}\n  {class}"))
}

/// What kind of change this is, in the words of WF050.
fn class(error: &CoreError) -> String {
    let what = match error {
        CoreError::Mismatch(Mismatch { code, .. }) if code == "nothing" => {
            "an operation was taken out, or a condition goes another way"
        }
        CoreError::Mismatch(Mismatch { journal, .. }) if journal == "nothing" => {
            "an operation was inserted, or a condition goes another way"
        }
        CoreError::Mismatch(Mismatch { journal, code, op: Some(op), .. })
            if [journal, code].iter().all(|side| side.contains(&format!("`{op}`"))) =>
        {
            "the same operation is another one now: a name, an argument or a kind"
        }
        CoreError::Mismatch(_) => {
            "an operation was inserted, taken out, moved, or has another id, or a condition goes another way"
        }
        CoreError::Unreadable { .. } => "other types of arguments or answers",
        _ => return "no lock (WF050) sees this: the code itself breaks off on what was recorded".to_owned(),
    };
    format!("WF050: {what}; docs/errors/WF050.md has what to write")
}
