//! How the output of a workflow or subflow ends it: as a value, or as a result that may be an error.
//! The macro sees how the type is written and names one of the two; what follows from that is here, and not written out
//! behind every function.

use serde::Serialize;
use workflow_graph::ErrorFacts;

use crate::{Conclusion, Payload, PayloadError, StepError, Storable, read_completed, read_concluded};

/// The output is a value: the function cannot fail.
pub struct EndsWithValue;

/// The output is a `Result`, whose error is one of the function's own.
pub struct EndsWithResult;

/// What the output of a function says about its end.
#[diagnostic::on_unimplemented(
    message = "WF021: `{Output}` is called `Result` but is not `std::result::Result`",
    label = "write the result type out"
)]
pub trait Ending<Output> {
    /// The ways in which the function can fail; empty when it cannot.
    const ERRORS: &'static [ErrorFacts];

    /// Whether this output is an error.
    fn is_failure(output: &Output) -> bool;
}

impl<T> Ending<T> for EndsWithValue {
    const ERRORS: &'static [ErrorFacts] = &[];

    fn is_failure(_: &T) -> bool {
        false
    }
}

impl<T, E: StepError> Ending<Result<T, E>> for EndsWithResult {
    const ERRORS: &'static [ErrorFacts] = E::ERRORS;

    fn is_failure(output: &Result<T, E>) -> bool {
        output.is_err()
    }
}

/// How a run ends whose output is recorded.
#[diagnostic::on_unimplemented(
    message = "WF021: `{Output}` is called `Result` but is not `std::result::Result`",
    label = "write the result type out"
)]
pub trait RecordedEnding<Output>: Ending<Output> {
    /// How this output ends the run.
    ///
    /// # Errors
    /// When the output cannot be stored.
    fn conclude(output: &Output) -> Result<Conclusion, PayloadError>;

    /// What a parent gets from a run that ended like this.
    ///
    /// # Errors
    /// When the recorded value does not fit the type.
    fn read(conclusion: &Conclusion) -> Result<Output, PayloadError>;
}

impl<T: Storable> RecordedEnding<T> for EndsWithValue {
    fn conclude(output: &T) -> Result<Conclusion, PayloadError> {
        completed(output)
    }

    fn read(conclusion: &Conclusion) -> Result<T, PayloadError> {
        read_completed(conclusion)
    }
}

impl<T: Storable, E: StepError> RecordedEnding<Result<T, E>> for EndsWithResult {
    fn conclude(output: &Result<T, E>) -> Result<Conclusion, PayloadError> {
        concluded(output)
    }

    fn read(conclusion: &Conclusion) -> Result<Result<T, E>, PayloadError> {
        read_concluded(conclusion)
    }
}

/// The ending of a workflow that cannot fail.
///
/// # Errors
/// When the value cannot be stored.
pub fn completed<T: Serialize>(value: &T) -> Result<Conclusion, PayloadError> {
    Ok(Conclusion::Completed(Payload::of(value)?))
}

/// The ending of a workflow that returns a result.
///
/// # Errors
/// When the value or the error cannot be stored.
pub fn concluded<T: Serialize, E: StepError>(result: &Result<T, E>) -> Result<Conclusion, PayloadError> {
    match result {
        Ok(value) => completed(value),
        Err(error) => Ok(Conclusion::Failed {
            error: Payload::of(error)?,
            code: error.facts().code.to_string(),
            message: error.to_string(),
        }),
    }
}
