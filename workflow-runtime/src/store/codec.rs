//! How values become text in a database, and how they come back: the same for every dialect.
//! It knows no database; what it cannot read it reports and never repairs.

use workflow_core::{Conclusion, OpId, Record};

use super::rows::IncidentPlace;
use super::{ParkReason, RunState, StoreError, StoreFault};

pub(super) fn record_text(record: &Record) -> String {
    serde_json::to_string(record).expect("records consist of text, numbers and JSON that was checked")
}

/// The same text, appended.
pub(super) fn write_record(record: &Record, text: &mut Vec<u8>) {
    serde_json::to_writer(text, record).expect("records consist of text, numbers and JSON that was checked");
}

pub(super) fn read_record(run_id: &str, seq: i64, text: &str) -> Result<Record, StoreError> {
    serde_json::from_str(text).map_err(|error| {
        let message = format!("run {run_id}, journal row {seq} cannot be read: {error}");
        StoreError::new(StoreFault::Corrupt, message).caused_by(error)
    })
}

pub(super) fn conclusion_text(conclusion: &Conclusion) -> String {
    serde_json::to_string(conclusion).expect("conclusions consist of text and JSON that was checked")
}

pub(super) fn read_state(run_id: &str, conclusion: Option<&str>) -> Result<RunState, StoreError> {
    let Some(text) = conclusion else { return Ok(RunState::Running) };
    serde_json::from_str(text).map(RunState::Ended).map_err(|error| {
        let message = format!("run {run_id}: the conclusion cannot be read: {error}");
        StoreError::new(StoreFault::Corrupt, message).caused_by(error)
    })
}

pub(super) fn reason_text(reason: &ParkReason) -> String {
    serde_json::to_string(reason).expect("reasons consist of text")
}

/// Operation ids begin with a node id, which is never empty and never begins with `*`.
pub(super) fn place_text(place: &IncidentPlace) -> &str {
    match place {
        IncidentPlace::Run => "",
        IncidentPlace::Journal => "*journal",
        IncidentPlace::Operation(op) => op.as_str(),
    }
}

pub(super) fn read_place(text: String) -> IncidentPlace {
    match text.as_str() {
        "" => IncidentPlace::Run,
        "*journal" => IncidentPlace::Journal,
        _ => IncidentPlace::Operation(OpId::from_text(text)),
    }
}
