//! What is known of an error inside of another one: its ways to fail, if it is an error of ours, else nothing.
//! It knows types only; who wraps whom is written by `#[derive(StepError)]`.

use std::marker::PhantomData;

use workflow_graph::ErrorFacts;

use crate::StepError;

/// Asks a type that may be a step error or any other: `Wrapped::<E>::ERRORS`. The constant of the type itself comes
/// before that of the trait, and is there for step errors only.
#[doc(hidden)]
pub struct Wrapped<E>(PhantomData<E>);

impl<E: StepError> Wrapped<E> {
    /// All its ways to fail.
    pub const ERRORS: &'static [ErrorFacts] = E::ERRORS;
}

/// The answer for all other types.
#[doc(hidden)]
pub trait WrapsNoStepError {
    /// Nobody can tell its ways to fail apart.
    const ERRORS: &'static [ErrorFacts] = &[];
}

impl<E> WrapsNoStepError for Wrapped<E> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TimedOut;

    #[test]
    fn only_step_errors_have_ways_to_fail() {
        assert_eq!(Wrapped::<TimedOut>::ERRORS, TimedOut::ERRORS);
        assert!(Wrapped::<std::io::Error>::ERRORS.is_empty());
    }
}
