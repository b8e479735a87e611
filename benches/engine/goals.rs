//! What the engine is to reach, as ratios within one session wherever something else in it can be the measure.
//! Plain data and how it is compared; must not know how a table looks.

use crate::contestants::{Role, StoreKind};
use crate::results::{Measurement, Results};

/// One thing to reach in one case.
pub(crate) struct Goal {
    pub(crate) case: &'static str,
    /// Only on this store.
    pub(crate) store: Option<StoreKind>,
    measure: Measure,
    bound: Bound,
}

#[derive(Clone, Copy)]
enum Measure {
    /// A value itself, with its name for people and its decimals.
    Value(&'static str, &'static str, usize),
    /// A value to that of the floor on the same store.
    ToFloor(&'static str),
    /// A rate to the best one of all peers on the same store; Restate, which has its own, counts with SQLite.
    ToBestPeer(&'static str),
    /// A value to another one of the engine, with its name for people.
    ToOwn(&'static str, &'static str, &'static str),
}

#[derive(Clone, Copy)]
enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

use Bound::{AtLeast, AtMost};
use Measure::{ToBestPeer, ToFloor, ToOwn, Value};

const fn goal(case: &'static str, measure: Measure, bound: Bound) -> Goal {
    Goal { case, store: None, measure, bound }
}

const fn goal_on(case: &'static str, store: StoreKind, measure: Measure, bound: Bound) -> Goal {
    Goal { case, store: Some(store), measure, bound }
}

const FLAT: Measure =
    ToOwn("last_tenth_step_ms", "first_tenth_step_ms", "a step of the last tenth to one of the first");

pub(crate) const GOALS: &[Goal] = &[
    goal("A", ToFloor("runs_per_second"), AtLeast(0.5)),
    goal_on("A", StoreKind::Sqlite, ToBestPeer("runs_per_second"), AtLeast(15.0)),
    goal_on("A", StoreKind::Postgres, ToBestPeer("runs_per_second"), AtLeast(8.0)),
    goal("B", ToFloor("run_p50_ms"), AtMost(1.25)),
    goal("B", ToOwn("run_p99_ms", "run_p50_ms", "p99 to p50"), AtMost(2.0)),
    goal("C", Value("seconds", "s", 3), AtMost(0.02)),
    goal("D-20000", Value("seconds", "s to start", 2), AtMost(0.4)),
    goal("D-20000", Value("memory_per_run_bytes", "bytes of memory each", 0), AtMost(200.0)),
    goal("D-100000", Value("seconds", "s to start", 2), AtMost(2.0)),
    goal("D-100000", Value("memory_per_run_bytes", "bytes of memory each", 0), AtMost(200.0)),
    goal("D-messages", Value("memory_per_run_bytes", "bytes of memory each", 0), AtMost(200.0)),
    goal("E", Value("recover_seconds", "s to recover", 3), AtMost(0.3)),
    goal("E", Value("repeated_steps", "completed steps repeated", 0), AtMost(0.0)),
    goal("F-2000", ToFloor("seconds"), AtMost(1.25)),
    goal("F-10000", ToFloor("seconds"), AtMost(1.25)),
    goal("F-10000", FLAT, AtMost(1.1)),
    goal("F-10000", Value("recover_seconds", "s to recover", 3), AtMost(0.05)),
];

impl Goal {
    /// What is asked for, in words.
    pub(crate) fn words(&self) -> String {
        let bound = match self.bound {
            AtLeast(bound) => format!("≥ {bound}"),
            AtMost(bound) => format!("≤ {bound}"),
        };
        match self.measure {
            Value(_, words, _) => format!("{bound} {words}"),
            ToFloor(_) => format!("{bound} × the floor"),
            ToBestPeer(_) => format!("{bound} × the best peer"),
            ToOwn(_, _, words) => format!("{bound}, {words}"),
        }
    }

    /// What the engine has reached; `None` when not everything that it takes was measured.
    pub(crate) fn reached(&self, results: &Results, engine: &Measurement) -> Option<f64> {
        let name = &engine.contestant;
        let others = results.contestants(self.case);
        match self.measure {
            Value(value, ..) => results.median(self.case, name, value),
            ToFloor(value) => {
                let is_floor =
                    |other: &&&Measurement| other.role == Role::Floor && other.store == engine.store;
                results.ratio(self.case, name, &others.iter().find(is_floor)?.contestant, value)
            }
            ToBestPeer(value) => {
                let is_rival = |other: &&&Measurement| {
                    let brings_its_own =
                        other.store == StoreKind::Restate && engine.store == StoreKind::Sqlite;
                    other.role == Role::Peer && (other.store == engine.store || brings_its_own)
                };
                let rivals = others.iter().filter(is_rival);
                let ratios =
                    rivals.filter_map(|rival| results.ratio(self.case, name, &rival.contestant, value));
                ratios.min_by(f64::total_cmp)
            }
            ToOwn(value, other, _) => {
                Some(results.median(self.case, name, value)? / results.median(self.case, name, other)?)
            }
        }
    }

    pub(crate) fn is_met(&self, reached: f64) -> bool {
        match self.bound {
            AtLeast(bound) => reached >= bound,
            AtMost(bound) => reached <= bound,
        }
    }

    /// A figure of this goal with as many decimals as it deserves.
    pub(crate) fn show(&self, reached: f64) -> String {
        match self.measure {
            Value(_, _, decimals) => format!("{reached:.decimals$}"),
            ToFloor(_) | ToBestPeer(_) | ToOwn(..) => format!("{reached:.2}"),
        }
    }
}
