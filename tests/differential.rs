//! The kit beside the engine: programs are invented over the whole language, explored by the kit, and then the engine
//! on SQLite has to do the same, write for write. And no oracle may fire where nothing is wrong.
//! How programs are invented is the affair of `saga_order`; what is done with one, of `programs/`.
//!
//! To compile a program takes longer than to explore it. So some are compiled, as users would have them, and played by
//! the engine; and each of them is also interpreted, over the graph that the macros draw, and has to do the same again.
//! Many more are interpreted only.

#[allow(dead_code, reason = "what only the comparison with the compiler needs")]
mod saga_order {
    pub(crate) mod compiler;
    pub(crate) mod crates;
    pub(crate) mod flow;
    pub(crate) mod judge;
    pub(crate) mod machine;
    pub(crate) mod make;
    pub(crate) mod parallel;
    pub(crate) mod render;
    pub(crate) mod sound;
    pub(crate) mod statements;
}

use std::process::Command;

use saga_order::crates::Harness;
use saga_order::sound::{programs, seeds};
use serde_json::Value;

/// Another seed makes other programs: `WORKFLOW_SEED=7 cargo test --test differential`.
const SEED: &str = "WORKFLOW_SEED";

/// How many programs are compiled, and played by the engine; `DIFFERENTIAL_COMPILED` asks for another number.
const COMPILED: u64 = 200;

/// How many programs are explored besides, without the compiler; `DIFFERENTIAL_PROGRAMS` asks for another number.
const INTERPRETED: u64 = 2_000;

/// How many executions of each program are looked at, in order and in other orders: `DIFFERENTIAL_EXECUTIONS`.
const EXECUTIONS: u64 = 10;

/// How many executions of each compiled program the engine plays: `DIFFERENTIAL_PLAYED`.
const PLAYED: u64 = 3;

fn number(name: &str, otherwise: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is a number, not `{text}`")),
        Err(_) => otherwise,
    }
}

#[test]
fn the_engine_does_what_the_kit_did() {
    let seed = number(SEED, 1);
    let compiled = usize::try_from(number("DIFFERENTIAL_COMPILED", COMPILED)).expect("a small number");
    let interpreted = number("DIFFERENTIAL_PROGRAMS", INTERPRETED);
    let harness = Harness {
        name: "programs",
        root: "harness",
        modules: &["order", "play", "watched"],
        libraries: env!("CARGO_MANIFEST_DIR").into(),
    };
    let invented: Vec<_> = programs(seeds(seed)).take(compiled).collect();
    let (made, left_out) = harness.build(&invented);
    let executions = number("DIFFERENTIAL_EXECUTIONS", EXECUTIONS);
    let arguments = [seed, interpreted, executions, number("DIFFERENTIAL_PLAYED", PLAYED)];
    let output = Command::new(made.program.expect("it was built"))
        // They are thousands, and no picture for other engines to follow.
        .env_remove("WORKFLOW_SCENARIOS")
        .args(arguments.map(|number| number.to_string()))
        .output()
        .expect("the program can be called");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    let (wrong, last) = text.trim_end().rsplit_once('\n').unwrap_or(("", text.trim_end()));
    println!("seed {seed}, {left_out} programs refused by the compiler without need: {last}");
    assert!(output.status.success(), "{SEED}={seed}: {wrong}\n{errors}");
    let sum: Value = serde_json::from_str(last).expect("the last line is JSON");
    let of = |name: &str| sum[name].as_u64().expect("a number");
    let built = (compiled - left_out) as u64;
    assert!(left_out * 10 <= compiled, "too many programs are refused without need");
    assert_eq!((of("compiled"), of("alike")), (built, built), "{sum}");
    assert!(of("refused") * 50 <= of("interpreted"), "{sum}");
    assert!(of("interpreted") + of("refused") + 1 >= interpreted, "{sum}");
    assert!(of("programs_played") * 100 >= built * 90, "{sum}");
    assert!(of("restarted") * 4 >= of("played"), "{sum}");
    for event in [
        "Started",
        "StepCompleted",
        "AttemptFailed",
        "TimerFired",
        "MessageReceived",
        "CancelRequested",
        "ChildEnded",
        "RetryRequested",
    ] {
        assert!(sum["events"][event].as_u64() > Some(0), "the engine never saw {event}: {sum}");
    }
}
