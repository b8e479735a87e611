//! What comes after a crash, the short way: the runs are rebuilt from their journals and hear again of what happened
//! behind it. The long way, with a driver that finds out by itself what happens next, is gone where this one shows a
//! difference, and tells it.
//!
//! The short way sees as much. A rebuilt driver begins with the operations that its runs have open; that they are the
//! same is looked at here. What it does then follows from what the code asks for and from what becomes of each attempt;
//! both are compared write by write. So it would do what it did the first time.

use std::collections::BTreeMap;

use workflow_core::{Command, Event, OpenOperation, Record, Run, Timestamp};

use crate::annals::{Annals, Row};
use crate::driver::Deed;
use crate::explore::crash::crash;
use crate::explore::execution::Execution;
use crate::explore::plan::Plan;
use crate::oracle::replay::compare;
use crate::violation::{Oracle, Violation};
use crate::words;

/// An execution, ready for being crashed after each of its writes.
pub(crate) struct Aftermath<'a> {
    plan: &'a Plan,
    execution: &'a Execution,
    /// For each write, the attempt whose outcome it tells.
    deeds: Vec<Option<&'a Deed>>,
}

/// What the short way came to: what is different, or that only the long way can tell.
pub(crate) type Difference = Option<Violation>;

impl<'a> Aftermath<'a> {
    pub(crate) fn of(plan: &'a Plan, execution: &'a Execution) -> Aftermath<'a> {
        let mut tried = BTreeMap::new();
        let deeds = execution.annals.rows.iter().map(|row| {
            let (Event::StepCompleted { op, .. } | Event::AttemptFailed { op, .. }) = &row.record.event
            else {
                return None;
            };
            let attempt = tried.entry((row.journal, op)).or_insert(0);
            *attempt += 1;
            execution.memory.deeds.get(&(row.journal, op.clone()))?.get(*attempt - 1)
        });
        Aftermath { plan, execution, deeds: deeds.collect() }
    }

    /// Crashes after that many writes.
    pub(crate) fn crash(&self, writes: usize) -> Result<(), Violation> {
        let Err(difference) = self.go_on(writes) else { return Ok(()) };
        crash(self.plan, self.execution, writes)?;
        difference.map_or(Ok(()), Err)
    }

    /// The short way alone.
    pub(crate) fn go_on(&self, writes: usize) -> Result<(), Difference> {
        let Annals { journals, rows, .. } = &self.execution.annals;
        let (before, after) = rows.split_at(writes);
        let mut runs = self.rebuild(before)?;
        let mut now_ms = before.last().map_or(0, |row| row.record.at_ms);
        for ((at, row), deed) in (writes + 1..).zip(after).zip(&self.deeds[writes..]) {
            let head = &journals[row.journal];
            if row.journal == runs.len() {
                runs.push(head.fresh_run());
            }
            let (run, record) = (runs.get_mut(row.journal).ok_or(Difference::None)?, &row.record);
            self.hold(run, row, *deed, now_ms)?;
            now_ms = record.at_ms;
            let commands = run.feed(now_ms, &record.event).map_err(|error| Some(Violation::core(&error)))?;
            compare(&head.definition, at, &record.commands, &commands).map_err(Some)?;
            if !ends_alike(run, record) {
                return Err(Some(differs(format!("the run ended otherwise with write {at}"))));
            }
        }
        Ok(())
    }

    /// The runs as a worker rebuilds them that has nothing but the journals.
    fn rebuild(&self, before: &[Row]) -> Result<Vec<Run>, Difference> {
        let mut runs = Vec::new();
        for (journal, head) in self.execution.annals.journals.iter().enumerate() {
            let Some(last) = before.iter().rposition(|row| row.journal == journal) else {
                break; // It had not begun, and neither had those behind it.
            };
            let records = before.iter().filter(|row| row.journal == journal).map(|row| &row.record);
            let run = Run::replay(head.definition, &head.run_id, records)
                .map_err(|error| Some(Violation::new(Oracle::Replay, error.to_string())))?;
            let open: &[OpenOperation] = self.execution.open.get(last).ok_or(Difference::None)?;
            if !run.has_open(open) || !ends_alike(&run, &before[last].record) {
                let writes = before.len();
                return Err(Some(differs(format!(
                    "another state was rebuilt from the first {writes} writes"
                ))));
            }
            runs.push(run);
        }
        Ok(runs)
    }

    /// That a write comes to pass as it did the first time, when an attempt has come to this, or a message comes.
    fn hold(&self, run: &Run, row: &Row, deed: Option<&Deed>, now_ms: Timestamp) -> Result<(), Difference> {
        let Record { at_ms, event, .. } = &row.record;
        match event {
            Event::StepCompleted { op, .. } | Event::AttemptFailed { op, .. } => {
                let deed = deed.ok_or(Difference::None)?;
                // Where all orders are tried, answers may be late.
                if *at_ms != now_ms.max(deed.done_at_ms) && !self.plan.interleaves {
                    return Err(None);
                }
                let judged = run.judge(op, deed.outcome.clone(), *at_ms);
                if judged.as_ref() != Some(event) {
                    let (now, first) = (judged.as_ref(), words::event_in_full(event));
                    let now = now.map_or_else(|| "nothing".to_owned(), words::event_in_full);
                    return Err(Some(differs(format!("{first} would be {now}"))));
                }
            }
            Event::MessageReceived { op, payload, .. } => {
                let fits = run.fits(op, payload);
                fits.map_err(|error| Some(differs(format!("a message does not fit `{op}`: {error}"))))?;
            }
            _ => {}
        }
        Ok(())
    }
}

fn differs(what: String) -> Violation {
    Violation::new(Oracle::Replay, format!("after the crash {what}"))
}

/// Whether the run is over in the way that the write says, if it says so.
fn ends_alike(run: &Run, record: &Record) -> bool {
    match record.commands.last() {
        Some(Command::Finish(conclusion)) => run.conclusion() == Some(conclusion),
        Some(Command::Continue { version, input }) => run.continuation() == Some((*version, input)),
        _ => true,
    }
}
