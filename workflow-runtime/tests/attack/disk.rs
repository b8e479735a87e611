//! A disk that is full: no file of the worker may grow any more, and later it may.
//!
//! What plays the full disk is the limit of the operating system for the size of files, which needs no rights and no
//! file system of one's own. The write fails with EFBIG in place of ENOSPC, in the middle of a transaction and after a
//! part of it, as on a full disk; SQLite reports an I/O error for the one and FULL for the other, and the store treats
//! both alike.

use std::time::Duration;

use crate::chance::{chance, rounds};
use crate::conductor::Conductor;
use crate::evidence::Evidence;
use crate::judge::acquit;
use crate::ledger::Ledger;
use crate::protocol::Ask;

#[test]
fn a_full_disk_holds_everything_up_and_loses_nothing() {
    let mut conductor = Conductor::on_sqlite(chance("a_full_disk"));
    let ledger = Ledger::open(&conductor.ledger, 0);
    let mut worker = conductor.spawn();
    let mut stalled = 0;
    for round in 0..rounds(8) {
        conductor.wait_until_ready(worker);
        conductor.keep_busy(40);
        let life_ms = conductor.chance.u64(50..150);
        conductor.pump(Duration::from_millis(life_ms));
        // Less than the log of the database has already; more than the ledger's.
        let log = conductor.folder().join("runs.db-wal");
        let size = std::fs::metadata(log).map_or(0, |log| log.len());
        conductor.tell(worker, &Ask::LimitFiles(Some(size.max(300 << 10))));
        stalled += u32::from(is_stalled(&mut conductor, &ledger));
        if round % 3 == 2 {
            // Nobody makes room: the worker dies over it.
            conductor.kill(worker);
            worker = conductor.spawn();
        } else {
            conductor.tell(worker, &Ask::LimitFiles(None));
        }
    }
    assert!(stalled > 0, "no disk was ever full");
    println!("the work came to a stand {stalled} times");
    conductor.finish();
    acquit(&Evidence::of(&conductor));
}

/// Whether the steps come to a stand, as they have to when nothing can be written any more.
fn is_stalled(conductor: &mut Conductor, ledger: &Ledger) -> bool {
    let mut before = ledger.count();
    for _ in 0..20 {
        conductor.pump(Duration::from_millis(60));
        let now = ledger.count();
        if now == before {
            return true;
        }
        before = now;
    }
    false
}
