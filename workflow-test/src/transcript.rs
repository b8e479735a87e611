//! The story of a run as text: one line per event, with its virtual time, its node and what came of it.
//! Stable, for snapshots: it holds no values, only names.

use std::fmt::Write;

use workflow_core::{Command, Conclusion, Event, FailureKind, Record, Timestamp};

use crate::history::name_of;

/// One line per row of the journal, and one for the end.
pub(crate) fn lines(workflow: &str, journal: &[Record]) -> Vec<(Timestamp, String)> {
    let mut lines = Vec::new();
    for record in journal {
        lines.push((record.at_ms, line(workflow, journal, &record.event)));
        for command in &record.commands {
            let line = match command {
                Command::OpenIncident { op: Some(op), .. } => format!("{op}: incident"),
                Command::OpenIncident { op: None, cause } => format!("incident: {cause}"),
                Command::Finish(Conclusion::Completed(_)) => "completed".to_owned(),
                Command::Finish(Conclusion::Failed { code, .. }) => format!("failed with {code}"),
                Command::Finish(Conclusion::Cancelled { reason }) => format!("cancelled: {reason}"),
                _ => continue,
            };
            lines.push((record.at_ms, line));
        }
    }
    lines
}

/// The lines with their times in front, in columns.
pub(crate) fn text(workflow: &str, journal: &[Record]) -> String {
    let lines: Vec<(String, String)> =
        lines(workflow, journal).into_iter().map(|(at_ms, line)| (time(at_ms), line)).collect();
    let width = lines.iter().map(|(time, _)| time.len()).max().unwrap_or(0);
    let mut text = String::new();
    for (time, line) in lines {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{time:>width$}  {line}");
    }
    text
}

fn line(workflow: &str, journal: &[Record], event: &Event) -> String {
    match event {
        Event::Started { .. } => format!("start {workflow}"),
        Event::StepCompleted { op, error: None, .. } => match op.undoes() {
            Some(forward) => format!("undo {forward} by {}: ok", name_of(journal, op).unwrap_or("nothing")),
            None => format!("{op}: ok"),
        },
        Event::StepCompleted { op, error: Some(error), .. } => format!("{op}: {error}"),
        Event::AttemptFailed { op, attempt, failure, retry_at_ms } => {
            let then = retry_at_ms.map_or("no more".to_owned(), |at_ms| format!("again at {}", time(at_ms)));
            let what = match op.undoes() {
                Some(forward) => format!("undo {forward}"),
                None => op.to_string(),
            };
            let kind = match failure.kind {
                FailureKind::RolledBack => "rolled back".to_owned(),
                kind => format!("{kind:?}").to_lowercase(),
            };
            format!("{what}: attempt {attempt} failed ({kind}), {then}")
        }
        Event::TimerFired { op } => {
            let waited = journal
                .iter()
                .flat_map(|record| &record.commands)
                .any(|command| matches!(command, Command::AwaitMessage { op: waiting, .. } if waiting == op));
            if waited { format!("{op}: no message in time") } else { format!("{op}: fired") }
        }
        Event::MessageReceived { op, .. } => format!("{op}: message"),
        Event::ChildStarted { op } => format!("{op}: started"),
        Event::ChildEnded { op, conclusion: Conclusion::Completed(_) } => format!("{op}: ok"),
        Event::ChildEnded { op, conclusion: Conclusion::Failed { code, .. } } => format!("{op}: {code}"),
        Event::ChildEnded { op, conclusion: Conclusion::Cancelled { reason } } => {
            format!("{op}: cancelled: {reason}")
        }
        Event::ChildRefused { op, reason } => format!("{op}: refused: {reason}"),
        Event::Skipped { op, .. } => format!("{op}: skipped"),
        Event::GivenUp { op, reason } => format!("{op}: given up: {reason}"),
        Event::CancelRequested { reason } => format!("cancel: {reason}"),
        Event::RetryRequested { op } => format!("{op}: retry asked for"),
        Event::Resumed => "resumed".to_owned(),
    }
}

/// A time since the beginning: `0s`, `1d 2h`, `3s 500ms`.
pub(crate) fn time(at_ms: Timestamp) -> String {
    let units = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];
    let mut left = at_ms.max(0);
    let mut parts = Vec::new();
    for (unit, length) in units {
        if left >= length {
            parts.push(format!("{}{unit}", left / length));
            left %= length;
        }
    }
    if parts.is_empty() { "0s".to_owned() } else { parts.join(" ") }
}
