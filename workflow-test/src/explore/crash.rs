//! A crash: the run is dropped after a write, rebuilt from its journal, and goes on in the same world.
//! Everything it does then is held against what it did without the crash.

use std::collections::BTreeMap;

use workflow_core::{Event, OpId, Record, Timestamp};

use crate::agenda::Delivery;
use crate::driver::{Call, Deed, Driver, Wait, World};
use crate::explore::execution::{Execution, Memory};
use crate::explore::plan::Plan;
use crate::oracle::replay::compare;
use crate::test_run::RUN_ID;
use crate::violation::{Oracle, Violation};

/// Crashes after that many writes.
pub(crate) fn crash(plan: &Plan, execution: &Execution, writes: usize) -> Result<(), Violation> {
    let (before, after) = execution.journal.split_at(writes);
    let mut world = Remembered::after(&execution.memory, before);
    let mut driver = Driver::recover(plan.definition, RUN_ID, before, &mut world)?;
    for (number, expected) in after.iter().enumerate() {
        match &expected.event {
            // What people ask for, they ask for at the same moment.
            Event::CancelRequested { .. } | Event::RetryRequested { .. } => {
                driver.wait_until(expected.at_ms);
                driver.write(expected.event.clone(), &mut world)?;
            }
            _ => {
                while driver.journal().len() == number {
                    if !driver.advance(Timestamp::MAX, &mut world)? {
                        let text = format!(
                            "after the crash nothing happened any more, where write {} came the first time",
                            writes + number + 1
                        );
                        return Err(Violation::new(Oracle::Replay, text));
                    }
                }
            }
        }
        let Some(written) = driver.journal().last() else { continue };
        if (written.at_ms, &written.event) != (expected.at_ms, &expected.event) {
            let text = format!(
                "write {} was {:?} at {} ms the first time, and {:?} at {} ms after the crash",
                writes + number + 1,
                expected.event,
                expected.at_ms,
                written.event,
                written.at_ms
            );
            return Err(Violation::new(Oracle::Replay, text));
        }
        compare(writes + number + 1, &expected.commands, &written.commands)?;
    }
    Ok(())
}

/// A world that behaves as it did before.
struct Remembered<'a> {
    memory: &'a Memory,
    /// How many attempts of each operation have come back.
    done: BTreeMap<&'a OpId, usize>,
}

impl<'a> Remembered<'a> {
    fn after(memory: &'a Memory, journal: &'a [Record]) -> Remembered<'a> {
        let mut done = BTreeMap::new();
        for record in journal {
            if let Event::StepCompleted { op, .. } | Event::AttemptFailed { op, .. } = &record.event {
                *done.entry(op).or_insert(0) += 1;
            }
        }
        Remembered { memory, done }
    }
}

impl World for Remembered<'_> {
    fn attempt(&mut self, call: &Call<'_>) -> Result<Deed, Violation> {
        let remembered = self.memory.deeds.get_key_value(call.op).and_then(|(op, deeds)| {
            let done = self.done.entry(op).or_insert(0);
            *done += 1;
            deeds.get(*done - 1)
        });
        remembered.cloned().ok_or_else(|| {
            let (op, attempt) = (call.op, call.attempt);
            let text =
                format!("after the crash attempt {attempt} of `{op}` was made, which was not made before");
            Violation::new(Oracle::Replay, text)
        })
    }

    fn message(&mut self, wait: &Wait<'_>) -> Result<Option<Delivery>, Violation> {
        self.memory.deliveries.get(wait.op).cloned().ok_or_else(|| {
            let text = format!("after the crash the run came to `{}`, where it did not wait before", wait.op);
            Violation::new(Oracle::Replay, text)
        })
    }
}
