//! One execution: a pure function of the plan and the choices.
//! It judges nothing but its own journal, and never crashes; that is done to it afterwards.

use std::collections::BTreeMap;

use workflow_core::{Event, OpId, Record, Timestamp};

use crate::agenda::Delivery;
use crate::driver::{Call, Deed, Driver, Wait, World};
use crate::explore::choices::Choices;
use crate::explore::plan::Plan;
use crate::oracle::walk::Path;
use crate::script::Served;
use crate::test_run::RUN_ID;
use crate::violation::Violation;

/// An execution that is over.
pub(crate) struct Execution {
    pub(crate) made: Vec<(usize, usize)>,
    pub(crate) journal: Vec<Record>,
    pub(crate) memory: Memory,
    /// The path through the graph, or what is wrong.
    pub(crate) verdict: Result<Path, Violation>,
}

/// How the outside behaved, to behave the same way after a crash.
#[derive(Default)]
pub(crate) struct Memory {
    /// The attempts of each operation, in order.
    pub(crate) deeds: BTreeMap<OpId, Vec<Deed>>,
    pub(crate) deliveries: BTreeMap<OpId, Option<Delivery>>,
}

pub(crate) fn execute(plan: &Plan, given: Vec<usize>) -> Execution {
    let mut world = Imagined {
        plan,
        choices: Choices::given(given),
        served: Served::default(),
        faults_left: plan.faults,
        lasting: BTreeMap::new(),
        memory: Memory::default(),
    };
    let mut driver = Driver::new(plan.definition, RUN_ID);
    let driven = drive(plan, &mut driver, &mut world);
    let journal = driver.into_journal();
    let verdict = driven.and_then(|()| plan.oracles.check(RUN_ID, &journal));
    Execution { made: world.choices.into_made(), journal, memory: world.memory, verdict }
}

fn drive(plan: &Plan, driver: &mut Driver, world: &mut Imagined<'_>) -> Result<(), Violation> {
    driver.write(Event::started(plan.input.clone()), world)?;
    let mut is_cancelled = false;
    let mut written = 0;
    while driver.conclusion().is_none() {
        if plan.cancels && !is_cancelled && world.faults_left > 0 && driver.journal().len() > written {
            written = driver.journal().len();
            if world.choices.pick(2) == 1 {
                world.faults_left -= 1;
                is_cancelled = true;
                driver.write(cancel(), world)?;
                continue;
            }
        }
        if driver.advance(Timestamp::MAX, world)? {
            continue;
        }
        let Some(op) = driver.stuck() else {
            return Err(plan.explain(driver.deadlock(), &driver.waits()));
        };
        // A person looks at the incident: tries again, or gives the run up where that is still possible.
        let can_cancel = !is_cancelled && op.undoes().is_none() && !driver.is_past_pivot();
        if can_cancel && world.choices.pick(2) == 1 {
            is_cancelled = true;
            driver.write(cancel(), world)?;
        } else {
            world.lasting.remove(&op);
            driver.write(Event::RetryRequested { op }, world)?;
        }
    }
    Ok(())
}

fn cancel() -> Event {
    Event::CancelRequested { reason: "explored".to_owned() }
}

/// The world of an execution: mocks when all goes well, and choices for what may go otherwise.
struct Imagined<'a> {
    plan: &'a Plan,
    choices: Choices,
    served: Served,
    faults_left: u32,
    /// What goes wrong with every further attempt: a position in the step's menu.
    lasting: BTreeMap<OpId, usize>,
    memory: Memory,
}

impl World for Imagined<'_> {
    fn attempt(&mut self, call: &Call<'_>) -> Result<Deed, Violation> {
        let menu = self.plan.menus.get(call.def.facts.name.as_ref());
        let menu =
            menu.map_or(&[][..], |menu| if call.op.undoes().is_some() { &menu.undo } else { &menu.forward });
        let mut wrong = self.lasting.get(call.op).copied();
        if wrong.is_none() && self.faults_left > 0 {
            wrong = self.choices.pick(1 + menu.len()).checked_sub(1);
            if let Some(position) = wrong {
                self.faults_left -= 1;
                if menu[position].lasts {
                    self.lasting.insert(call.op.clone(), position);
                }
            }
        }
        let deed = match wrong {
            Some(position) => menu[position].deed(call),
            None => self.served.serve(&self.plan.scripts, &self.plan.definition, call)?,
        };
        self.memory.deeds.entry(call.op.clone()).or_default().push(deed.clone());
        Ok(deed)
    }

    fn message(&mut self, wait: &Wait<'_>) -> Result<Option<Delivery>, Violation> {
        let fits =
            self.plan.messages.iter().filter(|sample| sample.name == wait.message && sample.key == wait.key);
        let fits: Vec<_> = fits.collect();
        let ways = fits.len() + usize::from(wait.deadline_ms.is_some());
        let delivery = fits.get(self.choices.pick(ways)).map(|sample| Delivery {
            at_ms: wait.now_ms,
            message_id: format!("message-{}", wait.op),
            payload: sample.payload.clone(),
        });
        self.memory.deliveries.insert(wait.op.clone(), delivery.clone());
        Ok(delivery)
    }
}
