//! How a driver comes to its run: it begins from outside, with a message, or anew under its own id.
//! Nothing of a run happens before its beginning is on the disk.

use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::{oneshot, watch};
use tracing::Instrument;
use workflow_core::{Conclusion, CoreError, Definition, Payload};

use super::parking::in_ms;
use super::{Driver, Next};
use crate::engine::attempts::Attempts;
use crate::engine::live::{Input, Seat};
use crate::engine::live_run::{LiveRun, Origin};
use crate::engine::parts::Parts;
use crate::engine::telemetry::run_span;
use crate::error::{Error, ErrorKind};
use crate::store::{Lease, Offer, Turn, TurnOutcome};

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
        let span = run_span(workflow, run_id, live.parent.as_ref());
        live.note_written(offers);
        let drive = async move { driver.go(Next::Drive(Box::new(live), Attempts::default())).await };
        tokio::spawn(drive.instrument(span));
    }
}

/// What became of a beginning.
pub(crate) enum Begun {
    /// It is on the disk and goes on by itself; this will hold how it ended.
    Live(watch::Receiver<Option<Conclusion>>),
    /// It is on the disk and waits for a time; nobody holds it until then.
    Parked,
    /// There is a run with this id already.
    Exists,
    /// Another engine may have taken over from this one: nothing was written.
    LostLease,
}

/// Begins a run under this lease. One that then waits for a time that is far enough away is let go of with the same
/// write: it has no driver, no seat, and nothing of it stays in memory.
pub(in crate::engine) async fn begin(
    parts: &Arc<Parts>,
    definition: Definition,
    lease: Lease,
    origin: Origin,
) -> Result<Begun, Error> {
    let span = run_span(definition.name, &lease.run_id, origin.parent.as_ref());
    let now_ms = parts.clock.now_ms();
    let limit = parts.payload_limit;
    let begun = span.in_scope(|| LiveRun::begin(definition, lease.clone(), origin, limit, now_ms));
    let (live, mut turn) = begun.map_err(ErrorKind::CannotBegin)?;
    let far_ms = now_ms.saturating_add(in_ms(parts.park_idle_after));
    if let (Some(wake_ms), Some(begins)) =
        (live.sleeps_until().filter(|due_ms| *due_ms > far_ms), &mut turn.begins)
    {
        parts.refuse_when_leaving()?;
        begins.parks_until = Some(wake_ms);
        drop(live);
        let turn = Arc::new(turn);
        return Ok(match parts.commit(Arc::clone(&turn), None).await? {
            TurnOutcome::Written(_) => Begun::Parked,
            TurnOutcome::LostLease => Begun::LostLease,
            _ => Begun::Exists,
        });
    }
    let (seat, ends) = Seat::new();
    let ending = seat.ending.clone();
    let driver = Driver::new(parts, definition, lease, ends).ok_or(ErrorKind::Stopped)?;
    let (reply, answer) = oneshot::channel();
    // On a task of its own: whoever waits here may lose patience, the run must not. Boxed, because the driver of a run
    // begins children in turn.
    let driving: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(driver.begin(live, turn, seat, reply));
    tokio::spawn(driving.instrument(span));
    Ok(match answer.await.map_err(|_| ErrorKind::Stopped)?? {
        TurnOutcome::Exists => Begun::Exists,
        TurnOutcome::LostLease => Begun::LostLease,
        _ => Begun::Live(ending),
    })
}

impl Driver {
    /// Has the first turn written and stays with the run. What became of the beginning goes to `reply`.
    async fn begin(
        mut self,
        mut live: LiveRun,
        turn: Turn,
        seat: Seat,
        reply: oneshot::Sender<Result<TurnOutcome, Error>>,
    ) {
        // Before anything of it happens, the run is on the disk.
        let turn = Arc::new(turn);
        let written = self.parts.commit(Arc::clone(&turn), Some(seat)).await;
        drop(turn);
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
        match self.write(&Arc::new(turn)).await {
            Some(TurnOutcome::Written(_)) => {
                self.definition = definition;
                self.drop_what_came();
                Next::Load(Attempts::default())
            }
            _ => Next::Leave,
        }
    }

    /// What has come so far was for the journal before, whose operations may have the same ids and wait for other keys.
    /// What is for the new one is read with it.
    fn drop_what_came(&mut self) {
        while let Ok(input) = self.ends.inbox.try_recv() {
            if let Input::Child(news) = *input {
                self.starting.remove(&news.run_id);
            }
        }
    }
}
