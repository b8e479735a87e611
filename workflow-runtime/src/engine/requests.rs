//! What people ask of stuck runs, and what the runs answer: through the store, whoever holds a run, if anybody does.
//! It carries questions and answers; what they come to is the run's affair.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use uuid::Uuid;
use workflow_core::{OpId, Payload};

use super::committer::persist;
use super::live::Input;
use super::parts::Parts;
use crate::error::{Error, ErrorKind};
use crate::store::{Request, RunState, RunStatus};

/// The waits between looks at an answer that comes from elsewhere.
const FIRST_LOOK: Duration = Duration::from_millis(20);
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// What somebody asks of a run. It lies in the store until the run answers: a later release has to read it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Asked {
    /// Another round for everything that is stuck.
    Retry,
    /// The code sees this value, as if the operation had given it.
    Skip { op: OpId, value: Payload },
    /// The run is given up, for this reason.
    GiveUp { op: OpId, reason: String },
}

/// What a run answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answered {
    /// So many incidents are tried again.
    Retried { incidents: usize },
    /// It is recorded.
    Ruled,
    /// Nothing is stuck there.
    NotStuck { text: String },
    /// What was asked cannot be done.
    Refused { text: String },
}

impl Answered {
    pub(crate) fn refusal(error: &Error) -> Answered {
        let text = error.to_string();
        if error.is_not_stuck() { Answered::NotStuck { text } } else { Answered::Refused { text } }
    }

    pub(crate) fn to_payload(&self) -> Payload {
        Payload::of(self).expect("text and numbers are JSON")
    }
}

/// Those in this process who wait for answers, by the ids of their requests.
#[derive(Default)]
pub(crate) struct Answers {
    waiting: Mutex<HashMap<String, oneshot::Sender<Payload>>>,
}

impl Answers {
    /// An answer is on the disk.
    pub(crate) fn tell(&self, request_id: &str, answer: &Payload) {
        if let Some(waiting) = self.take(request_id) {
            let _ = waiting.send(answer.clone()); // Who no longer waits has lost interest.
        }
    }

    fn wait_for(&self, request_id: &str) -> oneshot::Receiver<Payload> {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = self.waiting.lock().expect("nothing panics while this is locked");
        waiting.insert(request_id.to_owned(), sender);
        receiver
    }

    fn take(&self, request_id: &str) -> Option<oneshot::Sender<Payload>> {
        self.waiting.lock().expect("nothing panics while this is locked").remove(request_id)
    }
}

/// Forgets who waits when nobody does any more.
struct Waiting<'a>(&'a Answers, &'a str);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.take(self.1);
    }
}

/// Asks a run, and waits for its answer. `None` when the run ended before it gave one.
pub(crate) async fn ask(parts: &Parts, run_id: &str, asked: &Asked) -> Result<Option<Answered>, Error> {
    parts.refuse_when_leaving()?;
    refuse_without_code(parts, run_id).await?;
    let body = Payload::of(asked).expect("text and payloads are JSON");
    let request = Request { id: Uuid::now_v7().to_string(), run_id: run_id.into(), body };
    let mut answer = parts.answers.wait_for(&request.id);
    let _waiting = Waiting(&parts.answers, &request.id);
    let worker = parts.worker();
    let now_ms = parts.clock.now_ms();
    let kept = persist(parts, || parts.store.ask(&worker, &request, now_ms)).await;
    if !kept.ok_or(ErrorKind::Stopped)?? {
        return Ok(None);
    }
    if !parts.live.send(run_id, Input::Asked) {
        parts.alarm.ring();
    }
    let mut wait = FIRST_LOOK;
    loop {
        tokio::select! {
            biased;
            Ok(answer) = &mut answer => return read(&request, &answer).map(Some),
            () = parts.leaving() => return Err(ErrorKind::Stopped.into()),
            () = tokio::time::sleep(wait) => {}
        }
        wait = (wait * 2).min(LONGEST_WAIT);
        match parts.store.answer(&request.id).await {
            Ok(Some(Some(answer))) => return read(&request, &answer).map(Some),
            Ok(Some(None)) => match parts.store.run(run_id).await {
                Ok(Some(status)) if !status.has_ended() => refuse_if_nobody_has_code(parts, &status).await?,
                // It may have answered with its last turn.
                Ok(_) => {
                    let answer = parts.store.answer(&request.id).await?.flatten();
                    return answer.map(|answer| read(&request, &answer)).transpose();
                }
                Err(error) if error.is_transient() => {}
                Err(error) => return Err(error.into()),
            },
            Ok(None) => return Ok(None),
            Err(error) if error.is_transient() => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn read(request: &Request, answer: &Payload) -> Result<Answered, Error> {
    answer.read().map_err(|error| {
        let what = format!("the answer of the run `{}`", request.run_id);
        ErrorKind::Unreadable { what, error }.into()
    })
}

async fn refuse_without_code(parts: &Parts, run_id: &str) -> Result<(), Error> {
    let unknown = || ErrorKind::UnknownRun(run_id.into());
    let status = parts.store.run(run_id).await?.ok_or_else(unknown)?;
    match status.state {
        RunState::Ended(_) => Err(ErrorKind::NothingToRetry(format!("the run `{run_id}` has ended")).into()),
        RunState::Running => refuse_if_nobody_has_code(parts, &status).await,
    }
}

/// Nobody would ever answer.
async fn refuse_if_nobody_has_code(parts: &Parts, status: &RunStatus) -> Result<(), Error> {
    let RunStatus { run_id, workflow, version, .. } = status;
    if parts.registry.find(workflow, *version).is_some() {
        return Ok(());
    }
    let is_orphan = !parts.membership.is_shared() || {
        let orphans = parts.store.orphans().await?;
        orphans.iter().any(|orphans| orphans.workflow == *workflow && orphans.version == *version)
    };
    if !is_orphan {
        return Ok(());
    }
    let who = if parts.membership.is_shared() { "any engine" } else { "this engine" };
    let text =
        format!("the run `{run_id}` is not driven by {who}: is `{workflow}`, version {version}, registered?");
    Err(ErrorKind::NothingToRetry(text).into())
}

/// What a request asks, if this release can read it.
pub(crate) fn asked(request: &Request) -> Result<Asked, Answered> {
    request.body.read().map_err(|error| {
        let text = format!("the engine that holds the run cannot read what is asked of it: {error}");
        Answered::Refused { text }
    })
}

/// The requests to a run that are open; `None` when the engine stopped before the store answered.
pub(super) async fn open(parts: &Parts, run_id: &Arc<str>) -> Option<Vec<Request>> {
    match persist(parts, || parts.store.requests(std::slice::from_ref(run_id))).await? {
        Ok(requests) => Some(requests),
        Err(error) => {
            tracing::error!(%error, %run_id, "what people ask of the run cannot be read");
            Some(Vec::new())
        }
    }
}
