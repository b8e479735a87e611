//! Makes a failing schedule small: fewer choices, then lower ones, then an earlier crash.
//! It keeps what was found: a schedule counts as failing only if the same oracle complains.

use crate::explore::choices::Schedule;
use crate::explore::search::{Attempted, Search};

/// The most executions spent on making a schedule smaller.
const MOST_EXECUTIONS: usize = 2_000;

pub(crate) fn shrink(search: &Search, failed: Attempted) -> Attempted {
    let Some(violation) = &failed.violation else { return failed };
    let oracle = violation.oracle;
    let mut spent = 0;
    let mut fails = |schedule: &Schedule| {
        spent += 1;
        let attempted = (spent <= MOST_EXECUTIONS).then(|| search.attempt(schedule))?;
        attempted.violation.as_ref().is_some_and(|found| found.oracle == oracle).then_some(attempted)
    };
    let mut best = failed;
    loop {
        let before = best.schedule.clone();
        for length in 0..best.schedule.choices.len() {
            let choices = best.schedule.choices[..length].to_vec();
            if let Some(smaller) = fails(&Schedule { choices, ..best.schedule.clone() }) {
                best = smaller;
                break;
            }
        }
        for position in 0..best.schedule.choices.len() {
            for lower in 0..best.schedule.choices.get(position).copied().unwrap_or(0) {
                let mut schedule = best.schedule.clone();
                schedule.choices[position] = lower;
                if let Some(smaller) = fails(&schedule) {
                    best = smaller;
                    break;
                }
            }
        }
        for earlier in 1..best.schedule.crash.unwrap_or(0) {
            if let Some(smaller) = fails(&Schedule { crash: Some(earlier), ..best.schedule.clone() }) {
                best = smaller;
                break;
            }
        }
        if best.schedule == before {
            return best;
        }
    }
}
