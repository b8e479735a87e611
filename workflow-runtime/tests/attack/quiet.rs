//! The load without an attack, which is also the program that the attacked processes run.
//! It must not attack anything.

use crate::chance::chance;
use crate::conductor::Conductor;
use crate::evidence::Evidence;
use crate::judge::acquit;
use crate::worker;

/// What a load that nobody attacks leaves; the same for every caller but for chance.
pub(crate) fn evidence(chance: fastrand::Rng, runs: usize) -> Evidence {
    let mut conductor = Conductor::on_sqlite(chance);
    conductor.spawn();
    conductor.keep_busy(runs);
    conductor.finish();
    Evidence::of(&conductor)
}

#[test]
fn a_load_that_nobody_attacks_is_in_order() {
    if worker::was_asked() {
        return;
    }
    let evidence = evidence(chance("quiet"), 60);
    assert!(evidence.runs.len() >= 60 && evidence.calls.len() > 100, "{} runs", evidence.runs.len());
    acquit(&evidence);
}
