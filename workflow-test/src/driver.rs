//! Drives one run: carries out what its code asks for, in virtual time, and writes its journal.
//! It never decides how the outside behaves; that is the world's part.

use workflow_core::{
    AttemptOutcome, Command, Conclusion, Definition, Event, OpId, OpenOperation, Payload, Record, Run,
    StepDef, Timestamp,
};

use crate::agenda::{Agenda, Delivery, Due};
use crate::violation::{Oracle, Violation};

/// More rows than any run of a test should write: a loop that never ends, most likely.
const MOST_ROWS: usize = 10_000;

/// How the outside behaves.
pub(crate) trait World {
    /// How the attempt goes that begins now.
    fn attempt(&mut self, call: &Call<'_>) -> Result<Deed, Violation>;

    /// The message that comes to a wait which begins now, if one comes.
    fn message(&mut self, wait: &Wait<'_>) -> Result<Option<Delivery>, Violation>;
}

/// An attempt of a step.
pub(crate) struct Call<'a> {
    pub(crate) op: &'a OpId,
    pub(crate) def: &'static StepDef,
    pub(crate) args: &'a Payload,
    pub(crate) attempt: u32,
    pub(crate) now_ms: Timestamp,
}

/// How an attempt goes.
#[derive(Clone)]
pub(crate) struct Deed {
    pub(crate) outcome: AttemptOutcome,
    pub(crate) done_at_ms: Timestamp,
}

/// A wait for a message that begins.
pub(crate) struct Wait<'a> {
    pub(crate) op: &'a OpId,
    pub(crate) message: &'a str,
    pub(crate) key: &'a str,
    pub(crate) deadline_ms: Option<Timestamp>,
    pub(crate) now_ms: Timestamp,
}

/// Something that a person has to look at.
pub(crate) struct Incident {
    pub(crate) op: Option<OpId>,
    pub(crate) cause: String,
}

/// See the module.
pub(crate) struct Driver {
    run: Run,
    agenda: Agenda,
    now_ms: Timestamp,
    /// The rows written by this driver, without those it was rebuilt from.
    journal: Vec<Record>,
    incidents: Vec<Incident>,
}

impl Driver {
    /// A run to which nothing has happened; write [`Event::started`] first.
    pub(crate) fn new(definition: Definition, run_id: &str) -> Driver {
        Driver {
            run: Run::new(definition, run_id),
            agenda: Agenda::default(),
            now_ms: 0,
            journal: Vec::new(),
            incidents: Vec::new(),
        }
    }

    /// A run as a worker rebuilds it that has nothing but the journal.
    pub(crate) fn recover(
        definition: Definition,
        run_id: &str,
        journal: &[Record],
        world: &mut dyn World,
    ) -> Result<Driver, Violation> {
        let refused = |error: workflow_core::CoreError| Violation::new(Oracle::Replay, error.to_string());
        let run = Run::replay(definition, run_id, journal).map_err(refused)?;
        let open = run.open_operations();
        let mut driver = Driver { run, ..Driver::new(definition, run_id) };
        driver.now_ms = journal.last().map_or(0, |record| record.at_ms);
        for OpenOperation { request, is_stuck, .. } in open {
            if !is_stuck {
                driver.carry_out(&request, world)?;
            }
        }
        Ok(driver)
    }

    pub(crate) fn now_ms(&self) -> Timestamp {
        self.now_ms
    }

    pub(crate) fn journal(&self) -> &[Record] {
        &self.journal
    }

    pub(crate) fn into_journal(self) -> Vec<Record> {
        self.journal
    }

    pub(crate) fn conclusion(&self) -> Option<&Conclusion> {
        self.run.conclusion()
    }

    pub(crate) fn incidents(&self) -> &[Incident] {
        &self.incidents
    }

    pub(crate) fn is_past_pivot(&self) -> bool {
        self.run.pivot().is_some()
    }

    /// The first operation whose attempts are exhausted.
    pub(crate) fn stuck(&self) -> Option<OpId> {
        let mut open = self.run.open_operations().into_iter();
        open.find_map(|open| if open.is_stuck { open.request.op().cloned() } else { None })
    }

    /// The operation that waits for this message; any key will do if none is given.
    pub(crate) fn waits_for(&self, message: &str, key: Option<&str>) -> Option<OpId> {
        self.agenda.wait_for(message, key).cloned()
    }

    /// The names and keys of the messages that the run waits for.
    pub(crate) fn waits(&self) -> Vec<(String, String)> {
        let waits = self.agenda.iter().filter_map(|(_, due)| match due {
            Due::Wait { message, key, .. } => Some((message.clone(), key.clone())),
            _ => None,
        });
        waits.collect()
    }

    /// Lets the next thing happen, if one is due by then. False when there is none.
    pub(crate) fn advance(
        &mut self,
        not_after_ms: Timestamp,
        world: &mut dyn World,
    ) -> Result<bool, Violation> {
        let Some((at_ms, op, due)) = self.agenda.take_next(not_after_ms) else { return Ok(false) };
        self.now_ms = self.now_ms.max(at_ms);
        match due {
            Due::Begin { attempt, args, .. } => {
                let def = self.step(&op)?;
                let call = Call { op: &op, def, args: &args, attempt, now_ms: self.now_ms };
                let Deed { outcome, done_at_ms } = world.attempt(&call)?;
                if done_at_ms > self.now_ms {
                    self.agenda.put(op, Due::Complete { at_ms: done_at_ms, outcome });
                } else {
                    self.complete(&op, outcome, world)?;
                }
            }
            Due::Complete { outcome, .. } => self.complete(&op, outcome, world)?,
            Due::Timer { .. } | Due::Wait { delivery: None, .. } => {
                self.write(Event::TimerFired { op }, world)?
            }
            Due::Wait { delivery: Some(Delivery { message_id, payload, .. }), .. } => {
                self.write(Event::MessageReceived { op, message_id, payload }, world)?;
            }
        }
        Ok(true)
    }

    /// Lets time pass in which nothing happens.
    pub(crate) fn wait_until(&mut self, at_ms: Timestamp) {
        self.now_ms = self.now_ms.max(at_ms);
    }

    /// Writes one row: the event, and what the code asks for in answer.
    pub(crate) fn write(&mut self, event: Event, world: &mut dyn World) -> Result<(), Violation> {
        if self.journal.len() >= MOST_ROWS {
            let text = format!("the run does not end: it has written {MOST_ROWS} rows");
            return Err(Violation::new(Oracle::Deadlock, text));
        }
        if let Event::MessageReceived { op, payload, .. } = &event
            && let Err(error) = self.run.fits(op, payload)
        {
            let text = format!(
                "the message {payload} does not fit what `{op}` waits for: {error}; an engine sets it aside, and the \
                 run goes on waiting"
            );
            return Err(Violation::new(Oracle::Mock, text));
        }
        let commands = self.run.feed(self.now_ms, &event).map_err(|error| Violation::core(&error))?;
        if let Event::MessageReceived { op, .. } = &event {
            self.agenda.remove(op);
        }
        for command in &commands {
            self.carry_out(command, world)?;
        }
        let is_end = matches!(commands.last(), Some(Command::Finish(_)));
        self.journal.push(Record::new(self.now_ms, event, commands));
        if is_end { self.left_behind() } else { Ok(()) }
    }

    /// Why nothing can happen any more though the run has not ended.
    pub(crate) fn deadlock(&self) -> Violation {
        let mut open = Vec::new();
        for operation in self.run.open_operations() {
            open.push(match &operation.request {
                Command::AwaitMessage { op, message, key, .. } => {
                    format!("`{op}` waits for the message `{message}` with the key \"{key}\"")
                }
                request => match request.op() {
                    Some(op) if operation.is_stuck => {
                        format!("`{op}` has failed for good and waits for a person")
                    }
                    Some(op) => format!("`{op}` is open"),
                    None => "something without a name is open".to_owned(),
                },
            });
        }
        let why = if open.is_empty() { "it waits for nothing at all".to_owned() } else { open.join("; ") };
        Violation::new(
            Oracle::Deadlock,
            format!("the run has not ended and nothing is left to happen: {why}"),
        )
    }

    fn complete(
        &mut self,
        op: &OpId,
        outcome: AttemptOutcome,
        world: &mut dyn World,
    ) -> Result<(), Violation> {
        let forgotten =
            || Violation::new(Oracle::Leak, format!("`{op}` is due, but the run has forgotten it"));
        let event = self.run.judge(op, outcome, self.now_ms).ok_or_else(forgotten)?;
        self.write(event, world)
    }

    fn step(&self, op: &OpId) -> Result<&'static StepDef, Violation> {
        let nobody = || Violation::new(Oracle::Leak, format!("`{op}` is due, but the run has forgotten it"));
        self.run.step(op).ok_or_else(nobody)
    }

    fn carry_out(&mut self, command: &Command, world: &mut dyn World) -> Result<(), Violation> {
        match command {
            Command::StartStep { op, args, attempt, due_ms, .. } => {
                let due = Due::Begin { at_ms: *due_ms, attempt: *attempt, args: args.clone() };
                self.agenda.put(op.clone(), due);
            }
            Command::SetTimer { op, due_ms } => {
                self.agenda.put(op.clone(), Due::Timer { at_ms: *due_ms });
            }
            Command::AwaitMessage { op, message, key, due_ms } => {
                let wait = Wait { op, message, key, deadline_ms: *due_ms, now_ms: self.now_ms };
                let delivery = world.message(&wait)?;
                let (message, key) = (message.clone(), key.clone());
                self.agenda.put(op.clone(), Due::Wait { message, key, deadline_ms: *due_ms, delivery });
            }
            Command::Withdraw { op } => self.agenda.remove(op),
            Command::OpenIncident { op, cause } => {
                self.incidents.push(Incident { op: op.clone(), cause: cause.clone() });
            }
            Command::CloseIncident { op } => {
                self.incidents.retain(|incident| incident.op.as_ref() != Some(op));
            }
            Command::CancelStep { .. }
            | Command::StartChild { .. }
            | Command::CancelChild { .. }
            | Command::Send { .. }
            | Command::ReportProgress { .. }
            | Command::Patch { .. }
            | Command::Continue { .. }
            | Command::Finish(_) => {}
        }
        Ok(())
    }

    fn left_behind(&self) -> Result<(), Violation> {
        let left: Vec<String> = self.agenda.iter().map(|(op, _)| format!("`{op}`")).collect();
        if left.is_empty() {
            return Ok(());
        }
        let text = format!("the run ended while {} had not been settled or withdrawn", left.join(", "));
        Err(Violation::new(Oracle::Leak, text))
    }
}
