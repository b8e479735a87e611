//! One execution: a pure function of the plan and the choices.
//! It judges nothing but its own journals, and never crashes; that is done to it afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use workflow_core::{Event, OpenOperation, Timestamp};

use crate::agenda::{Delivery, Place};
use crate::annals::Annals;
use crate::driver::{Call, ChildCall, ChildDeed, Deed, Driver, Wait, World};
use crate::explore::choices::Choices;
use crate::explore::gaps::Wanted;
use crate::explore::plan::Plan;
use crate::oracle::walk::Path;
use crate::script::Served;
use crate::test_run::root_head;
use crate::violation::Violation;

/// From that many attempts on, a step that goes wrong every time does not any more: a call may retry for ever.
const MOST_ATTEMPTS: u32 = 100;

/// A message that comes so late loses every race, unless nothing else is left to happen: ten years.
const AGES_MS: Timestamp = 10 * 365 * 86_400_000;

/// So many rows behind the end of the run, detached children are left: one may have no end.
const MOST_ROWS_BEHIND: usize = 100;

/// Why runs are cancelled.
const CANCEL_REASON: &str = "explored";

/// An execution that is over.
pub(crate) struct Execution {
    pub(crate) made: Vec<(usize, usize)>,
    pub(crate) annals: Annals,
    pub(crate) memory: Memory,
    /// For each write, what its run had open after it.
    pub(crate) open: Vec<Vec<OpenOperation>>,
    /// It came to a state that another execution has gone on from.
    pub(crate) is_cut_short: bool,
    /// The rows that had been written when the last given choice was made: another execution has written them, too.
    pub(crate) common_rows: usize,
    /// The paths through the graph, or what is wrong.
    pub(crate) verdict: Result<Vec<Path>, Violation>,
}

/// How the outside behaved, to behave the same way after a crash.
#[derive(Default)]
pub(crate) struct Memory {
    /// The attempts of each operation, in order.
    pub(crate) deeds: BTreeMap<Place, Vec<Deed>>,
    pub(crate) deliveries: BTreeMap<Place, Option<Delivery>>,
    pub(crate) children: BTreeMap<Place, Option<ChildDeed>>,
}

/// The states from which executions have gone on.
pub(crate) type Known = BTreeSet<u64>;

pub(crate) fn execute(plan: &Plan, choices: Choices, known: Option<&mut Known>) -> Execution {
    let mut world = Imagined {
        plan,
        choices,
        served: Served::default(),
        faults_left: plan.faults,
        is_cancelled: false,
        lasting: BTreeMap::new(),
        memory: Memory::default(),
        known,
        is_cut_short: false,
        common_rows: None,
        unserved: Vec::new(),
    };
    let mut driver = Driver::new(&plan.known).noting_what_is_open();
    if plan.interleaves {
        driver = driver.interleaving();
    }
    let driven = drive(plan, &mut driver, &mut world);
    let (annals, open) = driver.into_annals();
    note_unserved(plan, &annals, world.unserved);
    let verdict = driven.and_then(|()| plan.oracles.check(&annals));
    Execution {
        made: world.choices.into_made(),
        memory: world.memory,
        is_cut_short: world.is_cut_short,
        common_rows: world.common_rows.unwrap_or(0),
        annals,
        open,
        verdict,
    }
}

/// Notes waits that the test has no message for, and whether a run sent one.
fn note_unserved(plan: &Plan, annals: &Annals, unserved: Vec<Unserved>) {
    for Unserved { place: (journal, op), message, key } in unserved {
        let has_come = annals.records(journal).any(
            |record| matches!(&record.event, Event::MessageReceived { op: received, .. } if *received == op),
        );
        let workflow = annals.journals[journal].definition.name;
        let wait = Wanted { workflow, node: op.node().to_owned(), message, key };
        plan.gaps.borrow_mut().note_wait(wait, has_come);
    }
}

fn drive(plan: &Plan, driver: &mut Driver, world: &mut Imagined<'_>) -> Result<(), Violation> {
    let head = root_head(plan.definition, Arc::clone(&plan.before_patches));
    driver.begin(head, plan.input.clone(), world)?;
    let (mut written, mut rows, mut rows_at_end) = (0, 0, None);
    loop {
        // Whatever is chosen is chosen before the row is written that comes of it.
        world.note_common(rows);
        if driver.is_over() || world.is_cut_short {
            return Ok(());
        }
        rows = driver.annals().rows.len();
        let has_ended = driver.conclusion().is_some();
        if has_ended && rows >= *rows_at_end.get_or_insert(rows) + MOST_ROWS_BEHIND {
            let mut gaps = plan.gaps.borrow_mut();
            driver.going_on().for_each(|workflow| gaps.note_endless(workflow));
            return Ok(());
        }
        let may_cancel = plan.cancels && !world.is_cancelled && world.faults_left > 0;
        if may_cancel && rows > written && driver.live[driver.root()].run.heeds_cancel(CANCEL_REASON) {
            written = rows;
            if world.choices.pick(2) == 1 {
                world.faults_left -= 1;
                world.is_cancelled = true;
                driver.write_by_hand(driver.root(), cancel(), world)?;
                continue;
            }
        }
        if driver.advance(Timestamp::MAX, world)? || world.is_cut_short {
            continue;
        }
        let Some((journal, op)) = driver.stuck() else {
            let waits = driver.waits();
            // Detached children may wait for ever; that nothing came is told with what was not explored.
            let is_fine = has_ended && !waits.is_empty();
            return if is_fine { Ok(()) } else { Err(plan.explain(driver.deadlock(), &waits)) };
        };
        // A person looks at the incident: tries again, or gives the run up where that is still possible.
        let is_step = driver.live[journal].run.step(&op).is_some();
        let run = driver.waited_for(journal);
        let can_cancel = !world.is_cancelled
            && op.undoes().is_none()
            && !driver.is_past_pivot(journal)
            && driver.live[run].run.heeds_cancel(CANCEL_REASON);
        if !is_step {
            // A child that ended otherwise ends that way again.
            let reason = "explored".to_owned();
            driver.write_by_hand(journal, Event::GivenUp { op, reason }, world)?;
        } else if can_cancel && world.choices.pick(2) == 1 {
            world.is_cancelled = true;
            driver.write_by_hand(run, cancel(), world)?;
        } else {
            let place = (journal, op);
            world.lasting.remove(&place);
            driver.write_by_hand(journal, Event::RetryRequested { op: place.1 }, world)?;
        }
    }
}

fn cancel() -> Event {
    Event::CancelRequested { reason: CANCEL_REASON.to_owned() }
}

/// The world of an execution: mocks when all goes well, and choices for what may go otherwise.
struct Imagined<'a> {
    plan: &'a Plan,
    choices: Choices,
    served: Served,
    faults_left: u32,
    is_cancelled: bool,
    /// What goes wrong with every further attempt: a position in the step's menu.
    lasting: BTreeMap<Place, usize>,
    memory: Memory,
    /// Set while all orders are tried.
    known: Option<&'a mut Known>,
    is_cut_short: bool,
    common_rows: Option<usize>,
    unserved: Vec<Unserved>,
}

/// A wait that the test has no message for.
struct Unserved {
    place: Place,
    message: String,
    key: String,
}

impl Imagined<'_> {
    /// Notes that so many rows had been written before the choices that were made last.
    fn note_common(&mut self, rows: usize) {
        if self.common_rows.is_none() && self.choices.is_beyond_given() {
            self.common_rows = Some(rows);
        }
    }
}

impl World for Imagined<'_> {
    fn attempt(&mut self, call: &Call<'_>) -> Result<Deed, Violation> {
        let menu = self.plan.menu_of(call).unwrap_or_default();
        let menu = if call.is_undo() { &menu.undo } else { &menu.forward };
        let mut wrong = self.lasting.get(call.place).copied();
        if call.attempt > MOST_ATTEMPTS {
            wrong = None;
        } else if wrong.is_none() && self.faults_left > 0 {
            wrong = self.choices.pick(1 + menu.len()).checked_sub(1);
            if let Some(position) = wrong {
                self.faults_left -= 1;
                if menu[position].lasts {
                    self.lasting.insert(call.place.clone(), position);
                }
            }
        }
        let deed = match wrong {
            Some(position) => menu[position].deed(call),
            None => self.served.serve(&self.plan.scripts, &self.plan.definition, call)?,
        };
        self.memory.deeds.entry(call.place.clone()).or_default().push(deed.clone());
        Ok(deed)
    }

    fn message(&mut self, wait: &Wait<'_>) -> Result<Option<Delivery>, Violation> {
        let fits = self.plan.messages_for(wait.message, wait.key);
        if fits.is_empty() {
            let (message, key) = (wait.message.to_owned(), wait.key.to_owned());
            self.unserved.push(Unserved { place: wait.place.clone(), message, key });
        }
        // Where all orders are tried, a message comes whenever it likes; else at once, or as late as it may. In a race
        // without a deadline that is later than everything else, so that the message loses.
        let last_moment_ms = match wait.deadline_ms {
            Some(deadline_ms) => Some(deadline_ms - 1),
            None => self.plan.is_in_race(wait).then(|| wait.now_ms.saturating_add(AGES_MS)),
        };
        let last_moment_ms =
            last_moment_ms.filter(|last_moment_ms| *last_moment_ms > wait.now_ms && !self.plan.interleaves);
        let late = if last_moment_ms.is_some() { fits.len() } else { 0 };
        let in_time = fits.len() + usize::from(wait.deadline_ms.is_some());
        let picked = self.choices.pick(in_time + late);
        let (which, at_ms) = match last_moment_ms {
            Some(last_moment_ms) if picked >= in_time => (picked - in_time, last_moment_ms),
            _ => (picked, wait.now_ms),
        };
        let delivery = fits.get(which).map(|payload| Delivery {
            at_ms,
            message_id: format!("message-{}", place_name(wait.place)),
            payload: payload.clone(),
        });
        self.memory.deliveries.insert(wait.place.clone(), delivery.clone());
        Ok(delivery)
    }

    fn child(&mut self, child: &ChildCall<'_>) -> Result<Option<ChildDeed>, Violation> {
        let mut deed = self.served.serve_child(&self.plan.scripts, child)?;
        if let Some(deed) = deed.as_mut().filter(|_| !child.is_detached && self.faults_left > 0) {
            let errors = self.plan.scripts.borrow().child_errors(child.workflow);
            self.plan.gaps.borrow_mut().note_child(child.workflow);
            if let Some(wrong) = self.choices.pick(1 + errors.len()).checked_sub(1) {
                self.faults_left -= 1;
                let (op, conclusion) = (child.place.1.clone(), errors[wrong].clone());
                deed.event = Event::ChildEnded { op, conclusion };
            }
        }
        self.memory.children.insert(child.place.clone(), deed.clone());
        Ok(deed)
    }

    fn choose(&mut self, driver: &Driver, ready: &[Place]) -> Option<usize> {
        if self.choices.is_beyond_given() {
            let mut state = DefaultHasher::new();
            let asked_for = (self.faults_left, self.is_cancelled, &self.lasting, &self.served);
            (driver.state(), asked_for).hash(&mut state);
            if let Some(known) = &mut self.known
                && !known.insert(state.finish())
            {
                self.is_cut_short = true;
                return None;
            }
        }
        let branches = || ready.iter().map(|place| branch_of(self.plan, place)).collect();
        Some(self.choices.pick_next(ready.len(), branches))
    }
}

/// What goes on one after the other: a branch, one of many calls, a child.
fn branch_of(plan: &Plan, (journal, op): &Place) -> u64 {
    let mut hasher = DefaultHasher::new();
    journal.hash(&mut hasher);
    if *journal == 0 {
        plan.oracles.walker().branch_of(op).hash(&mut hasher);
    }
    hasher.finish()
}

/// A place, where it is the run's own without saying so.
fn place_name((journal, op): &Place) -> String {
    if *journal == 0 { op.to_string() } else { format!("{journal}-{op}") }
}
