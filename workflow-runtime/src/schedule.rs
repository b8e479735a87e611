//! When a schedule fires: the calendar of a cron expression in a time zone, and which of its ticks are due.
//! Pure: it is told what time it is; it starts nothing and keeps nothing.

use std::collections::VecDeque;

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use workflow_core::Timestamp;
use workflow_graph::CatchUp;

/// The most ticks that are caught up, one run each: an every-minute schedule after a week.
pub(crate) const MOST_MISSED: usize = 10_000;

/// A tick that is seen within this time did not pass while no engine ran.
const ON_TIME_MS: Timestamp = 60_000;

const MINUTE_MS: Timestamp = 60_000;

/// What a workflow with a schedule may take: the time of the tick.
#[diagnostic::on_unimplemented(
    message = "WF045: a workflow with a schedule cannot take `{Self}`",
    label = "nobody is there to hand this over; it takes nothing, or the scheduled time",
    note = "write `async fn name()`, or `async fn name(time: std::time::SystemTime)`",
    note = "a step can find out what else it needs",
    note = "see docs/errors/WF045.md"
)]
pub trait ScheduledTime {}

impl ScheduledTime for std::time::SystemTime {}

/// Asks whether that is so.
pub fn is_scheduled_time<T: ScheduledTime>() {}

/// One line of [`Client::schedules`](crate::Client::schedules).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleStatus {
    /// The workflow that it starts.
    pub workflow: String,
    /// Minute, hour, day of the month, month, day of the week.
    pub cron: String,
    /// The name of the time zone.
    pub timezone: String,
    /// What becomes of ticks that pass while no engine runs.
    pub catch_up: CatchUp,
    /// The last tick for which a run was started; `None` before the first one.
    pub last_tick_ms: Option<Timestamp>,
    /// The next tick from now on; `None` when none is left before the year 5000.
    pub next_tick_ms: Option<Timestamp>,
}

/// A cron expression in a time zone.
#[derive(Clone, Debug)]
pub(crate) struct Calendar {
    cron: Cron,
    zone: TimeZone,
}

/// The ticks that are due.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Due {
    /// To start a run for, earliest first.
    pub(crate) ticks: VecDeque<Timestamp>,
    /// More were missed than are ever caught up; these are the latest of them.
    pub(crate) is_cut: bool,
}

impl Calendar {
    /// Reads both, or says what is wrong with them. `workflow-macros` reads them alike.
    pub(crate) fn parse(cron: &str, timezone: &str) -> Result<Calendar, String> {
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let parsed = parser.parse(cron).map_err(|error| {
            format!("`{cron}` is no cron expression: {error}; write five fields like \"0 6 * * *\"")
        })?;
        // The system's data are the newer ones; what they lack is in the program.
        let zone = TimeZone::get(timezone).or_else(|_| TimeZoneDatabase::bundled().get(timezone));
        let zone = zone.map_err(|_| {
            format!("there is no time zone `{timezone}`; write a name like \"Europe/Berlin\" or \"UTC\"")
        })?;
        let calendar = Calendar { cron: parsed, zone };
        match calendar.next_after(0) {
            Some(_) => Ok(calendar),
            None => Err(format!("`{cron}` never fires: there is no such day")),
        }
    }

    /// The first tick after that time.
    pub(crate) fn next_after(&self, at_ms: Timestamp) -> Option<Timestamp> {
        // Ticks are whole minutes; from inside of one, the search would have to know which second it is on.
        let minute_ms = at_ms.div_euclid(MINUTE_MS).checked_mul(MINUTE_MS)?;
        let from = jiff::Timestamp::from_millisecond(minute_ms).ok()?.to_zoned(self.zone.clone());
        let next = self.cron.find_next_occurrence(&from, false).ok()?.timestamp().as_millisecond();
        debug_assert!(next > at_ms, "the search goes forward");
        Some(next)
    }

    /// What is to be started of the ticks after `kept_until_ms` and up to now.
    pub(crate) fn due(&self, kept_until_ms: Timestamp, now_ms: Timestamp, catch_up: CatchUp) -> Due {
        let latest = || self.latest(kept_until_ms, now_ms);
        match catch_up {
            CatchUp::All => self.all(kept_until_ms, now_ms),
            CatchUp::Latest => Due { ticks: latest().into_iter().collect(), is_cut: false },
            CatchUp::Skip => {
                let on_time = latest().filter(|tick_ms| now_ms - tick_ms < ON_TIME_MS);
                Due { ticks: on_time.into_iter().collect(), is_cut: false }
            }
        }
    }

    /// The latest tick after one time and up to another.
    fn latest(&self, after_ms: Timestamp, until_ms: Timestamp) -> Option<Timestamp> {
        let tick_after = |at_ms| self.next_after(at_ms).filter(|tick_ms| *tick_ms <= until_ms);
        let mut latest = tick_after(after_ms)?;
        // Halving: a year of minutes is twenty questions, not half a million.
        let mut silent_ms = until_ms;
        while silent_ms - latest > MINUTE_MS {
            let middle_ms = latest + (silent_ms - latest) / 2;
            match tick_after(middle_ms) {
                Some(tick_ms) => latest = tick_ms,
                None => silent_ms = middle_ms,
            }
        }
        // Less than a minute is left, in which one more fits at most.
        Some(tick_after(latest).unwrap_or(latest))
    }

    /// The ticks after one time and up to another, the latest of them if there are too many.
    fn all(&self, after_ms: Timestamp, until_ms: Timestamp) -> Due {
        let mut span_ms = Timestamp::try_from(MOST_MISSED).expect("it is small") * MINUTE_MS;
        loop {
            let from_ms = after_ms.max(until_ms.saturating_sub(span_ms));
            let mut due = Due::default();
            let mut at_ms = from_ms;
            while let Some(tick_ms) = self.next_after(at_ms).filter(|tick_ms| *tick_ms <= until_ms) {
                if due.ticks.len() == MOST_MISSED {
                    due.ticks.pop_front();
                }
                due.ticks.push_back(tick_ms);
                at_ms = tick_ms;
            }
            let first_ms = due.ticks.front().copied();
            let is_cut = self.next_after(after_ms).is_some_and(|tick_ms| Some(tick_ms) < first_ms);
            if from_ms == after_ms || due.ticks.len() == MOST_MISSED {
                return Due { is_cut, ..due };
            }
            span_ms = span_ms.saturating_mul(2);
        }
    }
}

/// A tick as people read it, and as it stands in the id of its run: `2026-11-22T05:00:00Z`.
pub(crate) fn tick_text(tick_ms: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(tick_ms).map_or_else(|_| tick_ms.to_string(), |tick| tick.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(text: &str) -> Timestamp {
        text.parse::<jiff::Timestamp>().unwrap().as_millisecond()
    }

    fn calendar(cron: &str, timezone: &str) -> Calendar {
        Calendar::parse(cron, timezone).unwrap()
    }

    /// The first ticks after a time, as text.
    fn ticks(cron: &str, timezone: &str, after: &str, count: usize) -> Vec<String> {
        let calendar = calendar(cron, timezone);
        let mut at_ms = ms(after);
        let next = std::iter::from_fn(|| {
            at_ms = calendar.next_after(at_ms)?;
            Some(tick_text(at_ms))
        });
        next.take(count).collect()
    }

    /// What is due, as text.
    fn due(cron: &str, kept_until: &str, now: &str, catch_up: CatchUp) -> Vec<String> {
        let due = calendar(cron, "UTC").due(ms(kept_until), ms(now), catch_up);
        assert!(!due.is_cut);
        due.ticks.into_iter().map(tick_text).collect()
    }

    #[test]
    fn the_hour_is_that_of_the_time_zone_in_summer_and_winter() {
        let daily = ticks("0 6 * * *", "Europe/Berlin", "2026-10-23T05:00:00Z", 3);
        assert_eq!(daily, ["2026-10-24T04:00:00Z", "2026-10-25T05:00:00Z", "2026-10-26T05:00:00Z"]);
        assert_eq!(ticks("0 6 * * *", "UTC", "2026-10-23T06:00:00Z", 1), ["2026-10-24T06:00:00Z"]);
        assert_eq!(ticks("0 6 * * *", "UTC", "2026-10-23T05:59:59.999Z", 1), ["2026-10-23T06:00:00Z"]);
        assert_eq!(
            ticks("30 5 * * MON-FRI", "Asia/Kathmandu", "2026-11-22T00:00:00Z", 1),
            ["2026-11-22T23:45:00Z"]
        );
    }

    #[test]
    fn one_time_of_day_fires_once_on_every_day_also_when_the_clocks_change() {
        // On 29 March there is no 02:30: the first moment after the gap counts.
        let spring = ticks("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", 3);
        assert_eq!(spring, ["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]);
        // On 25 October 02:30 comes twice: the first one counts.
        let autumn = ticks("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2);
        assert_eq!(autumn, ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]);
        let midnight = ticks("0 0 * * *", "Africa/Cairo", "2026-04-23T00:00:00Z", 2);
        assert_eq!(midnight, ["2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z"], "no midnight on 24 April");
    }

    #[test]
    fn several_times_of_day_follow_the_clock_on_the_wall() {
        let spring = ticks("0,30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", 1);
        assert_eq!(spring, ["2026-03-30T00:00:00Z"], "the hour that does not exist is left out");
        let autumn = ticks("0 1-3 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 4);
        let twice = ["2026-10-24T23:00:00Z", "2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z"];
        assert_eq!(autumn[..3], twice, "the hour that comes twice fires twice");
        assert_eq!(autumn[3], "2026-10-25T02:00:00Z");
    }

    #[test]
    fn ticks_go_forward_whatever_minute_the_search_begins_in() {
        for (cron, timezone) in [
            ("*/20 1-3 * * *", "Europe/Berlin"),
            ("30 2 * * *", "Australia/Lord_Howe"),
            ("0 * * * *", "Antarctica/Troll"),
        ] {
            let calendar = calendar(cron, timezone);
            for change in ["2026-03-29T00:00:00Z", "2026-04-04T14:00:00Z", "2026-10-25T00:00:00Z"] {
                let mut previous = None;
                for minute in 0..360 {
                    let at_ms = ms(change) + minute * MINUTE_MS + 1;
                    let next = calendar.next_after(at_ms);
                    assert!(next > Some(at_ms) && next >= previous, "{cron} {timezone} {change} {minute}");
                    previous = next;
                }
            }
        }
    }

    #[test]
    fn rare_days_are_found_and_days_that_never_come_are_refused() {
        let fifth_friday = ticks("0 0 * 2 5#5", "UTC", "2026-01-01T00:00:00Z", 1);
        assert_eq!(fifth_friday, ["2036-02-29T00:00:00Z"]);
        let never = Calendar::parse("0 0 30 2 *", "UTC").unwrap_err();
        assert_eq!(never, "`0 0 30 2 *` never fires: there is no such day");
        assert!(Calendar::parse("0 0 * * * *", "UTC").unwrap_err().contains("five fields"));
        assert!(Calendar::parse("0 0 * * *", "Mars/Olympus").unwrap_err().contains("no time zone"));
    }

    #[test]
    fn what_was_missed_is_started_as_the_policy_says() {
        let (kept, now) = ("2026-11-19T06:00:00Z", "2026-11-22T06:30:00Z");
        let missed = ["2026-11-20T06:00:00Z", "2026-11-21T06:00:00Z", "2026-11-22T06:00:00Z"];
        assert_eq!(due("0 6 * * *", kept, now, CatchUp::All), missed);
        assert_eq!(due("0 6 * * *", kept, now, CatchUp::Latest), missed[2..]);
        assert_eq!(due("0 6 * * *", kept, now, CatchUp::Skip), [""; 0]);
        for catch_up in [CatchUp::All, CatchUp::Latest, CatchUp::Skip] {
            let on_time = due("0 6 * * *", "2026-11-21T06:00:00Z", "2026-11-22T06:00:00.004Z", catch_up);
            assert_eq!(on_time, missed[2..]);
            assert_eq!(due("0 6 * * *", missed[2], now, catch_up), [""; 0], "nothing twice");
            assert_eq!(
                due("0 6 * * *", now, kept, catch_up),
                [""; 0],
                "nothing for a clock that was set back"
            );
        }
    }

    #[test]
    fn the_latest_tick_is_found_in_long_absences() {
        let year = |cron| due(cron, "2025-11-22T06:00:00Z", "2026-11-22T06:30:30Z", CatchUp::Latest);
        assert_eq!(year("* * * * *"), ["2026-11-22T06:30:00Z"]);
        assert_eq!(year("* * * 1 *"), ["2026-01-31T23:59:00Z"]);
        assert_eq!(year("15 10 1 1 *"), ["2026-01-01T10:15:00Z"]);
        assert_eq!(year("31 6 22 11 *"), ["2025-11-22T06:31:00Z"]);
    }

    #[test]
    fn a_year_of_minutes_is_caught_up_only_in_part() {
        let now = ms("2026-11-22T06:30:30Z");
        let due = calendar("* * * * *", "UTC").due(now - 365 * 86_400_000, now, CatchUp::All);
        assert!(due.is_cut);
        assert_eq!(due.ticks.len(), MOST_MISSED);
        assert_eq!(due.ticks.back().copied().map(tick_text).as_deref(), Some("2026-11-22T06:30:00Z"));
        let in_january = calendar("* * * 1 *", "UTC").due(now - 365 * 86_400_000, now, CatchUp::All);
        assert!(in_january.is_cut);
        assert_eq!(in_january.ticks.back().copied().map(tick_text).as_deref(), Some("2026-01-31T23:59:00Z"));
        let hourly = calendar("0 * * * *", "UTC").due(now - 365 * 86_400_000, now, CatchUp::All);
        assert_eq!((hourly.ticks.len(), hourly.is_cut), (8_760, false));
    }
}
