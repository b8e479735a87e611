//! Messages, and waiting for them by correlation key.
//! How a message travels is the engine's affair; here is only what the code asks for.

use std::marker::PhantomData;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use workflow_graph::MessageFacts;

use crate::state::{Wait, read_message, read_recorded};
use crate::{Cx, Durable, StepError, Storable};

/// Something that can be sent to a run. Use `#[derive(Message)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a message",
    label = "a run can only wait for a type that carries `#[derive(Message)]`",
    note = "derive it: `#[derive(Message)] #[message(name = \"..\", key = field)]`"
)]
pub trait Message: Storable {
    /// The name of the message, the same for sender and receiver.
    const NAME: &'static str;
    /// The field that is the correlation key, for diagrams and for engines that run them; empty when it is none.
    const KEY: &'static str = "";
    /// The other party that sends or takes it, for diagrams: `#[message(participant = "Customer")]`; empty for none.
    const PARTICIPANT: &'static str = "";
    /// All of that, for the graph.
    #[doc(hidden)]
    const FACTS: MessageFacts = MessageFacts::of(Self::NAME, Self::KEY, Self::PARTICIPANT);
    /// The correlation key: which conversation this message belongs to.
    fn key(&self) -> String;
}

/// That the parameter of a workflow which begins with the message `M` is that message.
#[diagnostic::on_unimplemented(
    message = "WF021: the workflow begins with the message `{M}`, but its parameter is of the type `{Self}`",
    label = "write `{M}` here",
    note = "see docs/errors/WF021.md"
)]
pub trait BeginsWith<M: Message> {}

#[diagnostic::do_not_recommend]
impl<M: Message> BeginsWith<M> for M {}

/// Asks whether that is so.
#[doc(hidden)]
pub fn begins_with<P: BeginsWith<M>, M: Message>() {}

/// That no message came in time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("no message came in time")]
pub struct TimedOut;

impl StepError for TimedOut {
    const ERRORS: &'static [workflow_graph::ErrorFacts] = &[workflow_graph::ErrorFacts {
        variant: std::borrow::Cow::Borrowed("TimedOut"),
        code: std::borrow::Cow::Borrowed("TimedOut"),
        label: std::borrow::Cow::Borrowed("Timed out"),
        transient: false,
        wraps: &[],
    }];

    fn index(&self) -> usize {
        0
    }
}

/// A wait for a message that does not yet say for how long.
#[must_use = "WF003: nothing is received until this is awaited; see docs/errors/WF003.md"]
pub struct Receive<M: Message> {
    key: String,
    _message: PhantomData<fn() -> M>,
}

/// Waits for the message `M` with this correlation key. Say for how long: `.within(..)` or `.forever()`.
pub fn receive<M: Message>(key: impl ToString) -> Receive<M> {
    Receive { key: key.to_string(), _message: PhantomData }
}

impl<M: Message> Receive<M> {
    /// Gives up after this long, with [`TimedOut`].
    pub fn within(self, duration: Duration) -> ReceiveWithin<M> {
        ReceiveWithin { receive: self, duration }
    }

    /// Waits for as long as it takes.
    pub fn forever(self) -> ReceiveForever<M> {
        ReceiveForever { receive: self }
    }
}

/// A wait for a message with a deadline.
#[must_use = "WF003: nothing is received until this is awaited; see docs/errors/WF003.md"]
pub struct ReceiveWithin<M: Message> {
    receive: Receive<M>,
    duration: Duration,
}

/// A wait for a message without a deadline.
#[must_use = "WF003: nothing is received until this is awaited; see docs/errors/WF003.md"]
pub struct ReceiveForever<M: Message> {
    receive: Receive<M>,
}

/// That a wait says for how long; a bare [`Receive`] does not.
#[diagnostic::on_unimplemented(
    message = "WF040: waiting for a message without a deadline",
    label = "if the message never comes, the run waits here for ever",
    note = "add `.within(days(7))` and handle `Err(TimedOut)`, or write `.forever()` if that is meant",
    note = "see docs/errors/WF040.md"
)]
pub trait HasDeadline {}

impl<M: Message> Receive<M> {
    /// Never compiles. It comes before the method that every expression has, and so tells WF040 and not WF001.
    #[doc(hidden)]
    pub fn __durable(self, cx: &Cx, position: usize) -> Wait<M>
    where
        Receive<M>: HasDeadline,
    {
        self.forever().start(cx, position)
    }
}

#[diagnostic::do_not_recommend]
impl<M: Message> Durable for ReceiveWithin<M> {
    type Output = Result<M, TimedOut>;
    type Running = Wait<Result<M, TimedOut>>;

    fn start(self, cx: &Cx, position: usize) -> Self::Running {
        cx.start_receive::<M, _>(position, self.receive.key, Some(self.duration), read_message)
    }
}

#[diagnostic::do_not_recommend]
impl<M: Message> Durable for ReceiveForever<M> {
    type Output = M;
    type Running = Wait<M>;

    fn start(self, cx: &Cx, position: usize) -> Self::Running {
        cx.start_receive::<M, _>(position, self.receive.key, None, read_recorded)
    }
}
