//! Workflows that start by themselves: read from their graphs, and what their runs are called and given.
//! It knows no store and no clock.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use workflow_core::{Definition, Payload, Timestamp};
use workflow_graph::{CatchUp, Trigger};

use crate::limits::check_id;
use crate::schedule::{Calendar, ScheduleStatus, tick_text};
use crate::store::KeptSchedule;

/// A workflow with its schedule.
pub(crate) struct Scheduled {
    pub(super) definition: Definition,
    pub(super) cron: String,
    pub(super) timezone: String,
    pub(super) catch_up: CatchUp,
    pub(super) calendar: Calendar,
    takes_time: bool,
}

impl Scheduled {
    /// The schedule of a workflow, if it has one.
    ///
    /// # Errors
    /// Why it cannot be kept. The macro refuses the same; a graph may come from elsewhere, and the time zones
    /// from another machine.
    pub(super) fn of(definition: Definition) -> Result<Option<Scheduled>, String> {
        let Trigger::Schedule { cron, timezone, catch_up } = &definition.graph().trigger else {
            return Ok(None);
        };
        let name = definition.name;
        let defect =
            |why: String| format!("the schedule of the workflow `{name}` cannot be kept: {why} (WF045)");
        let calendar = Calendar::parse(cron, timezone).map_err(defect)?;
        let takes_time = !definition.accepts(&Payload::null());
        if takes_time && !definition.accepts(&time_input(0)) {
            let why =
                "it takes something else than the scheduled time; write `async fn name(time: SystemTime)`";
            return Err(defect(why.to_owned()));
        }
        let (cron, timezone, catch_up) = (cron.to_string(), timezone.to_string(), *catch_up);
        let scheduled = Scheduled { definition, cron, timezone, catch_up, calendar, takes_time };
        check_id("the id of its runs", &scheduled.run_id(0)).map_err(|error| defect(error.to_string()))?;
        Ok(Some(scheduled))
    }

    /// The run of a tick. The same on every engine and after every restart, so that a tick has one run.
    pub(super) fn run_id(&self, tick_ms: Timestamp) -> Arc<str> {
        format!("{}@{}", self.definition.name, tick_text(tick_ms)).into()
    }

    /// What the run of a tick begins with.
    pub(super) fn input(&self, tick_ms: Timestamp) -> Payload {
        if self.takes_time { time_input(tick_ms) } else { Payload::null() }
    }

    /// Whether it was kept by the same expression and time zone.
    pub(super) fn is_kept_by(&self, kept: &KeptSchedule) -> bool {
        self.cron == kept.cron && self.timezone == kept.timezone
    }

    pub(crate) fn status(&self, kept: &[KeptSchedule], now_ms: Timestamp) -> ScheduleStatus {
        let kept = kept.iter().find(|kept| kept.workflow == self.definition.name);
        ScheduleStatus {
            workflow: self.definition.name.to_owned(),
            cron: self.cron.clone(),
            timezone: self.timezone.clone(),
            catch_up: self.catch_up,
            last_tick_ms: kept.and_then(|kept| kept.last_tick_ms),
            next_tick_ms: self.calendar.next_after(now_ms),
        }
    }
}

/// The arguments of a workflow that takes the time of its tick.
fn time_input(tick_ms: Timestamp) -> Payload {
    let since_epoch = Duration::from_millis(u64::try_from(tick_ms).unwrap_or(0));
    let time: SystemTime = UNIX_EPOCH + since_epoch;
    Payload::of(&(time,)).expect("a time after 1970 can be written")
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use workflow_core::{Cx, EndsWithValue, Parts, Storable, Workflow, WorkflowFuture};
    use workflow_graph::Graph;

    use super::*;

    /// A workflow whose graph nobody has checked, with arguments `A`.
    struct Unchecked<A, const ZONE: bool>(A);

    fn graph(timezone: &'static str) -> Graph {
        let (cron, timezone, catch_up) = ("0 6 * * *".into(), timezone.into(), CatchUp::Latest);
        Graph { trigger: Trigger::Schedule { cron, timezone, catch_up }, ..Graph::named("unchecked") }
    }

    impl<A: Storable, const ZONE: bool> Workflow for Unchecked<A, ZONE> {
        const NAME: &'static str = "unchecked";
        const VERSION: u32 = 1;
        const LABEL: &'static str = "Unchecked";
        type Args = A;
        type Output = ();
        type Ending = EndsWithValue;

        fn graph() -> &'static Graph {
            static KNOWN: LazyLock<Graph> = LazyLock::new(|| graph("UTC"));
            static UNKNOWN: LazyLock<Graph> = LazyLock::new(|| graph("Mars/Olympus"));
            if ZONE { &KNOWN } else { &UNKNOWN }
        }

        fn positions() -> &'static [usize] {
            &[]
        }

        fn parts(_: &mut Parts) {}

        fn run(_: Cx, _: A) -> WorkflowFuture<()> {
            Box::pin(async {})
        }
    }

    fn scheduled<A: Storable, const ZONE: bool>() -> Result<Scheduled, String> {
        Scheduled::of(Definition::of::<Unchecked<A, ZONE>>()).map(|scheduled| scheduled.expect("it has one"))
    }

    #[test]
    fn a_run_is_named_by_its_tick_and_given_what_it_takes() {
        let tick_ms = 1_795_323_600_000;
        let nothing = scheduled::<(), true>().unwrap();
        assert_eq!(&*nothing.run_id(tick_ms), "unchecked@2026-11-22T05:00:00Z");
        assert_eq!(nothing.input(tick_ms), Payload::null());
        let time = scheduled::<(SystemTime,), true>().unwrap();
        let (time,): (SystemTime,) = time.input(tick_ms).read().unwrap();
        assert_eq!(time.duration_since(UNIX_EPOCH).unwrap().as_millis(), 1_795_323_600_000);
    }

    #[test]
    fn what_cannot_be_kept_is_refused_before_anything_runs() {
        let refused = |scheduled: Result<Scheduled, String>| scheduled.err().unwrap();
        assert_eq!(
            refused(scheduled::<(), false>()),
            "the schedule of the workflow `unchecked` cannot be kept: there is no time zone `Mars/Olympus`; \
             write a name like \"Europe/Berlin\" or \"UTC\" (WF045)"
        );
        assert!(refused(scheduled::<(String,), true>()).contains("something else than the scheduled time"));
    }
}
