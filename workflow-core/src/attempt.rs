//! What an attempt of a step is made of, for the code that `#[step]` leaves behind: reading what was recorded, and
//! writing what comes back. When an attempt is made is decided elsewhere.
//!
//! All of it speaks of the step and not of its types, so that a type that cannot be stored is reported once, where the
//! user wrote it, and not again wherever the expansion reads or writes it.

use std::any::type_name;

use crate::{Answer, Fallible, Payload, Resource, Resources, Step, StepError, StepFault};

/// Reads the recorded arguments.
///
/// # Errors
/// When they do not fit the parameters.
pub fn arguments<S: Step>(args: &Payload) -> Result<S::Args, StepFault> {
    args.read().map_err(StepFault::Arguments)
}

/// What the process supplies.
///
/// # Errors
/// When it does not.
pub fn supplied<T: Send + Sync + 'static>(resources: &Resources) -> Result<Resource<T>, StepFault> {
    resources.get::<T>().ok_or(StepFault::Resource(type_name::<T>()))
}

/// The answer of an attempt that came back with this result.
///
/// # Errors
/// When it cannot be stored.
pub fn answer<S>(output: &S::Output) -> Result<Answer, StepFault>
where
    S: Step<Output: Fallible<Error: StepError>>,
{
    let recorded = Payload::of(output).map_err(StepFault::Output)?;
    Ok(match output.error() {
        None => Answer::Done(recorded),
        Some(error) => Answer::refused(recorded, error),
    })
}

/// The answer of a step that cannot fail.
///
/// # Errors
/// When it cannot be stored.
pub fn done<S: Step>(output: &S::Output) -> Result<Answer, StepFault> {
    Answer::of_value(output)
}

/// The answer of an attempt of a retriable step: its errors never reach the workflow.
///
/// # Errors
/// When the output or the error cannot be stored.
pub fn retried<S: Step, E: StepError>(result: &Result<S::Output, E>) -> Result<Answer, StepFault> {
    Answer::of_retriable(result)
}
