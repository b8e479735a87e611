//! `continue_as_new`: the run goes on under its own id with a fresh journal.
//! What was done stays done: like a result, it ends what could still be undone.

use std::future::{Pending, pending};

use crate::{Command, CoreError, Cx, Durable, Payload, Workflow, WorkflowCall};

/// See [`continue_as_new`].
#[must_use = "WF003: nothing continues until this is awaited; see docs/errors/WF003.md"]
pub struct ContinueAsNew<W: Workflow> {
    call: WorkflowCall<W>,
}

/// Ends the journal of this run and begins a fresh one under the same id with other arguments, so that a loop that goes
/// on for years stays short: `return continue_as_new(subscription(customer, month + 1)).await`.
///
/// The call is one of the same workflow, or of another version of it. What was completed so far stays done, as if the
/// run had ended with a result. Nothing behind it is executed.
pub fn continue_as_new<W: Workflow>(call: WorkflowCall<W>) -> ContinueAsNew<W> {
    ContinueAsNew { call }
}

#[diagnostic::do_not_recommend]
impl<W: Workflow> Durable for ContinueAsNew<W> {
    type Output = W::Output;
    type Running = Pending<W::Output>;

    fn start(self, cx: &Cx, _: usize) -> Pending<W::Output> {
        let input = Payload::of(&self.call.args);
        let mut state = cx.state();
        if state.definition.name != W::NAME {
            let other = W::NAME.to_owned();
            state.fault = Some(CoreError::ContinuedAsOther { other });
            return pending();
        }
        match input {
            Ok(input) => state.continued = Some(Command::Continue { version: W::VERSION, input }),
            Err(error) => {
                let what = "the arguments of continue_as_new".to_owned();
                state.fault = Some(CoreError::Unstorable { what, error });
            }
        }
        pending()
    }
}
