//! One run outside of any engine: its journal, what it did to the world, and what can happen to it next.
//! The turns are those of the core, the answers those of the steps' own bodies; what happens is chosen by the caller.

use std::collections::BTreeMap;
use std::task::{Context, Poll, Waker};

use workflow_core::{
    AttemptOutcome, Command, Conclusion, CoreError, Definition, Event, OpId, Payload, Record, Resources, Run,
    StepContext,
};

use super::pair::Code;
use super::shop::{Deed, World, message};

/// How many turns a run may take before it is said to go round in circles.
const LONGEST: usize = 60;

/// See the module.
#[derive(Clone)]
pub(crate) struct Life {
    version: u32,
    pub(crate) generation: u32,
    pub(crate) journal: Vec<Record>,
    pub(crate) deeds: Vec<Deed>,
    now_ms: i64,
    /// How many steps and children may still fail.
    faults: u32,
    /// How many times the run may still be cancelled, or pass its deadline.
    interruptions: u32,
}

/// Something that can happen next.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Chance {
    /// The step answers with what its body gives.
    Answer(OpId),
    /// The step answers with this error.
    Refusal(OpId, String),
    /// An attempt takes too long, and nobody knows whether it took effect.
    Unknown(OpId),
    /// A timer, or the deadline of a wait.
    Fires(OpId, i64),
    /// The deadline of the run.
    Deadline(i64),
    Message(OpId, Payload),
    ChildStarted(OpId),
    ChildEnded(OpId),
    ChildFailed(OpId),
    Cancel,
    /// The next generation begins.
    Again,
}

/// Why a run does not go on as it should.
#[derive(Clone, Debug)]
pub(crate) struct Broken(pub(crate) String);

impl From<CoreError> for Broken {
    fn from(error: CoreError) -> Broken {
        Broken(error.to_string())
    }
}

/// How a run ended, and what is left of what it did.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ending {
    pub(crate) conclusion: String,
    /// Each thing, and how often.
    pub(crate) left: Vec<(String, i64)>,
}

impl Life {
    /// A run that has begun with this input and has taken its first turn.
    pub(crate) fn begun(code: &Code, input: &Payload) -> Life {
        let mut life = Life {
            version: code[0].version,
            generation: 1,
            journal: Vec::new(),
            deeds: Vec::new(),
            now_ms: 1_000,
            faults: 1,
            interruptions: 1,
        };
        life.begin(code, input.clone()).expect("the old code begins");
        life
    }

    fn begin(&mut self, code: &Code, input: Payload) -> Result<(), Broken> {
        let mut run = Run::new(self.definition(code)?, "run");
        self.feed(&mut run, Event::Started { input, generation: self.generation, parent: None })
    }

    fn definition(&self, code: &Code) -> Result<Definition, Broken> {
        let found = code.iter().find(|definition| definition.version == self.version);
        found.copied().ok_or_else(|| Broken(format!("no code has version {}", self.version)))
    }

    /// The run in memory, as whoever comes after a crash builds it.
    pub(crate) fn replayed(&self, code: &Code) -> Result<Run, Broken> {
        Ok(Run::replay(self.definition(code)?, "run", &self.journal)?)
    }

    /// What can happen to the run now; nothing when it has ended.
    pub(crate) fn chances(&self, run: &Run) -> Vec<Chance> {
        if run.conclusion().is_some() {
            return Vec::new();
        }
        if run.continuation().is_some() {
            return vec![Chance::Again];
        }
        let open = run.open_operations();
        let due = |request: &Command| match request {
            Command::SetTimer { due_ms, .. } => Some(*due_ms),
            Command::AwaitMessage { due_ms, .. } => *due_ms,
            _ => None,
        };
        let first_due =
            open.iter().filter(|open| !is_deadline(&open.request)).filter_map(|o| due(&o.request)).min();
        let mut chances = Vec::new();
        for open in open.iter().filter(|open| !open.is_stuck) {
            let is_first = due(&open.request).is_some() && due(&open.request) == first_due;
            match &open.request {
                Command::StartStep { op, .. } => {
                    chances.push(Chance::Answer(op.clone()));
                    let facts = &open.step.expect("a step has a definition").facts;
                    let must_succeed = facts.effect == workflow_graph::Effect::Retriable;
                    if self.faults > 0 && !must_succeed && op.undoes().is_none() {
                        // What carries a value cannot be made of its name alone.
                        let variants = facts.errors.iter().filter(|error| error.variant != "Late");
                        chances.extend(variants.map(|e| Chance::Refusal(op.clone(), e.variant.to_string())));
                        if facts.timeout_ms.is_some() {
                            chances.push(Chance::Unknown(op.clone()));
                        }
                    }
                }
                Command::StartChild { op, detached: true, .. } => {
                    chances.push(Chance::ChildStarted(op.clone()))
                }
                Command::StartChild { op, .. } => {
                    chances.push(Chance::ChildEnded(op.clone()));
                    if self.faults > 0 {
                        chances.push(Chance::ChildFailed(op.clone()));
                    }
                }
                Command::SetTimer { .. } if is_deadline(&open.request) && self.interruptions == 0 => {}
                Command::SetTimer { due_ms, .. } if is_deadline(&open.request) => {
                    chances.push(Chance::Deadline(*due_ms));
                }
                Command::SetTimer { op, due_ms } if is_first => {
                    chances.push(Chance::Fires(op.clone(), *due_ms))
                }
                Command::AwaitMessage { op, message: name, due_ms, .. } => {
                    let forms = message(name).into_iter().map(|form| Payload::from_json(form).unwrap());
                    let fitting = forms.into_iter().find(|form| run.fits(op, form).is_ok());
                    chances.extend(fitting.map(|form| Chance::Message(op.clone(), form)));
                    if let (true, Some(due_ms)) = (is_first, due_ms) {
                        chances.push(Chance::Fires(op.clone(), *due_ms));
                    }
                }
                _ => {}
            }
        }
        if self.interruptions > 0 {
            chances.push(Chance::Cancel);
        }
        chances
    }

    /// Lets it happen.
    pub(crate) fn take(&mut self, code: &Code, run: &mut Run, chance: &Chance) -> Result<(), Broken> {
        self.now_ms += 1;
        let event = match chance {
            Chance::Answer(op) => self.attempt(run, op, None)?,
            Chance::Refusal(op, variant) => {
                self.faults -= 1;
                self.attempt(run, op, Some(variant))?
            }
            Chance::Unknown(op) => {
                self.faults -= 1;
                let outcome = AttemptOutcome::timed_out(1);
                run.judge(op, outcome, self.now_ms).ok_or_else(|| Broken(format!("no attempt of `{op}`")))?
            }
            Chance::Fires(op, due_ms) => {
                self.now_ms = self.now_ms.max(*due_ms);
                Event::TimerFired { op: op.clone() }
            }
            Chance::Deadline(due_ms) => {
                self.interruptions -= 1;
                self.now_ms = self.now_ms.max(*due_ms);
                Event::TimerFired { op: OpId::from_text("*deadline") }
            }
            Chance::Message(op, payload) => {
                let message_id = format!("m-{}", self.journal.len());
                Event::MessageReceived { op: op.clone(), message_id, payload: payload.clone() }
            }
            Chance::ChildStarted(op) => Event::ChildStarted { op: op.clone() },
            Chance::ChildEnded(op) => {
                let conclusion = conclusion_of_child(self.definition(code)?, run, op)?;
                Event::ChildEnded { op: op.clone(), conclusion }
            }
            Chance::ChildFailed(op) => {
                self.faults -= 1;
                let error = Payload::of("SoldOut").unwrap();
                let (code, message) = ("SoldOut".to_owned(), "sold out".to_owned());
                Event::ChildEnded { op: op.clone(), conclusion: Conclusion::Failed { error, code, message } }
            }
            Chance::Cancel => {
                self.interruptions -= 1;
                Event::CancelRequested { reason: "enough".to_owned() }
            }
            Chance::Again => {
                let (version, input) = run.continuation().expect("it continues");
                let input = input.clone();
                (self.version, self.generation) = (version, self.generation + 1);
                self.journal.clear();
                self.begin(code, input)?;
                *run = self.replayed(code)?;
                return Ok(());
            }
        };
        self.feed(run, event)
    }

    fn feed(&mut self, run: &mut Run, event: Event) -> Result<(), Broken> {
        let commands = run.feed(self.now_ms, &event)?;
        let stuck = commands.iter().find_map(|command| match command {
            Command::OpenIncident { op: Some(op), cause } => Some(format!("stuck at `{op}`: {cause}")),
            _ => None,
        });
        for command in &commands {
            if let Command::Send { op, message, payload, .. } = command {
                let key = format!("{op} of {}", self.generation);
                self.deeds.push(Deed { key, what: format!("send {message} {payload}"), takes_back: false });
            }
        }
        self.journal.push(Record::new(self.now_ms, event, commands));
        match stuck {
            Some(stuck) => Err(Broken(stuck)),
            None if self.journal.len() > LONGEST => Err(Broken("it goes round in circles".to_owned())),
            None => Ok(()),
        }
    }

    /// The event that one attempt with the body of the step comes to.
    fn attempt(&mut self, run: &Run, op: &OpId, fault: Option<&str>) -> Result<Event, Broken> {
        let open = run.open_operations().into_iter().find(|open| open.request.op() == Some(op));
        let open = open.ok_or_else(|| Broken(format!("`{op}` is not open")))?;
        let (Command::StartStep { args, attempt, due_ms, .. }, Some(def)) = (&open.request, open.step) else {
            return Err(Broken(format!("`{op}` is no step")));
        };
        self.now_ms = self.now_ms.max(*due_ms);
        let world = World::default();
        if let Some(variant) = fault {
            world.refuse(variant);
        }
        let mut resources = Resources::default();
        resources.insert(world.clone());
        let cx = StepContext::new("run", op.as_str(), *attempt).in_generation(self.generation);
        let mut body = def.run.here(cx, &resources, args);
        let Poll::Ready(answer) = body.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
            return Err(Broken(format!("the body of `{op}` waits")));
        };
        for deed in world.deeds() {
            if self.deeds.iter().any(|other| other.key == deed.key) {
                return Err(Broken(format!("`{}` is done twice under one key", deed.what)));
            }
            self.deeds.push(deed);
        }
        let event = run.judge(op, AttemptOutcome::of(answer), self.now_ms);
        event.ok_or_else(|| Broken(format!("no attempt of `{op}`")))
    }

    /// How much has gone wrong.
    pub(crate) fn trouble(&self) -> u32 {
        2 - self.faults - self.interruptions
    }

    /// How the run ended, if it has.
    pub(crate) fn ending(&self, run: &Run) -> Option<Ending> {
        let conclusion = run.conclusion().map(conclusion_text)?;
        Some(Ending { conclusion, left: left_of(&self.deeds) })
    }
}

/// What the child that was started there comes to when all goes well.
fn conclusion_of_child(parent: Definition, run: &Run, op: &OpId) -> Result<Conclusion, Broken> {
    let open = run.open_operations().into_iter().find(|open| open.request.op() == Some(op));
    let Some(Command::StartChild { workflow, input, .. }) = open.map(|open| open.request) else {
        return Err(Broken(format!("`{op}` is no child")));
    };
    let child = parent.children().into_iter().find(|child| child.name == workflow);
    let code = vec![child.ok_or_else(|| Broken(format!("`{workflow}` is not registered")))?];
    if !code[0].accepts(&input) {
        return Err(Broken(format!("`{workflow}` cannot read its input")));
    }
    let mut life = Life::begun(&code, &input);
    let mut run = life.replayed(&code)?;
    loop {
        if let Some(conclusion) = run.conclusion() {
            return Ok(conclusion.clone());
        }
        let next = life.chances(&run).first().cloned();
        life.take(&code, &mut run, &next.ok_or_else(|| Broken(format!("`{workflow}` waits")))?)?;
    }
}

fn is_deadline(request: &Command) -> bool {
    request.op().is_some_and(|op| op.as_str() == "*deadline")
}

/// How a run ended, for comparisons.
pub(crate) fn conclusion_text(conclusion: &Conclusion) -> String {
    match conclusion {
        Conclusion::Completed(value) => format!("completed {value}"),
        Conclusion::Failed { code, .. } => format!("failed {code}"),
        Conclusion::Cancelled { .. } => "cancelled".to_owned(),
    }
}

/// What was done and not taken back, in the order of the texts.
pub(crate) fn left_of(deeds: &[Deed]) -> Vec<(String, i64)> {
    let mut left: BTreeMap<&str, i64> = BTreeMap::new();
    for deed in deeds {
        *left.entry(&deed.what).or_default() += if deed.takes_back { -1 } else { 1 };
    }
    let left = left.into_iter().filter(|(_, count)| *count != 0);
    left.map(|(what, count)| (what.to_owned(), count)).collect()
}

/// How often each thing was done, whether it was taken back or not.
pub(crate) fn done_of(deeds: &[Deed]) -> BTreeMap<String, usize> {
    let mut done = BTreeMap::new();
    for deed in deeds.iter().filter(|deed| !deed.takes_back) {
        *done.entry(deed.what.clone()).or_default() += 1;
    }
    done
}
