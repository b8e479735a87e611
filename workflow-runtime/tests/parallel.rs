//! Several things at once in one run, on both stores: branches, races, and one call for each of many values.
//! The steps here look at each other: what the engine runs side by side, they can tell.

mod world;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Barrier, Semaphore};
use workflow_core::{Event, Run};
use workflow_runtime::prelude::*;
use workflow_runtime::store::Store;
use workflow_runtime::{Clock, EngineBuilder, Memory, RunError};
use world::faulty::{Crash, Faulty};
use world::{Folder, Paid, World, eventually, on_every_lone_store, until};

/// Clones are the same scene.
#[derive(Clone)]
struct Scene {
    calls: Arc<Mutex<Vec<String>>>,
    under_way: Arc<AtomicUsize>,
    most_under_way: Arc<AtomicUsize>,
    /// Opens when two are there.
    meeting: Arc<Barrier>,
    gate: Arc<Semaphore>,
}

impl Scene {
    fn new() -> Scene {
        Scene {
            calls: Arc::default(),
            under_way: Arc::default(),
            most_under_way: Arc::default(),
            meeting: Arc::new(Barrier::new(2)),
            gate: Arc::new(Semaphore::new(0)),
        }
    }

    fn log(&self, call: impl Into<String>) {
        self.calls.lock().unwrap().push(call.into());
    }

    fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }

    fn has(&self, call: &str) -> bool {
        self.calls().iter().any(|known| known == call)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
enum TripError {
    #[error("fully booked")]
    FullyBooked,
    #[error("too late")]
    TooLate(#[from] TimedOut),
}

/// Comes back when the other one is there too.
#[step(read_only)]
async fn meet(scene: Resource<Scene>, who: &str) -> String {
    scene.meeting.wait().await;
    format!("{who} was there")
}

#[step(compensate = cancel(what))]
async fn book(scene: Resource<Scene>, what: &str) -> Result<String, TripError> {
    scene.log(format!("book {what}"));
    match what {
        "car" => return Err(TripError::FullyBooked),
        "hotel" => scene.gate.acquire().await.unwrap().forget(),
        _ => {}
    }
    scene.log(format!("booked {what}"));
    Ok(format!("{what} booked"))
}

#[step(retriable)]
async fn cancel(scene: Resource<Scene>, what: &str) {
    scene.log(format!("cancel {what}"));
}

/// Counts how many are under way with it.
#[step(read_only)]
async fn count(scene: Resource<Scene>, number: u64) -> Result<u64, TripError> {
    let under_way = scene.under_way.fetch_add(1, Ordering::SeqCst) + 1;
    scene.most_under_way.fetch_max(under_way, Ordering::SeqCst);
    // The later ones are the quicker ones.
    for _ in 0..(100 / (number + 1)) {
        tokio::task::yield_now().await;
    }
    scene.under_way.fetch_sub(1, Ordering::SeqCst);
    scene.log(format!("count {number}"));
    if number == 13 { Err(TripError::FullyBooked) } else { Ok(number * 10) }
}

#[workflow]
async fn reunion() -> (String, String) {
    join!(meet("Ann"), async {
        let bob = meet("Bob").await;
        format!("{bob} too")
    })
}

#[workflow]
async fn trip() -> Result<(String, String), TripError> {
    let flight = book("flight").await?;
    let (hotel, _, _) = try_join!(
        book("hotel"),
        async {
            book("train").await?;
            book("car").await?;
            book("bicycle").await
        },
        async {
            sleep(days(1)).await;
            book("museum").await
        },
    )?;
    Ok((flight, hotel))
}

/// The first of a message, a step that takes its time, and an hour.
#[workflow]
async fn impatient(order: String) -> Result<String, TripError> {
    let first = select! {
        paid = receive::<Paid>(&order).forever() => format!("paid {}", paid.amount),
        booked = book("hotel") => booked?,
        _ = sleep(hours(1)) => {
            let other = book("tent").await?;
            format!("{other} instead")
        }
    };
    if first == "paid 0" {
        return Err(TripError::TooLate(TimedOut));
    }
    Ok(first)
}

#[workflow]
async fn count_all(numbers: Vec<u64>, limit: u64) -> Vec<Result<u64, TripError>> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    join_all(numbers.into_iter().map(count)).limit(limit).await
}

#[workflow]
async fn count_until_unlucky(numbers: Vec<u64>) -> Result<u64, TripError> {
    let counted = try_join_all(numbers.iter().map(|number| count(*number))).limit(3).await?;
    Ok(counted.iter().sum())
}

/// All of it, in a form in which every step comes back by itself.
#[workflow]
async fn everything(order: String) -> Result<u64, TripError> {
    let (sum, name) = join!(try_join_all([1, 2, 3, 4, 5].map(count)).limit(2), async {
        select! {
            name = book("flight") => name,
            _ = sleep(days(1)) => Err(TripError::FullyBooked),
        }
    },);
    let name = name?;
    let paid = match try_join!(
        async { Ok(receive::<Paid>(&order).within(days(1)).await?.amount) },
        book("bus"),
        async {
            book(&name).await?;
            if order == "bad" { book("car").await } else { book("train").await }
        },
    ) {
        Ok((paid, _, _)) => paid,
        Err(error) => {
            book("taxi").await?;
            return Err(error);
        }
    };
    Ok(sum?.iter().sum::<u64>() + paid)
}

fn builder(store: impl Store, scene: &Scene, clock: &Clock) -> EngineBuilder {
    Engine::builder()
        .store(store)
        .clock(clock.clone())
        .resource(scene.clone())
        .register(reunion)
        .register(trip)
        .register(impatient)
        .register(count_all)
        .register(count_until_unlucky)
        .register(everything)
}

on_every_lone_store! {
    async fn two_branches_run_at_the_same_time(store, world, clock) {
        let _: World = world;
        let engine = builder(store, &Scene::new(), &clock).start().await.unwrap();
        let run = engine.start(reunion()).await.unwrap();
        let both = tokio::time::timeout(Duration::from_secs(10), run.result()).await;
        let expected = ("Ann was there".to_owned(), "Bob was there too".to_owned());
        assert_eq!(both.expect("neither waits for the other's end").unwrap(), expected);
    }

    async fn a_branch_that_fails_waits_for_what_is_under_way_and_undoes_it(store, world, clock) {
        let _: World = world;
        let scene = Scene::new();
        let engine = builder(store, &scene, &clock).start().await.unwrap();
        let run = engine.start(trip()).id("trip").await.unwrap();
        let last = async || scene.has("book car").then_some(());
        eventually("the branch fails", last).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!engine.client().status("trip").await.unwrap().has_ended(), "the hotel is under way");
        assert!(!scene.calls().iter().any(|call| call.starts_with("cancel")), "nothing is undone before");
        scene.gate.add_permits(1);
        let error = run.result().await.unwrap_err();
        assert!(matches!(&error, RunError::Failed(TripError::FullyBooked)), "{error}");
        let calls = scene.calls();
        let undone: Vec<&str> = calls.iter().filter_map(|call| call.strip_prefix("cancel ")).collect();
        assert_eq!(undone, ["hotel", "train", "flight"]);
        assert!(!scene.has("book bicycle") && !scene.has("book museum"), "nothing new is begun: {calls:?}");
        let status = engine.client().status("trip").await.unwrap();
        assert!(status.timers.is_empty() && status.waits.is_empty(), "{status:?}");
    }

    async fn the_first_of_several_operations_wins_and_the_others_are_withdrawn(store, world, clock) {
        let _: World = world;
        let scene = Scene::new();
        let engine = builder(store, &scene, &clock).start().await.unwrap();
        let run = engine.start(impatient("o-1".into())).id("o-1").await.unwrap();
        until(&engine.client(), "o-1", "it waits", |status| status.waits.len() == 1).await;
        clock.advance(Duration::from_secs(3_600));
        eventually("the hour is over", async || scene.has("booked tent").then_some(())).await;
        let status = engine.client().status("o-1").await.unwrap();
        assert!(status.waits.is_empty() && status.timers.is_empty(), "{status:?}");
        scene.gate.add_permits(1); // What was under way is waited for, and undone.
        assert_eq!(run.result().await.unwrap(), "tent booked instead");
        assert_eq!(scene.has("booked hotel"), scene.has("cancel hotel"), "{:?}", scene.calls());
        assert!(!scene.has("cancel tent"), "{:?}", scene.calls());
    }

    async fn what_lost_a_race_and_was_done_all_the_same_is_undone_when_the_run_fails(store, world, clock) {
        let _: World = world;
        let scene = Scene::new();
        let engine = builder(store, &scene, &clock).start().await.unwrap();
        let run = engine.start(impatient("o-1".into())).id("o-1").await.unwrap();
        eventually("the hotel is asked", async || scene.has("book hotel").then_some(())).await;
        engine.client().deliver(Paid { order: "o-1".into(), amount: 0 }).await.unwrap();
        until(&engine.client(), "o-1", "the money wins", |status| status.timers.is_empty()).await;
        scene.gate.add_permits(1);
        assert!(matches!(run.result().await.unwrap_err(), RunError::Failed(TripError::TooLate(_))));
        // A step that hears of its withdrawal in time has booked nothing.
        assert_eq!(scene.has("booked hotel"), scene.has("cancel hotel"), "{:?}", scene.calls());
    }

    async fn the_calls_for_many_values_keep_their_limit_and_their_order(store, world, clock) {
        let _: World = world;
        let scene = Scene::new();
        let engine = builder(store, &scene, &clock).start().await.unwrap();
        let run = engine.start(count_all((0..40).collect(), 4)).await.unwrap();
        let expected: Vec<_> =
            (0..40).map(|n| if n == 13 { Err(TripError::FullyBooked) } else { Ok(n * 10) }).collect();
        assert_eq!(run.result().await.unwrap(), expected);
        assert_eq!(scene.most_under_way.load(Ordering::SeqCst), 4);
        let none = engine.start(count_all(Vec::new(), 0)).await.unwrap();
        assert_eq!(none.result().await.unwrap(), []);
    }

    async fn the_first_error_of_many_calls_begins_nothing_new(store, world, clock) {
        let _: World = world;
        let scene = Scene::new();
        let engine = builder(store, &scene, &clock).start().await.unwrap();
        let run = engine.start(count_until_unlucky((11..60).collect())).await.unwrap();
        assert!(matches!(run.result().await.unwrap_err(), RunError::Failed(TripError::FullyBooked)));
        assert!(scene.calls().len() <= 6, "{:?}", scene.calls());
        let lucky = engine.start(count_until_unlucky((1..5).collect())).await.unwrap();
        assert_eq!(lucky.result().await.unwrap(), 100);
    }

    async fn two_thousand_calls_finish_in_reasonable_time(store, world, clock) {
        let _: World = world;
        let scene = Scene::new();
        let engine = builder(store, &scene, &clock).start().await.unwrap();
        let began = std::time::Instant::now();
        let run = engine.start(count_all((100..2_100).collect(), 100)).await.unwrap();
        let counted = run.result().await.unwrap();
        assert_eq!(counted.len(), 2_000);
        assert!(counted.iter().zip(100..).all(|(counted, n)| *counted == Ok(n * 10)));
        assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    }
}

/// Plays `everything` with a crash at this write, and says whether there was a write to crash at.
async fn crash_once(store: Arc<dyn Store>, order: &'static str, crash: Crash) -> bool {
    let scene = Scene::new();
    let clock = Clock::manual(1_000_000);
    let play = async |engine: &Engine| {
        let run = engine.start(everything(order.into())).id("run").await.unwrap();
        let paid = Paid { order: order.to_owned(), amount: 7 };
        engine.client().deliver(paid).message_id("m-1").await.unwrap();
        match run.result().await {
            Ok(sum) => assert_eq!((order, sum), ("good", 157)),
            Err(error) => assert!(order == "bad" && matches!(error, RunError::Failed(_)), "{error}"),
        }
    };
    let faulty = Faulty::new(Arc::clone(&store), crash);
    let engine = builder(Arc::clone(&faulty), &scene, &clock).start().await.unwrap();
    let crashed = eventually("the crash", async || faulty.has_crashed().then_some(()));
    tokio::select! {
        () = play(&engine) => {}
        () = crashed => {}
    }
    let has_crashed = faulty.has_crashed();
    drop(engine);
    if has_crashed {
        let engine = builder(Arc::clone(&store), &scene, &clock).start().await.unwrap();
        play(&engine).await;
    }
    check(&store, &scene, order, &format!("{order}, {crash:?}")).await;
    has_crashed
}

/// Nothing is answered twice, nothing is left out, and what failed has undone itself.
async fn check(store: &Arc<dyn Store>, scene: &Scene, order: &str, label: &str) {
    let journal = store.journal("run").await.unwrap();
    let mut answered: Vec<String> = journal
        .iter()
        .filter_map(|record| match &record.event {
            Event::StepCompleted { op, .. } => Some(op.to_string()),
            _ => None,
        })
        .collect();
    let count = answered.len();
    answered.sort();
    answered.dedup();
    assert_eq!(answered.len(), count, "{label}: {journal:#?}");
    Run::replay(everything.definition(), "run", &journal).unwrap_or_else(|error| panic!("{label}: {error}"));
    let calls = scene.calls();
    for number in 1..=5 {
        assert!(scene.has(&format!("count {number}")), "{label}: {calls:?}");
    }
    let done: Vec<&str> = ["flight", "bus", "flight booked", "train", "taxi"]
        .into_iter()
        .filter(|what| scene.has(&format!("booked {what}")))
        .collect();
    if order == "good" {
        assert_eq!(done, ["flight", "bus", "flight booked", "train"], "{label}");
        assert!(!calls.iter().any(|call| call.starts_with("cancel")), "{label}: {calls:?}");
    } else {
        for what in done {
            assert!(scene.has(&format!("cancel {what}")), "{label}: {what} stays: {calls:?}");
        }
        assert!(scene.has("booked taxi") && !scene.has("book train"), "{label}: {calls:?}");
    }
    let status = store.run("run").await.unwrap().unwrap();
    assert!(status.has_ended() && status.timers.is_empty() && status.waits.is_empty(), "{label}: {status:?}");
}

async fn crash_everywhere(order: &'static str, new_store: impl AsyncFn() -> (Arc<dyn Store>, Folder)) {
    for crash in [Crash::Before as fn(usize) -> Crash, Crash::After as fn(usize) -> Crash] {
        let mut writes = 0;
        loop {
            let (store, _folder) = new_store().await;
            if !crash_once(store, order, crash(writes)).await {
                break;
            }
            writes += 1;
        }
        assert!(writes >= 6, "only {writes} writes were attacked");
    }
}

mod branches_under_way_survive_a_crash_at_every_write {
    use super::*;

    #[tokio::test]
    async fn memory() {
        for order in ["good", "bad"] {
            let new_store = async || (Arc::new(Memory::new()) as Arc<dyn Store>, Folder::new());
            crash_everywhere(order, new_store).await;
        }
    }

    #[tokio::test]
    async fn sqlite() {
        for order in ["good", "bad"] {
            crash_everywhere(order, async || {
                let folder = Folder::new();
                let store = Sqlite::open(folder.database()).await.unwrap();
                (Arc::new(store) as Arc<dyn Store>, folder)
            })
            .await;
        }
    }
}

#[test]
fn the_graphs_have_no_defects() {
    for graph in [
        reunion.graph(),
        trip.graph(),
        impatient.graph(),
        count_all.graph(),
        count_until_unlucky.graph(),
        everything.graph(),
    ] {
        assert_eq!(graph.defects(), [], "{graph}");
    }
}
