//! One measurement: a fresh store, the processes of the case one after the other, and what they measured.
//! Knows what is timed from outside; must not know how a contestant works.

use std::time::{Duration, Instant};

use bench_kit::{Entry, Meter, Order, RecordSizes, Scene, Shape, Values, judge, read_ledger};

use crate::cases::{Case, Work};
use crate::contestants::Contestant;
use crate::place::{Place, Places};
use crate::{Failure, ours, process};

/// The word by which this program is told to play one scene.
pub(crate) const PLAY: &str = "play-scene";

/// How long parked runs are left alone before their memory is measured.
const SETTLE_MS: u64 = 5_000;

/// A share of the machine below which what others use of it is no matter.
const QUIET: f64 = 0.12;

/// How large the rows are that the engine writes in this case.
pub(crate) fn record_sizes(case: &Case) -> RecordSizes {
    let (shape, steps) = match case.work {
        Work::Throughput { steps, .. } | Work::Latency { steps, .. } | Work::Recovery { steps, .. } => {
            (Shape::Row, steps)
        }
        Work::FanOut { steps } => (Shape::Beside, steps),
        Work::Parked { shape, .. } => (shape, 0),
        Work::LongRun { .. } => (Shape::Row, 100),
    };
    let runtime = tokio::runtime::Runtime::new().expect("threads can be started");
    runtime.block_on(ours::record_sizes(shape, steps))
}

/// The order for the first process of a case, for the engine.
pub(crate) fn first_order(case: &Case, place: &Place<'_>) -> Order {
    order(first_scene(&case.work, place), place, RecordSizes::default())
}

/// Measures a contestant once.
///
/// # Errors
/// When it fails, or does not answer.
pub(crate) fn measure(
    contestant: &Contestant,
    case: &Case,
    sizes: RecordSizes,
    places: &Places,
) -> Result<Values, Failure> {
    let mut place = places.fresh(contestant.store)?;
    let before = place.disk_bytes()?;
    let first = order(first_scene(&case.work, &place), &place, sizes);
    let played = process::run(&mut contestant.command(first)?)?;
    let mut values = match case.work {
        Work::Throughput { .. } | Work::Latency { .. } | Work::FanOut { .. } => played.measured()?,
        Work::Parked { runs, .. } => {
            let mut values = played.measured()?;
            if let (Some(before), Some(after)) = (before, place.disk_bytes()?) {
                let grown = after.saturating_sub(before) as f64 / f64::from(runs);
                values.insert("disk_per_run_bytes".to_owned(), grown);
            }
            values
        }
        Work::Recovery { runs, steps } => {
            let entries = read_ledger(&place.ledger())?;
            if entries.is_empty() {
                return played.measured();
            }
            let ended = entries.iter().filter_map(|entry| match entry {
                Entry::Ended { run } => Some(*run),
                Entry::Ran { .. } => None,
            });
            let (ended, ledger) = (ended.collect(), place.ledger());
            let scene = Scene::RunsRecovered { runs, steps, ended, ledger };
            let mut values = recover(contestant, scene, &mut place, sizes)?;
            let verdict = judge(&read_ledger(&place.ledger())?, runs, steps);
            values.insert("repeated_steps".to_owned(), verdict.repeated as f64);
            values.insert("steps_in_flight".to_owned(), verdict.in_flight as f64);
            values.insert("lost".to_owned(), verdict.lost as f64);
            values
        }
        Work::LongRun { steps } => {
            let mut values = played.measured()?;
            let recovered = recover(contestant, Scene::LongRunRecovered { steps }, &mut place, sizes)?;
            values.insert("recover_seconds".to_owned(), recovered["recover_seconds"]);
            values
        }
    };
    let others = values["others_cpu_seconds"] / values["seconds"].max(0.01) / processors();
    values.insert("others_share".to_owned(), others);
    let cpu = values["cpu_seconds"] + values["service_cpu_seconds"];
    values.insert("all_cpu_seconds".to_owned(), cpu);
    Ok(values)
}

/// Whether so little of the machine went to others that the values can be compared.
pub(crate) fn is_quiet(values: &Values) -> bool {
    values.get("others_share").is_none_or(|share| *share < QUIET)
}

/// Waits for a second in which others use little of the machine; not for ever.
pub(crate) fn wait_for_quiet() {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(60) {
        let meter = Meter::start(None);
        std::thread::sleep(Duration::from_secs(1));
        let reading = meter.read();
        if reading.others_cpu_seconds / reading.seconds / processors() < QUIET {
            return;
        }
    }
}

fn recover(
    contestant: &Contestant,
    scene: Scene,
    place: &mut Place<'_>,
    sizes: RecordSizes,
) -> Result<Values, Failure> {
    place.crash()?;
    std::thread::sleep(contestant.outlives_itself());
    // From the start of the processes: opening the store is part of it.
    let began = Instant::now();
    place.come_back()?;
    let server_seconds = began.elapsed().as_secs_f64();
    let order = order(scene, place, sizes);
    let mut values = process::run(&mut contestant.command(order)?)?.measured()?;
    values.insert("recover_seconds".to_owned(), server_seconds + values["process_seconds"]);
    Ok(values)
}

fn processors() -> f64 {
    std::thread::available_parallelism().map_or(1.0, |count| count.get() as f64)
}

fn order(scene: Scene, place: &Place<'_>, sizes: RecordSizes) -> Order {
    Order { scene, store: place.address(), service: place.service(), sizes, settings: place.settings() }
}

fn first_scene(work: &Work, place: &Place<'_>) -> Scene {
    match *work {
        Work::Throughput { runs, steps, in_flight } => Scene::Throughput { runs, steps, in_flight },
        Work::Latency { runs, steps } => Scene::Latency { runs, steps },
        Work::FanOut { steps } => Scene::FanOut { steps },
        Work::Parked { runs, in_flight, shape } => {
            Scene::Parked { runs, in_flight, settle_ms: SETTLE_MS, shape }
        }
        Work::Recovery { runs, steps } => {
            let (kill_after, ledger) = (runs * steps / 2, place.ledger());
            Scene::RunsUntilKilled { runs, steps, kill_after, ledger }
        }
        Work::LongRun { steps } => Scene::LongRunUntilKilled { steps },
    }
}
