//! What is wrong with a run, in words for people.
//! It knows nothing of how it was found.

use std::fmt;

use workflow_core::CoreError;

/// Who found it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Oracle {
    /// The journal, fed to the code again, does not give the same commands and the same result.
    Replay,
    /// The same on another thread: the code is run there with all that came from outside.
    OtherThread,
    /// Names that cannot stand side by side, or that nobody knows.
    Setup,
    /// Something was not undone, undone twice, in the wrong order, or without need.
    Saga,
    /// The run failed after the point of no return.
    Pivot,
    /// The run ended and something of it is still open.
    Leak,
    /// The run has not ended and nothing is left to happen.
    Deadlock,
    /// A value is not the same after serde wrote it and read it back.
    RoundTrip,
    /// A compensation that was repeated after a crash has changed the world once more.
    Repeat,
    /// The run did what the diagram does not show.
    Graph,
    /// The code cannot go on: it panicked, or awaited something that is not durable.
    Core,
    /// The test says too little: a step without a mock, a mock without an answer.
    Mock,
    /// A golden history does not go through, or one is missing.
    History,
    /// Something that the test says holds at every end does not.
    Always,
    /// Something that the test says happens at times never does.
    Sometimes,
}

impl Oracle {
    fn name(self) -> &'static str {
        match self {
            Oracle::Replay => "replay",
            Oracle::OtherThread => "other thread",
            Oracle::Setup => "set-up",
            Oracle::Saga => "saga",
            Oracle::Pivot => "pivot",
            Oracle::Leak => "leak",
            Oracle::Deadlock => "deadlock",
            Oracle::RoundTrip => "round trip",
            Oracle::Repeat => "repeat",
            Oracle::Graph => "graph",
            Oracle::Core => "code",
            Oracle::Mock => "mock",
            Oracle::History => "histories",
            Oracle::Always => "always",
            Oracle::Sometimes => "sometimes",
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Who found it.
    pub oracle: Oracle,
    /// What it is; names the node or step concerned.
    pub text: String,
}

impl Violation {
    pub(crate) fn new(oracle: Oracle, text: impl Into<String>) -> Violation {
        Violation { oracle, text: text.into() }
    }

    pub(crate) fn core(error: &CoreError) -> Violation {
        Violation::new(Oracle::Core, error.to_string())
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.oracle.name(), self.text)
    }
}
