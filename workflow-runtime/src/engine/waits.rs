//! What a run waits for, as its journal tells it and as the store keeps it beside: the journal is the truth.
//! It compares; who writes what differs is the driver's affair.

use std::collections::BTreeMap;

use workflow_core::{Command, OpId, Record, Timestamp};

use crate::store::{Changes, MessageWait};

/// What has to be written so that messages find a run: `None`, unless somebody has changed the store by hand, or its
/// disk has.
pub(super) fn repairs(
    open: BTreeMap<OpId, MessageWait>,
    kept: &BTreeMap<OpId, MessageWait>,
    journal: &[Record],
) -> Option<Box<Changes>> {
    let mut changes = Changes::default();
    for op in kept.keys().filter(|op| !open.contains_key(op)) {
        changes.end_waits.insert(op.clone());
    }
    for (op, wait) in open {
        let is_kept = kept.get(&op).is_some_and(|kept| kept.message == wait.message && kept.key == wait.key);
        if !is_kept {
            let since_ms = began_ms(&op, journal);
            changes.begin_waits.insert(op, MessageWait { since_ms, ..wait });
        }
    }
    let is_in_order = changes.begin_waits.is_empty() && changes.end_waits.is_empty();
    (!is_in_order).then(|| Box::new(changes))
}

/// When the wait began, by which it is in line with others.
fn began_ms(op: &OpId, journal: &[Record]) -> Timestamp {
    let begins =
        |command: &Command| matches!(command, Command::AwaitMessage { op: begun, .. } if begun == op);
    let row = journal.iter().rev().find(|record| record.commands.iter().any(begins));
    row.map_or(0, |record| record.at_ms)
}

#[cfg(test)]
mod tests {
    use workflow_core::{Event, Payload};

    use super::*;

    fn wait(key: &str, since_ms: Timestamp) -> MessageWait {
        MessageWait { message: "Paid".into(), key: key.into(), since_ms }
    }

    #[test]
    fn what_is_kept_as_the_journal_tells_it_is_left_alone() {
        let (a, b) = (OpId::from_text("a"), OpId::from_text("b"));
        let begins = |op: &OpId| Command::AwaitMessage {
            op: op.clone(),
            message: "Paid".into(),
            key: "k".into(),
            due_ms: None,
        };
        let journal = [Record::new(7, Event::started(Payload::null()), vec![begins(&a), begins(&b)])];
        let open = || BTreeMap::from([(a.clone(), wait("k", 0)), (b.clone(), wait("k", 0))]);
        let kept = BTreeMap::from([(a.clone(), wait("k", 7)), (b.clone(), wait("k", 7))]);
        assert!(repairs(open(), &kept, &journal).is_none());
        let garbled = BTreeMap::from([(a.clone(), wait("x", 7)), (OpId::from_text("x"), wait("k", 7))]);
        let repaired = repairs(open(), &garbled, &journal).expect("something is garbled");
        assert_eq!(repaired.begin_waits, kept);
        assert_eq!(repaired.end_waits.into_iter().collect::<Vec<_>>(), [OpId::from_text("x")]);
    }
}
