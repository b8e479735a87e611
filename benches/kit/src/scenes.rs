//! The scenes of all workloads, played with any contestant.
//! Knows what is timed; must not know who plays.

use std::future::Future;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::contestant::Contestant;
use crate::meter::{Meter, Reading, resident_bytes};
use crate::order::{Job, Order, Scene, Shape, Values};
use crate::percentile::percentile;
use crate::steps;

/// Runs before the clock starts, so that what is done once per process is not counted.
const WARM_UP_RUNS: u32 = 200;

/// Plays the scene and gives what was measured.
pub(crate) async fn play<C: Contestant>(order: &Order, contestant: C) -> Values {
    let service = order.service;
    match order.scene {
        Scene::Throughput { runs, steps, in_flight } => {
            throughput(&contestant, service, runs, steps, in_flight).await
        }
        Scene::Latency { runs, steps } => latency(&contestant, service, runs, steps).await,
        Scene::FanOut { steps } => fan_out(&contestant, service, steps).await,
        Scene::Parked { runs, in_flight, settle_ms, shape } => {
            parked(&contestant, service, runs, in_flight, settle_ms, shape).await
        }
        Scene::RunsUntilKilled { runs, steps, .. } => {
            all_at_once(&contestant, runs, |run| Job::new(run, steps, Shape::Row)).await;
            unreachable!("the body of a step kills this process")
        }
        Scene::RunsRecovered { .. } | Scene::LongRunRecovered { .. } => {
            let meter = Meter::start(service);
            steps::all_ended().await;
            values(meter.read(), [])
        }
        Scene::LongRunUntilKilled { steps } => long_run(&contestant, service, steps).await,
    }
}

async fn throughput<C: Contestant>(
    contestant: &C,
    service: Option<u32>,
    runs: u32,
    steps: u32,
    in_flight: u32,
) -> Values {
    warm_up(contestant, in_flight, steps).await;
    let meter = Meter::start(service);
    some_at_a_time(contestant, runs, in_flight, move |contestant, run| async move {
        contestant.complete(Job::new(run, steps, Shape::Row)).await;
    })
    .await;
    let reading = meter.read();
    let rate = f64::from(runs) / reading.seconds;
    values(reading, [("runs_per_second", rate), ("steps_per_second", rate * f64::from(steps))])
}

async fn latency<C: Contestant>(contestant: &C, service: Option<u32>, runs: u32, steps: u32) -> Values {
    for run in 0..20 {
        contestant.complete(Job::warm_up(run, steps, Shape::Row)).await;
    }
    let meter = Meter::start(service);
    let mut latencies = Vec::new();
    for run in 0..runs {
        let began = Instant::now();
        contestant.complete(Job::new(run, steps, Shape::Row)).await;
        latencies.push(milliseconds(began.elapsed()));
    }
    let reading = meter.read();
    // From one body to the next: what lies between two runs is no step.
    let marks = steps::take_marks();
    let of_runs = marks.chunks(usize::try_from(steps).expect("small"));
    let gaps: Vec<f64> =
        of_runs.flat_map(|of_run| of_run.windows(2).map(|two| milliseconds(two[1] - two[0]))).collect();
    let p50 = percentile(&latencies, 0.5);
    let p99 = percentile(&latencies, 0.99);
    values(
        reading,
        [
            ("run_p50_ms", p50),
            ("run_p99_ms", p99),
            ("step_p50_ms", percentile(&gaps, 0.5)),
            ("step_p99_ms", percentile(&gaps, 0.99)),
        ],
    )
}

async fn fan_out<C: Contestant>(contestant: &C, service: Option<u32>, steps: u32) -> Values {
    contestant.complete(Job::warm_up(0, 100, Shape::Beside)).await;
    let meter = Meter::start(service);
    contestant.complete(Job::new(0, steps, Shape::Beside)).await;
    values(meter.read(), [])
}

async fn parked<C: Contestant>(
    contestant: &C,
    service: Option<u32>,
    runs: u32,
    in_flight: u32,
    settle_ms: u64,
    shape: Shape,
) -> Values {
    warm_up(contestant, in_flight, 5).await;
    let before = resident_bytes();
    let meter = Meter::start(service);
    some_at_a_time(contestant, runs, in_flight, move |contestant, run| async move {
        contestant.start(Job::new(run, 0, shape)).await;
    })
    .await;
    let reading = meter.read();
    tokio::time::sleep(Duration::from_millis(settle_ms)).await;
    let grown = resident_bytes() as f64 - before as f64;
    values(
        reading,
        [
            ("runs_per_second", f64::from(runs) / reading.seconds),
            ("memory_per_run_bytes", grown / f64::from(runs)),
        ],
    )
}

async fn long_run<C: Contestant>(contestant: &C, service: Option<u32>, steps: u32) -> Values {
    contestant.complete(Job::warm_up(0, 50, Shape::Row)).await;
    let meter = Meter::start(service);
    let run = {
        let contestant = contestant.clone();
        tokio::spawn(async move { contestant.complete(Job::new(0, steps, Shape::Row)).await })
    };
    let count = usize::try_from(steps).expect("small");
    let marks = steps::marks(count).await;
    let reading = meter.read();
    assert!(!run.is_finished(), "the last step never answers");
    let tenth = (count / 10).max(1);
    let each = |from: usize, to: usize| milliseconds(marks[to] - marks[from]) / (to - from) as f64;
    values(
        reading,
        [
            ("step_ms", each(0, count - 1)),
            ("first_tenth_step_ms", each(0, tenth)),
            ("last_tenth_step_ms", each(count - 1 - tenth, count - 1)),
        ],
    )
}

async fn warm_up<C: Contestant>(contestant: &C, in_flight: u32, steps: u32) {
    some_at_a_time(contestant, WARM_UP_RUNS, in_flight, move |contestant, run| async move {
        contestant.complete(Job::warm_up(run, steps, Shape::Row)).await;
    })
    .await;
}

/// As many clients as runs may be in flight, each with one run after the other.
async fn some_at_a_time<C: Contestant, F>(
    contestant: &C,
    runs: u32,
    in_flight: u32,
    play: impl Fn(C, u32) -> F + Clone + Send + 'static,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let mut clients = JoinSet::new();
    for client in 0..in_flight {
        let (contestant, play) = (contestant.clone(), play.clone());
        clients.spawn(async move {
            for run in (client..runs).step_by(in_flight as usize) {
                play(contestant.clone(), run).await;
            }
        });
    }
    while let Some(client) = clients.join_next().await {
        client.expect("no client panics");
    }
}

async fn all_at_once<C: Contestant>(contestant: &C, runs: u32, job: impl Fn(u32) -> Job) {
    let mut clients = JoinSet::new();
    for run in 0..runs {
        let (contestant, job) = (contestant.clone(), job(run));
        clients.spawn(async move { contestant.complete(job).await });
    }
    while let Some(client) = clients.join_next().await {
        client.expect("no client panics");
    }
}

fn values<const N: usize>(reading: Reading, more: [(&str, f64); N]) -> Values {
    let read = [
        ("seconds", reading.seconds),
        ("cpu_seconds", reading.cpu_seconds),
        ("service_cpu_seconds", reading.service_cpu_seconds),
        ("others_cpu_seconds", reading.others_cpu_seconds),
    ];
    read.into_iter().chain(more).map(|(name, value)| (name.to_owned(), value)).collect()
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
