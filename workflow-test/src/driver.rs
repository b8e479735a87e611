//! Drives the runs of a test: lets things happen in virtual time, and writes the journals.
//! It never decides how the outside behaves; that is the world's part.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use workflow_core::{
    AttemptOutcome, Command, Conclusion, Definition, Event, OpId, OpenOperation, Payload, Record, Run,
    StepDef, Timestamp,
};

use crate::agenda::{Agenda, Delivery, Due, Place};
use crate::annals::{Annals, Head, JournalIndex, Row};
use crate::mail::Mail;
use crate::violation::{Oracle, Violation};

/// More rows than any run of a test should write: a loop that never ends, most likely.
const MOST_ROWS: usize = 10_000;

/// How the outside behaves.
pub(crate) trait World {
    /// How the attempt goes that begins now.
    fn attempt(&mut self, call: &Call<'_>) -> Result<Deed, Violation>;

    /// The message that comes to a wait which begins now, if one comes.
    fn message(&mut self, wait: &Wait<'_>) -> Result<Option<Delivery>, Violation>;

    /// What becomes of a child; `None` for one that is run here.
    fn child(&mut self, child: &ChildCall<'_>) -> Result<Option<ChildDeed>, Violation>;

    /// Which of several things happens first; `None` to let nothing happen any more.
    fn choose(&mut self, driver: &Driver, ready: &[Place]) -> Option<usize>;
}

/// An attempt of a step.
pub(crate) struct Call<'a> {
    pub(crate) place: &'a Place,
    pub(crate) run_id: &'a str,
    pub(crate) generation: u32,
    pub(crate) def: &'static StepDef,
    pub(crate) args: &'a Payload,
    pub(crate) attempt: u32,
    pub(crate) now_ms: Timestamp,
    /// How long it may take.
    pub(crate) timeout_ms: Option<u64>,
    /// How many attempts there are at most; `None` for as many as it takes.
    pub(crate) most_attempts: Option<u32>,
}

impl Call<'_> {
    pub(crate) fn is_undo(&self) -> bool {
        self.place.1.undoes().is_some()
    }
}

/// How an attempt goes.
#[derive(Clone)]
pub(crate) struct Deed {
    pub(crate) outcome: AttemptOutcome,
    pub(crate) done_at_ms: Timestamp,
}

/// A wait for a message that begins.
pub(crate) struct Wait<'a> {
    pub(crate) place: &'a Place,
    /// All runs: the one that waits, and those that wait for it.
    pub(crate) heads: &'a [Head],
    pub(crate) message: &'a str,
    pub(crate) key: &'a str,
    pub(crate) deadline_ms: Option<Timestamp>,
    pub(crate) now_ms: Timestamp,
}

/// A child that a run asks for.
pub(crate) struct ChildCall<'a> {
    pub(crate) place: &'a Place,
    pub(crate) workflow: &'a str,
    pub(crate) input: &'a Payload,
    pub(crate) is_detached: bool,
    pub(crate) now_ms: Timestamp,
}

/// What becomes of a child that is not run here.
#[derive(Clone)]
pub(crate) struct ChildDeed {
    pub(crate) event: Event,
    pub(crate) done_at_ms: Timestamp,
}

/// Something that a person has to look at.
pub(crate) struct Incident {
    pub(crate) op: Option<OpId>,
    pub(crate) cause: String,
}

/// One journal's run.
pub(crate) struct Live {
    pub(crate) run: Run,
    pub(crate) incidents: Vec<Incident>,
}

/// See the module.
pub(crate) struct Driver {
    /// The workflows that runs may be of.
    pub(crate) known: Rc<[Definition]>,
    /// By journal.
    pub(crate) live: Vec<Live>,
    pub(crate) agenda: Agenda,
    pub(crate) mail: Mail,
    pub(crate) now_ms: Timestamp,
    /// The rows written by this driver, without those it was rebuilt from.
    pub(crate) annals: Annals,
    /// For each of them, what its run had open after it, if that is asked for.
    open: Option<Vec<Vec<OpenOperation>>>,
    /// How many rows it was rebuilt from.
    pub(crate) rebuilt_rows: usize,
    pub(crate) interleaves: bool,
    /// What was written, whatever the order.
    digest: u64,
}

impl Driver {
    /// Drives runs of these workflows; begin with [`Driver::begin`].
    pub(crate) fn new(known: &Rc<[Definition]>) -> Driver {
        Driver {
            known: Rc::clone(known),
            live: Vec::new(),
            agenda: Agenda::default(),
            mail: Mail::default(),
            now_ms: 0,
            annals: Annals::default(),
            open: None,
            rebuilt_rows: 0,
            interleaves: false,
            digest: 0,
        }
    }

    /// Only timers are punctual: among the rest, the world says what happens first.
    pub(crate) fn interleaving(self) -> Driver {
        Driver { interleaves: true, ..self }
    }

    /// Also notes what is open after each write, for crashes to be held against.
    pub(crate) fn noting_what_is_open(self) -> Driver {
        Driver { open: Some(Vec::new()), ..self }
    }

    /// Begins the run that the test is about.
    pub(crate) fn begin(
        &mut self,
        head: Head,
        input: Payload,
        world: &mut dyn World,
    ) -> Result<(), Violation> {
        let event = head.begin(input, None);
        let journal = self.add(head);
        self.write(journal, event, world)
    }

    pub(crate) fn now_ms(&self) -> Timestamp {
        self.now_ms
    }

    pub(crate) fn annals(&self) -> &Annals {
        &self.annals
    }

    /// What was written, and for each write what its run had open after it, as far as that was noted.
    pub(crate) fn into_annals(self) -> (Annals, Vec<Vec<OpenOperation>>) {
        (self.annals, self.open.unwrap_or_default())
    }

    /// The journal in which the run that the test started is now.
    pub(crate) fn root(&self) -> JournalIndex {
        self.annals.latest(&self.annals.journals[0].run_id).unwrap_or(0)
    }

    /// How the run ended that the test started.
    pub(crate) fn conclusion(&self) -> Option<&Conclusion> {
        self.live[self.root()].run.conclusion()
    }

    /// Whether all runs have ended, detached ones included.
    pub(crate) fn is_over(&self) -> bool {
        self.agenda.is_empty() && self.going_on().next().is_none()
    }

    /// The workflows of the runs that have not ended.
    pub(crate) fn going_on(&self) -> impl Iterator<Item = &'static str> {
        let runs = self.live.iter().zip(&self.annals.journals);
        let going_on =
            runs.filter(|(Live { run, .. }, _)| run.conclusion().is_none() && run.continuation().is_none());
        going_on.map(|(_, head)| head.definition.name)
    }

    /// The run that somebody outside would cancel to stop this one: itself, or the one that waits for it.
    pub(crate) fn waited_for(&self, mut journal: JournalIndex) -> JournalIndex {
        while let Head { parent: Some((parent, _)), is_detached: false, .. } = &self.annals.journals[journal]
        {
            journal = *parent;
        }
        self.annals.latest(&self.annals.journals[journal].run_id).unwrap_or(journal)
    }

    pub(crate) fn incidents(&self) -> impl Iterator<Item = &Incident> {
        self.live.iter().flat_map(|live| &live.incidents)
    }

    pub(crate) fn is_past_pivot(&self, journal: JournalIndex) -> bool {
        self.live[journal].run.pivot().is_some()
    }

    /// The first operation that cannot go on by itself.
    pub(crate) fn stuck(&self) -> Option<Place> {
        self.all_stuck().into_iter().next()
    }

    /// The operations that cannot go on by themselves.
    pub(crate) fn all_stuck(&self) -> Vec<Place> {
        let open = self.live.iter().enumerate().flat_map(|(journal, live)| {
            live.run.open_operations().into_iter().map(move |open| (journal, open))
        });
        let stuck = open.filter(|(_, open)| open.is_stuck);
        stuck.filter_map(|(journal, open)| Some((journal, open.request.op()?.clone()))).collect()
    }

    /// The names and keys of the messages that runs wait for.
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
        loop {
            let Some((at_ms, place, is_begin)) = self.next(world) else { return Ok(false) };
            if at_ms > not_after_ms {
                return Ok(false);
            }
            self.now_ms = self.now_ms.max(at_ms);
            if !is_begin {
                return self.happen(&place, world).map(|()| true);
            }
            self.begin_attempt(&place, world)?;
        }
    }

    /// Lets this happen and nothing else; attempts that are due begin before. False when it is not due.
    pub(crate) fn advance_to(
        &mut self,
        wanted: &Place,
        at_ms: Timestamp,
        world: &mut dyn World,
    ) -> Result<bool, Violation> {
        self.now_ms = self.now_ms.max(at_ms);
        while let Some(place) = self.agenda.next_begin(self.now_ms).cloned() {
            self.begin_attempt(&place, world)?;
        }
        if !self.agenda.iter().any(|(place, due)| place == wanted && due.at_ms().is_some()) {
            return Ok(false);
        }
        self.happen(wanted, world).map(|()| true)
    }

    fn next(&self, world: &mut dyn World) -> Option<(Timestamp, Place, bool)> {
        let is_begin = |due: &Due| matches!(due, Due::Begin { .. });
        let (at_ms, place, due) = self.agenda.next()?;
        if !self.interleaves {
            return Some((at_ms, place.clone(), is_begin(due)));
        }
        if let Some(place) = self.agenda.next_begin(self.now_ms) {
            return Some((self.now_ms, place.clone(), true));
        }
        let mut ready = self.agenda.ready(self.now_ms);
        let chosen = if ready.len() == 1 { 0 } else { world.choose(self, &ready)? };
        let place = ready.swap_remove(chosen);
        let due = self.agenda.iter().find(|(other, _)| **other == place)?.1;
        Some((due.at_ms()?, place, is_begin(due)))
    }

    fn begin_attempt(&mut self, place: &Place, world: &mut dyn World) -> Result<(), Violation> {
        let run = &self.live[place.0].run;
        let (def, retry) =
            run.step(&place.1).zip(run.retry(&place.1)).ok_or_else(|| self.forgotten(place))?;
        let most_attempts = retry.attempts;
        let now_ms = self.now_ms;
        let Some(Due::Begin { attempt, args, timeout_ms, .. }) = self.agenda.get_mut(place) else {
            return Ok(());
        };
        let timeout_ms = timeout_ms.or(def.facts.timeout_ms);
        let Head { run_id, generation, .. } = &self.annals.journals[place.0];
        let (generation, attempt) = (*generation, *attempt);
        let call = Call { place, run_id, generation, def, args, attempt, now_ms, timeout_ms, most_attempts };
        let Deed { outcome, done_at_ms } = world.attempt(&call)?;
        let limit_ms = timeout_ms.and_then(|timeout_ms| Timestamp::try_from(timeout_ms).ok());
        let not_after_ms = limit_ms.map_or(Timestamp::MAX, |limit_ms| now_ms.saturating_add(limit_ms));
        self.agenda.change(place, Due::Complete { at_ms: done_at_ms, outcome, not_after_ms });
        Ok(())
    }

    fn happen(&mut self, place: &Place, world: &mut dyn World) -> Result<(), Violation> {
        let Some((due, order)) = self.agenda.remove(place) else { return Ok(()) };
        let (journal, op) = (place.0, place.1.clone());
        match due {
            Due::Complete { outcome, .. } => {
                let event = self.live[journal].run.judge(&op, outcome, self.now_ms);
                let event = event.ok_or_else(|| self.forgotten(place))?;
                self.write(journal, event, world)
            }
            Due::Timer { .. } | Due::Wait { delivery: None, .. } => {
                self.write(journal, Event::TimerFired { op }, world)
            }
            Due::Wait { delivery: Some(Delivery { message_id, payload, .. }), .. } => {
                self.write(journal, Event::MessageReceived { op, message_id, payload }, world)
            }
            Due::Start { start, .. } => self.start_run(place, *start, order, world),
            Due::Write { event, .. } => self.write(journal, event, world),
            Due::Begin { .. } | Due::Running => Ok(()),
        }
    }

    fn forgotten(&self, place: &Place) -> Violation {
        Violation::new(Oracle::Leak, format!("`{}` is due, but the run has forgotten it", place.1))
    }

    /// Lets time pass in which nothing happens.
    pub(crate) fn wait_until(&mut self, at_ms: Timestamp) {
        self.now_ms = self.now_ms.max(at_ms);
    }

    /// A run to which nothing has happened.
    pub(crate) fn add(&mut self, head: Head) -> JournalIndex {
        let run = head.fresh_run();
        self.live.push(Live { run, incidents: Vec::new() });
        self.annals.journals.push(head);
        self.live.len() - 1
    }

    /// Writes what somebody outside does.
    pub(crate) fn write_by_hand(
        &mut self,
        journal: JournalIndex,
        event: Event,
        world: &mut dyn World,
    ) -> Result<(), Violation> {
        let written = self.annals.rows.len();
        let outcome = self.write(journal, event, world);
        if let Some(row) = self.annals.rows.get_mut(written) {
            row.is_by_hand = true;
        }
        outcome
    }

    /// Writes one row: the event, and what the code asks for in answer.
    pub(crate) fn write(
        &mut self,
        journal: JournalIndex,
        event: Event,
        world: &mut dyn World,
    ) -> Result<(), Violation> {
        if self.annals.rows.len() >= MOST_ROWS {
            let text = format!("the run does not end: it has written {MOST_ROWS} rows");
            return Err(Violation::new(Oracle::Deadlock, text));
        }
        if let Event::MessageReceived { op, payload, .. } = &event
            && let Err(error) = self.live[journal].run.fits(op, payload)
        {
            let text = format!(
                "the message {payload} does not fit what `{op}` waits for: {error}; an engine sets it aside, and the \
                 run goes on waiting"
            );
            return Err(Violation::new(Oracle::Mock, text));
        }
        let commands = match self.live[journal].run.feed(self.now_ms, &event) {
            Ok(commands) => commands,
            Err(error) => {
                let record = Record::new(self.now_ms, event, Vec::new());
                self.annals.broke_off = Some(Row { journal, record, is_by_hand: false });
                return Err(Violation::core(&error));
            }
        };
        if let Event::MessageReceived { op, message_id, .. } = &event {
            self.agenda.remove(&(journal, op.clone()));
            self.mail.note_received(message_id, &self.annals.journals[journal].run_id);
        }
        if let Event::Started { generation, .. } = &event {
            self.check_generation(journal, *generation)?;
        }
        if self.interleaves {
            self.note(journal, &event, &commands);
            self.agenda.begin_turn((self.rebuilt_rows + self.annals.rows.len() + 1) as u64);
        }
        for command in &commands {
            self.carry_out(journal, command, world)?;
        }
        let is_over = matches!(commands.last(), Some(Command::Finish(_) | Command::Continue { .. }));
        if let Some(open) = &mut self.open {
            open.push(self.live[journal].run.open_operations());
        }
        let record = Record::new(self.now_ms, event, commands);
        self.annals.rows.push(Row { journal, record, is_by_hand: false });
        self.hand_out();
        if is_over {
            self.left_behind(journal)?;
            self.close(journal);
        }
        Ok(())
    }

    /// Ids of children and the keys of steps carry the generation: two that are alike would share them.
    fn check_generation(&self, journal: JournalIndex, generation: u32) -> Result<(), Violation> {
        let counted = self.live[journal].run.generation();
        if counted == generation {
            return Ok(());
        }
        let text = format!("the run counts itself as generation {counted}, its journal as {generation}");
        Err(Violation::new(Oracle::Replay, text))
    }

    /// What tells this state from others, however it came about: all that was recorded, what can be undone and in
    /// which order, what is due, who is served first, and the time. What the code knows follows from that, since
    /// branches share nothing that they could change, and operations have the same ids in every order.
    pub(crate) fn state(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.digest, self.now_ms).hash(&mut hasher);
        for live in &self.live {
            live.run.undoable().hash(&mut hasher);
        }
        for (place, due) in self.agenda.iter() {
            place.hash(&mut hasher);
            format!("{due:?}").hash(&mut hasher);
        }
        self.mail.hash_unreceived(&mut hasher, self.now_ms);
        let step_of = |(journal, op): &Place| {
            let step = self.live[*journal].run.step(op);
            step.map_or("", |step| &step.facts.name)
        };
        self.agenda.hash_who_is_first(&mut hasher, step_of);
        hasher.finish()
    }

    fn note(&mut self, journal: JournalIndex, event: &Event, commands: &[Command]) {
        let head = &self.annals.journals[journal];
        let mut add = |part: String| {
            let mut hasher = DefaultHasher::new();
            (&head.run_id, head.generation, self.now_ms, part).hash(&mut hasher);
            self.digest = self.digest.wrapping_add(hasher.finish());
        };
        add(format!("{event:?}"));
        for command in commands {
            add(format!("{command:?}"));
        }
    }

    /// Why nothing can happen any more though the run has not ended.
    pub(crate) fn deadlock(&self) -> Violation {
        let mut open = Vec::new();
        for operation in self.live.iter().flat_map(|live| live.run.open_operations()) {
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

    fn left_behind(&self, journal: JournalIndex) -> Result<(), Violation> {
        let left = self.agenda.iter().filter(|((of, op), _)| *of == journal && !op.as_str().starts_with('*'));
        let left: Vec<String> = left.map(|((_, op), _)| format!("`{op}`")).collect();
        if left.is_empty() {
            return Ok(());
        }
        let text = format!("the run ended while {} had not been settled or withdrawn", left.join(", "));
        Err(Violation::new(Oracle::Leak, text))
    }
}
