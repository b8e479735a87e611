//! What happened and what was asked for, in words for people: the same ones wherever something is wrong with it.
//! It compares nothing.

use workflow_core::{Command, Conclusion, Event, OpId};

use crate::transcript::time;

/// What happened, without its values.
pub(crate) fn event(event: &Event) -> String {
    let named = |what: &str, op: &OpId| format!("{what} `{op}`");
    match event {
        Event::Started { .. } => "the start".to_owned(),
        Event::StepCompleted { op, error: None, .. } => named("the answer of", op),
        Event::StepCompleted { op, error: Some(error), .. } => format!("the error `{error}` of `{op}`"),
        Event::AttemptFailed { op, attempt, .. } => format!("attempt {attempt} of `{op}`, which failed"),
        Event::TimerFired { op } => named("the time of", op),
        Event::MessageReceived { op, .. } => named("the message for", op),
        Event::ChildStarted { op } => named("the start of the child", op),
        Event::ChildEnded { op, .. } => named("the end of the child", op),
        Event::ChildRefused { op, .. } => named("the refusal of the child", op),
        Event::Skipped { op, .. } => named("the skipping of", op),
        Event::GivenUp { op, .. } => named("the giving up of", op),
        Event::RetryRequested { op } => named("the request to retry", op),
        Event::CancelRequested { .. } => "the request to cancel".to_owned(),
        Event::Resumed => "going on with mended code".to_owned(),
    }
}

/// What happened, with all that tells it from something else of its kind.
pub(crate) fn event_in_full(happened: &Event) -> String {
    let what = event(happened);
    match happened {
        Event::Started { input, .. } => format!("{what} with {input}"),
        Event::StepCompleted { output, .. } => format!("{what}, {output}"),
        Event::AttemptFailed { failure, retry_at_ms, .. } => {
            let kind = format!("{:?}", failure.kind).to_lowercase();
            let then = retry_at_ms.map_or("no more".to_owned(), |at_ms| format!("again at {}", time(at_ms)));
            format!("{what} ({kind}: {}), {then}", failure.message)
        }
        Event::MessageReceived { payload, message_id, .. } => format!("{what}, {payload} as {message_id}"),
        Event::ChildEnded { conclusion: ended, .. } => format!("{what}: {}", conclusion(ended)),
        Event::Skipped { output, .. } => format!("{what} with {output}"),
        Event::ChildRefused { reason, .. }
        | Event::GivenUp { reason, .. }
        | Event::CancelRequested { reason } => format!("{what}: {reason}"),
        Event::TimerFired { .. }
        | Event::ChildStarted { .. }
        | Event::RetryRequested { .. }
        | Event::Resumed => what,
    }
}

/// How a run ended.
pub(crate) fn conclusion(conclusion: &Conclusion) -> String {
    match conclusion {
        Conclusion::Completed(value) => format!("the end with the result {value}"),
        Conclusion::Failed { code, error, .. } => format!("the end with the error `{code}`, {error}"),
        Conclusion::Cancelled { reason } => format!("the end by a cancel: {reason}"),
    }
}

/// What the code asked for.
pub(crate) fn command(command: Option<&Command>) -> String {
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
        Some(Command::Finish(ended)) => conclusion(ended),
        None => "nothing".to_owned(),
    }
}
