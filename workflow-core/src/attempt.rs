//! What an attempt of a step is made of, for the code that `#[step]` leaves behind: reading what was recorded, and
//! writing what comes back. When an attempt is made is decided elsewhere.
//!
//! All of it speaks of the step and not of its types, so that a type that cannot be stored is reported once, where the
//! user wrote it, and not again wherever the expansion reads or writes it.

use std::any::type_name;
use std::future::{self, Future};

use crate::{
    Answer, Fallible, Payload, Resource, Resources, Step, StepContext, StepError, StepFault, StepFuture,
};

/// An attempt that is about to be made; or what is missing for it.
pub type Attempt = Result<StepFuture, StepFault>;

/// An attempt of an `async fn`: what was recorded is read, and handed to the step.
pub(crate) fn asynchronous<S: Step>(cx: StepContext, resources: &Resources, args: &Payload) -> StepFuture {
    let attempt = arguments::<S>(args).and_then(|args| S::attempt(cx, resources, args));
    attempt.unwrap_or_else(|fault| Box::pin(future::ready(Err(fault))))
}

/// An attempt that comes back with a result.
///
/// # Errors
/// None; it stands at the end of what may have some.
pub fn answering<S, F>(running: F) -> Attempt
where
    S: Step<Output: Fallible<Error: StepError>>,
    F: Future<Output = S::Output> + Send + 'static,
{
    Ok(Box::pin(async move { answer::<S>(&running.await) }))
}

/// An attempt of a step that cannot fail.
///
/// # Errors
/// None; it stands at the end of what may have some.
pub fn doing<S: Step, F: Future<Output = S::Output> + Send + 'static>(running: F) -> Attempt {
    Ok(Box::pin(async move { done::<S>(&running.await) }))
}

/// An attempt of a retriable step.
///
/// # Errors
/// None; it stands at the end of what may have some.
pub fn retrying<S, F>(running: F) -> Attempt
where
    S: Step,
    F: Future<Output: Fallible<Ok = S::Output, Error: StepError>> + Send + 'static,
{
    Ok(Box::pin(async move { retried::<S>(&running.await.into_result()) }))
}

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
pub fn retried<S: Step>(result: &Result<S::Output, impl StepError>) -> Result<Answer, StepFault> {
    Answer::of_retriable(result)
}
