//! Methods of these names that answer by themselves, a path that is only taken apart, and one that may differ.
use std::path::PathBuf;
use std::time::Duration;
use workflow_runtime::prelude::*;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Trip {
    length: Duration,
    notes: Vec<String>,
    folder: PathBuf,
}

impl Trip {
    fn elapsed(&self) -> Duration {
        self.length
    }
    fn exists(&self) -> bool {
        !self.notes.is_empty()
    }
    fn metadata(&self) -> &[String] {
        &self.notes
    }
    fn is_file(&self, _which: u32) -> bool {
        true
    }
}

#[derive(Clone, Copy)]
struct Watch(u32);

impl Watch {
    fn elapsed(self) -> u32 {
        self.0
    }
}

#[step]
async fn note(_text: String) {}

#[workflow]
async fn travel(trip: Trip) -> u32 {
    let first = trip.metadata().first();
    let boxed = Box::new(trip.clone());
    let lent = &boxed;
    let mut sum = Watch(3).elapsed() + lent.elapsed().as_secs() as u32;
    note(format!("{first:?} {:?} {:?}", trip.elapsed(), boxed.metadata())).await;
    if trip.is_file(7) && trip.folder.join("a").parent().is_some() {
        sum += 1;
    }
    #[allow_workflow(nondeterministic_call, reason = "for the log only")]
    let is_there = trip.folder.exists();
    tracing::info!(is_there, "looked");
    sum
}

fn main() {}
