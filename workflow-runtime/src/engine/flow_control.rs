//! Who may begin now: the limits of steps, the circuit breakers of resources, and the queues in front of them.
//! It knows neither runs nor journals. Nothing of it is stored: an engine that starts begins afresh.

mod breaker;
mod settings;
#[cfg(test)]
mod tests;
mod window;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use tokio::time::Instant;
use workflow_core::{StepDef, StepId};

pub(crate) use breaker::Health;
use breaker::{Breaker, Pass};
pub(crate) use settings::FlowSettings;
pub use settings::{BreakerState, BreakerStatus, CircuitBreaker, Limit, LimitedStep, Limits};
use window::Window;

/// See the module.
pub(crate) struct FlowControl {
    /// The lane of each step that has to wait at times, by its id.
    lane_of: HashMap<StepId, LaneId>,
    state: Mutex<State>,
}

/// The way that all attempts of one step take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LaneId(usize);

struct State {
    lanes: Vec<Lane>,
    breakers: Vec<Breaker>,
    /// Counts all who ever waited, so that those of one priority go in the order in which they came.
    tickets: u64,
    alarm: Option<Alarm>,
}

struct Lane {
    step: &'static str,
    limit: Limit,
    window: Option<Window>,
    /// The breakers of what the step takes, by their positions.
    breakers: Vec<usize>,
    running: usize,
    waiting: BTreeMap<Place, oneshot::Sender<Admission>>,
}

/// A place in a queue: the first one is the least.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    priority: Reverse<i8>,
    ticket: u64,
}

/// A task that looks again once time alone lets somebody go on.
struct Alarm {
    at: Instant,
    task: AbortHandle,
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Who leaves a queue and how, to be told once nothing is locked any more.
struct Admitted {
    waiter: oneshot::Sender<Admission>,
    lane: LaneId,
    passes: Vec<(usize, Pass)>,
}

impl FlowControl {
    /// The flow control for these steps, or all that is wrong with the settings.
    pub(crate) fn of(
        steps: &[&'static StepDef],
        settings: &FlowSettings,
    ) -> Result<Arc<FlowControl>, Vec<String>> {
        let defects = settings.defects(steps);
        if !defects.is_empty() {
            return Err(defects);
        }
        let breakers =
            settings.breakers.iter().map(|(need, breaker)| Breaker::new(need.type_name(), *breaker));
        let breakers: Vec<Breaker> = breakers.collect();
        let (mut lane_of, mut lanes) = (HashMap::new(), Vec::new());
        for step in steps {
            let taken = step.resources.iter().map(|need| need.type_id());
            let taken: BTreeSet<_> = taken.collect();
            let its = settings.breakers.iter().enumerate();
            let its = its.filter(|(_, (need, _))| taken.contains(&need.type_id()));
            let breakers: Vec<usize> = its.map(|(position, _)| position).collect();
            let limit = settings.limit_of(step);
            if (limit == Limit::NONE && breakers.is_empty()) || lane_of.contains_key(&step.id) {
                continue;
            }
            lane_of.insert(step.id, LaneId(lanes.len()));
            lanes.push(Lane {
                step: &step.facts.name,
                limit,
                window: limit.rate.map(Window::new),
                breakers,
                running: 0,
                waiting: BTreeMap::new(),
            });
        }
        let state = State { lanes, breakers, tickets: 0, alarm: None };
        Ok(Arc::new(FlowControl { lane_of, state: Mutex::new(state) }))
    }

    /// The lane that attempts of this step have to take; `None` when they never wait.
    pub(crate) fn lane_of(&self, step: &'static StepDef) -> Option<LaneId> {
        self.lane_of.get(&step.id).copied()
    }

    /// Waits until an attempt may begin. Whoever stops waiting leaves the queue, and holds up nobody.
    pub(crate) async fn admit(self: &Arc<Self>, lane: LaneId, priority: i8) -> Admission {
        let (waiter, admission) = oneshot::channel();
        let place = self.lock().enqueue(lane, priority, waiter);
        let _leaves = Leaves { flow: self, lane, place };
        self.let_in();
        admission.await.expect("a place in the queue goes only with its waiter, or against an admission")
    }

    /// How things stand.
    pub(crate) fn status(&self) -> Limits {
        self.lock().status(Instant::now())
    }

    /// Lets in all who may begin by now.
    fn let_in(self: &Arc<Self>) {
        let admitted = {
            let mut state = self.lock();
            let now = Instant::now();
            let admitted = state.admit_all(now);
            self.set_alarm(&mut state, now);
            admitted
        };
        for Admitted { waiter, lane, passes } in admitted {
            let slot = Arc::new(Slot { flow: Arc::clone(self), lane });
            let admission = Admission { flow: Arc::clone(self), passes, health: Health::Unknown, slot };
            // Who has gone away meanwhile gives it back: it is dropped here, where nothing is locked.
            drop(waiter.send(admission));
        }
    }

    fn set_alarm(self: &Arc<Self>, state: &mut State, now: Instant) {
        let Some(at) = state.next_opening(now) else { return };
        if state.alarm.as_ref().is_some_and(|alarm| alarm.at == at) {
            return;
        }
        // Without a runtime nobody is left who could begin.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let flow = Arc::downgrade(self);
        let task = runtime.spawn(async move {
            tokio::time::sleep_until(at).await;
            if let Some(flow) = flow.upgrade() {
                flow.lock().alarm = None;
                flow.let_in();
            }
        });
        state.alarm = Some(Alarm { at, task: task.abort_handle() });
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while this is locked")
    }
}

impl State {
    fn enqueue(&mut self, lane: LaneId, priority: i8, waiter: oneshot::Sender<Admission>) -> Place {
        self.tickets += 1;
        let place = Place { priority: Reverse(priority), ticket: self.tickets };
        self.lanes[lane.0].waiting.insert(place, waiter);
        place
    }

    fn admit_all(&mut self, now: Instant) -> Vec<Admitted> {
        let mut admitted = Vec::new();
        while let Some(id) = self.first_open(now) {
            let State { lanes, breakers, .. } = self;
            let lane = &mut lanes[id.0];
            let Some((_, waiter)) = lane.waiting.pop_first() else { break };
            lane.running += 1;
            if let Some(window) = &mut lane.window {
                window.note(now);
            }
            let passes = lane.breakers.iter().map(|breaker| (*breaker, breakers[*breaker].pass(now)));
            admitted.push(Admitted { waiter, lane: id, passes: passes.collect() });
        }
        admitted
    }

    /// The lane whose first waiter may begin, and goes before those of other lanes: they may share a breaker. All
    /// who wait in one lane need the same, so that only its first one has to be looked at.
    fn first_open(&self, now: Instant) -> Option<LaneId> {
        let first = |(position, lane): (usize, &Lane)| {
            let (place, _) = lane.waiting.first_key_value()?;
            (self.opens_at(lane, now)? <= now).then_some((*place, LaneId(position)))
        };
        self.lanes.iter().enumerate().filter_map(first).min().map(|(_, lane)| lane)
    }

    /// When the next attempt may begin in a lane, as far as time decides; `None` while one has to come back first.
    fn opens_at(&self, lane: &Lane, now: Instant) -> Option<Instant> {
        let is_full = |concurrency: u32| lane.running >= usize::try_from(concurrency).unwrap_or(usize::MAX);
        if lane.limit.concurrency.is_some_and(is_full) {
            return None;
        }
        let at = lane.window.as_ref().map_or(now, |window| window.opens_at(now));
        let mut breakers = lane.breakers.iter().map(|breaker| self.breakers[*breaker].opens_at(now));
        breakers.try_fold(at, |at, breaker| Some(at.max(breaker?)))
    }

    /// When somebody who waits may begin without anybody coming back.
    fn next_opening(&self, now: Instant) -> Option<Instant> {
        let waited_for = self.lanes.iter().filter(|lane| !lane.waiting.is_empty());
        waited_for.filter_map(|lane| self.opens_at(lane, now)).min()
    }

    fn status(&self, now: Instant) -> Limits {
        let steps = self.lanes.iter().map(|lane| LimitedStep {
            step: lane.step,
            limit: lane.limit,
            running: lane.running,
            waiting: lane.waiting.len(),
        });
        let circuit_breakers = self.breakers.iter().map(|breaker| breaker.status(now));
        Limits { steps: steps.collect(), circuit_breakers: circuit_breakers.collect() }
    }
}

/// The right of one attempt to be under way. Dropped, it tells the circuit breakers what the attempt came to, and
/// gives its place to the next.
pub(crate) struct Admission {
    flow: Arc<FlowControl>,
    passes: Vec<(usize, Pass)>,
    health: Health,
    slot: Arc<Slot>,
}

impl Admission {
    /// What the attempt tells about the resources that it takes; nothing unless this is called.
    pub(crate) fn report(mut self, health: Health) {
        self.health = health;
    }

    /// The place that the attempt takes up, for whoever may still run when the attempt is over.
    pub(crate) fn slot(&self) -> Arc<Slot> {
        Arc::clone(&self.slot)
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        if self.passes.is_empty() {
            return;
        }
        let now = Instant::now();
        let mut state = self.flow.lock();
        for (breaker, pass) in self.passes.drain(..) {
            state.breakers[breaker].note(pass, self.health, now);
        }
        drop(state);
        self.flow.let_in();
    }
}

/// A place among those of a step that are under way, free again when its last clone is dropped.
pub(crate) struct Slot {
    flow: Arc<FlowControl>,
    lane: LaneId,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.flow.lock().lanes[self.lane.0].running -= 1;
        self.flow.let_in();
    }
}

/// Takes a waiter out of its queue, if it is still there.
struct Leaves<'a> {
    flow: &'a FlowControl,
    lane: LaneId,
    place: Place,
}

impl Drop for Leaves<'_> {
    fn drop(&mut self) {
        self.flow.lock().lanes[self.lane.0].waiting.remove(&self.place);
    }
}

/// A point in time so far away that nobody waits for it, in place of one that cannot be told.
const FAR: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

fn after(now: Instant, span: Duration) -> Instant {
    now.checked_add(span).unwrap_or_else(|| now + FAR)
}
