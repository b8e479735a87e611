//! What a contestant is asked to do, as plain data that goes from one process to another.
//! Nothing here is done or measured.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What was measured, by name; the last word of a name is its unit.
pub type Values = BTreeMap<String, f64>;

/// One measurement.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Order {
    /// What to do.
    pub scene: Scene,
    /// The file, folder or URL of the store.
    pub store: String,
    /// The process whose work is done for the contestant, with its children: a database, a server.
    pub service: Option<u32>,
    /// How large the rows are that the engine writes: a floor writes rows as large.
    pub sizes: RecordSizes,
    /// Settings of one contestant, by its own names.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
}

/// How large the rows of a journal are, in bytes.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct RecordSizes {
    /// The first one.
    pub first: usize,
    /// Every other one.
    pub other: usize,
}

/// What happens in one process.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Scene {
    /// Many runs, some at a time, each awaited to its end.
    Throughput { runs: u32, steps: u32, in_flight: u32 },
    /// One run after the other.
    Latency { runs: u32, steps: u32 },
    /// One run whose steps all run at once.
    FanOut { steps: u32 },
    /// Runs that only wait; some are started at a time.
    Parked { runs: u32, in_flight: u32, settle_ms: u64, shape: Shape },
    /// All runs at once, until so many steps were done: then the process kills itself.
    RunsUntilKilled { runs: u32, steps: u32, kill_after: u32, ledger: PathBuf },
    /// Goes on with the runs of a process that was killed, until all of them have ended, but for those that had.
    RunsRecovered { runs: u32, steps: u32, ended: Vec<u32>, ledger: PathBuf },
    /// One long run. Its last step never answers: then the process kills itself.
    LongRunUntilKilled { steps: u32 },
    /// Goes on with that run until it has ended.
    LongRunRecovered { steps: u32 },
}

impl Scene {
    /// Whether the contestant opens a store that a killed process has left, and goes on with its runs by itself.
    pub fn is_recovery(&self) -> bool {
        matches!(self, Scene::RunsRecovered { .. } | Scene::LongRunRecovered { .. })
    }
}

/// One run: the input of its workflow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Its number; [`Job::id`] is made of it.
    pub run: u32,
    /// How many steps it has.
    pub steps: u32,
    /// How they stand to each other.
    pub shape: Shape,
}

/// What a workflow does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Shape {
    /// One step after the other; then [`ended`](crate::ended) is called.
    Row,
    /// All steps at once.
    Beside,
    /// Sleeps for an hour, and has no steps.
    Parked,
    /// Waits for a message that nobody sends, and has no steps.
    Waiting,
}

impl Job {
    /// Runs from this number on only warm the process up.
    pub(crate) const WARM_UP: u32 = 1 << 30;

    /// A run of so many steps.
    pub fn new(run: u32, steps: u32, shape: Shape) -> Job {
        Job { run, steps, shape }
    }

    pub(crate) fn warm_up(run: u32, steps: u32, shape: Shape) -> Job {
        Job::new(Job::WARM_UP + run, steps, shape)
    }

    /// The id of the run.
    pub fn id(&self) -> String {
        format!("run-{:010}", self.run)
    }
}
