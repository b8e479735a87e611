//! One measurement: a fresh store, the processes of the case one after the other, and what they measured.
//! Knows what is timed from outside; must not know how a contestant works.

use std::path::Path;
use std::time::{Duration, Instant};

use bench_kit::{Entry, Meter, Order, RecordSizes, Scene, Shape, Values, read_ledger};
use tempfile::TempDir;

use crate::cases::{Case, Work};
use crate::contestants::Contestant;
use crate::{Failure, judge, ours, process};

/// The word by which this program is told to play one scene.
pub(crate) const PLAY: &str = "play-scene";

/// How long parked runs are left alone before their memory is measured.
const SETTLE_MS: u64 = 5_000;

/// A share of the machine below which what others use of it is no matter.
const QUIET: f64 = 0.12;

/// A folder of its own, gone when it is dropped.
pub(crate) fn folder_in(parent: &Path) -> Result<TempDir, Failure> {
    std::fs::create_dir_all(parent)?;
    Ok(tempfile::Builder::new().prefix("store-").tempdir_in(parent)?)
}

/// How large the rows are that the engine writes in this case.
pub(crate) fn record_sizes(case: &Case) -> RecordSizes {
    let (shape, steps) = match case.work {
        Work::Throughput { steps, .. } | Work::Latency { steps, .. } | Work::Recovery { steps, .. } => {
            (Shape::Row, steps)
        }
        Work::FanOut { steps } => (Shape::Beside, steps),
        Work::Parked { .. } => (Shape::Parked, 0),
        Work::LongRun { .. } => (Shape::Row, 100),
    };
    let runtime = tokio::runtime::Runtime::new().expect("threads can be started");
    runtime.block_on(ours::record_sizes(shape, steps))
}

/// The order for a case that is one process.
pub(crate) fn lone_order(case: &Case, store: &Path) -> Result<Order, Failure> {
    let ledger = store.with_file_name("ledger");
    Ok(order(first_scene(&case.work, &ledger), store, RecordSizes::default()))
}

/// Measures a contestant once.
///
/// # Errors
/// When it fails, or its answer is wrong.
pub(crate) fn measure(
    contestant: &Contestant,
    case: &Case,
    sizes: RecordSizes,
    folder: &Path,
) -> Result<Values, Failure> {
    let folder = folder_in(folder)?;
    let store = folder.path().join("bench.db");
    let ledger = folder.path().join("ledger");
    let first = order(first_scene(&case.work, &ledger), &store, sizes);
    let played = process::run(&mut contestant.command(&first)?)?;
    let mut values = match case.work {
        Work::Recovery { runs, steps } => {
            let before = read_ledger(&ledger)?;
            let recorded = if before.is_empty() { return played.measured() } else { before.len() };
            let ended = before.iter().filter_map(|entry| match entry {
                Entry::Ended { run } => Some(*run),
                Entry::Ran { .. } => None,
            });
            let scene = Scene::RunsRecovered { runs, steps, ended: ended.collect(), ledger: ledger.clone() };
            let mut values = recover(contestant, scene, &store, sizes)?;
            let verdict = judge::judge(&read_ledger(&ledger)?, runs, steps);
            values.insert("lines_before_kill".to_owned(), recorded as f64);
            values.insert("repeated_steps".to_owned(), verdict.repeated as f64);
            values.insert("steps_in_flight".to_owned(), verdict.in_flight as f64);
            values.insert("lost".to_owned(), verdict.lost as f64);
            values
        }
        Work::LongRun { steps } => {
            let mut values = played.measured()?;
            let recovered = recover(contestant, Scene::LongRunRecovered { steps }, &store, sizes)?;
            values.insert("recover_seconds".to_owned(), recovered["recover_seconds"]);
            values
        }
        Work::Parked { runs, .. } => {
            let mut values = played.measured()?;
            values.insert("disk_per_run_bytes".to_owned(), disk_bytes(&store)? as f64 / f64::from(runs));
            values
        }
        Work::Throughput { .. } | Work::Latency { .. } | Work::FanOut { .. } => played.measured()?,
    };
    let processors = std::thread::available_parallelism().map_or(1.0, |count| count.get() as f64);
    let others = values["others_cpu_seconds"] / values["seconds"].max(0.01) / processors;
    values.insert("others_share".to_owned(), others);
    Ok(values)
}

/// Whether so little of the machine went to others that the values can be compared.
pub(crate) fn is_quiet(values: &Values) -> bool {
    values.get("others_share").is_none_or(|share| *share < QUIET)
}

/// Waits for a second in which others use little of the machine; not for ever.
pub(crate) fn wait_for_quiet() {
    let began = Instant::now();
    let processors = std::thread::available_parallelism().map_or(1.0, |count| count.get() as f64);
    while began.elapsed() < Duration::from_secs(60) {
        let meter = Meter::start(None);
        std::thread::sleep(Duration::from_secs(1));
        let reading = meter.read();
        if reading.others_cpu_seconds / reading.seconds / processors < QUIET {
            return;
        }
    }
}

fn recover(
    contestant: &Contestant,
    scene: Scene,
    store: &Path,
    sizes: RecordSizes,
) -> Result<Values, Failure> {
    let order = order(scene, store, sizes);
    let mut values = process::run(&mut contestant.command(&order)?)?.measured()?;
    // From the start of the process: opening the store is part of it.
    values.insert("recover_seconds".to_owned(), values["process_seconds"]);
    Ok(values)
}

fn order(scene: Scene, store: &Path, sizes: RecordSizes) -> Order {
    Order {
        scene,
        store: store.to_string_lossy().into_owned(),
        service: None,
        sizes,
        settings: Default::default(),
    }
}

fn first_scene(work: &Work, ledger: &Path) -> Scene {
    match *work {
        Work::Throughput { runs, steps, in_flight } => Scene::Throughput { runs, steps, in_flight },
        Work::Latency { runs, steps } => Scene::Latency { runs, steps },
        Work::FanOut { steps } => Scene::FanOut { steps },
        Work::Parked { runs, in_flight } => Scene::Parked { runs, in_flight, settle_ms: SETTLE_MS },
        Work::Recovery { runs, steps } => {
            let ledger = ledger.to_owned();
            Scene::RunsUntilKilled { runs, steps, kill_after: runs * steps / 2, ledger }
        }
        Work::LongRun { steps } => Scene::LongRunUntilKilled { steps },
    }
}

/// How large a SQLite file is once everything in its log is part of it.
fn disk_bytes(store: &Path) -> Result<u64, Failure> {
    let connection = rusqlite::Connection::open(store)?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    drop(connection);
    Ok(std::fs::metadata(store)?.len())
}
