//! What a run lets out with a turn: messages and progress; and which of its values are not taken.
//! Pure: it looks at what the code asks for, and writes nothing.

use uuid::Uuid;
use workflow_core::{Command, CoreError, OpId, Payload, PayloadError, StepContext};

use super::weight;
use crate::limits::{LONGEST_ID, check_id};
use crate::store::{Changes, Outgoing};

/// How much the code may ask for at once: databases have limits of their own, and take a row with all of it or none.
const MOST_AT_ONCE: usize = 256 << 20;

/// Notes what leaves.
pub(super) fn note(run_id: &str, generation: u32, commands: &[Command], changes: &mut Changes) {
    for command in commands {
        match command {
            Command::Send { op, message, key, payload, publishes } => changes.sends.push(Outgoing {
                id: message_id(run_id, generation, op),
                run_id: run_id.into(),
                op: op.clone(),
                message: message.clone(),
                key: key.clone(),
                payload: payload.clone(),
                publishes: *publishes,
            }),
            Command::ReportProgress { value } => changes.progress = Some(value.clone()),
            _ => {}
        }
    }
}

/// By which a receiver knows the message again; made like the idempotency key of a step.
fn message_id(run_id: &str, generation: u32, op: &OpId) -> String {
    let call = StepContext::new(run_id, op.as_str(), 1).in_generation(generation);
    let id = call.idempotency_key();
    if id.len() <= LONGEST_ID {
        return id.to_owned();
    }
    let digest = Uuid::new_v5(&Uuid::NAMESPACE_OID, id.as_bytes());
    format!("{}~{digest}", &id[..id.floor_char_boundary(LONGEST_ID - 40)])
}

/// Refuses what no receiver could take, waits that no message could end, and what is larger than the engine takes. (The
/// input of a child is looked at when it is started: its parent can be helped without new code.)
pub(super) fn check(commands: &[Command], limit: usize) -> Result<(), CoreError> {
    check_all(commands, limit)?;
    commands.iter().try_for_each(|command| match command {
        Command::Send { op, message, key, payload, .. } => {
            let what = format!("the message `{message}` at `{op}`");
            let key = check_id("its key", key);
            key.map_err(|error| unstorable(&what, error.to_string()))?;
            check_size(&what, payload, limit)
        }
        Command::AwaitMessage { op, message, key, .. } => {
            let key = check_id("its key", key);
            key.map_err(|error| unstorable(&format!("the wait for `{message}` at `{op}`"), error.to_string()))
        }
        Command::ReportProgress { value } => check_size("the progress", value, limit),
        Command::Continue { input, .. } => check_size("the arguments of continue_as_new", input, limit),
        _ => Ok(()),
    })
}

/// All that the code asks for at once is one row of the journal.
fn check_all(commands: &[Command], limit: usize) -> Result<(), CoreError> {
    let (bytes, limit): (usize, usize) =
        (commands.iter().map(weight::of_command).sum(), limit.max(MOST_AT_ONCE));
    if bytes <= limit {
        return Ok(());
    }
    let error = format!(
        "it has {bytes} bytes, more than the {limit} that go into one row of a journal: ask for less of it at a time, \
         or keep the values elsewhere and pass on where they are"
    );
    Err(unstorable("what the code asks for at once", error))
}

fn check_size(what: &str, payload: &Payload, limit: usize) -> Result<(), CoreError> {
    let bytes = payload.as_json().len();
    if bytes <= limit {
        return Ok(());
    }
    let error = format!(
        "it has {bytes} bytes, more than the {limit} that this engine takes: keep the value elsewhere and pass on \
         where it is, or raise `.payload_limit(..)`"
    );
    Err(unstorable(what, error))
}

fn unstorable(what: &str, error: String) -> CoreError {
    CoreError::Unstorable { what: what.to_owned(), error: PayloadError(error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_message_names_run_generation_and_operation() {
        let op = OpId::from_text("deliver.order_completed#2");
        assert_eq!(message_id("order-42", 1, &op), "order-42/deliver.order_completed#2");
        assert_eq!(message_id("a/b", 3, &op), "a%2Fb/+3/deliver.order_completed#2");
        let (long, other) = (message_id(&"/".repeat(255), 1, &op), message_id(&"/".repeat(254), 1, &op));
        assert!(long.len() <= LONGEST_ID && long != other, "{long}");
    }
}
