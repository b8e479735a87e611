//! A run on the core alone, for tests: fed event by event, and replayed after each of them. No engine and no kit, so
//! that what they do cannot hide what the core does.
#![allow(dead_code)] // Each test file uses its part.

use serde::Serialize;
use workflow_core::{
    Command, Conclusion, Definition, Event, Failure, FailureKind, OpId, Payload, Record, Run,
};

/// A run with its journal; every turn is checked against a replay of all that was recorded so far.
pub(crate) struct Driven {
    definition: Definition,
    pub(crate) run: Run,
    pub(crate) journal: Vec<Record>,
    pub(crate) commands: Vec<Command>,
    now_ms: i64,
}

impl Driven {
    pub(crate) fn start(definition: Definition, input: &impl Serialize) -> Driven {
        let run = Run::new(definition, "run");
        let mut driven = Driven { definition, run, journal: Vec::new(), commands: Vec::new(), now_ms: 0 };
        driven.feed(Event::started(Payload::of(input).unwrap()));
        driven
    }

    pub(crate) fn feed(&mut self, event: Event) -> &Driven {
        self.now_ms += 1;
        self.commands = self.run.feed(self.now_ms, &event).unwrap();
        self.journal.push(Record::new(self.now_ms, event, self.commands.clone()));
        self.run = Run::replay(self.definition, "run", &self.journal).expect("a replay asks for the same");
        self
    }

    pub(crate) fn done(&mut self, op: &str) -> &Driven {
        let output =
            if op.ends_with("/undo") { Payload::null() } else { Payload::of(&Ok::<u32, ()>(1)).unwrap() };
        self.feed(Event::StepCompleted { op: OpId::from_text(op), output, error: None })
    }

    pub(crate) fn refused(&mut self, op: &str) -> &Driven {
        let output = Payload::from_json(r#"{"Err":"No"}"#.to_owned()).unwrap();
        self.feed(Event::StepCompleted { op: OpId::from_text(op), output, error: Some("No".into()) })
    }

    /// An attempt ends of which nobody knows whether it took effect.
    pub(crate) fn times_out(&mut self, op: &str, attempt: u32, retry_at_ms: Option<i64>) -> &Driven {
        let failure = Failure { kind: FailureKind::Timeout, message: "late".into() };
        self.feed(Event::AttemptFailed { op: OpId::from_text(op), attempt, failure, retry_at_ms })
    }

    #[track_caller]
    pub(crate) fn asks(&self, expected: &[&str]) {
        assert_eq!(self.commands.iter().map(words).collect::<Vec<_>>(), expected);
    }
}

fn words(command: &Command) -> String {
    match command {
        Command::StartStep { op, .. } => op.to_string(),
        Command::SetTimer { op, due_ms } => format!("timer {op} {due_ms}"),
        Command::Withdraw { op } => format!("withdraw {op}"),
        Command::Finish(Conclusion::Completed(value)) => format!("completed {value}"),
        Command::Finish(Conclusion::Failed { code, .. }) => format!("failed {code}"),
        Command::Finish(Conclusion::Cancelled { reason }) => format!("cancelled: {reason}"),
        Command::Continue { version, input } => format!("continues as {version} with {input}"),
        Command::CancelStep { op } => format!("stop {op}"),
        Command::OpenIncident { op: Some(op), .. } => format!("incident {op}"),
        Command::CloseIncident { op } => format!("no incident {op}"),
        other => format!("{other:?}"),
    }
}
