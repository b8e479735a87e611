//! What a conductor and its workers say to each other: lines of JSON, down the standard input and up the output.
//! Plain data; who acts on it is elsewhere.

use std::path::PathBuf;
use std::time::Duration;

use workflow_runtime::prelude::*;

use crate::database::Database;
use crate::load::Plan;

/// The environment variable that makes a worker of the test program.
pub(crate) const VARIABLE: &str = "WORKFLOW_ATTACK_WORKER";

/// Begins the lines that are replies; others are the test harness's.
pub(crate) const MARK: &str = "attack: ";

/// For how long a worker may be silent before others take its runs: as short as a busy machine allows.
pub(crate) const LEASE: Duration = Duration::from_secs(1);

/// What a worker is told when it is started.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Setup {
    pub(crate) database: Database,
    pub(crate) ledger: PathBuf,
    pub(crate) number: u32,
    /// Goes by a clock that can be set, so far from the system's; by the system's without it.
    pub(crate) clock_offset_ms: Option<i64>,
}

/// What is asked of a worker. Everything may be asked again, of the same worker or of another one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Ask {
    Start(Plan),
    Deliver {
        message_id: String,
        name: String,
        part: u32,
    },
    Cancel(String),
    /// To say when no run is unfinished and no message has to leave.
    Settle,
    /// To set the clock so far from the system's.
    SetClock(i64),
    /// To let no file grow beyond so many bytes, as a full disk does; `None` for no limit.
    LimitFiles(Option<u64>),
}

/// What a worker says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Reply {
    /// It takes part.
    Ready,
    /// `start` has returned: the run is on the disk.
    Started(String),
    Ended(String, Outcome),
    Delivered(String),
    Cancelled(String),
    Settled,
    /// What was asked came to nothing; it is to be asked again.
    Failed(Ask, String),
}

/// How a run ended, as those see it who wait for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Outcome {
    Good(u32),
    Declined,
    Cancelled,
}
