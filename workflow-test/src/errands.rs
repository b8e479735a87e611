//! Carries out what the code of runs asks for: attempts, timers, waits, children, messages, and what follows an end.
//! All of it can be found again in the journals, which is how a driver is rebuilt after a crash.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use workflow_core::{
    Command, Definition, Event, OpId, OpenOperation, Record, Run, Timestamp, reason_to_cancel_child,
    with_children,
};

use crate::agenda::{Due, Place, Start};
use crate::annals::{Annals, Head, JournalIndex, Row};
use crate::driver::{ChildCall, ChildDeed, Driver, Incident, Live, Wait, World};
use crate::mail::Mail;
use crate::violation::{Oracle, Violation};

/// Where the cancel of a child is due, in the child's journal.
const CANCEL: &str = "*cancel";

/// Where the next generation of a run is due.
const NEXT: &str = "*next";

/// A workflow, and all that its runs start as children.
pub(crate) fn known_from(definition: Definition) -> Rc<[Definition]> {
    with_children([definition]).into()
}

fn find(known: &[Definition], name: &str, version: u32) -> Option<Definition> {
    known.iter().copied().find(|definition| definition.name == name && definition.version == version)
}

/// Where that was due which led to this row; `None` for what nothing led to.
pub(crate) fn place_of(annals: &Annals, row: &Row) -> Option<Place> {
    let head = &annals.journals[row.journal];
    match &row.record.event {
        Event::CancelRequested { .. } => Some((row.journal, OpId::from_text(CANCEL))),
        Event::Started { .. } if head.generation > 1 => {
            let before = annals.journals[..row.journal].iter().rposition(|other| other.run_id == head.run_id);
            Some((before?, OpId::from_text(NEXT)))
        }
        Event::Started { .. } => head.parent.clone(),
        event => Some((row.journal, event.op()?.clone())),
    }
}

impl Driver {
    /// Runs as a worker rebuilds them that has nothing but the journals, up to that many writes.
    pub(crate) fn recover(
        known: &Rc<[Definition]>,
        annals: &Annals,
        writes: usize,
        interleaves: bool,
        world: &mut dyn World,
    ) -> Result<Driver, Violation> {
        let rows = &annals.rows[..writes];
        let refused = |error: workflow_core::CoreError| Violation::new(Oracle::Replay, error.to_string());
        let mut driver = Driver::new(known);
        if interleaves {
            driver = driver.interleaving();
        }
        driver.now_ms = rows.last().map_or(0, |row| row.record.at_ms);
        let mut open = Vec::new();
        for (journal, head) in annals.journals.iter().enumerate() {
            let mut records = rows.iter().filter(|row| row.journal == journal).map(row_record).peekable();
            if records.peek().is_none() {
                break; // It had not begun, and neither had those behind it.
            }
            let run = Run::replay(head.definition, &head.run_id, records).map_err(refused)?;
            open.extend(run.open_operations().into_iter().map(|operation| (journal, operation)));
            driver.annals.journals.push(head.clone());
            driver.live.push(Live { run, incidents: Vec::new() });
        }
        driver.mail = Mail::of(&driver.annals.journals, rows);
        driver.put_again(open, rows, world)?;
        driver.rebuilt_rows = writes;
        driver.hand_out();
        for journal in 0..driver.live.len() {
            driver.close(journal);
        }
        Ok(driver)
    }

    /// Puts on the agenda what is open, in the order in which it was asked for.
    fn put_again(
        &mut self,
        open: Vec<(JournalIndex, OpenOperation)>,
        rows: &[Row],
        world: &mut dyn World,
    ) -> Result<(), Violation> {
        // With the time of the request; of one that is alone, neither matters.
        let mut orders: BTreeMap<(JournalIndex, &OpId), (u64, Timestamp, u64)> = BTreeMap::new();
        let requests = (1..)
            .zip(rows)
            .flat_map(|(turn, row)| row.record.commands.iter().map(move |command| (turn, row, command)))
            .filter(|(.., command)| is_request(command));
        if open.len() > 1 {
            for (order, (turn, row, command)) in (1..).zip(requests) {
                command.op().and_then(|op| orders.insert((row.journal, op), (order, row.record.at_ms, turn)));
            }
        }
        let mut open: Vec<_> = open
            .into_iter()
            .filter(|(_, operation)| !operation.is_stuck)
            .filter_map(|(journal, operation)| {
                let place = (journal, operation.request.op()?.clone());
                Some((orders.get(&(journal, &place.1)).copied().unwrap_or((1, 0, 0)), place, operation))
            })
            .collect();
        open.sort_by_key(|(order, ..)| *order);
        for ((order, asked_ms, turn), place, operation) in open {
            if self.interleaves {
                self.agenda.begin_turn(turn);
            }
            let mut due = self.due(&place, &operation.request, world)?;
            if let Due::Wait { since_ms, .. } = &mut due {
                *since_ms = asked_ms;
            }
            self.agenda.put_again(place.clone(), due, order);
            if operation.is_abandoned
                && matches!(operation.request, Command::StartChild { detached: false, .. })
            {
                let is_told = self.child_at(&place).is_some_and(|child| {
                    let mut of_child = rows.iter().filter(|row| row.journal == child);
                    of_child.any(|row| matches!(row.record.event, Event::CancelRequested { .. }))
                });
                if !is_told {
                    self.cancel_child(&place);
                }
            }
        }
        Ok(())
    }

    pub(crate) fn carry_out(
        &mut self,
        journal: JournalIndex,
        command: &Command,
        world: &mut dyn World,
    ) -> Result<(), Violation> {
        match command {
            Command::StartStep { op, .. }
            | Command::SetTimer { op, .. }
            | Command::AwaitMessage { op, .. }
            | Command::StartChild { op, .. } => {
                let place = (journal, op.clone());
                let due = self.due(&place, command, world)?;
                self.agenda.put(place, due);
            }
            Command::CancelChild { op } => self.cancel_child(&(journal, op.clone())),
            Command::Send { .. } => self.mail.post(&self.annals.journals[journal], command, self.now_ms),
            Command::Withdraw { op } => drop(self.agenda.remove(&(journal, op.clone()))),
            Command::OpenIncident { op, cause } => {
                self.live[journal].incidents.push(Incident { op: op.clone(), cause: cause.clone() });
            }
            Command::CloseIncident { op } => {
                self.live[journal].incidents.retain(|incident| incident.op.as_ref() != Some(op));
            }
            // A mock that is told to stop goes on: its outcome is waited for, as in production.
            Command::CancelStep { .. }
            | Command::ReportProgress { .. }
            | Command::Patch { .. }
            | Command::Continue { .. }
            | Command::Finish(_) => {}
        }
        Ok(())
    }

    /// What a request makes due.
    fn due(&self, place: &Place, request: &Command, world: &mut dyn World) -> Result<Due, Violation> {
        let now_ms = self.now_ms;
        Ok(match request {
            Command::StartStep { args, attempt, due_ms, timeout_ms, .. } => {
                Due::Begin { at_ms: *due_ms, attempt: *attempt, args: args.clone(), timeout_ms: *timeout_ms }
            }
            Command::SetTimer { due_ms, .. } => Due::Timer { at_ms: *due_ms },
            Command::AwaitMessage { message, key, due_ms, .. } => {
                let heads = &self.annals.journals;
                let wait = Wait { place, heads, message, key, deadline_ms: *due_ms, now_ms };
                let (message, key, deadline_ms) = (message.clone(), key.clone(), *due_ms);
                let delivery = world.message(&wait)?;
                Due::Wait { message, key, since_ms: now_ms, deadline_ms, delivery }
            }
            Command::StartChild { op, workflow, version, run_id, input, detached } => {
                let child = self.child_at(place);
                if let Some(child) = child {
                    return Ok(self.due_of_child(child, op));
                }
                if self.annals.latest(run_id).is_some() {
                    let reason = format!("there is a run `{run_id}` already");
                    return Ok(Due::Write {
                        at_ms: now_ms,
                        event: Event::ChildRefused { op: op.clone(), reason },
                    });
                }
                let call = ChildCall { place, workflow, input, is_detached: *detached, now_ms };
                if let Some(ChildDeed { event, done_at_ms }) = world.child(&call)? {
                    return Ok(Due::Write { at_ms: done_at_ms, event });
                }
                let start = Start {
                    workflow: workflow.clone(),
                    version: *version,
                    run_id: run_id.clone(),
                    input: input.clone(),
                    generation: 1,
                    is_detached: *detached,
                };
                Due::Start { at_ms: now_ms, start: Box::new(start) }
            }
            _ => Due::Running,
        })
    }

    /// What the parent of a child that has begun can look forward to.
    fn due_of_child(&self, child: JournalIndex, op: &OpId) -> Due {
        let (op, at_ms) = (op.clone(), self.now_ms);
        if self.annals.journals[child].is_detached {
            return Due::Write { at_ms, event: Event::ChildStarted { op } };
        }
        match self.live[child].run.conclusion().cloned() {
            Some(conclusion) => Due::Write { at_ms, event: Event::ChildEnded { op, conclusion } },
            None => Due::Running,
        }
    }

    /// The journal in which the child is now that was started here.
    fn child_at(&self, place: &Place) -> Option<JournalIndex> {
        self.annals.journals.iter().rposition(|head| head.parent.as_ref() == Some(place))
    }

    fn cancel_child(&mut self, place: &Place) {
        let at_ms = self.now_ms;
        let reason = reason_to_cancel_child(&self.annals.journals[place.0].run_id);
        if let Some(child) = self.child_at(place) {
            if self.live[child].run.conclusion().is_none() {
                let order = self.agenda.order(place);
                let event = Event::CancelRequested { reason };
                self.agenda.put_again((child, OpId::from_text(CANCEL)), Due::Write { at_ms, event }, order);
            }
            return;
        }
        // One that is not run here ends at once; one that has yet to begin is cancelled when it has begun.
        if let Some(Due::Write { .. }) = self.agenda.get_mut(place) {
            let conclusion = workflow_core::Conclusion::Cancelled { reason };
            let event = Event::ChildEnded { op: place.1.clone(), conclusion };
            self.agenda.change(place, Due::Write { at_ms, event });
        }
    }

    /// Begins a child, or the next generation of a run.
    pub(crate) fn start_run(
        &mut self,
        place: &Place,
        start: Start,
        order: u64,
        world: &mut dyn World,
    ) -> Result<(), Violation> {
        let from = self.annals.journals[place.0].clone();
        let definition = find(&self.known, &start.workflow, start.version);
        let is_child = start.generation == 1;
        let Some(definition) = definition else {
            let (name, version) = (&start.workflow, start.version);
            let reason = format!("the kit does not know version {version} of `{name}`");
            if is_child {
                return self.write(place.0, Event::ChildRefused { op: place.1.clone(), reason }, world);
            }
            return Err(Violation::new(Oracle::Mock, format!("{reason}, as which the run continues")));
        };
        let head = Head {
            definition,
            run_id: start.run_id.as_str().into(),
            generation: start.generation,
            parent: if is_child { Some(place.clone()) } else { from.parent.clone() },
            is_detached: if is_child { start.is_detached } else { from.is_detached },
            before_patches: if is_child { Arc::from([]) } else { Arc::clone(&from.before_patches) },
        };
        let of_parent = head.parent.as_ref().map(|(journal, _)| &self.annals.journals[*journal]);
        let event = head.begin(start.input, of_parent);
        let journal = self.add(head);
        if is_child {
            let due = self.due_of_child(journal, &place.1);
            self.agenda.put_again(place.clone(), due, order);
        }
        self.write(journal, event, world)?;
        if is_child && !self.annals.journals[journal].is_detached && self.is_abandoned(place) {
            self.cancel_child(place);
        }
        Ok(())
    }

    fn is_abandoned(&self, place: &Place) -> bool {
        let open = self.live[place.0].run.open_operations();
        open.iter().any(|open| open.is_abandoned && open.request.op() == Some(&place.1))
    }

    /// What the end of a journal makes due: its parent hears of it, or the run goes on.
    pub(crate) fn close(&mut self, journal: JournalIndex) {
        let head = &self.annals.journals[journal];
        let (generation, at_ms) = (head.generation + 1, self.now_ms);
        if let Some((version, input)) = self.live[journal].run.continuation() {
            let is_latest = self.annals.latest(&head.run_id) == Some(journal);
            let start = Start {
                workflow: head.definition.name.to_owned(),
                version,
                run_id: head.run_id.to_string(),
                input: input.clone(),
                generation,
                is_detached: head.is_detached,
            };
            if is_latest {
                let due = Due::Start { at_ms, start: Box::new(start) };
                self.agenda.put_again((journal, OpId::from_text(NEXT)), due, 0);
            }
        }
        if self.live[journal].run.conclusion().is_none() {
            return;
        }
        self.agenda.remove(&(journal, OpId::from_text(CANCEL)));
        if let Some(place) = head_parent(&self.annals, journal)
            && let Some(Due::Running) = self.agenda.get_mut(&place)
        {
            let due = self.due_of_child(journal, &place.1);
            self.agenda.change(&place, due);
        }
    }

    /// Gives waits what is kept for them.
    pub(crate) fn hand_out(&mut self) {
        self.mail.hand_out(&mut self.agenda, &self.annals.journals, self.now_ms);
    }
}

fn head_parent(annals: &Annals, journal: JournalIndex) -> Option<Place> {
    annals.journals[journal].parent.clone()
}

fn row_record(row: &Row) -> &Record {
    &row.record
}

fn is_request(command: &Command) -> bool {
    matches!(
        command,
        Command::StartStep { .. }
            | Command::SetTimer { .. }
            | Command::AwaitMessage { .. }
            | Command::StartChild { .. }
    )
}
