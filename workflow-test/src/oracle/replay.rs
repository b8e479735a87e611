//! Replay equality: the journal, fed to the code again, gives the same commands, arguments and result.
//! Stricter than recovery, which uses what was recorded: here the bytes count.

use workflow_core::{Command, Record, Run};

use crate::annals::Head;
use crate::violation::{Oracle, Violation};

pub(crate) fn check(head: &Head, journal: &[&Record]) -> Result<(), Violation> {
    let mut run = Run::new(head.definition, &head.run_id);
    for patch in head.before_patches.iter() {
        run.pass_before_patch(patch);
    }
    for (row, record) in (1..).zip(journal) {
        let asked = run.feed(record.at_ms, &record.event).map_err(|error| {
            Violation::new(Oracle::Replay, format!("the journal does not replay at write {row}: {error}"))
        })?;
        compare(row, &record.commands, &asked)?;
    }
    Ok(())
}

/// Holds what the code asks for at a row against what it asked for the first time.
pub(crate) fn compare(row: usize, first: &[Command], again: &[Command]) -> Result<(), Violation> {
    if first == again {
        return Ok(());
    }
    let at = (0..first.len().max(again.len())).find(|&i| first.get(i) != again.get(i)).unwrap_or(0);
    let text = format!(
        "after write {row} the code asked for {} the first time, and for {} when it was replayed",
        describe(first.get(at)),
        describe(again.get(at)),
    );
    Err(Violation::new(Oracle::Replay, text))
}

fn describe(command: Option<&Command>) -> String {
    match command {
        Some(Command::StartStep { op, step, args, attempt, due_ms, .. }) => {
            let name = if op.node() == step { String::new() } else { format!(" (`{step}`)") };
            format!("attempt {attempt} of `{op}`{name} with {args} at {due_ms} ms")
        }
        Some(Command::SetTimer { op, due_ms }) => format!("the timer `{op}` at {due_ms} ms"),
        Some(Command::AwaitMessage { op, message, key, due_ms }) => {
            let until = due_ms.map_or(String::new(), |due_ms| format!(" until {due_ms} ms"));
            format!("the message `{message}` with the key \"{key}\" at `{op}`{until}")
        }
        Some(Command::Withdraw { op }) => format!("to withdraw `{op}`"),
        Some(Command::OpenIncident { op: Some(op), cause }) => format!("an incident at `{op}`: {cause}"),
        Some(Command::OpenIncident { op: None, cause }) => format!("an incident: {cause}"),
        Some(Command::CloseIncident { op }) => format!("the end of the incident at `{op}`"),
        Some(Command::CancelStep { op }) => format!("to cancel the step `{op}`"),
        Some(Command::StartChild { op, workflow, run_id, input, .. }) => {
            format!("the child `{workflow}` at `{op}` as `{run_id}` with {input}")
        }
        Some(Command::CancelChild { op }) => format!("to cancel the child `{op}`"),
        Some(Command::Send { op, message, key, payload, .. }) => {
            format!("to send `{message}` with the key \"{key}\" at `{op}`: {payload}")
        }
        Some(Command::ReportProgress { value }) => format!("to report {value}"),
        Some(Command::Patch { id }) => format!("the change `{id}`"),
        Some(Command::Continue { version, input }) => {
            format!("to continue as version {version} with {input}")
        }
        Some(Command::Finish(conclusion)) => format!("the end {conclusion:?}"),
        None => "nothing".to_owned(),
    }
}
