//! How much SQLite does for what an engine asks all the time: as much as there is to do, whatever is parked or has
//! ended. Counted in steps of its virtual machine.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::Connection;

use super::fleet::{self, Joined};
use super::{outbox, read, schema, sweep};
use crate::store::{Claim, Parking, RunFilter, Sweep, Worker};

/// So many steps are enough for a few runs; to look at each of thousands takes many times as many.
const FEW: u64 = 20_000;

/// After so many steps each they are counted.
const GRAIN: i32 = 100;

const HISTORY: &str = "
    WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 30000)
        INSERT INTO workflow_runs (run_id, workflow, version, epoch, started_ms, ended_ms, conclusion, holder)
        SELECT 'ended-' || n, 'flow', 2, 1, 0, 10000 + n, '{\"Completed\":1}', 'me' FROM n;
    WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 15000)
        INSERT INTO workflow_runs (run_id, workflow, version, epoch, started_ms, wake_ms)
        SELECT 'asleep-' || n, 'flow', 2, 1, 0, 1000000000 + n FROM n;
    WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 5000)
        INSERT INTO workflow_runs (run_id, workflow, version, epoch, started_ms, wake_ms)
        SELECT 'waiting-' || n, 'flow', 2, 1, 0, NULL FROM n;
    WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 5000)
        INSERT INTO workflow_outbox
            (message_id, run_id, op, message, key, payload, publishes, sent_ms, due_ms, attempts)
        SELECT 'm-' || n, 'asleep-' || n, 'op', 'Paid', 'k', '1', 0, 0, 1000000000 + n, 1 FROM n;
    UPDATE workflow_runs SET wake_ms = 5 WHERE run_id IN ('asleep-7', 'asleep-9000', 'waiting-3');
    INSERT INTO workflow_incidents VALUES ('asleep-8', 'op', 'stuck', 0), ('waiting-9', '', 'stuck', 0);
    UPDATE workflow_outbox SET due_ms = 5 WHERE message_id = 'm-4000';
    INSERT INTO workflow_outbox (message_id, run_id, op, message, key, payload, publishes, sent_ms, due_ms)
        VALUES ('new', 'waiting-1', 'op', 'Paid', 'k', '1', 0, 0, 0);
    UPDATE workflow_runs SET ended_ms = 5 WHERE run_id IN ('ended-11', 'ended-29000')";

fn filled() -> (Connection, Joined) {
    let db = Connection::open_in_memory().unwrap();
    schema::migrate(&db, ":memory:".as_ref()).unwrap();
    let worker = Worker { id: "me".into(), code: vec![("flow".into(), 2)], messages: Vec::new() };
    fleet::join(&db, &worker).unwrap();
    let joined = Joined::default();
    joined.set(Some(&worker.id));
    db.execute_batch(HISTORY).unwrap();
    (db, joined)
}

/// About how many steps the machine takes for this.
fn steps(db: &Connection, what: impl FnOnce()) -> u64 {
    let steps = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&steps);
    let count = move || {
        counted.fetch_add(GRAIN.unsigned_abs().into(), Ordering::Relaxed);
        false
    };
    db.progress_handler(GRAIN, Some(count)).unwrap();
    what();
    db.progress_handler(0, None::<fn() -> bool>).unwrap();
    steps.load(Ordering::Relaxed)
}

fn claim(now_ms: i64, limit: usize) -> Claim {
    Claim { worker: "me".into(), code: vec![("flow".into(), 1), ("flow".into(), 2)], now_ms, limit }
}

#[test]
fn what_an_engine_asks_all_the_time_looks_neither_at_what_is_parked_nor_at_what_has_ended() {
    let (db, joined) = filled();
    let mut seen = Vec::new();
    seen.push((
        "a claim of nothing",
        steps(&db, || assert_eq!(fleet::claim(&db, &claim(4, 100)).unwrap().next_wake_ms, Some(5))),
    ));
    seen.push((
        "claims of a few, and a park",
        steps(&db, || {
            assert_eq!(fleet::claim(&db, &claim(5, 2)).unwrap().runs.len(), 2);
            let claimed = fleet::claim(&db, &claim(5, 100)).unwrap();
            assert_eq!((claimed.runs.len(), claimed.next_wake_ms), (1, Some(1_000_000_001)));
            let (lease, wake_ms) = (claimed.runs[0].lease.clone(), Some(1_000_000_000));
            let parking = Parking { lease, wake_ms, children: Vec::new(), is_broken: false };
            assert_eq!(fleet::park(&db, &joined, &[parking], 5).unwrap(), [true]);
        }),
    ));
    seen.push((
        "the outbox",
        steps(&db, || {
            let page = outbox::due(&db, 10, &[], 64, 32).unwrap();
            let due: Vec<_> = page.messages.iter().map(|entry| &*entry.outgoing.id).collect();
            assert_eq!((due, page.next_due_ms), (vec!["m-4000", "new"], Some(1_000_000_001)));
        }),
    ));
    seen.push((
        "runs with incidents",
        steps(&db, || {
            for only_unfinished in [false, true] {
                let filter = RunFilter { only_incidents: true, only_unfinished, ..RunFilter::default() };
                assert_eq!(read::runs(&db, &filter).unwrap().len(), 2);
            }
        }),
    ));
    seen.push((
        "the sweep",
        steps(&db, || {
            let (now_ms, runs_until_ms) = (10, Some(10));
            let old = Sweep { now_ms, messages_until_ms: 0, runs_until_ms, only_runs: None, limit: 500 };
            assert_eq!(sweep::sweep(&db, &old).unwrap().runs, 2);
            assert_eq!(sweep::ended(&db, 10, 500, None).unwrap(), []);
        }),
    ));
    assert!(seen.iter().all(|(_, steps)| *steps <= FEW), "{seen:?}");
}
