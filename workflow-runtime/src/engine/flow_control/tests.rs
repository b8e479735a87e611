//! Flow control under a clock that only goes on when everybody waits.

use tokio::task::JoinHandle;
use workflow_core::{ResourceNeed, StepBody, StepFault, StepId};
use workflow_graph::{Rate, StepFacts};

use super::*;

struct Gateway;

struct Charge;
struct Refund;
struct Ship;

const SECOND: Duration = Duration::from_secs(1);

fn step<S: 'static>(name: &str, resources: &'static [ResourceNeed]) -> &'static StepDef {
    Box::leak(Box::new(StepDef {
        id: StepId::of::<S>(),
        facts: StepFacts::named(name),
        compensation: None,
        returns_result: false,
        resources,
        run: StepBody::Blocking(|_, _, _| Err(StepFault::Resource("none"))),
    }))
}

fn limited(limit: Limit) -> (Arc<FlowControl>, LaneId) {
    let step = step::<Charge>("charge", &[]);
    let mut settings = FlowSettings::default();
    settings.set_limit(step, limit);
    let flow = FlowControl::of(&[step], &settings).unwrap();
    let lane = flow.lane_of(step).unwrap();
    (flow, lane)
}

fn guarded(failures: u32, open_for: Duration) -> (Arc<FlowControl>, [LaneId; 2]) {
    const TAKES: &[ResourceNeed] = &[ResourceNeed::of::<Gateway>()];
    let steps = [step::<Charge>("charge", TAKES), step::<Refund>("refund", TAKES)];
    let mut settings = FlowSettings::default();
    settings.set_breaker(ResourceNeed::of::<Gateway>(), CircuitBreaker { failures, open_for });
    let flow = FlowControl::of(&steps, &settings).unwrap();
    let lanes = steps.map(|step| flow.lane_of(step).unwrap());
    (flow, lanes)
}

fn waiter(flow: &Arc<FlowControl>, lane: LaneId, priority: i8) -> JoinHandle<Admission> {
    let flow = Arc::clone(flow);
    tokio::spawn(async move { flow.admit(lane, priority).await })
}

/// Lets all tasks go as far as they can without time.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

fn load(flow: &FlowControl) -> (usize, usize) {
    let status = flow.status();
    (status.steps.iter().map(|step| step.running).sum(), status.steps.iter().map(|step| step.waiting).sum())
}

fn state(flow: &FlowControl) -> BreakerState {
    flow.status().circuit_breakers[0].state
}

async fn report(flow: &Arc<FlowControl>, lane: LaneId, health: Health) {
    flow.admit(lane, 0).await.report(health);
}

#[tokio::test(start_paused = true)]
async fn no_more_are_let_in_than_may_be_under_way() {
    let (flow, lane) = limited(Limit::concurrency(2));
    let first = flow.admit(lane, 0).await;
    let _second = flow.admit(lane, 0).await;
    let third = waiter(&flow, lane, 0);
    settle().await;
    assert_eq!(load(&flow), (2, 1));
    assert!(!third.is_finished());
    drop(first);
    let _third = third.await.unwrap();
    assert_eq!(load(&flow), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn the_higher_priority_goes_first_and_then_whoever_came_first() {
    let (flow, lane) = limited(Limit::concurrency(1));
    let mut holds = Some(flow.admit(lane, 0).await);
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut waiters = Vec::new();
    for (name, priority) in [("low", -5), ("first", 0), ("second", 0), ("high", 7)] {
        let (flow, order) = (Arc::clone(&flow), Arc::clone(&order));
        waiters.push(tokio::spawn(async move {
            let admission = flow.admit(lane, priority).await;
            order.lock().unwrap().push(name);
            drop(admission);
        }));
        settle().await;
    }
    holds.take();
    for waiter in waiters {
        waiter.await.unwrap();
    }
    assert_eq!(*order.lock().unwrap(), ["high", "first", "second", "low"]);
    assert_eq!(load(&flow), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn who_stops_waiting_loses_no_place() {
    let (flow, lane) = limited(Limit::concurrency(1));
    let holds = flow.admit(lane, 0).await;
    let (gone, stays) = (waiter(&flow, lane, 9), waiter(&flow, lane, 0));
    settle().await;
    gone.abort();
    settle().await;
    assert_eq!(load(&flow), (1, 1));
    drop(holds);
    drop(stays.await.unwrap());
    assert_eq!(load(&flow), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn who_goes_away_in_the_moment_of_its_admission_gives_it_to_the_next() {
    let (flow, lane) = limited(Limit::concurrency(1));
    let holds = flow.admit(lane, 0).await;
    // Polled by hand: it is let in while nobody looks, and goes away before it notices.
    let mut gone = Box::pin(flow.admit(lane, 9));
    assert!(futures_poll(gone.as_mut()).is_pending());
    let stays = waiter(&flow, lane, 0);
    settle().await;
    drop(holds);
    settle().await;
    assert_eq!(load(&flow), (1, 1), "the one that nobody polls has the place");
    drop(gone);
    drop(stays.await.unwrap());
    assert_eq!(load(&flow), (0, 0));
}

fn futures_poll<F: Future>(future: std::pin::Pin<&mut F>) -> std::task::Poll<F::Output> {
    future.poll(&mut std::task::Context::from_waker(std::task::Waker::noop()))
}

#[tokio::test(start_paused = true)]
async fn a_place_is_taken_until_the_last_who_holds_it_is_gone() {
    let (flow, lane) = limited(Limit::concurrency(1));
    let admission = flow.admit(lane, 0).await;
    let thread = admission.slot();
    drop(admission);
    assert_eq!(load(&flow), (1, 0));
    drop(thread);
    assert_eq!(load(&flow), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn no_span_of_time_sees_more_than_the_rate_allows() {
    let (flow, lane) = limited(Limit::NONE.rate(Rate::per_second(3)));
    let began = Instant::now();
    let mut at = Vec::new();
    for number in 0..10 {
        drop(flow.admit(lane, 0).await);
        at.push(began.elapsed().as_millis());
        if number == 1 {
            tokio::time::sleep(Duration::from_millis(400)).await;
        }
    }
    // Three at once where nothing was used up, and from then on each a second after the third before it.
    assert_eq!(at, [0, 0, 400, 1_000, 1_000, 1_400, 2_000, 2_000, 2_400, 3_000]);
}

#[tokio::test(start_paused = true)]
async fn the_rate_lets_the_higher_priority_go_first() {
    let (flow, lane) = limited(Limit::NONE.rate(Rate::per_minute(1)));
    drop(flow.admit(lane, 0).await);
    let low = waiter(&flow, lane, -1);
    settle().await;
    let high = waiter(&flow, lane, 1);
    drop(high.await.unwrap());
    assert!(!low.is_finished());
    drop(low.await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_rate_that_never_ends_is_waited_for_without_a_panic() {
    let (flow, lane) = limited(Limit::NONE.rate(Rate { count: 1, per_ms: u64::MAX }));
    drop(flow.admit(lane, 0).await);
    assert!(tokio::time::timeout(SECOND * 3_600, flow.admit(lane, 0)).await.is_err());
    assert_eq!(load(&flow), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn failures_in_a_row_open_the_breaker_for_all_steps_that_take_the_resource() {
    let (flow, [charge, refund]) = guarded(2, SECOND * 30);
    report(&flow, charge, Health::Failing).await;
    report(&flow, refund, Health::Healthy).await;
    report(&flow, refund, Health::Failing).await;
    report(&flow, refund, Health::Unknown).await;
    assert_eq!(state(&flow), BreakerState::Closed, "they were not in a row");
    report(&flow, charge, Health::Failing).await;
    assert_eq!(state(&flow), BreakerState::Open);
    let opened = Instant::now();
    let (probe, waits) = (waiter(&flow, charge, 0), waiter(&flow, refund, 0));
    let probe = probe.await.unwrap();
    assert_eq!(opened.elapsed(), SECOND * 30);
    settle().await;
    assert!(!waits.is_finished(), "one is the probe");
    assert_eq!((state(&flow), load(&flow)), (BreakerState::HalfOpen, (1, 1)));
    probe.report(Health::Healthy);
    drop(waits.await.unwrap());
    assert_eq!((state(&flow), opened.elapsed()), (BreakerState::Closed, SECOND * 30));
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_fails_opens_it_again() {
    let (flow, [charge, refund]) = guarded(1, SECOND);
    report(&flow, charge, Health::Failing).await;
    let opened = Instant::now();
    let waits = waiter(&flow, refund, -1);
    settle().await;
    report(&flow, charge, Health::Failing).await;
    assert_eq!((state(&flow), opened.elapsed()), (BreakerState::Open, SECOND));
    waits.await.unwrap().report(Health::Healthy);
    assert_eq!((state(&flow), opened.elapsed()), (BreakerState::Closed, SECOND * 2));
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_tells_nothing_makes_room_for_another() {
    let (flow, [charge, refund]) = guarded(1, SECOND);
    report(&flow, charge, Health::Failing).await;
    let probe = flow.admit(charge, 0).await;
    let waits = waiter(&flow, refund, 0);
    settle().await;
    assert!(!waits.is_finished());
    drop(probe);
    waits.await.unwrap().report(Health::Healthy);
    assert_eq!(state(&flow), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn what_began_before_it_opened_says_nothing_afterwards() {
    let (flow, [charge, _]) = guarded(1, SECOND);
    let (late, later) = (flow.admit(charge, 0).await, flow.admit(charge, 0).await);
    report(&flow, charge, Health::Failing).await;
    late.report(Health::Healthy);
    assert_eq!(state(&flow), BreakerState::Open);
    report(&flow, charge, Health::Healthy).await;
    later.report(Health::Failing);
    assert_eq!(state(&flow), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_full_lane_holds_up_nobody_in_another() {
    let (charge, ship) = (step::<Charge>("charge", &[]), step::<Ship>("ship", &[]));
    let mut settings = FlowSettings::default();
    settings.set_limit(charge, Limit::concurrency(1));
    settings.set_limit(ship, Limit::concurrency(1));
    let flow = FlowControl::of(&[charge, ship], &settings).unwrap();
    let (charge, ship) = (flow.lane_of(charge).unwrap(), flow.lane_of(ship).unwrap());
    let _holds = flow.admit(charge, 0).await;
    let waits = waiter(&flow, charge, 100);
    settle().await;
    drop(flow.admit(ship, -100).await);
    assert!(!waits.is_finished());
}

#[test]
fn what_the_builder_says_goes_before_what_the_step_says() {
    let declared = Box::leak(Box::new(StepDef {
        id: StepId::of::<Charge>(),
        facts: StepFacts { concurrency: Some(3), ..StepFacts::named("charge") },
        compensation: None,
        returns_result: false,
        resources: &[],
        run: StepBody::Blocking(|_, _, _| Err(StepFault::Resource("none"))),
    }));
    let mut settings = FlowSettings::default();
    let flow = FlowControl::of(&[declared], &settings).unwrap();
    assert_eq!(flow.status().steps[0].limit, Limit::concurrency(3));
    settings.set_limit(declared, Limit::concurrency(5));
    settings.set_limit(declared, Limit::NONE);
    assert_eq!(FlowControl::of(&[declared], &settings).unwrap().lane_of(declared), None);
}

#[test]
fn settings_that_concern_nobody_or_let_nobody_in_are_refused() {
    let mut settings = FlowSettings::default();
    settings.set_limit(step::<Charge>("charge", &[]), Limit::concurrency(0).rate(Rate::per_hour(0)));
    settings.set_breaker(ResourceNeed::of::<Gateway>(), CircuitBreaker { failures: 0, open_for: SECOND });
    let Err(defects) = FlowControl::of(&[step::<Ship>("ship", &[])], &settings) else {
        panic!("they were taken")
    };
    let texts =
        ["no registered workflow calls", "`Limit::NONE`", "no step of a registered", "`failures` is 1"];
    assert_eq!(defects.len(), texts.len(), "{defects:?}");
    for (defect, text) in defects.iter().zip(texts) {
        assert!(defect.contains(text), "{defect}");
    }
}
