//! Histories: journals that are kept, to be replayed by every later build. Golden ones are written from an exploration,
//! others come from production.
//! Here is what a test says; what a file holds, and what is found in it, is told elsewhere.

mod choose;
mod file;
mod replay;
mod store;

use std::path::Path;

use workflow_core::{Definition, WorkflowFn};

pub(crate) use choose::Gallery;
pub(crate) use file::History;
pub(crate) use store::Folder;

/// What was replayed by [`replay_histories`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Replayed {
    /// How many histories of this workflow and version.
    pub histories: usize,
    /// How many rows of journals these have.
    pub rows: usize,
    /// How many histories were passed over, since they are of other workflows or versions.
    pub others: usize,
}

/// Replays all histories of a workflow with the code of today, as an engine would after a deployment; one that does
/// not go through fails the test, with the first event that differs.
///
/// A folder holds golden histories, as [`Exploration::histories`](crate::Exploration::histories) writes them:
/// `<folder>/<workflow>/v<version>/*.json`. A file holds runs of production as JSON lines, as `client.export(..)` of an
/// engine writes them; those of other workflows and versions are counted only. Relative paths begin at the package.
///
/// # Panics
/// When a history does not go through, when a file cannot be read, and when there is no history at all.
///
/// ```no_run
/// # use workflow_runtime::prelude::*;
/// # #[workflow]
/// # async fn fulfil_order(order: u32) -> u32 { order }
/// #[test]
/// fn runs_in_flight_go_on() {
///     workflow_test::replay_histories(fulfil_order, "tests/histories");
/// }
/// ```
#[track_caller]
pub fn replay_histories<A, F: WorkflowFn<A>>(workflow: F, path: impl AsRef<Path>) -> Replayed {
    let definition = workflow.definition();
    let path = in_package(path.as_ref(), std::env::var_os("CARGO_MANIFEST_DIR").as_deref().map(Path::new));
    let found = if path.is_file() {
        file::read(&path).map(|histories| vec![(path.clone(), histories)])
    } else {
        Folder::of(&path, &definition).read()
    };
    let found = found.unwrap_or_else(|problem| panic!("{problem}"));
    let mut replayed = Replayed { histories: 0, rows: 0, others: 0 };
    let mut broken = Vec::new();
    for (file, histories) in &found {
        for history in histories {
            if !history.is_of(&definition) {
                replayed.others += 1;
                continue;
            }
            replayed.histories += 1;
            replayed.rows += history.journal.len();
            let name = if histories.len() > 1 {
                format!("{}, run {}", file.display(), history.run_id)
            } else {
                file.display().to_string()
            };
            broken.extend(replay::check(&definition, history).err().map(|text| format!("{name}: {text}")));
        }
    }
    assert!(broken.is_empty(), "{}", told(&definition, replayed, &broken));
    assert!(
        replayed.histories > 0,
        "there is no history of `{}` version {} in {}; write them from an exploration: `.histories(..)`, run with \
         WORKFLOW_HISTORIES=write",
        definition.name,
        definition.version,
        path.display()
    );
    replayed
}

/// The most histories that are told of one by one.
const MOST_TOLD: usize = 10;

fn told(definition: &Definition, replayed: Replayed, broken: &[String]) -> String {
    let mut text = format!(
        "{} of {} histories of `{}` do not go through with the code of today",
        broken.len(),
        replayed.histories,
        definition.name
    );
    for one in broken.iter().take(MOST_TOLD) {
        text.push_str(&format!("\n{one}"));
    }
    if broken.len() > MOST_TOLD {
        text.push_str(&format!("\nand {} more", broken.len() - MOST_TOLD));
    }
    text
}

pub(crate) fn in_package(path: &Path, package: Option<&Path>) -> std::path::PathBuf {
    package.map_or_else(|| path.to_owned(), |package| package.join(path))
}
