//! Executions that wait for their second execution on another thread: many share one, for the sake of speed.
//! Which failure is told does not depend on that: the one of the first execution that has any.

use crate::explore::choices::Schedule;
use crate::explore::execution::Execution;
use crate::explore::report::{Failure, Report};
use crate::explore::search::{Attempted, Search};
use crate::explore::shrink::shrink;
use crate::oracle::elsewhere;

/// After so many rows of journals the executions are run again: a thread costs as much as a handful of them.
const ENOUGH_ROWS: usize = 1_000;

/// See the module.
#[derive(Default)]
pub(crate) struct Batch {
    waiting: Vec<Execution>,
    rows: usize,
}

impl Batch {
    /// Looks at an execution here, and elsewhere as soon as enough have come together.
    pub(crate) fn look_at(
        &mut self,
        search: &Search,
        execution: Execution,
        report: Report,
    ) -> Result<Report, Box<Failure>> {
        let report = match search.look_at(&execution, report) {
            Ok(report) => report,
            Err(failure) => {
                self.look_elsewhere(search, failure.report.clone())?;
                return Err(failure);
            }
        };
        if !search.looks_elsewhere() {
            return Ok(report);
        }
        self.rows += execution.annals.rows.len();
        self.waiting.push(execution);
        if self.rows < ENOUGH_ROWS { Ok(report) } else { self.look_elsewhere(search, report) }
    }

    /// Runs what waits on another thread.
    pub(crate) fn look_elsewhere(&mut self, search: &Search, report: Report) -> Result<Report, Box<Failure>> {
        self.rows = 0;
        let mut waiting = std::mem::take(&mut self.waiting);
        if waiting.is_empty() {
            return Ok(report);
        }
        let annals: Vec<_> = waiting.iter().map(|execution| &execution.annals).collect();
        let Some((number, violation)) = elsewhere::first_difference(annals) else { return Ok(report) };
        let Execution { made, annals, .. } = waiting.swap_remove(number);
        let found = Attempted { schedule: Schedule::of(&made, None), annals, violation: Some(violation) };
        Err(Failure::of(shrink(search, found), report))
    }
}
