//! What an HTTP handler does: answer with the pass if it is ready within half a second, else with a status to ask for.
//! It knows the engine, and nothing of seats and barcodes.

use std::time::Duration;

use workflow_runtime::{Engine, RunState, Waited};

use crate::workflow::{CheckInError, Passenger, check_in};

/// How long a passenger looks at a spinning wheel.
const PATIENCE: Duration = Duration::from_millis(500);

/// The desk.
pub struct Desk {
    engine: Engine,
}

impl Desk {
    /// A desk in front of this engine.
    pub fn new(engine: Engine) -> Desk {
        Desk { engine }
    }

    /// `POST /check-in/{booking}`: asked twice, it is the same check-in.
    ///
    /// # Errors
    /// When the engine cannot take it, or somebody cancelled it.
    pub async fn check_in(&self, passenger: Passenger) -> Result<String, Box<dyn std::error::Error>> {
        let id = run_of(&passenger.booking);
        Ok(match self.engine.start_and_wait(check_in(passenger), PATIENCE).id(id).await? {
            Waited::Ready(Ok(pass)) => format!("200 {}", serde_json::to_string(&pass)?),
            Waited::Ready(Err(CheckInError::NoSeat(error))) => format!("409 {error}"),
            Waited::Ready(Err(error)) => format!("422 {error}"),
            Waited::Running(run) => format!("202 see /check-in/status/{}, the pass comes by mail", run.id()),
        })
    }

    /// `GET /check-in/{booking}`
    ///
    /// # Errors
    /// When there is no such check-in.
    pub async fn status(&self, booking: &str) -> Result<String, workflow_runtime::Error> {
        let status = self.engine.client().status(&run_of(booking)).await?;
        Ok(match status.state {
            RunState::Running if !status.incidents.is_empty() => "200 somebody is looking into it".to_owned(),
            RunState::Running => "200 in progress".to_owned(),
            RunState::Ended(_) => "200 done".to_owned(),
        })
    }
}

fn run_of(booking: &str) -> String {
    format!("check-in-{booking}")
}
