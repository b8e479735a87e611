//! `kit.on_child(workflow)`: says how children end, in the workflow's own types.
//! It only writes scripts; without one, a child is run by the kit like the workflow that asked for it.

use std::marker::PhantomData;
use std::rc::Rc;
use std::time::Duration;

use workflow_core::{Conclusion, Payload, Workflow};

use crate::invent::invent;
use crate::script::{ChildEnding, ChildEntry, ChildErrors, ChildScript, SharedScripts};
use crate::shape::check_value;
use crate::violation::{Oracle, Violation};
use crate::words;

/// The mock of all children that are runs of one workflow. Its script is served child by child: first everything that
/// is said `_once`, in the order in which it was said; then, for ever, the last thing said without `_once`.
pub struct ChildMock<W: Workflow> {
    scripts: SharedScripts,
    /// Whether what was said last was said `_once`.
    last_is_once: Option<bool>,
    _workflow: PhantomData<fn() -> W>,
}

impl<W: Workflow> ChildMock<W> {
    pub(crate) fn new(scripts: &SharedScripts) -> ChildMock<W> {
        let mock = ChildMock { scripts: Rc::clone(scripts), last_is_once: None, _workflow: PhantomData };
        mock.with_script(|_| {});
        mock
    }

    /// Ends with this: a result or an error.
    #[track_caller]
    pub fn returns(self, output: W::Output) -> Self {
        let ending = ending_of::<W>(output).unwrap_or_else(|violation| panic!("{violation}"));
        self.lasting(ChildEnding::Ends(ending))
    }

    /// One child ends with this.
    #[track_caller]
    pub fn returns_once(self, output: W::Output) -> Self {
        let ending = ending_of::<W>(output).unwrap_or_else(|violation| panic!("{violation}"));
        self.once(ChildEnding::Ends(ending))
    }

    /// Ends with what this function makes of the arguments, given as a tuple.
    pub fn then(self, reply: impl Fn(W::Args) -> W::Output + 'static) -> Self {
        self.lasting(replying::<W>(reply))
    }

    /// One child ends with what this function makes of the arguments.
    pub fn then_once(self, reply: impl Fn(W::Args) -> W::Output + 'static) -> Self {
        self.once(replying::<W>(reply))
    }

    /// Is cancelled by somebody: the parent's operation becomes an incident.
    pub fn is_cancelled(self, reason: &str) -> Self {
        self.lasting(ChildEnding::Ends(Conclusion::Cancelled { reason: reason.to_owned() }))
    }

    /// Cannot be started: the parent's operation becomes an incident.
    pub fn is_refused(self, reason: &str) -> Self {
        self.lasting(ChildEnding::Refused(reason.to_owned()))
    }

    /// How long that which was said last takes; no time by default.
    #[track_caller]
    pub fn takes(self, duration: Duration) -> Self {
        let takes_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let last_is_once = self.last_is_once.expect("say how the child ends before how long it takes");
        self.with_script(|script| {
            let last = if last_is_once { script.once.last_mut() } else { script.lasting.as_mut() };
            last.expect("something was said last").takes_ms = takes_ms;
        });
        self
    }

    fn with_script(&self, change: impl FnOnce(&mut ChildScript)) {
        let check = |input: &Payload| {
            check_value::<W::Args>(input, &format!("the arguments of the child `{}`", W::NAME))
        };
        change(self.scripts.borrow_mut().of_child(W::NAME, check, errors_of::<W>));
    }

    fn once(mut self, ending: ChildEnding) -> Self {
        self.with_script(|script| script.once.push(ChildEntry::at_once(ending)));
        self.last_is_once = Some(true);
        self
    }

    fn lasting(mut self, ending: ChildEnding) -> Self {
        self.with_script(|script| script.lasting = Some(ChildEntry::at_once(ending)));
        self.last_is_once = Some(false);
        self
    }
}

fn replying<W: Workflow>(reply: impl Fn(W::Args) -> W::Output + 'static) -> ChildEnding {
    ChildEnding::Reply(Rc::new(move |input| {
        let args = input.read().map_err(|error| Violation::new(Oracle::RoundTrip, error.to_string()))?;
        ending_of::<W>(reply(args))
    }))
}

/// The errors of a workflow, made up where that is possible.
fn errors_of<W: Workflow>() -> ChildErrors {
    let mut errors = ChildErrors::default();
    for (index, facts) in W::ERRORS.iter().enumerate() {
        let made_up = invent::<W::Output>(Some(index)).and_then(|output| ending_of::<W>(output).ok());
        match made_up.filter(|ending| matches!(ending, Conclusion::Failed { .. })) {
            Some(ending) if errors.sampled.contains(&ending) => {}
            Some(ending) => errors.sampled.push(ending),
            None => errors.unsampled.push(facts),
        }
    }
    errors
}

/// How a run ends that returns this; what the parent reads of it must be the same.
pub(crate) fn ending_of<W: Workflow>(output: W::Output) -> Result<Conclusion, Violation> {
    let mismatch = |error: workflow_core::PayloadError| {
        Violation::new(Oracle::RoundTrip, format!("the end of the child `{}`: {error}", W::NAME))
    };
    let conclusion = W::ending(output).map_err(mismatch)?;
    let again = W::ending(W::read(&conclusion).map_err(mismatch)?).map_err(mismatch)?;
    if again == conclusion {
        return Ok(conclusion);
    }
    let (first, again) = (words::conclusion(&conclusion), words::conclusion(&again));
    let text = format!("the child `{}` ends with {first}, but read back it is {again}", W::NAME);
    Err(Violation::new(Oracle::RoundTrip, text))
}
