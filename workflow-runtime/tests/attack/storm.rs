//! Everything at once: workers that are killed, a Postgres that crashes and comes back, and networks that fail, each
//! while the others are still under way. What that may not change is the judge's affair.

use std::time::Duration;

use postgres_server::Server;

use crate::chance::{chance, rounds};
use crate::conductor::Conductor;
use crate::evidence::Evidence;
use crate::judge::acquit;
use crate::proxy::{Network, Proxy};

#[test]
fn kills_restarts_and_cuts_that_meet_lose_nothing_and_repeat_nothing() {
    let server = Server::start().unwrap();
    let mut conductor = Conductor::on_postgres(chance("kills_restarts_and_cuts"), server.url());
    let proxies = [(); 3].map(|()| Proxy::before(server.port()));
    let spawn = |conductor: &mut Conductor, seat: usize| {
        conductor.spawn_on(conductor.database.through(proxies[seat].port()))
    };
    let mut workers = [0, 1, 2].map(|seat| spawn(&mut conductor, seat));
    for worker in workers {
        conductor.wait_until_ready(worker);
    }
    for round in 0..rounds(14) {
        conductor.keep_busy(40);
        let busy_ms = conductor.chance.u64(20..120);
        conductor.pump(Duration::from_millis(busy_ms));
        // A network fails, for one worker or two.
        let network = match conductor.chance.u32(..5) {
            0 => Network::Slow(Duration::from_millis(conductor.chance.u64(1..30))),
            1 => Network::Silent,
            2 => Network::Forgotten,
            3 => Network::Unanswered,
            _ => Network::Cut,
        };
        let (hit, first) = (conductor.chance.usize(1..=2), conductor.chance.usize(..proxies.len()));
        let hit: Vec<&Proxy> = proxies.iter().cycle().skip(first).take(hit).collect();
        hit.iter().for_each(|proxy| proxy.set(network));
        let failing_ms = conductor.chance.u64(10..500);
        conductor.pump(Duration::from_millis(failing_ms));
        // A worker dies meanwhile, whether its network is sound or not.
        if conductor.chance.u32(..3) > 0 {
            let victim = conductor.chance.usize(..workers.len());
            conductor.kill(workers[victim]);
            workers[victim] = spawn(&mut conductor, victim);
        }
        // And every third time the server goes as well, while the network still fails.
        if round % 3 == 2 {
            let (away_ms, is_in_order) = (conductor.chance.u64(..800), conductor.chance.bool());
            std::thread::scope(|scope| {
                let restart = scope.spawn(|| {
                    if is_in_order { server.stop() } else { server.crash() }.unwrap();
                    std::thread::sleep(Duration::from_millis(away_ms));
                    server.start_again().unwrap();
                });
                while !restart.is_finished() {
                    conductor.pump(Duration::from_millis(20));
                }
                restart.join().unwrap();
            });
        }
        hit.iter().for_each(|proxy| proxy.set(Network::Sound));
    }
    conductor.finish();
    let evidence = Evidence::of(&conductor);
    println!("{} runs, {} calls of steps", evidence.runs.len(), evidence.calls.len());
    acquit(&evidence);
}
