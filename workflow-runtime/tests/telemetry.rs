//! Metrics: what is documented is emitted, what is emitted is documented, and the numbers are right.
//! The recorder belongs to the thread of the test; the engine under test runs on that thread alone.

mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use metrics_util::MetricKind as Kind;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use workflow_runtime::prelude::*;
use workflow_runtime::{Clock, Limit, METRICS, Memory, MetricKind};
use world::faulty::{Crash, Faulty};
use world::{
    Behaviour, Paid, Placed, ShopError, World, builder, eventually, five_notes, fulfil, note, patient, slow,
    until,
};

const HOUR: Duration = Duration::from_secs(3_600);

/// Says what it sends by way of the outbox.
#[workflow]
async fn pay(order: String) {
    send(Paid { order, amount: 5 }).await;
}

/// What was counted so far; a snapshot takes the values out of the recorder.
#[derive(Default)]
struct Counted {
    values: BTreeMap<(String, BTreeMap<String, String>), f64>,
}

impl Counted {
    fn take(&mut self, snapshotter: &Snapshotter) {
        for (key, _, _, value) in snapshotter.snapshot().into_vec() {
            let labels = key.key().labels().map(|l| (l.key().to_owned(), l.value().to_owned()));
            let name = (key.key().name().to_owned(), labels.collect());
            let entry = self.values.entry(name).or_default();
            match value {
                DebugValue::Counter(count) => *entry += f64::from(u32::try_from(count).unwrap()),
                DebugValue::Gauge(gauge) => *entry = gauge.0,
                DebugValue::Histogram(values) => *entry += f64::from(u32::try_from(values.len()).unwrap()),
            }
        }
    }

    fn of(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let has = |of: &BTreeMap<String, String>| {
            labels.iter().all(|(name, value)| of.get(*name).is_some_and(|found| found == value))
        };
        let found = self.values.iter().filter(|((of, labels), _)| of == name && has(labels));
        found.map(|(_, value)| value).sum()
    }
}

#[tokio::test]
async fn what_is_documented_is_emitted_and_what_is_emitted_is_documented() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let (world, clock) = (World::new(), Clock::manual(1_000_000));
    let engine = builder(Memory::new(), &world, &clock).start().await.unwrap();
    engine.start(fulfil("a".into())).await.unwrap().result().await.unwrap();
    engine.shutdown().await;
    let mut emitted = BTreeMap::new();
    for (key, _, meaning, _) in snapshotter.snapshot().into_vec() {
        let labels: BTreeSet<String> = key.key().labels().map(|label| label.key().to_owned()).collect();
        let kind = match key.kind() {
            Kind::Counter => MetricKind::Counter,
            Kind::Gauge => MetricKind::Gauge,
            Kind::Histogram => MetricKind::Histogram,
        };
        let described = meaning.map(|meaning| meaning.to_string());
        emitted.insert(key.key().name().to_owned(), (kind, labels, described));
    }
    let documented = METRICS.iter().map(|metric| {
        let labels = metric.labels.iter().map(|label| (*label).to_owned()).collect();
        (metric.name.to_owned(), (metric.kind, labels, Some(metric.meaning.to_owned())))
    });
    assert_eq!(emitted, documented.collect());
}

#[test]
fn the_guide_has_a_line_for_every_metric() {
    let guide = include_str!("../../docs/operations.md");
    let row = |metric: &workflow_runtime::Metric| {
        let kind = format!("{:?}", metric.kind).to_lowercase();
        let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        format!("| `{}` | {kind} | {} | {} |", metric.name, labels.join(", "), metric.meaning)
    };
    let missing: Vec<String> = METRICS.iter().map(row).filter(|row| !guide.contains(row)).collect();
    assert!(missing.is_empty(), "docs/operations.md lacks:\n{}", missing.join("\n"));
    let told = guide.lines().filter(|line| line.starts_with("| `workflow_")).count();
    assert_eq!(told, METRICS.len(), "the guide has a metric that there is not");
}

#[tokio::test]
async fn the_numbers_are_right() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let mut counted = Counted::default();
    let (world, clock) = (World::new(), Clock::manual(1_000_000));
    let store = Faulty::new(Memory::new(), Crash::Never);
    let start = || {
        let builder = builder(store.clone(), &world, &clock).register(pay).run_retention(HOUR);
        builder.limit(note, Limit::concurrency(2)).start()
    };
    let engine = start().await.unwrap();
    let client = engine.client();

    // Five attempts of a step with a limit; one run that fails; one that is cancelled; one attempt that is repeated.
    engine.start(five_notes("a".into())).await.unwrap().result().await.unwrap();
    world.script("ship", [Behaviour::Fail(ShopError::Declined)]);
    engine.start(fulfil("b".into())).await.unwrap().result().await.unwrap_err();
    world.script("charge", [Behaviour::Fail(ShopError::Busy)]);
    let busy = engine.start(fulfil("c".into())).id("busy").await.unwrap();
    until(&client, "busy", "it waits for the second attempt", |status| !status.timers.is_empty()).await;
    clock.advance(Duration::from_secs(3));
    busy.result().await.unwrap();
    engine.start(patient("d".into())).id("d").await.unwrap();
    client.cancel("d", "enough").await.unwrap();
    client.result::<u64>("d").await.unwrap_err();

    // Messages: one starts a run, one is awaited, one is early, one comes twice, one goes by way of the outbox.
    let placed = Placed { order: "o".into(), amount: 1 };
    client.deliver(placed).message_id("placed").await.unwrap();
    until(&client, "open_order:placed", "it waits", |status| !status.waits.is_empty()).await;
    let paid = |order: &str| Paid { order: order.into(), amount: 1 };
    client.deliver(paid("o")).message_id("paid-o").await.unwrap();
    client.result::<u64>("open_order:placed").await.unwrap();
    client.deliver(paid("early")).message_id("early").await.unwrap();
    client.deliver(paid("early")).message_id("early").await.unwrap();
    engine.start(pay("p".into())).await.unwrap().result().await.unwrap();
    eventually("the outbox is empty", async || {
        let left = client.outbox(&workflow_runtime::OutboxFilter::default()).await.unwrap();
        left.is_empty().then_some(())
    })
    .await;

    counted.take(&snapshotter);
    let is = |name: &str, labels: &[(&str, &str)], expected: f64| {
        let found = counted.of(name, labels);
        assert!((found - expected).abs() < f64::EPSILON, "{name} {labels:?}: {found}, not {expected}");
    };
    is("workflow_runs_started_total", &[], 6.0);
    is("workflow_runs_started_total", &[("workflow", "fulfil")], 2.0);
    is("workflow_runs_ended_total", &[("outcome", "completed")], 4.0);
    is("workflow_runs_ended_total", &[("outcome", "failed"), ("workflow", "fulfil")], 1.0);
    is("workflow_runs_ended_total", &[("outcome", "cancelled"), ("workflow", "patient")], 1.0);
    is("workflow_attempts_total", &[("step", "note"), ("outcome", "completed")], 5.0);
    is("workflow_attempts_total", &[("step", "ship"), ("outcome", "error")], 1.0);
    is("workflow_attempts_total", &[("step", "charge"), ("outcome", "transient_error")], 1.0);
    is("workflow_attempts_total", &[("step", "charge"), ("outcome", "completed")], 2.0);
    is("workflow_attempt_seconds", &[("step", "note")], 5.0);
    is("workflow_queue_seconds", &[("step", "note")], 5.0);
    is("workflow_timer_lateness_seconds", &[], 1.0);
    is("workflow_messages_total", &[("delivery", "started")], 1.0);
    is("workflow_messages_total", &[("delivery", "awaited")], 1.0);
    is("workflow_messages_total", &[("delivery", "buffered")], 2.0);
    is("workflow_messages_total", &[("delivery", "duplicate")], 1.0);
    is("workflow_outbox_total", &[("outcome", "handed_over")], 1.0);
    is("workflow_outbox_lag_seconds", &[], 1.0);
    is("workflow_leases_lost_total", &[], 0.0);
    assert!(counted.of("workflow_batch_turns", &[]) >= 6.0);
    assert!(counted.of("workflow_commit_seconds", &[]) <= counted.of("workflow_turns_total", &[]));

    // A store that fails twice, an incident, a run that is taken up after a crash, and what is old.
    store.fail_next(2);
    world.always("note", Behaviour::Fail(ShopError::Declined));
    engine.start(slow("e".into())).id("e").await.unwrap().result().await.unwrap_err();
    world.always("release", Behaviour::Panic);
    world.script("charge", [Behaviour::Fail(ShopError::Declined)]);
    engine.start(fulfil("f".into())).id("f").await.unwrap();
    eventually("its compensation is stuck", async || {
        clock.advance(Duration::from_secs(2));
        let status = client.status("f").await.unwrap();
        (!status.incidents.is_empty()).then_some(())
    })
    .await;
    world.always("charge", Behaviour::Hang);
    engine.start(fulfil("g".into())).id("g").await.unwrap();
    eventually("it hangs", async || (world.count("charge") >= 5).then_some(())).await;
    drop(engine);
    let engine = start().await.unwrap();
    eventually("old runs are removed", async || {
        clock.advance(HOUR);
        counted.take(&snapshotter);
        (counted.of("workflow_runs_removed_total", &[]) >= 7.0).then_some(())
    })
    .await;
    eventually("the watchdog has counted", async || {
        clock.advance(Duration::from_secs(61));
        counted.take(&snapshotter);
        (counted.of("workflow_incidents_open", &[]) >= 1.0).then_some(())
    })
    .await;
    assert!(counted.of("workflow_store_retries_total", &[]) >= 1.0);
    assert!(counted.of("workflow_runs_claimed_total", &[]) >= 1.0);
    assert!(counted.of("workflow_strikes_total", &[]) >= 1.0);
    assert!(counted.of("workflow_incidents_opened_total", &[("place", "operation")]) >= 1.0);
    assert!(counted.of("workflow_attempts_total", &[("step", "release"), ("outcome", "panic")]) >= 1.0);
    drop(engine);
}
