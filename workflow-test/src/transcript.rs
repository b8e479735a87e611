//! The story of a run as text: one line per event, with its virtual time, its node and what came of it.
//! Lines of children begin with the child's id.
//! Stable, for snapshots: it holds no values, only names.

use std::fmt::Write;

use workflow_core::{Command, Conclusion, Event, FailureKind, OpId, Timestamp};

use crate::annals::{Annals, Head, JournalIndex};

/// One line per row of the journals, and for what the code asked for that no row will tell of.
fn lines(annals: &Annals) -> Vec<(Timestamp, String)> {
    let mut lines = Vec::new();
    for row in annals.rows.iter().chain(&annals.broke_off) {
        let (head, record) = (&annals.journals[row.journal], &row.record);
        let of_whom = if head.run_id == annals.journals[0].run_id {
            String::new()
        } else {
            let of_root = format!("{}/", annals.journals[0].run_id);
            format!("[{}] ", head.run_id.strip_prefix(&of_root).unwrap_or(&head.run_id))
        };
        let step = |op: &OpId| annals.step_at(row.journal, op).unwrap_or("nothing");
        lines.push((
            record.at_ms,
            format!("{of_whom}{}", event(head, annals, row.journal, &record.event, &step)),
        ));
        let told = record.commands.iter().filter_map(command);
        lines.extend(told.map(|line| (record.at_ms, format!("{of_whom}{line}"))));
    }
    lines
}

/// What the code asked for, where that is a story of its own.
fn command(command: &Command) -> Option<String> {
    Some(match command {
        Command::OpenIncident { op: Some(op), .. } => format!("{op}: incident"),
        Command::OpenIncident { op: None, cause } => format!("incident: {cause}"),
        Command::CancelStep { op } | Command::CancelChild { op } => format!("{op}: told to stop"),
        Command::Send { op, publishes: false, .. } => format!("{op}: sent"),
        Command::Send { op, publishes: true, .. } => format!("{op}: published"),
        Command::Finish(Conclusion::Completed(_)) => "completed".to_owned(),
        Command::Finish(Conclusion::Failed { code, .. }) => format!("failed with {code}"),
        Command::Finish(Conclusion::Cancelled { reason }) => format!("cancelled: {reason}"),
        Command::Continue { .. } => "continues as new".to_owned(),
        _ => return None,
    })
}

/// The lines with their times in front, in columns.
pub(crate) fn text(annals: &Annals) -> String {
    let lines: Vec<(String, String)> =
        lines(annals).into_iter().map(|(at_ms, line)| (time(at_ms), line)).collect();
    let width = lines.iter().map(|(time, _)| time.len()).max().unwrap_or(0);
    let mut text = String::new();
    for (time, line) in lines {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{time:>width$}  {line}");
    }
    text
}

fn event<'a>(
    head: &Head,
    annals: &Annals,
    journal: JournalIndex,
    event: &Event,
    step: &dyn Fn(&OpId) -> &'a str,
) -> String {
    match event {
        Event::Started { .. } => format!("start {}", head.definition.name),
        Event::StepCompleted { op, error: None, .. } => match op.undoes() {
            Some(forward) => format!("undo {forward} by {}: ok", step(op)),
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
        Event::TimerFired { op } if op.as_str() == "*deadline" => "the deadline passed".to_owned(),
        Event::TimerFired { op } => {
            let waited = annals
                .records(journal)
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
