//! What the mocks of a test answer, attempt by attempt.
//! It knows nothing of the types of a step; those are checked when a script is written.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use workflow_core::{Answer, AttemptOutcome, Definition, Payload, Resources, StepDef};

use crate::body;
use crate::driver::{Call, Deed};
use crate::shape::Shape;
use crate::violation::{Oracle, Violation};

/// The scripts of all mocked steps, by the name of the step.
#[derive(Default)]
pub(crate) struct Scripts {
    steps: BTreeMap<&'static str, Script>,
}

pub(crate) type SharedScripts = Rc<RefCell<Scripts>>;

/// How many attempts of each step have been served.
#[derive(Clone, Default)]
pub(crate) struct Served(BTreeMap<&'static str, usize>);

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

    /// That every step has a mock which the workflow may come to by itself; compensations need none.
    pub(crate) fn check_complete(&self, definition: &Definition) -> Result<(), Violation> {
        let graph = definition.graph();
        let missing = |step: &&'static StepDef| {
            let name = step.facts.name.as_ref();
            let is_in_graph = graph.nodes.iter().any(|node| match &node.kind {
                workflow_graph::NodeKind::Step(facts) => facts.name == step.facts.name,
                _ => false,
            });
            is_in_graph
                && self
                    .steps
                    .get(name)
                    .is_none_or(|script| script.once.is_empty() && script.lasting.is_none())
        };
        let missing: Vec<_> = definition.steps().into_iter().filter(missing).collect();
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
        let served = self.0.entry(name).or_insert(0);
        let entry = {
            let scripts = scripts.borrow();
            match scripts.get(name) {
                Some(script) if !script.once.is_empty() || script.lasting.is_some() => {
                    script.shape.check_args(call.args)?;
                    script.entry(*served, name)?
                }
                // Nobody looks at what a compensation returns: that it is done is all there is to say.
                _ if call.op.undoes().is_some() => {
                    Entry::at_once(Behaviour::Answer(Answer::Done(Payload::null())))
                }
                _ => {
                    scripts.check_complete(definition)?;
                    return Err(Violation::new(Oracle::Mock, format!("`{name}` has no mock")));
                }
            }
        };
        *served += 1;
        entry.deed(call)
    }
}

impl Script {
    fn entry(&self, served: usize, name: &str) -> Result<Entry, Violation> {
        self.once.get(served).or(self.lasting.as_ref()).cloned().ok_or_else(|| {
            let text = format!(
                "attempt {} of `{name}` has no answer: its mock has answers for {} only; \
                 end it with `.returns(..)` or `.then(..)`",
                served + 1,
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
        let timeout_ms = call.def.facts.timeout_ms;
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

    fn is_too_slow(&self, timeout_ms: u64, heartbeat_ms: Option<u64>) -> bool {
        match &self.behaviour {
            Behaviour::TimeOut => true,
            Behaviour::Silence => self.takes_ms.saturating_add(heartbeat_ms.unwrap_or_default()) > timeout_ms,
            _ => self.takes_ms > timeout_ms,
        }
    }
}
