//! A run whose code cannot go on with its journal: it waits for a person, in memory for a while and then parked.
//! Messages and cancels stay in the store meanwhile; only requests are answered.

use std::sync::Arc;

use workflow_core::Payload;

use super::{Driver, Next, Untold};
use crate::engine::attempts::Attempts;
use crate::engine::live::Input;
use crate::engine::live_run::{Happening, journal_incident};
use crate::engine::parts::Phase;
use crate::engine::requests::{self, Answered, Asked};
use crate::error::{Error, ErrorKind};
use crate::store::{Changes, Parking, Request, Turn, TurnOutcome};

impl Driver {
    /// Opens an incident, and waits until somebody asks for the run to be tried again.
    pub(super) async fn wait_for_a_person(&mut self, cause: String) -> Next {
        tracing::error!(%cause, "the run cannot go on: a person has to look");
        let turn = journal_incident(&self.lease, self.parts.clock.now_ms(), cause);
        if !matches!(self.write(&Arc::new(turn)).await, Some(TurnOutcome::Written(_))) {
            return Next::Leave;
        }
        let mut asked: Vec<Request> = Vec::new();
        for happening in std::mem::take(&mut self.heard) {
            if let Happening::Asked(request) = happening {
                asked.push(request);
            }
        }
        self.refusals = 0;
        loop {
            if std::mem::replace(&mut self.untold, Untold::Nothing) != Untold::Nothing {
                match requests::open(&self.parts, &self.lease.run_id).await {
                    Some(open) => asked.extend(open),
                    None => return Next::Leave,
                }
            }
            match self.answer(std::mem::take(&mut asked)).await {
                Some(true) => return Next::Load(Attempts::default()),
                Some(false) => {}
                None => return Next::Leave,
            }
            let (parts, lease) = (self.parts.clone(), self.lease.clone());
            let is_over =
                |phase: &Phase| *phase != Phase::Running || !parts.membership.is_called(&lease.worker);
            let patience = self.patience();
            tokio::select! {
                biased;
                // Looked at, not waited for: the engine may have been on its way out before the run broke off.
                () = async { drop(self.phase.wait_for(is_over).await) } => return Next::Leave,
                Some(input) = self.ends.inbox.recv() => match *input {
                    Input::Asked | Input::News => self.untold = Untold::Asked,
                    Input::Child(news) => drop(self.starting.remove(&news.run_id)),
                    // In the store, for when the run can go on.
                    Input::Offer(_) | Input::Cancel(_) => {}
                    // Nothing is held up: a person is asked for.
                    Input::Explain(reply) => drop(reply),
                },
                () = tokio::time::sleep(patience), if self.starting.is_empty() => {
                    let parking = Parking { lease, wake_ms: None, children: Vec::new(), is_broken: true };
                    match self.park(parking).await {
                        Some(true) => return Next::Parked,
                        // It may have been let go of long ago, and nobody has heard the answer.
                        Some(false) if !self.is_held().await => return Next::Leave,
                        Some(false) => {}
                        None => return Next::Leave,
                    }
                }
            }
        }
    }

    /// Answers requests, and says whether one of them wants the run to be tried again. `None` when nothing more can be
    /// written.
    async fn answer(&mut self, asked: Vec<Request>) -> Option<bool> {
        if asked.is_empty() {
            return Some(false);
        }
        let (mut changes, mut tries_again) = (Changes::default(), false);
        for request in asked {
            let answer = match requests::asked(&request) {
                Ok(Asked::Retry) => {
                    tries_again = true;
                    Answered::Retried { incidents: 1 }
                }
                Ok(Asked::Skip { .. } | Asked::GiveUp { .. }) => {
                    Answered::refusal(&cannot_rule(&self.lease.run_id))
                }
                Err(refused) => refused,
            };
            changes.answers.insert(request.id, answer.to_payload());
        }
        let answers: Vec<(String, Payload)> = changes.answers.clone().into_iter().collect();
        let (lease, at_ms) = (self.lease.clone(), self.parts.clock.now_ms());
        let turn = Turn { lease, begins: None, at_ms, first_seq: 0, records: Vec::new(), changes };
        let Some(TurnOutcome::Written(_)) = self.write(&Arc::new(turn)).await else { return None };
        answers.iter().for_each(|(id, answer)| self.parts.answers.tell(id, answer));
        Some(tries_again)
    }
}

fn cannot_rule(run_id: &str) -> Error {
    let text = format!(
        "the code of the run `{run_id}` cannot go on with its journal, so that nothing in it can be skipped or given \
         up: mend the code, then retry"
    );
    ErrorKind::NotStuck(text).into()
}
