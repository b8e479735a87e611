//! A crash: the runs are dropped after a write, rebuilt from their journals, and go on in the same world.
//! Everything they do then is held against what they did without the crash.

use std::collections::BTreeMap;

use workflow_core::{Event, Timestamp};

use crate::agenda::{Delivery, Place};
use crate::annals::Row;
use crate::driver::{Call, ChildCall, ChildDeed, Deed, Driver, Wait, World};
use crate::errands::place_of;
use crate::explore::execution::{Execution, Memory};
use crate::explore::plan::Plan;
use crate::oracle::replay::compare;
use crate::violation::{Oracle, Violation};
use crate::words;

/// Crashes after that many writes.
pub(crate) fn crash(plan: &Plan, execution: &Execution, writes: usize) -> Result<(), Violation> {
    let (before, after) = execution.annals.rows.split_at(writes);
    let mut world = Remembered::after(&execution.memory, before);
    let mut driver = Driver::recover(&plan.known, &execution.annals, writes, plan.interleaves, &mut world)?;
    for (number, expected) in after.iter().enumerate() {
        let at = writes + number + 1;
        let at_ms = expected.record.at_ms;
        if expected.is_by_hand {
            // What people ask for, they ask for at the same moment.
            driver.wait_until(at_ms);
            driver.write_by_hand(expected.journal, expected.record.event.clone(), &mut world)?;
        } else if !go_on(plan, &mut driver, &mut world, place_of(&execution.annals, expected), at_ms)? {
            let text =
                format!("after the crash nothing happened any more, where write {at} came the first time");
            return Err(Violation::new(Oracle::Replay, text));
        }
        let Some(written) = driver.annals().rows.last() else { continue };
        let (record, first) = (&written.record, &expected.record);
        if (written.journal, record.at_ms, &record.event) != (expected.journal, first.at_ms, &first.event) {
            let text = format!(
                "write {at} was {} at {} ms the first time, and {} at {} ms after the crash",
                words::event_in_full(&first.event),
                first.at_ms,
                words::event_in_full(&record.event),
                record.at_ms
            );
            return Err(Violation::new(Oracle::Replay, text));
        }
        let definition = &execution.annals.journals[expected.journal].definition;
        compare(definition, at, &first.commands, &record.commands)?;
    }
    Ok(())
}

/// Lets the next thing happen: where all orders are tried, the one that came the first time.
fn go_on(
    plan: &Plan,
    driver: &mut Driver,
    world: &mut Remembered<'_>,
    place: Option<Place>,
    at_ms: Timestamp,
) -> Result<bool, Violation> {
    match place.filter(|_| plan.interleaves) {
        Some(place) => driver.advance_to(&place, at_ms, world),
        None => driver.advance(Timestamp::MAX, world),
    }
}

/// A world that behaves as it did before.
struct Remembered<'a> {
    memory: &'a Memory,
    /// How many attempts of each operation have come back.
    done: BTreeMap<Place, usize>,
}

impl<'a> Remembered<'a> {
    fn after(memory: &'a Memory, rows: &[Row]) -> Remembered<'a> {
        let mut done = BTreeMap::new();
        for Row { journal, record, .. } in rows {
            if let Event::StepCompleted { op, .. } | Event::AttemptFailed { op, .. } = &record.event {
                *done.entry((*journal, op.clone())).or_insert(0) += 1;
            }
        }
        Remembered { memory, done }
    }
}

impl World for Remembered<'_> {
    fn attempt(&mut self, call: &Call<'_>) -> Result<Deed, Violation> {
        let remembered = self.memory.deeds.get(call.place).and_then(|deeds| {
            let done = self.done.entry(call.place.clone()).or_insert(0);
            *done += 1;
            deeds.get(*done - 1)
        });
        remembered.cloned().ok_or_else(|| {
            let (op, attempt) = (&call.place.1, call.attempt);
            let text =
                format!("after the crash attempt {attempt} of `{op}` was made, which was not made before");
            Violation::new(Oracle::Replay, text)
        })
    }

    fn message(&mut self, wait: &Wait<'_>) -> Result<Option<Delivery>, Violation> {
        self.memory.deliveries.get(wait.place).cloned().ok_or_else(|| {
            let op = &wait.place.1;
            let text = format!("after the crash the run came to `{op}`, where it did not wait before");
            Violation::new(Oracle::Replay, text)
        })
    }

    fn child(&mut self, child: &ChildCall<'_>) -> Result<Option<ChildDeed>, Violation> {
        self.memory.children.get(child.place).cloned().ok_or_else(|| {
            let op = &child.place.1;
            let text = format!("after the crash the run started a child at `{op}`, where it did not before");
            Violation::new(Oracle::Replay, text)
        })
    }

    fn choose(&mut self, _: &Driver, _: &[Place]) -> Option<usize> {
        Some(0)
    }
}
