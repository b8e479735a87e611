//! The order of a search: what differs least from the usual first, and samples of all where all is too much.
//! What is looked at in each execution is told elsewhere. The clock only ends the search: whatever is run before is
//! the same in every run of a test.

use std::time::{Duration, Instant};

use crate::explore::batch::Batch;
use crate::explore::choices::Choices;
use crate::explore::execution::{Known, execute};
use crate::explore::frontier::Frontier;
use crate::explore::report::{Failure, Report};
use crate::explore::search::{Audience, Search};

/// When a search ends though there is more.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    pub(crate) most_executions: usize,
    pub(crate) longest: Duration,
}

impl Search {
    /// Tries traces until there are no more, or the budget is used up.
    pub(crate) fn explore(
        &self,
        budget: Budget,
        audience: &mut Audience,
        mut report: Report,
    ) -> Result<Report, Box<Failure>> {
        let begun = Instant::now();
        let (mut frontier, mut known, mut batch) = (Frontier::new(), Known::new(), Batch::default());
        let (mut longest_trace, mut draws) = (0, false);
        while frontier.pending() > 0 {
            let left = budget.most_executions.saturating_sub(report.executions);
            report.is_out_of_time = begun.elapsed() >= budget.longest;
            if left == 0 || report.is_out_of_time {
                report.is_complete = false;
                break;
            }
            // Once it is sure that not all can be tried, every other execution is one of those that would never come.
            draws = frontier.pending() > left && !draws;
            let execution = if draws {
                report.samples += 1;
                execute(&self.plan, Choices::drawn(report.samples as u64 - 1, longest_trace), None)
            } else {
                let Some(given) = frontier.next() else { break };
                let length = given.len();
                let known = (self.plan.interleaves && !self.reads_order.get()).then_some(&mut known);
                let execution = execute(&self.plan, Choices::given(given), known);
                longest_trace = longest_trace.max(execution.made.len());
                frontier.add(&execution.made, length, left);
                execution
            };
            report.executions += 1;
            self.show(&execution, audience);
            let read_order = self.reads_order.get();
            report = batch.look_at(self, execution, report)?;
            if self.reads_order.get() && !read_order && report.executions > 1 {
                // It was read late: what was cut short until now may have been worth looking at.
                frontier = Frontier::new();
            }
            report.elapsed = begun.elapsed();
        }
        report = batch.look_elsewhere(self, report)?;
        report.elapsed = begun.elapsed();
        Ok(report)
    }
}
