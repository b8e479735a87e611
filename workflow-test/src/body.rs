//! A step's own body, run here and now in place of a mock: a blocking one inline, an async one in a single poll.
//! It waits for nothing: what a body would have to wait for is outside, and the outside is the test's to say.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll, Waker};

use workflow_core::{AttemptOutcome, Resources, StepContext};

use crate::driver::Call;
use crate::violation::{Oracle, Violation};

/// One attempt with the body of the step.
pub(crate) fn run(call: &Call<'_>, resources: &Resources) -> Result<AttemptOutcome, Violation> {
    if call.def.is_transactional() {
        let text = format!(
            "the body of `{}` is transactional and needs the SQL of a store; say what it answers with \
             `.returns(..)`, and test the body with an engine on a `Sqlite` store",
            call.def.facts.name
        );
        return Err(Violation::new(Oracle::Mock, text));
    }
    let cx =
        StepContext::new(call.run_id, call.place.1.as_str(), call.attempt).in_generation(call.generation);
    let polled = catch_unwind(AssertUnwindSafe(|| {
        let mut attempt = call.def.run.here(cx, resources, call.args);
        attempt.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    }));
    match polled {
        Ok(Poll::Ready(answer)) => Ok(AttemptOutcome::of(answer)),
        Ok(Poll::Pending) => {
            let text = format!(
                "the body of `{}` waits for something outside; give it a resource that answers at once, \
                 or say what it answers with `.returns(..)`",
                call.def.facts.name
            );
            Err(Violation::new(Oracle::Mock, text))
        }
        Err(panic) => Ok(AttemptOutcome::panicked(text_of(panic.as_ref()))),
    }
}

fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a text".to_owned())
}
