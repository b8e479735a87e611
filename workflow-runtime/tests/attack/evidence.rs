//! What an attack has left: the journals, the ledger, the bookings, and what was asked and told.
//! It gathers; what follows from it is for the judge to say.

use std::collections::BTreeMap;

use workflow_core::{Command, Event, OpId, Record, StepContext};
use workflow_runtime::store::Store;
use workflow_runtime::{RunFilter, RunStatus};

use crate::conductor::{Asked, Conductor};
use crate::database::Booking;
use crate::ledger::{Call, Ledger};

/// A run as the store tells it.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) status: RunStatus,
    pub(crate) journal: Vec<Record>,
}

/// Time in which a worker did not notice that others had taken its runs: it was stopped.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pause {
    pub(crate) worker: u32,
    pub(crate) from_ms: i64,
    pub(crate) until_ms: i64,
}

#[derive(Clone, Debug)]
pub(crate) struct Evidence {
    pub(crate) asked: BTreeMap<String, Asked>,
    pub(crate) runs: BTreeMap<String, Told>,
    pub(crate) calls: Vec<Call>,
    pub(crate) bookings: Vec<Booking>,
    pub(crate) pauses: Vec<Pause>,
    /// The workers went by the system's clock, which nobody set.
    pub(crate) had_true_clocks: bool,
}

impl Evidence {
    /// Reads everything, once the workers are gone.
    pub(crate) fn of(conductor: &Conductor) -> Evidence {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let database = &conductor.database;
        let (runs, bookings) = runtime.block_on(async {
            let store = database.open().await.unwrap();
            let runs = all_runs(&*store).await;
            store.close().await;
            drop(store);
            (runs, database.bookings().await)
        });
        Evidence {
            asked: conductor.asked.clone(),
            runs,
            calls: Ledger::open(&conductor.ledger, 0).calls(),
            bookings,
            pauses: Vec::new(),
            had_true_clocks: conductor.clock_offset_ms.is_none(),
        }
    }
}

pub(crate) async fn all_runs(store: &dyn Store) -> BTreeMap<String, Told> {
    let mut runs = BTreeMap::new();
    let mut after = None;
    loop {
        let page = RunFilter { after: after.clone(), limit: 200, ..RunFilter::default() };
        let page = store.runs(&page).await.unwrap();
        let Some(last) = page.last() else { return runs };
        after = Some(last.run_id.to_string());
        for summary in page {
            let id = &summary.run_id;
            let status = store.run(id).await.unwrap().expect("it is listed");
            let journal = store.journal(id).await.unwrap();
            runs.insert(id.to_string(), Told { status, journal });
        }
    }
}

impl Told {
    /// The key by which the steps of this run know a call.
    pub(crate) fn key(&self, op: &OpId) -> String {
        let cx = StepContext::new(&self.status.run_id, op.as_str(), 1);
        cx.in_generation(self.status.generation).idempotency_key().to_owned()
    }

    pub(crate) fn commands(&self) -> impl Iterator<Item = &Command> {
        self.journal.iter().flat_map(|record| &record.commands)
    }

    /// The operations whose steps have completed without an error, in this order, with their answers.
    pub(crate) fn completed(&self) -> Vec<(&OpId, i64)> {
        let completed = self.journal.iter().filter_map(|record| match &record.event {
            Event::StepCompleted { op, output, error: None } => Some((op, number(output.as_json()))),
            _ => None,
        });
        completed.collect()
    }

    /// The step that each operation calls.
    pub(crate) fn steps(&self) -> BTreeMap<&OpId, &str> {
        let steps = self.commands().filter_map(|command| match command {
            Command::StartStep { op, step, .. } => Some((op, &**step)),
            _ => None,
        });
        steps.collect()
    }
}

/// The number that a step has answered with, whether or not it could have failed; -1 for none.
fn number(json: &str) -> i64 {
    let value: serde_json::Value = serde_json::from_str(json).unwrap_or_default();
    let good = value.get("Ok").unwrap_or(&value);
    good.as_i64().unwrap_or(-1)
}
