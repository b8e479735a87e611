//! The kit beside the engine: programs are invented over the whole language, explored by the kit, and then the engine on
//! SQLite has to do the same, write for write. And no oracle may fire where nothing is wrong.
//! How programs are invented is the affair of `saga_order`; what is done with one, of `programs/`.

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
    pub(crate) mod statements;
}

use std::process::Command;

use saga_order::crates::{Harness, programs};
use serde_json::Value;

/// Another seed makes other programs: `WORKFLOW_SEED=7 cargo test --test differential`.
const SEED: &str = "WORKFLOW_SEED";

/// How many programs the kit explores; `DIFFERENTIAL_PROGRAMS=2000` asks for more.
const EXPLORED: usize = 400;

/// How many of them the engine plays, too.
const PLAYED: u64 = 200;

fn number(name: &str, otherwise: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is a number, not `{text}`")),
        Err(_) => otherwise,
    }
}

#[test]
fn the_engine_does_what_the_kit_did() {
    let seed = number(SEED, 1);
    let count = usize::try_from(number("DIFFERENTIAL_PROGRAMS", EXPLORED as u64)).expect("a small number");
    let harness = Harness {
        name: "programs",
        root: "harness.rs",
        modules: &["explore.rs", "order.rs", "play.rs", "steps.rs"],
        libraries: env!("CARGO_MANIFEST_DIR").into(),
    };
    let (made, left_out) = harness.build(programs(seed, count, |_, _| true));
    let program = made.program.expect("it was built");
    let executions = number("DIFFERENTIAL_EXECUTIONS", 15);
    let (played, each) = (number("DIFFERENTIAL_PLAYED", PLAYED), number("DIFFERENTIAL_EACH", 3));
    let output = Command::new(program)
        .args([executions, played, each].map(|number| number.to_string()))
        .output()
        .expect("the program can be called");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    let (wrong, last) = text.trim_end().rsplit_once('\n').unwrap_or(("", text.trim_end()));
    println!("seed {seed}, {left_out} programs refused without need: {last}");
    assert!(output.status.success(), "{SEED}={seed}: {wrong}\n{errors}");
    let sum: Value = serde_json::from_str(last).expect("the last line is JSON");
    let of = |name: &str| sum[name].as_u64().expect("a number");
    assert!(left_out * 10 <= count, "too many programs are refused without need");
    assert!(of("endless") * 50 <= of("programs"), "{sum}");
    assert_eq!(of("programs") as usize, count - left_out, "{sum}");
    assert!(of("programs_played") * 100 >= played * 90, "{sum}");
    assert!(of("restarted") * 4 >= of("played"), "{sum}");
    for event in [
        "Started",
        "StepCompleted",
        "AttemptFailed",
        "TimerFired",
        "MessageReceived",
        "CancelRequested",
        "ChildEnded",
        "GivenUp",
        "RetryRequested",
    ] {
        assert!(sum["events"][event].as_u64() > Some(0), "the engine never saw {event}: {sum}");
    }
}
