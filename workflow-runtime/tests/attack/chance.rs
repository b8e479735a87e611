//! Chance that a seed repeats, and how much of an attack there is to be.
//! It must not know what is attacked.

use std::env;

/// The chance of one attack. The line that repeats it is printed, so that a test that fails shows it.
pub(crate) fn chance(test: &str) -> fastrand::Rng {
    let seed = env::var("WORKFLOW_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..1 << 32));
    println!("again: WORKFLOW_SEED={seed} cargo test -p workflow-runtime --test attack {test}");
    fastrand::Rng::with_seed(seed)
}

/// `usual` in every run of the tests, ten times as much under `WORKFLOW_ATTACK=long`.
pub(crate) fn rounds(usual: u32) -> u32 {
    if env::var("WORKFLOW_ATTACK").is_ok_and(|how| how == "long") { 10 * usual } else { usual }
}
