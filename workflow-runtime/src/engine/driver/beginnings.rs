//! How a driver comes to its run: it begins from outside, with a message, or anew under its own id.
//! Nothing of a run happens before its beginning is on the disk.

use std::sync::Arc;

use tokio::sync::oneshot;
use tracing::Instrument;
use workflow_core::{CoreError, Definition, Payload};

use super::{Driver, Next};
use crate::engine::attempts::Attempts;
use crate::engine::live::{Input, Seat};
use crate::engine::live_run::{LiveRun, Origin};
use crate::engine::parts::Parts;
use crate::error::{Error, ErrorKind};
use crate::store::{Offer, Turn, TurnOutcome};

/// A run that begins with a message: its first turn is written with the message.
pub(crate) struct Beginning {
    driver: Driver,
    live: LiveRun,
    seat: Seat,
}

impl Beginning {
    /// Where the run can be reached.
    pub(crate) fn seat(&self) -> Seat {
        self.seat.clone()
    }

    /// The store has the first turn: the run goes on by itself.
    pub(crate) fn go_on(self, offers: Vec<Offer>) {
        let Beginning { mut driver, mut live, .. } = self;
        let (run_id, workflow) = (&driver.lease.run_id, driver.definition.name);
        let span = tracing::info_span!("run", run_id = %run_id, workflow);
        live.note_written(offers);
        let drive = async move { driver.go(Next::Drive(Box::new(live), Attempts::default())).await };
        tokio::spawn(drive.instrument(span));
    }
}

impl Driver {
    /// Begins a run and stays with it. What became of the beginning goes to `reply`.
    pub(crate) async fn begin(
        mut self,
        origin: Origin,
        seat: Seat,
        reply: oneshot::Sender<Result<TurnOutcome, Error>>,
    ) {
        let now_ms = self.parts.clock.now_ms();
        let (lease, limit) = (self.lease.clone(), self.parts.payload_limit);
        let begun = LiveRun::begin(self.definition, lease, origin, limit, now_ms);
        let (mut live, turn) = match begun {
            Ok(begun) => begun,
            Err(error) => {
                let _ = reply.send(Err(ErrorKind::CannotBegin(error).into()));
                return;
            }
        };
        // Before anything of it happens, the run is on the disk.
        let written = self.parts.commit(turn, Some(seat)).await;
        let begins = match &written {
            Ok(TurnOutcome::Written(offers)) => {
                live.note_written(offers.clone());
                true
            }
            _ => false,
        };
        let _ = reply.send(written);
        if begins {
            self.go(Next::Drive(Box::new(live), Attempts::default())).await;
        }
    }

    /// A run that is to begin with a message, and its first turn; `None` when the engine is on its way out.
    ///
    /// # Errors
    /// When the code cannot even begin.
    pub(crate) fn prepare(
        parts: &Arc<Parts>,
        definition: Definition,
        run_id: Arc<str>,
        input: Payload,
    ) -> Result<Option<(Beginning, Turn)>, CoreError> {
        let (lease, limit) = (parts.first_lease(run_id), parts.payload_limit);
        let origin = Origin::from_outside(input);
        let (live, turn) = LiveRun::begin(definition, lease.clone(), origin, limit, parts.clock.now_ms())?;
        let (seat, ends) = Seat::new();
        let driver = Driver::new(parts, definition, lease, ends);
        Ok(driver.map(|driver| (Beginning { driver, live, seat }, turn)))
    }

    /// Ends the journal of a run that continues as new. Read again afterwards, like a run that was found at the start
    /// of an engine: whatever came in between is heard.
    pub(super) async fn begin_anew(&mut self, live: &mut LiveRun) -> Next {
        let Some((version, input)) = live.run.continuation() else { return Next::Leave };
        let (name, input) = (self.definition.name, input.clone());
        let Some(definition) = self.parts.registry.find(name, version) else {
            let unknown = self.parts.registry.explain_unknown(name, version, None);
            return Next::Broken(format!("the run cannot continue as new: {unknown}"));
        };
        let now_ms = live.tick(self.parts.clock.now_ms());
        let turn = match live.begin_anew(definition, input, now_ms) {
            Ok(turn) => turn,
            Err(error) => return Next::Broken(format!("the run cannot continue as new: {error}")),
        };
        match self.write(turn).await {
            Some(TurnOutcome::Written(_)) => {
                self.definition = definition;
                self.drop_offers();
                Next::Load(Attempts::default())
            }
            _ => Next::Leave,
        }
    }

    /// The offers that have come so far were made to the journal before, whose operations may have the same ids and
    /// wait for other keys. Those for the new one are read with it.
    fn drop_offers(&mut self) {
        let heard: Vec<Input> = std::iter::from_fn(|| self.ends.inbox.try_recv().ok()).collect();
        for input in heard.into_iter().filter(|input| !matches!(input, Input::Offer(_))) {
            self.parts.live.send(&self.lease.run_id, input);
        }
    }
}
