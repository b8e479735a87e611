//! Messages that leave a run: to one receiver, or to all that listen.
//! They leave with the turn that asks for them; how they travel is the engine's affair.

use std::future::{Ready, ready};

use crate::{Command, CoreError, Cx, Durable, Message, Payload};

/// A message that leaves.
#[must_use = "WF003: nothing is sent until this is awaited; see docs/errors/WF003.md"]
pub struct SendMessage<M: Message> {
    message: M,
    publishes: bool,
}

/// Sends a command: one receiver gets it. It leaves in the same transaction as the turn of the run that sends it, at
/// least once, with an id by which the receiver drops duplicates.
pub fn send<M: Message>(command: M) -> SendMessage<M> {
    SendMessage { message: command, publishes: false }
}

/// Publishes an event: all that listen get it. Otherwise like [`send`].
pub fn publish<M: Message>(event: M) -> SendMessage<M> {
    SendMessage { message: event, publishes: true }
}

#[diagnostic::do_not_recommend]
impl<M: Message> Durable for SendMessage<M> {
    type Output = ();
    type Running = Ready<()>;

    fn start(self, cx: &Cx, position: usize) -> Ready<()> {
        let op = cx.next_op(position);
        let (payload, key) = (Payload::of(&self.message), self.message.key());
        let mut state = cx.state();
        match payload {
            Ok(payload) => {
                let (message, publishes) = (M::NAME.to_owned(), self.publishes);
                state.note_started(&op);
                state.commands.push(Command::Send { op, message, key, payload, publishes });
            }
            Err(error) => state.fault = Some(CoreError::Unstorable { what: op.to_string(), error }),
        }
        ready(())
    }
}
