//! Workers that die by SIGKILL, over and over, under load.
//! What that may not change is the judge's affair.

use std::time::Duration;

use rustix::process::Signal;

use crate::chance::{chance, rounds};
use crate::conductor::Conductor;
use crate::evidence::Evidence;
use crate::judge::acquit;

#[test]
fn two_hundred_kills_on_sqlite_lose_nothing_and_repeat_nothing() {
    let mut conductor = Conductor::on_sqlite(chance("two_hundred_kills_on_sqlite"));
    let mut kills_at_work = 0;
    for _ in 0..rounds(200) {
        let worker = conductor.spawn();
        conductor.keep_busy(40);
        // Now and then before it takes part at all.
        if conductor.chance.u32(..10) > 0 {
            conductor.wait_until_ready(worker);
            kills_at_work += 1;
        }
        // Most die young, and some get on with their work.
        let longest_ms = if conductor.chance.u32(..5) == 0 { 250 } else { 50 };
        let life_ms = conductor.chance.u64(..longest_ms);
        conductor.pump(Duration::from_millis(life_ms));
        conductor.kill(worker);
    }
    assert!(kills_at_work > rounds(200) / 2, "only {kills_at_work} workers were killed at work");
    conductor.spawn();
    conductor.finish();
    let evidence = Evidence::of(&conductor);
    println!("{} runs, {} calls of steps", evidence.runs.len(), evidence.calls.len());
    acquit(&evidence);
}

#[test]
fn a_worker_that_is_stopped_for_a_while_goes_on_as_if_nothing_had_been() {
    let mut conductor = Conductor::on_sqlite(chance("a_worker_that_is_stopped_for_a_while"));
    let worker = conductor.spawn();
    conductor.wait_until_ready(worker);
    for _ in 0..rounds(5) {
        conductor.keep_busy(20);
        conductor.pump(Duration::from_millis(60));
        conductor.signal(worker, Signal::STOP);
        conductor.pump(Duration::from_millis(150));
        conductor.signal(worker, Signal::CONT);
    }
    conductor.finish();
    acquit(&Evidence::of(&conductor));
}
