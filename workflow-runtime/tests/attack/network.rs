//! Workers whose network to Postgres is slow, swallows what they send, or is cut, each for itself.
//! What that may not change is the judge's affair.

use std::time::Duration;

use postgres_server::Server;

use crate::chance::{chance, rounds};
use crate::conductor::Conductor;
use crate::evidence::Evidence;
use crate::judge::acquit;
use crate::proxy::{Network, Proxy};

#[test]
fn a_network_that_fails_in_every_way_loses_nothing_and_repeats_nothing() {
    let server = Server::start().unwrap();
    let mut conductor = Conductor::on_postgres(chance("a_network_that_fails"), server.url());
    let proxies = [(); 3].map(|()| Proxy::before(server.port()));
    let workers: Vec<u32> =
        proxies.iter().map(|proxy| conductor.spawn_on(conductor.database.through(proxy.port()))).collect();
    for worker in workers {
        conductor.wait_until_ready(worker);
    }
    for _ in 0..rounds(12) {
        conductor.keep_busy(40);
        let busy_ms = conductor.chance.u64(30..150);
        conductor.pump(Duration::from_millis(busy_ms));
        let network = match conductor.chance.u32(..6) {
            0 => Network::Slow(Duration::from_millis(conductor.chance.u64(1..50))),
            1 => Network::Silent,
            2 => Network::Forgotten,
            3 => Network::Unanswered,
            _ => Network::Cut,
        };
        // One worker, or two, or all of them; sometimes for longer than their leases last.
        let hit = conductor.chance.usize(1..=proxies.len());
        let first = conductor.chance.usize(..proxies.len());
        let hit: Vec<&Proxy> = proxies.iter().cycle().skip(first).take(hit).collect();
        hit.iter().for_each(|proxy| proxy.set(network));
        let failing_ms = conductor.chance.u64(10..1_500);
        conductor.pump(Duration::from_millis(failing_ms));
        hit.iter().for_each(|proxy| proxy.set(Network::Sound));
    }
    conductor.finish();
    let evidence = Evidence::of(&conductor);
    println!("{} runs, {} calls of steps", evidence.runs.len(), evidence.calls.len());
    acquit(&evidence);
}
