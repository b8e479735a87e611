//! Clocks that are set by an hour, forwards and back, while timers run and workers die.
//! What has to be right then is the order of things and their number; and no timer is early by the run's own clock.

use std::time::Duration;

use crate::chance::{chance, rounds};
use crate::conductor::Conductor;
use crate::evidence::Evidence;
use crate::judge::acquit;
use crate::protocol::Ask;

const HOUR_MS: i64 = 3_600_000;

#[test]
fn clocks_that_jump_by_an_hour_lose_nothing_and_repeat_nothing() {
    jump(Conductor::on_sqlite(chance("clocks_that_jump")), 1);
}

/// The clocks of two workers jump apart; leases go by that of the server.
#[test]
fn clocks_that_jump_by_an_hour_on_postgres_lose_nothing_and_repeat_nothing() {
    jump(Conductor::on_postgres(chance("clocks_that_jump_on_postgres"), postgres_server::url()), 2);
}

fn jump(mut conductor: Conductor, count: usize) {
    conductor.clock_offset_ms = Some(0);
    let mut workers: Vec<u32> = (0..count).map(|_| conductor.spawn()).collect();
    let mut furthest_ms = 0;
    for _ in 0..rounds(25) {
        let place = conductor.chance.usize(..count);
        conductor.wait_until_ready(workers[place]);
        conductor.keep_busy(30);
        let life_ms = conductor.chance.u64(20..100);
        conductor.pump(Duration::from_millis(life_ms));
        let offset_ms = conductor.chance.i64(-1..=1) * HOUR_MS;
        furthest_ms = furthest_ms.max(offset_ms);
        conductor.clock_offset_ms = Some(offset_ms);
        if conductor.chance.bool() {
            conductor.tell(workers[place], &Ask::SetClock(offset_ms));
        } else {
            conductor.kill(workers[place]);
            workers[place] = conductor.spawn();
        }
    }
    // What was noted by the clock that went ahead is over by these, too.
    for worker in workers {
        conductor.wait_until_ready(worker);
        conductor.tell(worker, &Ask::SetClock(furthest_ms));
    }
    conductor.finish();
    acquit(&Evidence::of(&conductor));
}
