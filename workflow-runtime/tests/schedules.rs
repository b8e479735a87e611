//! Schedules: one run for each tick, across pauses, crashes, clocks that are set and releases that change them.
//! Time is a manual clock; which ticks there are is tested beside the calendar.

mod world;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use workflow_runtime::graph::CatchUp;
use workflow_runtime::prelude::*;
use workflow_runtime::store::Store;
use workflow_runtime::{
    Client, Clock, EngineBuilder, Memory, RunFilter, RunState, ScheduleStatus, Timestamp,
};
use world::faulty::{Crash, Faulty};
use world::*;

fn ms(text: &str) -> Timestamp {
    text.parse::<jiff::Timestamp>().unwrap().as_millisecond()
}

fn text(time: SystemTime) -> String {
    jiff::Timestamp::try_from(time).unwrap().to_string()
}

/// Every morning at six, wherever that is in the summer.
#[workflow(cron = "0 6 * * *", timezone = "Europe/Berlin")]
pub async fn nightly(time: SystemTime) -> Result<u64, ShopError> {
    note(&text(time)).await
}

/// Every hour, also those that were missed.
#[workflow(cron = "0 * * * *", catch_up = "all")]
pub async fn each_hour(time: SystemTime) -> Result<u64, ShopError> {
    note(&text(time)).await
}

/// Every hour that an engine sees.
#[workflow(cron = "0 * * * *", catch_up = "skip")]
pub async fn this_hour() -> Result<u64, ShopError> {
    note("now").await
}

/// Every minute.
#[workflow(cron = "* * * * *", catch_up = "all")]
pub async fn each_minute() -> Result<u64, ShopError> {
    note("again").await
}

/// What later releases made of `nightly`.
mod later {
    use super::*;

    #[workflow(version = 2, cron = "30 7 * * *", timezone = "Europe/Berlin")]
    pub async fn nightly(time: SystemTime) -> Result<u64, ShopError> {
        note(&format!("second {}", text(time))).await
    }
}

mod by_hand {
    use super::*;

    #[workflow(version = 3)]
    pub async fn nightly(time: SystemTime) -> Result<u64, ShopError> {
        note(&text(time)).await
    }
}

fn engine(store: &Arc<dyn Store>, world: &World, clock: &Clock) -> EngineBuilder {
    Engine::builder().store(Arc::clone(store)).clock(clock.clone()).resource(world.clone())
}

/// The ids of all runs, once all have ended.
async fn ended(client: &Client) -> Vec<String> {
    eventually("all runs have ended", async || {
        let runs = client.runs(&RunFilter { limit: 10_000, ..RunFilter::default() }).await.unwrap();
        let ids = runs.iter().map(|run| run.run_id.to_string()).collect();
        runs.iter().all(|run| run.state != RunState::Running).then_some(ids)
    })
    .await
}

/// Waits for the runs with these ids; there are no others.
async fn until_ended(client: &Client, expected: &[&str]) {
    eventually(&format!("the runs {expected:?}"), async || {
        let ids = ended(client).await;
        assert!(ids.iter().all(|id| expected.contains(&id.as_str())), "{ids:?} instead of {expected:?}");
        (ids.len() == expected.len()).then_some(())
    })
    .await;
}

/// Waits until the schedule of a workflow says that this was its last tick.
async fn until_kept(client: &Client, workflow: &str, last_tick: &str) -> ScheduleStatus {
    eventually(&format!("the tick {last_tick} of {workflow}"), async || {
        let schedules = client.schedules().await.unwrap();
        let schedule = schedules.into_iter().find(|schedule| schedule.workflow == workflow)?;
        (schedule.last_tick_ms == Some(ms(last_tick))).then_some(schedule)
    })
    .await
}

// Two engines at a time: where each would give up the other, they would do nothing else.
on_every_store! {
    async fn a_tick_has_one_run_whichever_engine_sees_it(store, world, clock) {
        let store: Arc<dyn Store> = Faulty::open_to_all(store);
        clock.set(ms("2026-11-22T00:30:00Z"));
        let build = || engine(&store, &world, &clock).register(each_hour).register(nightly);
        let one = build().start().await.unwrap();
        let other = build().start().await.unwrap();
        for hour in 1..=6 {
            let tick = format!("2026-11-22T0{hour}:00:00Z");
            clock.set(ms(&tick) + 3);
            until_kept(&one.client(), "each_hour", &tick).await;
            until_kept(&other.client(), "each_hour", &tick).await;
        }
        assert_eq!(ended(&one.client()).await.len(), 7);
        drop(one);
        drop(other);
        // The next one finds nothing left to start.
        let next = build().start().await.unwrap();
        clock.set(ms("2026-11-22T07:00:00Z"));
        until_kept(&next.client(), "each_hour", "2026-11-22T07:00:00Z").await;
        assert_eq!(ended(&next.client()).await.len(), 8);
    }
}

on_every_lone_store! {
    async fn each_tick_starts_one_run_that_is_told_the_time(store, world, clock) {
        let store: Arc<dyn Store> = Arc::new(store);
        clock.set(ms("2026-10-24T03:59:59Z"));
        let engine = engine(&store, &world, &clock).register(nightly).start().await.unwrap();
        let client = engine.client();
        let expected = ScheduleStatus {
            workflow: "nightly".into(),
            cron: "0 6 * * *".into(),
            timezone: "Europe/Berlin".into(),
            catch_up: CatchUp::Latest,
            last_tick_ms: None,
            next_tick_ms: Some(ms("2026-10-24T04:00:00Z")),
        };
        assert_eq!(client.schedules().await.unwrap(), [expected], "it begins now and catches up nothing");
        clock.advance(Duration::from_secs(1));
        until_ended(&client, &["nightly@2026-10-24T04:00:00Z"]).await;
        until_kept(&client, "nightly", "2026-10-24T04:00:00Z").await;
        clock.set(ms("2026-10-25T05:00:00.250Z"));
        until_ended(&client, &["nightly@2026-10-24T04:00:00Z", "nightly@2026-10-25T05:00:00Z"]).await;
        assert_eq!(world.calls(), ["note 2026-10-24T04:00:00Z", "note 2026-10-25T05:00:00Z"]);
        let schedule = until_kept(&client, "nightly", "2026-10-25T05:00:00Z").await;
        assert_eq!(schedule.next_tick_ms, Some(ms("2026-10-26T05:00:00Z")));
        // Whoever starts a tick by hand gets the run of the schedule.
        let time = SystemTime::from(jiff::Timestamp::from_millisecond(ms("2026-10-25T05:00:00Z")).unwrap());
        let run = engine.start(nightly(time)).id("nightly@2026-10-25T05:00:00Z").await.unwrap();
        assert_eq!(run.result().await.unwrap(), 1);
        assert_eq!(world.count("note"), 2);
        engine.shutdown().await;
    }

    async fn after_a_pause_each_schedule_catches_up_as_it_says(store, world, clock) {
        let store: Arc<dyn Store> = Arc::new(store);
        let build = || {
            engine(&store, &world, &clock).register(nightly).register(each_hour).register(this_hour)
        };
        clock.set(ms("2026-11-20T05:30:00Z"));
        drop(build().start().await.unwrap());
        clock.set(ms("2026-11-22T05:30:00Z"));
        let engine = build().start().await.unwrap();
        let client = engine.client();
        until_kept(&client, "each_hour", "2026-11-22T05:00:00Z").await;
        until_kept(&client, "nightly", "2026-11-22T05:00:00Z").await;
        clock.set(ms("2026-11-22T06:00:00Z"));
        until_kept(&client, "this_hour", "2026-11-22T06:00:00Z").await;
        until_kept(&client, "each_hour", "2026-11-22T06:00:00Z").await;
        let runs = ended(&client).await;
        let of = |workflow: &str| runs.iter().filter(|id| id.starts_with(workflow)).collect::<Vec<_>>();
        assert_eq!(of("nightly"), ["nightly@2026-11-22T05:00:00Z"]);
        assert_eq!(of("this_hour"), ["this_hour@2026-11-22T06:00:00Z"]);
        assert_eq!(of("each_hour").len(), 49, "one for each hour of two days, and the last one");
    }

    async fn a_clock_that_is_set_back_starts_nothing_twice(store, world, clock) {
        let store: Arc<dyn Store> = Arc::new(store);
        clock.set(ms("2026-11-22T00:30:00Z"));
        let build = || engine(&store, &world, &clock).register(each_hour);
        let first = build().start().await.unwrap();
        // Somebody mistakes the hour; it is caught up, then mended.
        clock.set(ms("2026-11-22T03:30:00Z"));
        until_kept(&first.client(), "each_hour", "2026-11-22T03:00:00Z").await;
        clock.set(ms("2026-11-22T00:45:00Z"));
        clock.set(ms("2026-11-22T02:00:00Z"));
        drop(first);
        let second = build().start().await.unwrap();
        clock.set(ms("2026-11-22T04:00:00Z"));
        until_kept(&second.client(), "each_hour", "2026-11-22T04:00:00Z").await;
        let hours = [1, 2, 3, 4].map(|hour| format!("each_hour@2026-11-22T0{hour}:00:00Z"));
        assert_eq!(ended(&second.client()).await, hours);
        let mut calls = world.calls();
        calls.sort();
        assert_eq!(calls, [1, 2, 3, 4].map(|hour| format!("note 2026-11-22T0{hour}:00:00Z")));
    }

    async fn a_clock_that_was_years_ahead_does_not_silence_a_schedule(store, world, clock) {
        let store: Arc<dyn Store> = Arc::new(store);
        clock.set(ms("2036-11-22T04:30:00Z"));
        let wrong = engine(&store, &world, &clock).register(nightly).start().await.unwrap();
        clock.advance(Duration::from_secs(3_600));
        until_kept(&wrong.client(), "nightly", "2036-11-22T05:00:00Z").await;
        drop(wrong);
        clock.set(ms("2026-11-22T04:30:00Z"));
        let right = engine(&store, &world, &clock).register(nightly).start().await.unwrap();
        clock.advance(Duration::from_secs(3_600));
        until_ended(&right.client(), &["nightly@2026-11-22T05:00:00Z", "nightly@2036-11-22T05:00:00Z"]).await;
    }

    async fn a_changed_expression_fires_from_now_on_and_owes_what_the_old_one_missed(store, world, clock) {
        let store: Arc<dyn Store> = Arc::new(store);
        clock.set(ms("2026-11-20T06:00:00Z"));
        drop(engine(&store, &world, &clock).register(nightly).start().await.unwrap());
        // In between, the old one would have fired at 05:00 UTC and the new one at 06:30 UTC.
        clock.set(ms("2026-11-21T12:00:00Z"));
        let build = || engine(&store, &world, &clock).register(nightly).register(later::nightly);
        let second = build().start().await.unwrap();
        until_ended(&second.client(), &["nightly@2026-11-21T05:00:00Z"]).await;
        let schedule = until_kept(&second.client(), "nightly", "2026-11-21T05:00:00Z").await;
        assert_eq!(schedule.cron, "30 7 * * *");
        assert_eq!(schedule.next_tick_ms, Some(ms("2026-11-22T06:30:00Z")));
        drop(second);
        let third = build().start().await.unwrap();
        clock.set(ms("2026-11-22T07:00:00Z"));
        let both = ["nightly@2026-11-21T05:00:00Z", "nightly@2026-11-22T06:30:00Z"];
        until_ended(&third.client(), &both).await;
        assert_eq!(world.calls(), ["note second 2026-11-21T05:00:00Z", "note second 2026-11-22T06:30:00Z"]);
    }

    async fn a_schedule_that_was_taken_away_is_new_when_it_comes_back(store, world, clock) {
        let store: Arc<dyn Store> = Arc::new(store);
        clock.set(ms("2026-11-20T04:59:59Z"));
        let first = engine(&store, &world, &clock).register(nightly).start().await.unwrap();
        clock.advance(Duration::from_secs(1));
        until_kept(&first.client(), "nightly", "2026-11-20T05:00:00Z").await;
        until_ended(&first.client(), &["nightly@2026-11-20T05:00:00Z"]).await;
        drop(first);
        let build = || engine(&store, &world, &clock).register(nightly);
        let without = build().register(by_hand::nightly).start().await.unwrap();
        assert_eq!(without.client().schedules().await.unwrap(), [], "the newest version decides");
        drop(without);
        clock.set(ms("2026-11-22T04:00:00Z"));
        let again = build().start().await.unwrap();
        let schedules = again.client().schedules().await.unwrap();
        assert_eq!(schedules[0].last_tick_ms, Some(ms("2026-11-20T05:00:00Z")));
        clock.set(ms("2026-11-22T05:00:00Z"));
        until_ended(&again.client(), &["nightly@2026-11-20T05:00:00Z", "nightly@2026-11-22T05:00:00Z"]).await;
    }

    async fn many_missed_ticks_are_all_started(store, world, clock) {
        let store: Arc<dyn Store> = Arc::new(store);
        clock.set(ms("2026-11-22T00:00:00Z"));
        let build = || engine(&store, &world, &clock).register(each_minute);
        drop(build().start().await.unwrap());
        clock.set(ms("2026-11-22T04:10:00Z"));
        let engine = build().start().await.unwrap();
        until_kept(&engine.client(), "each_minute", "2026-11-22T04:10:00Z").await;
        assert_eq!(ended(&engine.client()).await.len(), 250);
        assert_eq!(world.count("note"), 250);
    }

    async fn a_store_that_fails_for_a_while_loses_no_tick(store, world, clock) {
        let store = Faulty::new(store, Crash::Never);
        clock.set(ms("2026-11-22T00:30:00Z"));
        let as_store = Arc::clone(&store) as Arc<dyn Store>;
        let engine = engine(&as_store, &world, &clock).register(each_hour).start().await.unwrap();
        store.fail_next(4);
        clock.set(ms("2026-11-22T02:00:00Z"));
        until_kept(&engine.client(), "each_hour", "2026-11-22T02:00:00Z").await;
        let hours = ["each_hour@2026-11-22T01:00:00Z", "each_hour@2026-11-22T02:00:00Z"];
        assert_eq!(ended(&engine.client()).await, hours);
        assert_eq!((store.failures_left(), world.count("note")), (0, 2));
    }
}

/// With catching up all of it, a tick that was lost would be seen, and so would one that was started twice.
#[tokio::test]
async fn a_crash_at_any_write_leaves_one_run_for_each_tick() {
    let hours = [1, 2, 3].map(|hour| format!("each_hour@2026-11-22T0{hour}:00:00Z"));
    let mut writes = 0;
    loop {
        let mut has_crashed = false;
        for crash in [Crash::Before(writes), Crash::After(writes)] {
            let (folder, world, clock) = (Folder::new(), World::new(), Clock::manual(0));
            let store: Arc<dyn Store> = Arc::new(Sqlite::open(folder.database()).await.unwrap());
            clock.set(ms("2026-11-22T00:30:00Z"));
            drop(engine(&store, &world, &clock).register(each_hour).start().await.unwrap());

            let faulty = Faulty::new(Arc::clone(&store), crash);
            let first = async {
                let store = Arc::clone(&faulty) as Arc<dyn Store>;
                let engine = engine(&store, &world, &clock).register(each_hour).start().await.unwrap();
                for tick in ["2026-11-22T01:00:00Z", "2026-11-22T02:00:00Z"] {
                    clock.set(ms(tick));
                    until_kept(&engine.client(), "each_hour", tick).await;
                    ended(&engine.client()).await;
                }
            };
            let crashed = eventually("a crash", async || faulty.has_crashed().then_some(()));
            tokio::select! {
                () = crashed => has_crashed = true,
                () = first => {}
            }

            clock.set(ms("2026-11-22T03:00:00Z"));
            let engine = engine(&store, &world, &clock).register(each_hour).start().await.unwrap();
            until_kept(&engine.client(), "each_hour", "2026-11-22T03:00:00Z").await;
            assert_eq!(ended(&engine.client()).await, hours, "{crash:?}");
            let mut calls = world.calls();
            calls.sort();
            calls.dedup(); // A step whose end was not recorded runs again.
            assert_eq!(calls.len(), hours.len(), "{crash:?}: {calls:?}");
        }
        if !has_crashed {
            break;
        }
        writes += 1;
    }
    // Two ticks: the beginning and the end of a run each, and the note of the tick.
    assert!(writes >= 6, "{writes}");
}

#[tokio::test]
async fn an_engine_that_waits_for_a_tick_stops_at_once() {
    let clock = Clock::system();
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    let engine = engine(&store, &World::new(), &clock).register(nightly).start().await.unwrap();
    let stopped = tokio::time::timeout(Duration::from_secs(5), engine.shutdown()).await;
    stopped.expect("nobody waits for the morning");
}
