//! What is looked at in each execution: the oracles, what the test says about its ends, a crash after every write.
//! In which order executions are tried is told elsewhere.

use std::cell::Cell;

use crate::annals::Annals;
use crate::explore::aftermath::Aftermath;
use crate::explore::again::SCHEDULE;
use crate::explore::choices::{Choices, Schedule};
use crate::explore::execution::{Execution, execute};
use crate::explore::plan::Plan;
use crate::explore::report::{Failure, Report};
use crate::explore::shrink::shrink;
use crate::histories::Gallery;
use crate::history::End;
use crate::oracle::elsewhere;
use crate::scenarios::Scenarios;
use crate::violation::{Oracle, Violation};

/// What a test says about an end.
pub(crate) type Holds = Box<dyn Fn(&End<'_>) -> bool>;

/// A plan with what the test says about its ends.
pub(crate) struct Search {
    pub(crate) plan: Plan,
    pub(crate) crashes: bool,
    /// Whether everything is run again on another thread.
    pub(crate) elsewhere: bool,
    pub(crate) always: Vec<(String, Holds)>,
    pub(crate) sometimes: Vec<(String, Holds, Cell<bool>)>,
    /// Whether what the test says depends on the order in which things happened.
    pub(crate) reads_order: Cell<bool>,
}

/// Who looks at all executions: what chooses golden histories, and what writes scenarios for other engines.
pub(crate) struct Audience {
    pub(crate) gallery: Option<Gallery>,
    pub(crate) scenarios: Option<Scenarios>,
}

/// One schedule, tried.
pub(crate) struct Attempted {
    pub(crate) schedule: Schedule,
    pub(crate) annals: Annals,
    pub(crate) violation: Option<Violation>,
}

impl Search {
    /// Tries one schedule.
    pub(crate) fn attempt(&self, schedule: &Schedule) -> Attempted {
        let execution = execute(&self.plan, Choices::given(schedule.choices.clone()), None);
        let crash_after = schedule.crash.filter(|&writes| writes < execution.annals.rows.len());
        let again = || if self.elsewhere { elsewhere::check(&execution.annals).err() } else { None };
        let crashed = || Aftermath::of(&self.plan, &execution).crash(crash_after?).err();
        let violation = self.judge(&execution).or_else(crashed).or_else(again);
        Attempted {
            schedule: Schedule::of(&execution.made, crash_after),
            annals: execution.annals,
            violation,
        }
    }

    /// Counts an execution, crashes it, and says what is wrong with it if anything is.
    pub(crate) fn look_at(&self, execution: &Execution, mut report: Report) -> Result<Report, Box<Failure>> {
        let mut violation = self.judge(execution);
        let mut crashed_after = None;
        if let Ok(paths) = &execution.verdict {
            paths.iter().for_each(|path| report.coverage.count(path));
            report.coverage.count_compensations(&execution.annals, self.plan.oracles.walker());
        }
        if self.crashes && violation.is_none() {
            // What an execution that is cut short has in common with another one was crashed there; so was the state
            // behind its last write, but not in the order that led to it.
            let rows = execution.annals.rows.len();
            let crashes =
                if execution.is_cut_short { execution.common_rows.max(1)..rows + 1 } else { 1..rows };
            let aftermath = Aftermath::of(&self.plan, execution);
            for writes in crashes {
                report.crashes += 1;
                report.coverage.count_crash(&execution.annals, writes, self.plan.oracles.walker());
                if let Err(found) = aftermath.crash(writes) {
                    (violation, crashed_after) = (Some(found), Some(writes));
                    break;
                }
            }
        }
        if violation.is_none() {
            return Ok(report);
        }
        let schedule = Schedule::of(&execution.made, crashed_after);
        let found = Attempted { schedule, annals: execution.annals.clone(), violation };
        Err(Failure::of(shrink(self, found), report))
    }

    /// Shows an execution that is over to those who look at all of them.
    pub(crate) fn show(&self, execution: &Execution, audience: &mut Audience) {
        let Ok(paths) = &execution.verdict else { return };
        if execution.is_cut_short {
            return;
        }
        let walker = self.plan.oracles.walker();
        if let Some(gallery) = &mut audience.gallery {
            gallery.look_at(&execution.annals, paths, walker);
        }
        if let Some(scenarios) = &mut audience.scenarios {
            scenarios.look_at(&execution.annals, paths, walker);
        }
    }

    pub(crate) fn looks_elsewhere(&self) -> bool {
        self.elsewhere
    }

    /// What is wrong with an execution that did not crash.
    fn judge(&self, execution: &Execution) -> Option<Violation> {
        if let Err(violation) = &execution.verdict {
            return Some(violation.clone());
        }
        if execution.is_cut_short {
            return None; // Also when the run itself has ended: its detached children go on.
        }
        let root = execution.annals.of_root().last()?;
        let end = End::new(&execution.annals, execution.annals.conclusion(root)?);
        for (_, holds, seen) in &self.sometimes {
            if !seen.get() {
                seen.set(holds(&end));
            }
        }
        let broken = self.always.iter().find(|(_, holds)| !holds(&end));
        self.reads_order.set(self.reads_order.get() || end.has_told_order());
        broken.map(|(name, _)| Violation::new(Oracle::Always, format!("`{name}` does not hold at the end")))
    }

    /// Tries one schedule, and explores nothing else.
    pub(crate) fn repeat(&self, schedule: &str, mut report: Report) -> Result<Report, Box<Failure>> {
        let Some(schedule) = Schedule::parse(schedule) else {
            let text = format!("{SCHEDULE} does not hold a schedule: `{schedule}`");
            return Err(Failure::before(Violation::new(Oracle::Mock, text), report));
        };
        let attempted = self.attempt(&schedule);
        report.executions = 1;
        report.crashes = usize::from(attempted.schedule.crash.is_some());
        report.repeated = Some(attempted.schedule.to_string());
        if attempted.violation.is_some() {
            return Err(Failure::of(attempted, report));
        }
        let schedule = schedule.without_usual_end();
        if attempted.schedule != schedule {
            report.stale.push(format!(
                "the schedule {schedule} does not fit, the code or the exploration has other choices now: this says \
                 nothing about what it found"
            ));
        }
        Ok(report)
    }

    /// That what should happen at times has happened.
    pub(crate) fn check_sometimes(&self, report: Report) -> Result<Report, Box<Failure>> {
        let Some((name, ..)) = self.sometimes.iter().find(|(_, _, seen)| !seen.get()) else {
            return Ok(report);
        };
        let limit = if report.is_complete { "" } else { ", but the budget was used up before all had been" };
        let text = format!("`{name}` held in none of {} executions{limit}", report.executions);
        Err(Failure::before(Violation::new(Oracle::Sometimes, text), report))
    }
}
