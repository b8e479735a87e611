//! Calls that are dropped on purpose and so never happen, found by type (WF003): of what is dropped without a word,
//! rustc tells by itself. The `#[workflow]` macro writes the two methods; it must not know of which type that is.

use crate::{Durable, Message, Receive};

/// What is dropped in a workflow.
pub struct Dropped<T>(pub(crate) T);

/// The second method, for all that is no call.
pub trait DroppedOnPurpose<T> {
    #[doc(hidden)]
    fn __on_purpose(self) -> T;
}

impl<T> DroppedOnPurpose<T> for Dropped<T> {
    fn __on_purpose(self) -> T {
        self.0
    }
}

impl<T: Described> Dropped<T> {
    /// Never compiles. It comes before the method of [`DroppedOnPurpose`], and so tells WF003.
    #[doc(hidden)]
    pub fn __on_purpose(self) -> T
    where
        T: Happening,
    {
        self.0
    }
}

/// That something happens without an `.await`. No call has it.
#[diagnostic::on_unimplemented(
    message = "WF003: a call is dropped and never awaited",
    label = "nothing happens here",
    note = "write `.await` behind the call; to drop only what it answers: `let _ = call(..).await;`",
    note = "see docs/errors/WF003.md"
)]
pub trait Happening {}

/// What only describes an operation until it is awaited.
pub trait Described {}

impl<T: Durable> Described for T {}
impl<M: Message> Described for Receive<M> {}
