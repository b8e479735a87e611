//! What the mocks of a test answer, attempt by attempt and child by child.
//! It knows nothing of the types of a step; those are checked when a script is written.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::rc::Rc;

use workflow_core::{Answer, AttemptOutcome, Conclusion, Definition, Event, Payload, Resources, StepDef};
use workflow_graph::ErrorFacts;

use crate::atlas::graphs_of;
use crate::body;
use crate::driver::{Call, ChildCall, ChildDeed, Deed};
use crate::shape::Shape;
use crate::violation::{Oracle, Violation};

/// The scripts of all mocked steps and children, by their names.
#[derive(Default)]
pub(crate) struct Scripts {
    steps: BTreeMap<&'static str, Script>,
    children: BTreeMap<&'static str, ChildScript>,
    /// Shows the world that the mocks model, if they do.
    world: Option<Rc<dyn Fn() -> String>>,
}

pub(crate) type SharedScripts = Rc<RefCell<Scripts>>;

/// How much of the scripts of each step, and of the children of each workflow, has been served.
#[derive(Clone, Debug, Default, Hash)]
pub(crate) struct Served {
    attempts: BTreeMap<&'static str, Count>,
    children: BTreeMap<&'static str, Count>,
}

/// What is said `_once` may be said while a run is under way, so it is counted apart from the rest.
#[derive(Clone, Copy, Debug, Default, Hash)]
struct Count {
    all: usize,
    once: usize,
}

impl Count {
    /// What is served now, of what is said once and what is said of all the rest.
    fn next<'a, T>(&mut self, once: &'a [T], lasting: Option<&'a T>) -> Option<&'a T> {
        let next = once.get(self.once);
        self.once += usize::from(next.is_some());
        let next = next.or(lasting);
        self.all += usize::from(next.is_some());
        next
    }
}

/// What becomes of the children that are runs of one workflow.
pub(crate) struct ChildScript {
    pub(crate) workflow: &'static str,
    /// One child each, in this order.
    pub(crate) once: Vec<ChildEntry>,
    /// All children after those.
    pub(crate) lasting: Option<ChildEntry>,
    /// That the arguments are the same after serde wrote them and read them back.
    pub(crate) check: fn(&Payload) -> Result<(), Violation>,
    pub(crate) errors: ChildErrors,
}

/// The errors of a workflow.
#[derive(Default)]
pub(crate) struct ChildErrors {
    /// Those that an exploration may let it end with.
    pub(crate) sampled: Vec<Conclusion>,
    /// Those for which no value is known.
    pub(crate) unsampled: Vec<&'static ErrorFacts>,
}

/// How a child ends, and how long it takes.
#[derive(Clone)]
pub(crate) struct ChildEntry {
    pub(crate) ending: ChildEnding,
    pub(crate) takes_ms: u64,
}

/// Makes an end of the recorded arguments.
pub(crate) type ChildReply = dyn Fn(&Payload) -> Result<Conclusion, Violation>;

#[derive(Clone)]
pub(crate) enum ChildEnding {
    Ends(Conclusion),
    Reply(Rc<ChildReply>),
    Refused(String),
}

/// What one step answers.
pub(crate) struct Script {
    pub(crate) shape: Shape,
    /// One attempt each, in this order.
    pub(crate) once: Vec<Entry>,
    /// All attempts after those.
    pub(crate) lasting: Option<Entry>,
    /// Values of errors that an exploration may use.
    pub(crate) samples: Vec<Payload>,
}

/// How an attempt goes, and how long it takes.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) behaviour: Behaviour,
    pub(crate) takes_ms: u64,
}

/// Makes an answer of the recorded arguments.
pub(crate) type Reply = dyn Fn(&Payload) -> Result<Answer, Violation>;

#[derive(Clone)]
pub(crate) enum Behaviour {
    Answer(Answer),
    Reply(Rc<Reply>),
    /// The step's own body, with what it is supplied.
    Body(Resources),
    Panic,
    TimeOut,
    /// No sign of life, from the moment on that it would have taken.
    Silence,
}

impl Scripts {
    /// The script of a step; an empty one at first.
    pub(crate) fn of(&mut self, shape: &Shape) -> &mut Script {
        self.steps.entry(shape.def.facts.name.as_ref()).or_insert_with(|| Script {
            shape: shape.clone(),
            once: Vec::new(),
            lasting: None,
            samples: Vec::new(),
        })
    }

    pub(crate) fn get(&self, step: &str) -> Option<&Script> {
        self.steps.get(step)
    }

    /// From now on, compensations are repeated in this world.
    pub(crate) fn set_world<T: Debug>(&mut self, look: impl Fn() -> T + 'static) {
        self.world = Some(Rc::new(move || format!("{:?}", look())));
    }

    /// The script of the children of one workflow; an empty one at first.
    pub(crate) fn of_child(
        &mut self,
        workflow: &'static str,
        check: fn(&Payload) -> Result<(), Violation>,
        errors: fn() -> ChildErrors,
    ) -> &mut ChildScript {
        let empty = || ChildScript { workflow, once: Vec::new(), lasting: None, check, errors: errors() };
        self.children.entry(workflow).or_insert_with(empty)
    }

    /// The errors with which a mocked child of this workflow may end.
    pub(crate) fn child_errors(&self, workflow: &str) -> Vec<Conclusion> {
        self.children.get(workflow).map(|script| script.errors.sampled.clone()).unwrap_or_default()
    }

    /// The errors of a mocked child for which no value is known.
    pub(crate) fn unsampled_of_child(&self, workflow: &str) -> &[&'static ErrorFacts] {
        self.children.get(workflow).map_or(&[], |script| &script.errors.unsampled)
    }

    /// Another error with which a mocked child of this workflow may end. False when it is not mocked.
    pub(crate) fn add_child_error(&mut self, workflow: &str, error: Conclusion) -> bool {
        let Some(ChildScript { errors, .. }) = self.children.get_mut(workflow) else { return false };
        if let Conclusion::Failed { code, .. } = &error {
            errors.unsampled.retain(|unsampled| unsampled.code != *code);
        }
        if !errors.sampled.contains(&error) {
            errors.sampled.insert(0, error);
        }
        true
    }

    /// That every step has a mock which the workflow may come to by itself; compensations need none, and neither
    /// do the steps of children that are mocked themselves.
    pub(crate) fn check_complete(&self, definition: &Definition) -> Result<(), Violation> {
        let mut called: BTreeMap<&str, &'static StepDef> = BTreeMap::new();
        let mut workflows = vec![*definition];
        let mut looked_at = 0;
        while let Some(next) = workflows.get(looked_at).copied() {
            looked_at += 1;
            let steps = next.steps();
            for node in graphs_of(next.graph()).iter().flat_map(|graph| graph.nodes.iter()) {
                let workflow_graph::NodeKind::Step(facts) = &node.kind else { continue };
                let step = steps.iter().find(|step| step.facts.name == facts.name);
                called.extend(step.map(|step| (step.facts.name.as_ref(), *step)));
            }
            let is_new = |child: &Definition| {
                !self.children.contains_key(child.name)
                    && !workflows
                        .iter()
                        .any(|other| (other.name, other.version) == (child.name, child.version))
            };
            let children: Vec<_> = next.children().into_iter().filter(is_new).collect();
            workflows.extend(children);
        }
        let is_missing = |name: &str| {
            let script = self.steps.get(name);
            script.is_none_or(|script| script.once.is_empty() && script.lasting.is_none())
        };
        let missing: Vec<_> =
            called.into_iter().filter(|(name, _)| is_missing(name)).map(|(_, step)| step).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let lines: Vec<String> = missing
            .iter()
            .map(|step| {
                let value = if step.returns_result { "Ok(..)" } else { ".." };
                format!("\n    kit.on({}).returns({value});", step.facts.name)
            })
            .collect();
        let text = format!("`{}` comes to steps without a mock; write:{}", definition.name, lines.concat());
        Err(Violation::new(Oracle::Mock, text))
    }
}

impl Served {
    /// How this attempt goes; the next attempt of the step gets the next entry of its script.
    pub(crate) fn serve(
        &mut self,
        scripts: &RefCell<Scripts>,
        definition: &Definition,
        call: &Call<'_>,
    ) -> Result<Deed, Violation> {
        let name = call.def.facts.name.as_ref();
        let served = self.attempts.entry(name).or_default();
        let entry = {
            let scripts = scripts.borrow();
            match scripts.get(name) {
                Some(script) if !script.once.is_empty() || script.lasting.is_some() => {
                    script.check_step(call.def)?;
                    script.shape.check_args(call.args)?;
                    script.entry(served, name)?
                }
                // Nobody looks at what a compensation returns: that it is done is all there is to say.
                _ if call.is_undo() => Entry::at_once(Behaviour::Answer(Answer::Done(Payload::null()))),
                _ => {
                    scripts.check_complete(definition)?;
                    return Err(Violation::new(Oracle::Mock, format!("`{name}` has no mock")));
                }
            }
        };
        let deed = entry.deed(call)?;
        let world = scripts.borrow().world.clone();
        match world.filter(|_| call.is_undo() && is_done(&deed)) {
            Some(look) => entry.repeat(call, &*look).map(|()| deed),
            None => Ok(deed),
        }
    }

    /// What becomes of this child; `None` for one that nothing is said about.
    pub(crate) fn serve_child(
        &mut self,
        scripts: &RefCell<Scripts>,
        call: &ChildCall<'_>,
    ) -> Result<Option<ChildDeed>, Violation> {
        let (entry, workflow) = {
            let scripts = scripts.borrow();
            let Some(script) = scripts.children.get(call.workflow) else { return Ok(None) };
            (script.check)(call.input)?;
            let served = self.children.entry(script.workflow).or_default();
            (served.next(&script.once, script.lasting.as_ref()).cloned(), script.workflow)
        };
        let Some(entry) = entry else {
            let text =
                format!("the mock of the child `{workflow}` says nothing more; end it with `.returns(..)`");
            return Err(Violation::new(Oracle::Mock, text));
        };
        entry.deed(call).map(Some)
    }
}

fn is_done(deed: &Deed) -> bool {
    matches!(deed.outcome, AttemptOutcome::Answered(Answer::Done(_)))
}

impl ChildEntry {
    pub(crate) fn at_once(ending: ChildEnding) -> ChildEntry {
        ChildEntry { ending, takes_ms: 0 }
    }

    fn deed(&self, call: &ChildCall<'_>) -> Result<ChildDeed, Violation> {
        let op = call.place.1.clone();
        let event = match &self.ending {
            ChildEnding::Refused(reason) => Event::ChildRefused { op, reason: reason.clone() },
            _ if call.is_detached => Event::ChildStarted { op },
            ChildEnding::Ends(conclusion) => Event::ChildEnded { op, conclusion: conclusion.clone() },
            ChildEnding::Reply(reply) => Event::ChildEnded { op, conclusion: reply(call.input)? },
        };
        let takes_ms = if call.is_detached { 0 } else { self.takes_ms };
        let done_at_ms = call.now_ms.saturating_add(i64::try_from(takes_ms).unwrap_or(i64::MAX));
        Ok(ChildDeed { event, done_at_ms })
    }
}

impl Script {
    /// That the mock is one of the very step that is called, and not of another one of the same name.
    fn check_step(&self, called: &'static StepDef) -> Result<(), Violation> {
        let mocked = self.shape.def;
        if mocked.is(called) || mocked.facts == called.facts {
            return Ok(());
        }
        let text = format!(
            "the mock of `{}` is for the step at {}, and the workflow calls another one of that name, at {}; mock that \
             one (WF070, docs/errors/WF070.md)",
            called.facts.name, mocked.facts.source, called.facts.source
        );
        Err(Violation::new(Oracle::Mock, text))
    }

    fn entry(&self, served: &mut Count, name: &str) -> Result<Entry, Violation> {
        served.next(&self.once, self.lasting.as_ref()).cloned().ok_or_else(|| {
            let text = format!(
                "attempt {} of `{name}` has no answer: its mock has answers for {} only; \
                 end it with `.returns(..)` or `.then(..)`",
                served.all + 1,
                self.once.len()
            );
            Violation::new(Oracle::Mock, text)
        })
    }
}

impl Entry {
    pub(crate) fn at_once(behaviour: Behaviour) -> Entry {
        Entry { behaviour, takes_ms: 0 }
    }

    fn deed(&self, call: &Call<'_>) -> Result<Deed, Violation> {
        let timeout_ms = call.timeout_ms;
        let after = |wait_ms: u64| call.now_ms.saturating_add(i64::try_from(wait_ms).unwrap_or(i64::MAX));
        if let Some(timeout_ms) =
            timeout_ms.filter(|timeout_ms| self.is_too_slow(*timeout_ms, call.def.facts.heartbeat_ms))
        {
            return Ok(Deed {
                outcome: AttemptOutcome::timed_out(timeout_ms),
                done_at_ms: after(timeout_ms),
            });
        }
        if let (Behaviour::Silence, Some(heartbeat_ms)) = (&self.behaviour, call.def.facts.heartbeat_ms) {
            let noticed_ms = self.takes_ms.saturating_add(heartbeat_ms);
            return Ok(Deed { outcome: AttemptOutcome::silent(heartbeat_ms), done_at_ms: after(noticed_ms) });
        }
        let outcome = match &self.behaviour {
            Behaviour::Answer(answer) => AttemptOutcome::Answered(answer.clone()),
            Behaviour::Body(resources) => body::run(call, resources)?,
            Behaviour::Reply(reply) => AttemptOutcome::Answered(reply(call.args)?),
            Behaviour::Panic => AttemptOutcome::panicked("the mock panics".to_owned()),
            Behaviour::TimeOut => {
                let text = format!("`{}` cannot time out: it has no timeout", call.def.facts.name);
                return Err(Violation::new(Oracle::Mock, text));
            }
            Behaviour::Silence => {
                let text = format!("`{}` cannot go silent: it promises no heartbeat", call.def.facts.name);
                return Err(Violation::new(Oracle::Mock, text));
            }
        };
        Ok(Deed { outcome, done_at_ms: after(self.takes_ms) })
    }

    /// Does it once more, as after a crash before the answer was recorded: the world must not show it.
    fn repeat(&self, call: &Call<'_>, look: &dyn Fn() -> String) -> Result<(), Violation> {
        let once = look();
        let again = self.deed(call)?;
        let twice = look();
        let facts = &call.def.facts;
        let (name, source) = (&facts.name, &facts.source);
        if !is_done(&again) {
            let text = format!(
                "`{name}` ({source}) was repeated, as it is after a crash, and failed: it would be tried again until \
                 a person has to look; let it answer as it did when there is nothing left to undo"
            );
            return Err(Violation::new(Oracle::Repeat, text));
        }
        if once == twice {
            return Ok(());
        }
        let text = format!(
            "`{name}` ({source}) was repeated, as it is after a crash, and the world is another one: {once} before, \
             {twice} now; let it look whether `{}` has been undone, or pass the idempotency key on",
            call.place.1.undoes().map_or_else(String::new, |op| op.to_string())
        );
        Err(Violation::new(Oracle::Repeat, text))
    }

    fn is_too_slow(&self, timeout_ms: u64, heartbeat_ms: Option<u64>) -> bool {
        match &self.behaviour {
            Behaviour::TimeOut => true,
            Behaviour::Silence => self.takes_ms.saturating_add(heartbeat_ms.unwrap_or_default()) > timeout_ms,
            _ => self.takes_ms > timeout_ms,
        }
    }
}
