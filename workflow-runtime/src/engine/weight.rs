//! About how many bytes something takes on its way to the store: what goes into one transaction has to be bounded.
//! It counts what may be large, and only estimates what cannot.

use workflow_core::{Answer, AttemptOutcome, Command, Conclusion, Event, Record};

use super::live_run::Happening;
use crate::store::Turn;

/// What a row takes besides what is in it.
const ROW: usize = 100;

/// A whole turn.
pub(super) fn of_turn(turn: &Turn) -> usize {
    let changes = &turn.changes;
    let records: usize = turn.records.iter().map(of_record).sum();
    // These are there once more, beside the journal.
    let sent: usize =
        changes.sends.iter().map(|sent| ROW + sent.key.len() + sent.payload.as_json().len()).sum();
    let progress = changes.progress.as_ref().map_or(0, |progress| progress.as_json().len());
    let conclusion = changes.conclusion.as_ref().map_or(0, of_conclusion);
    let incidents: usize = changes.open_incidents.values().map(|cause| ROW + cause.len()).sum();
    let answers: usize = changes.answers.values().map(|answer| ROW + answer.as_json().len()).sum();
    records + sent + progress + conclusion + incidents + answers
}

fn of_record(record: &Record) -> usize {
    ROW + of_event(&record.event) + record.commands.iter().map(of_command).sum::<usize>()
}

fn of_event(event: &Event) -> usize {
    match event {
        Event::Started { input: payload, .. }
        | Event::StepCompleted { output: payload, .. }
        | Event::MessageReceived { payload, .. }
        | Event::Skipped { output: payload, .. } => payload.as_json().len(),
        Event::ChildEnded { conclusion, .. } => of_conclusion(conclusion),
        Event::AttemptFailed { failure, .. } => failure.message.len(),
        Event::CancelRequested { reason }
        | Event::ChildRefused { reason, .. }
        | Event::GivenUp { reason, .. } => reason.len(),
        Event::TimerFired { .. }
        | Event::ChildStarted { .. }
        | Event::Resumed
        | Event::RetryRequested { .. } => 0,
    }
}

/// What a command takes in its row of the journal.
pub(super) fn of_command(command: &Command) -> usize {
    let variable = match command {
        Command::StartStep { args: payload, .. }
        | Command::StartChild { input: payload, .. }
        | Command::ReportProgress { value: payload }
        | Command::Continue { input: payload, .. } => payload.as_json().len(),
        Command::Send { key, payload, .. } => key.len() + payload.as_json().len(),
        Command::AwaitMessage { key, .. } => key.len(),
        Command::OpenIncident { cause, .. } => cause.len(),
        Command::Finish(conclusion) => of_conclusion(conclusion),
        Command::CancelStep { .. }
        | Command::CancelChild { .. }
        | Command::Patch { .. }
        | Command::SetTimer { .. }
        | Command::Withdraw { .. }
        | Command::CloseIncident { .. } => 0,
    };
    ROW + variable
}

pub(super) fn of_conclusion(conclusion: &Conclusion) -> usize {
    match conclusion {
        Conclusion::Completed(output) => output.as_json().len(),
        Conclusion::Failed { error, code, message } => error.as_json().len() + code.len() + message.len(),
        Conclusion::Cancelled { reason } => reason.len(),
    }
}

/// What a happening adds to the turn that takes it; the code's answer to it is not known yet.
pub(super) fn of_happening(happening: &Happening) -> usize {
    let variable = match happening {
        Happening::Attempted(attempted) => of_outcome(&attempted.outcome),
        Happening::Cancel(reason) => reason.len(),
        Happening::Asked(request) => request.body.as_json().len(),
        Happening::Child(news) => news.weight(),
        Happening::Offer(offer) => offer.payload.as_json().len(),
        Happening::Due(_) => 0,
    };
    ROW + variable
}

fn of_outcome(outcome: &AttemptOutcome) -> usize {
    match outcome {
        AttemptOutcome::Answered(Answer::Done(output)) => output.as_json().len(),
        AttemptOutcome::Answered(Answer::Refused { output, message, .. }) => {
            output.as_json().len() + message.len()
        }
        AttemptOutcome::Failed(failure) => failure.message.len(),
    }
}

#[cfg(test)]
mod tests {
    use workflow_core::{OpId, Payload};

    use super::*;
    use crate::store::{Changes, Lease};

    /// Within a few hundred bytes, what the row takes as text.
    #[test]
    fn whatever_is_large_is_counted() {
        let op = || OpId::from_text("op");
        let large = || Payload::of(&"x".repeat(10_000)).unwrap();
        let text = || "y".repeat(10_000);
        let failed = || Conclusion::Failed { error: large(), code: "Code".into(), message: text() };
        let events = [
            Event::started(large()),
            Event::StepCompleted { op: op(), output: large(), error: None },
            Event::MessageReceived { op: op(), message_id: "m".into(), payload: large() },
            Event::Skipped { op: op(), output: large() },
            Event::ChildEnded { op: op(), conclusion: failed() },
            Event::ChildEnded { op: op(), conclusion: Conclusion::Completed(large()) },
            Event::ChildRefused { op: op(), reason: text() },
            Event::CancelRequested { reason: text() },
            Event::GivenUp { op: op(), reason: text() },
            Event::Resumed,
        ];
        for event in events {
            is_about(Record::new(0, event, Vec::new()));
        }
        let commands = [
            Command::Continue { version: 1, input: large() },
            Command::ReportProgress { value: large() },
            Command::Finish(failed()),
            Command::Finish(Conclusion::Completed(large())),
            Command::Finish(Conclusion::Cancelled { reason: text() }),
            Command::OpenIncident { op: None, cause: text() },
            Command::Withdraw { op: op() },
        ];
        for command in commands {
            is_about(Record::new(0, Event::Resumed, vec![command]));
        }
    }

    fn is_about(record: Record) {
        let bytes = serde_json::to_string(&record).unwrap().len();
        let weight = of_record(&record);
        assert!(weight.abs_diff(bytes) <= 300, "{weight} for {bytes} bytes: {record:.100?}");
    }

    #[test]
    fn what_is_kept_beside_the_journal_counts_as_well() {
        let mut changes =
            Changes { progress: Some(Payload::of(&"x".repeat(5_000)).unwrap()), ..Changes::default() };
        changes.conclusion = Some(Conclusion::Completed(Payload::of(&"x".repeat(5_000)).unwrap()));
        let lease = Lease { run_id: "a".into(), epoch: 1, worker: "w".into() };
        let turn = Turn { lease, begins: None, at_ms: 0, first_seq: 2, records: Vec::new(), changes };
        assert!((10_000..11_000).contains(&of_turn(&turn)));
    }
}
