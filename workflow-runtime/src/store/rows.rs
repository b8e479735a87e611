//! What goes into a store and what comes out of it, as plain data.
//! It knows no database and decides nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use workflow_core::{Conclusion, OpId, Parent, Payload, Record, Timestamp};

use super::{Misfit, Outgoing, Request, StoreError};

/// The right to write to one run. A write whose epoch is not the run's is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The run.
    pub run_id: Arc<str>,
    /// Which holder of the run this is, counted from 1.
    pub epoch: i64,
    /// The holder.
    pub worker: Arc<str>,
}

/// A run that a worker has taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedRun {
    /// The right to go on with it.
    pub lease: Lease,
    /// Its workflow.
    pub workflow: String,
    /// The version of its code.
    pub version: u32,
    /// How many holders in a row were given up without its journal having grown in between.
    pub strikes: u32,
}

/// A run that begins with the turn that carries this, or begins anew under its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRun {
    /// Its workflow.
    pub workflow: String,
    /// The version of its code.
    pub version: u32,
    /// How often it has begun. From the second time on, this turn takes the place of the whole journal.
    pub generation: u32,
    /// The operation that started it, if it is a child.
    pub parent: Option<Parent>,
    /// Set when nobody is to hold it from the start, with the time when somebody has to look at it. It must not wait
    /// for anything else.
    pub parks_until: Option<Timestamp>,
}

/// Rows to append to the journal of one run, with all that they change beside it.
#[derive(Clone, Debug)]
pub struct Turn {
    /// The right to write.
    pub lease: Lease,
    /// Set when the run begins with this turn.
    pub begins: Option<NewRun>,
    /// When it was taken.
    pub at_ms: Timestamp,
    /// The number of the first record, counted from 1; without records it means nothing.
    pub first_seq: i64,
    /// The rows; may be none.
    pub records: Vec<Record>,
    /// What changes beside the journal.
    pub changes: Changes,
}

/// What a turn changes beside the journal. Removals come first, so that what is set again stays.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// Timers that are over.
    pub clear_timers: BTreeSet<OpId>,
    /// Timers to wake the run at: sleeps, deadlines and delayed attempts.
    pub set_timers: BTreeMap<OpId, Timestamp>,
    /// Waits for messages that are over.
    pub end_waits: BTreeSet<OpId>,
    /// Waits for messages that begin.
    pub begin_waits: BTreeMap<OpId, MessageWait>,
    /// Messages that reach the run in this turn, by their ids, with the operation that gets them.
    pub take_messages: BTreeMap<String, OpId>,
    /// Messages that the run was offered but cannot read, by their ids. One that was sent is parked, unless somebody
    /// took it meanwhile; an event is kept from this run. The operations are offered the next ones.
    pub misfits: BTreeMap<String, Misfit>,
    /// Incidents that are settled.
    pub close_incidents: BTreeSet<IncidentPlace>,
    /// Incidents, with their causes.
    pub open_incidents: BTreeMap<IncidentPlace, String>,
    /// The cancel that somebody asked for has reached the run.
    pub takes_cancel: bool,
    /// Messages that leave, in this order.
    pub sends: Vec<Outgoing>,
    /// What people outside may read about how far the run is.
    pub progress: Option<Payload>,
    /// Runs that have to hear of this turn; those that the same worker holds hear of it in memory.
    pub wakes: BTreeSet<Arc<str>>,
    /// Answers to requests, by their ids.
    pub answers: BTreeMap<String, Payload>,
    /// The run has ended. All its timers, waits and incidents go.
    pub conclusion: Option<Conclusion>,
}

/// Where in a run an incident is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum IncidentPlace {
    /// The run as a whole.
    Run,
    /// The journal: the code cannot go on with it, or takes the process down whenever it does.
    Journal,
    /// One operation.
    Operation(OpId),
}

/// What became of a turn.
#[derive(Clone, Debug, PartialEq)]
pub enum TurnOutcome {
    /// It is written. For the waits that it began, the messages that are there already.
    Written(Vec<Offer>),
    /// There is a run of that id already; nothing was written.
    Exists,
    /// Somebody else holds the run now, it has ended, or it has begun anew since; nothing was written.
    LostLease,
    /// Another run took the message; nothing was written.
    MessageTaken,
}

/// A message that a waiting operation can have, if it takes it before another run does.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    /// The waiting run.
    pub run_id: Arc<str>,
    /// The waiting operation.
    pub op: OpId,
    /// The id of the message.
    pub message_id: String,
    /// The message.
    pub payload: Payload,
}

/// What is needed to go on with a run.
#[derive(Debug)]
pub struct LoadedRun {
    /// The run.
    pub run_id: Arc<str>,
    /// The journal, or why it cannot be read.
    pub journal: Result<Vec<Record>, StoreError>,
    /// Messages that its waits can have, oldest first for each.
    pub offers: Vec<Offer>,
    /// That somebody asked for a cancel that has not reached the run, and why.
    pub cancel_reason: Option<String>,
    /// Whether it could not go on with its journal before.
    pub has_journal_incident: bool,
    /// What people ask of it, oldest first.
    pub requests: Vec<Request>,
    /// The messages that it waits for, as far as that can be read: the journal knows better.
    pub waits: BTreeMap<OpId, MessageWait>,
}

/// What there is to know about a run that may be a child.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownRun {
    /// The run.
    pub run_id: Arc<str>,
    /// The operation that started it, if it is a child.
    pub parent: Option<Parent>,
    /// What it is at.
    pub state: RunState,
}

/// What a run is at.
#[derive(Clone, Debug, PartialEq)]
pub enum RunState {
    /// It has not ended.
    Running,
    /// It has ended, in this way.
    Ended(Conclusion),
}

/// One line of a listing.
#[derive(Clone, Debug, PartialEq)]
pub struct RunSummary {
    /// The run.
    pub run_id: Arc<str>,
    /// Its workflow.
    pub workflow: String,
    /// The version of its code.
    pub version: u32,
    /// What it is at.
    pub state: RunState,
    /// When it was started.
    pub started_ms: Timestamp,
    /// When it ended.
    pub ended_ms: Option<Timestamp>,
    /// How many incidents are open.
    pub incidents: u32,
    /// Why what is kept of the run cannot be read, if so: somebody has changed the database by hand, or its disk is
    /// broken. Then only the id is to be trusted.
    pub unreadable: Option<String>,
}

impl RunSummary {
    /// A line for a run of which nothing can be read but its id.
    pub(crate) fn unreadable(run_id: Arc<str>, cause: String) -> RunSummary {
        tracing::error!(%run_id, cause, "what is kept of a run cannot be read");
        RunSummary {
            run_id,
            workflow: String::new(),
            version: 0,
            state: RunState::Running,
            started_ms: 0,
            ended_ms: None,
            incidents: 0,
            unreadable: Some(cause),
        }
    }
}

/// All that is known about a run, but for its journal.
#[derive(Clone, Debug, PartialEq)]
pub struct RunStatus {
    /// The run.
    pub run_id: Arc<str>,
    /// Its workflow.
    pub workflow: String,
    /// The version of its code.
    pub version: u32,
    /// How often it has begun: more than once when it continued as new.
    pub generation: u32,
    /// The operation that started it, if it is a child.
    pub parent: Option<Parent>,
    /// What it is at.
    pub state: RunState,
    /// When it was started.
    pub started_ms: Timestamp,
    /// When it ended.
    pub ended_ms: Option<Timestamp>,
    /// What it last told about how far it is.
    pub progress: Option<Payload>,
    /// That somebody asked for a cancel that has not reached the run, and why.
    pub cancel_reason: Option<String>,
    /// What a person has to look at.
    pub incidents: Vec<Incident>,
    /// How many holders in a row were given up since the run last got on: one that has many may take its workers down
    /// ([`EngineBuilder::strikes`](crate::EngineBuilder::strikes)).
    pub strikes: u32,
    /// The messages it waits for, by operation.
    pub waits: BTreeMap<OpId, MessageWait>,
    /// When it wakes by itself, by operation: sleeps, deadlines and delayed attempts.
    pub timers: BTreeMap<OpId, Timestamp>,
}

impl RunStatus {
    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        self.state != RunState::Running
    }
}

/// Something that a person has to look at.
#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    /// Where.
    pub place: IncidentPlace,
    /// What is wrong.
    pub cause: String,
    /// Since when.
    pub since_ms: Timestamp,
}

/// A wait for a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageWait {
    /// The name of the message.
    pub message: String,
    /// The correlation key.
    pub key: String,
    /// Since when.
    pub since_ms: Timestamp,
}

/// How far a schedule has been kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptSchedule {
    /// The workflow that it starts.
    pub workflow: String,
    /// The cron expression by which it was kept; empty once the workflow has no schedule any more.
    pub cron: String,
    /// The time zone by which it was kept.
    pub timezone: String,
    /// All its ticks up to this time are dealt with.
    pub kept_until_ms: Timestamp,
    /// The last tick for which a run was started.
    pub last_tick_ms: Option<Timestamp>,
}

/// Which runs a listing shows. The default is the first hundred of all runs.
///
/// ```
/// use workflow_runtime::RunFilter;
/// let stuck = RunFilter { only_incidents: true, ..RunFilter::default() };
/// assert_eq!(stuck.limit, 100);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFilter {
    /// Only runs of this workflow.
    pub workflow: Option<String>,
    /// Only runs that have not ended.
    pub only_unfinished: bool,
    /// Only runs with an open incident.
    pub only_incidents: bool,
    /// Only runs that this one started as children.
    pub parent: Option<String>,
    /// Only runs whose id comes after this one: the last id of the page before.
    pub after: Option<String>,
    /// At most this many.
    pub limit: u32,
}

impl Default for RunFilter {
    fn default() -> RunFilter {
        RunFilter {
            workflow: None,
            only_unfinished: false,
            only_incidents: false,
            parent: None,
            after: None,
            limit: 100,
        }
    }
}
