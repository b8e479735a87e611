//! What editors know of the operations: behind a call they offer `.await`, and they know what it gives. Never compiled:
//! the compiler is to refuse an operation that is awaited outside of a workflow.

use std::future::{IntoFuture, Pending, pending};

use crate::continued::ContinueAsNew;
use crate::{
    Compensate, DetachedCall, Durable, JoinAll, Message, NewUuid, Now, Patched, Progress, Random,
    ReceiveForever, ReceiveWithin, SendMessage, Sleep, SleepUntil, Step, StepCall, Subflow, SubflowCall,
    TryJoinAll, Workflow, WorkflowCall,
};

macro_rules! awaited {
    ($([$($bounds:tt)*] $operation:ty;)*) => {$(
        impl<$($bounds)*> IntoFuture for $operation
        where
            $operation: Durable,
        {
            type Output = <$operation as Durable>::Output;
            type IntoFuture = Pending<<$operation as Durable>::Output>;

            fn into_future(self) -> Self::IntoFuture {
                pending()
            }
        }
    )*};
}

awaited! {
    [] Compensate;
    [] NewUuid;
    [] Now;
    [] Patched;
    [] Progress;
    [] Random;
    [] Sleep;
    [] SleepUntil;
    [M: Message] ReceiveForever<M>;
    [M: Message] ReceiveWithin<M>;
    [M: Message] SendMessage<M>;
    [D: Durable] JoinAll<D>;
    [D: Durable] TryJoinAll<D>;
    [S: Step] StepCall<S>;
    [S: Subflow] SubflowCall<S>;
    [W: Workflow] ContinueAsNew<W>;
    [W: Workflow] DetachedCall<W>;
    [W: Workflow] WorkflowCall<W>;
}

/// What the branches of a `try_join!` have given, as one result.
pub fn both<B: Both>(outcomes: B) -> Result<B::Values, B::Error> {
    outcomes.both()
}

/// The results of several branches.
pub trait Both {
    /// What they give if all of them succeed.
    type Values;
    /// The error that they share.
    type Error;

    /// All of them, or the first error.
    ///
    /// # Errors
    /// That of the first branch that has one.
    fn both(self) -> Result<Self::Values, Self::Error>;
}

macro_rules! results {
    ($(($first:ident $($value:ident)*))*) => {$(
        impl<Failure, $first, $($value),*> Both for (Result<$first, Failure>, $(Result<$value, Failure>,)*) {
            type Values = ($first, $($value,)*);
            type Error = Failure;

            #[allow(non_snake_case)]
            fn both(self) -> Result<Self::Values, Self::Error> {
                let ($first, $($value,)*) = self;
                Ok(($first?, $($value?,)*))
            }
        }
    )*};
}

results! { (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H) }
