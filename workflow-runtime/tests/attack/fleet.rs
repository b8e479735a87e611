//! Several workers on one Postgres database: killed, stopped for longer than their lease, and left without a server.
//! What that may not change is the judge's affair.

use std::time::Duration;

use postgres_server::Server;

use crate::chance::{chance, rounds};
use crate::conductor::Conductor;
use crate::evidence::Evidence;
use crate::judge::acquit;
use crate::protocol::LEASE;

#[test]
fn two_hundred_kills_of_three_workers_on_postgres_lose_nothing_and_repeat_nothing() {
    let chance = chance("two_hundred_kills_of_three_workers");
    let mut conductor = Conductor::on_postgres(chance, postgres_server::url());
    let mut workers = [conductor.spawn(), conductor.spawn(), conductor.spawn()];
    for _ in 0..rounds(200) {
        let victim = conductor.chance.usize(..workers.len());
        conductor.keep_busy(40);
        // Now and then before it takes part at all.
        if conductor.chance.u32(..10) > 0 {
            conductor.wait_until_ready(workers[victim]);
        }
        let life_ms = conductor.chance.u64(..150);
        conductor.pump(Duration::from_millis(life_ms));
        conductor.kill(workers[victim]);
        workers[victim] = conductor.spawn();
    }
    conductor.finish();
    let evidence = Evidence::of(&conductor);
    println!("{} runs, {} calls of steps", evidence.runs.len(), evidence.calls.len());
    acquit(&evidence);
}

#[test]
fn a_worker_that_was_stopped_for_twice_its_lease_changes_nothing_when_it_goes_on() {
    let mut conductor = Conductor::on_postgres(chance("a_worker_that_was_stopped"), postgres_server::url());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let workers = [conductor.spawn(), conductor.spawn()];
    let mut pauses = Vec::new();
    for round in 0..rounds(4) as usize {
        for worker in workers {
            conductor.wait_until_ready(worker);
        }
        conductor.keep_busy(40);
        let busy_ms = conductor.chance.u64(30..150);
        conductor.pump(Duration::from_millis(busy_ms));
        let pause = conductor.stop(workers[round % 2]);
        conductor.pump(2 * LEASE);
        assert!(runtime.block_on(conductor.database.living_workers()) <= 1, "nobody was given up");
        pauses.push(conductor.go_on(pause));
        // Long enough for it to be part of the fleet again.
        conductor.pump(LEASE / 2);
    }
    conductor.finish();
    let evidence = Evidence { pauses, ..Evidence::of(&conductor) };
    println!("{} runs, {} calls of steps", evidence.runs.len(), evidence.calls.len());
    acquit(&evidence);
}

#[test]
fn a_postgres_that_crashes_and_comes_back_loses_nothing_and_repeats_nothing() {
    let server = Server::start().unwrap();
    let mut conductor = Conductor::on_postgres(chance("a_postgres_that_crashes"), server.url());
    let mut workers = [conductor.spawn(), conductor.spawn(), conductor.spawn()];
    for round in 0..rounds(6) {
        for worker in workers {
            conductor.wait_until_ready(worker);
        }
        conductor.keep_busy(40);
        let busy_ms = conductor.chance.u64(30..200);
        conductor.pump(Duration::from_millis(busy_ms));
        // Sometimes for longer than the leases last.
        let away = Duration::from_millis(conductor.chance.u64(..1_800));
        let is_in_order = conductor.chance.bool();
        std::thread::scope(|scope| {
            let restart = scope.spawn(|| {
                if is_in_order { server.stop() } else { server.crash() }.unwrap();
                std::thread::sleep(away);
                server.start_again().unwrap();
            });
            while !restart.is_finished() {
                conductor.pump(Duration::from_millis(20));
            }
            restart.join().unwrap();
        });
        if round % 2 == 1 {
            let victim = conductor.chance.usize(..workers.len());
            conductor.kill(workers[victim]);
            workers[victim] = conductor.spawn();
        }
    }
    conductor.finish();
    let evidence = Evidence::of(&conductor);
    println!("{} runs, {} calls of steps", evidence.runs.len(), evidence.calls.len());
    acquit(&evidence);
}
