//! Starting a run from outside: checked, recorded, and idempotent by its id.
//! It hands over to a driver; it drives nothing.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;

use uuid::Uuid;
use workflow_core::{Definition, Event, Payload, Workflow, WorkflowCall};

use super::driver::{self, Begun};
use super::live_run::Origin;
use super::parts::{Backoff, Parts};
use crate::error::{Error, ErrorKind};
use crate::handle::RunHandle;
use crate::limits::{check_id, check_size};
use crate::store::Lease;

/// A run to be started: await it.
#[must_use = "nothing is started until this is awaited"]
pub struct Start<W: Workflow> {
    parts: Arc<Parts>,
    args: W::Args,
    id: Option<String>,
}

impl<W: Workflow> Start<W> {
    pub(super) fn new(parts: Arc<Parts>, call: WorkflowCall<W>) -> Start<W> {
        let (args, id) = call.into_parts();
        Start { parts, args, id }
    }

    /// Gives the run an id: 1 to 255 bytes without control characters. A second start with the same id, the
    /// same workflow and the same arguments starts nothing and gives a handle to the first; other arguments
    /// are an error. (Arguments are compared as JSON, and only when the first run has the same version.)
    ///
    /// Without this the run gets a random id.
    pub fn id(mut self, id: impl Into<String>) -> Start<W> {
        self.id = Some(id.into());
        self
    }

    async fn start(self) -> Result<RunHandle<W::Output>, Error> {
        let Start { parts, args, id } = self;
        parts.refuse_when_leaving()?;
        let Some(definition) = parts.registry.find(W::NAME, W::VERSION) else {
            let at = Some(&W::graph().source);
            let text = parts.registry.explain_unknown(W::NAME, W::VERSION, at);
            return Err(ErrorKind::UnknownWorkflow(text).into());
        };
        // Random, but growing with time: rows of runs that live together lie together.
        let run_id = id.unwrap_or_else(|| Uuid::now_v7().to_string());
        check_id("the id of a run", &run_id)?;
        let run_id: Arc<str> = run_id.into();
        let input = Payload::of(&args)
            .map_err(|error| ErrorKind::Unstorable { what: "the input".to_owned(), error })?;
        check_size("the input", &input, parts.payload_limit)?;

        let origin = Origin::from_outside(input.clone());
        match begin(&parts, definition, &run_id, origin).await? {
            Begun::Live(ending) => Ok(RunHandle::live(parts, run_id, ending)),
            Begun::Exists => existing::<W>(parts, run_id, &input).await,
            _ => Ok(RunHandle::of(parts, run_id)),
        }
    }
}

impl<W: Workflow> IntoFuture for Start<W> {
    type Output = Result<RunHandle<W::Output>, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.start())
    }
}

/// Begins a run under the name that this engine has, whatever name that is by the time it is written.
pub(super) async fn begin(
    parts: &Arc<Parts>,
    definition: Definition,
    run_id: &Arc<str>,
    origin: Origin,
) -> Result<Begun, Error> {
    let mut backoff = Backoff::new();
    loop {
        let lease = parts.first_lease(Arc::clone(run_id));
        match begin_as(parts, definition, lease, origin.clone()).await? {
            Begun::LostLease => {
                parts.membership.can_join_anew()?;
                if !backoff.wait(parts).await {
                    return Err(ErrorKind::Stopped.into());
                }
            }
            begun => return Ok(begun),
        }
    }
}

/// Begins a run under this lease and no other.
pub(super) async fn begin_as(
    parts: &Arc<Parts>,
    definition: Definition,
    lease: Lease,
    origin: Origin,
) -> Result<Begun, Error> {
    let begun = driver::begin(parts, definition, lease, origin).await?;
    if matches!(begun, Begun::LostLease) {
        parts.membership.doubt();
    }
    Ok(begun)
}

/// A handle to the run that has the id already, if it is the same run.
async fn existing<W: Workflow>(
    parts: Arc<Parts>,
    run_id: Arc<str>,
    input: &Payload,
) -> Result<RunHandle<W::Output>, Error> {
    let unknown = || ErrorKind::UnknownRun(Arc::clone(&run_id));
    let status = parts.store.run(&run_id).await?.ok_or_else(unknown)?;
    if status.workflow != W::NAME {
        let text = format!(
            "the id `{run_id}` belongs to a run of the workflow `{}`, not of `{}`",
            status.workflow,
            W::NAME
        );
        return Err(ErrorKind::Taken(text).into());
    }
    if status.version == W::VERSION {
        let journal = parts.store.journal(&run_id).await?;
        let first = journal.first().map(|record| &record.event);
        // A run that has begun anew since has other arguments by itself.
        if let Some(Event::Started { input: first, generation: 1, .. }) = first
            && !is_same_json(first, input)
        {
            let text = format!("the run `{run_id}` was started with other arguments: {first}, now {input}");
            return Err(ErrorKind::Taken(shortened(text)).into());
        }
    }
    Ok(RunHandle::of(parts, run_id))
}

/// Whether two payloads mean the same; the order of the fields of an object means nothing.
fn is_same_json(a: &Payload, b: &Payload) -> bool {
    a == b || a.read::<serde_json::Value>().is_ok_and(|a| b.read().is_ok_and(|b: serde_json::Value| a == b))
}

fn shortened(mut text: String) -> String {
    const LONGEST: usize = 500;
    if text.len() > LONGEST {
        text.truncate(text.floor_char_boundary(LONGEST));
        text.push_str(" ..");
    }
    text
}
