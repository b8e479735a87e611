//! What the code would otherwise ask the machine for: the time, random values, and which way to go at a change.
//! Derived from the run, so that a replay sees the same; and what it tells people outside about itself.

use std::collections::BTreeSet;
use std::future::{Ready, ready};
use std::time::SystemTime;

use serde::Serialize;
use uuid::Uuid;

use crate::timer::system_time;
use crate::{Command, CoreError, Cx, Durable, Payload, Record, Run};

/// See [`now`].
#[must_use = "WF003: the time is only known when this is awaited; see docs/errors/WF003.md"]
pub struct Now(());

/// The run's clock: when the event that the code is answering to was recorded. It stands still between two events.
pub fn now() -> Now {
    Now(())
}

#[diagnostic::do_not_recommend]
impl Durable for Now {
    type Output = SystemTime;
    type Running = Ready<SystemTime>;

    fn start(self, cx: &Cx, _: usize) -> Ready<SystemTime> {
        ready(system_time(cx.state().now_ms))
    }
}

/// See [`random`].
#[must_use = "WF003: there is no value until this is awaited; see docs/errors/WF003.md"]
pub struct Random(());

/// A number that looks random: evenly distributed, different for each run and each call, the same in every replay.
/// Who knows the id and the start of the run can compute it: it is no secret.
pub fn random() -> Random {
    Random(())
}

#[diagnostic::do_not_recommend]
impl Durable for Random {
    type Output = u64;
    type Running = Ready<u64>;

    fn start(self, cx: &Cx, _: usize) -> Ready<u64> {
        // The first half of the digest carries the marks of a version, the second one only two bits of a variant.
        let digest = cx.derived("random").as_u128();
        ready((digest >> 64) as u64 ^ (digest as u64).rotate_left(32))
    }
}

/// See [`uuid()`](fn@uuid).
#[must_use = "WF003: there is no value until this is awaited; see docs/errors/WF003.md"]
pub struct NewUuid(());

/// A UUID (version 5) that no other run and no other call has; the same in every replay.
pub fn uuid() -> NewUuid {
    NewUuid(())
}

#[diagnostic::do_not_recommend]
impl Durable for NewUuid {
    type Output = Uuid;
    type Running = Ready<Uuid>;

    fn start(self, cx: &Cx, _: usize) -> Ready<Uuid> {
        ready(cx.derived("uuid"))
    }
}

impl Cx {
    fn derived(&self, kind: &'static str) -> Uuid {
        let prefix = match &self.frame.instance {
            Some(instance) => instance.prefix(),
            None => std::sync::Arc::clone(&self.frame.prefix),
        };
        let mut state = self.state();
        let number = state.derive(&prefix, kind);
        let (run_id, generation, began) = (&state.run_id, state.generation, state.started_ms);
        let name = format!("{run_id}\n{generation}\n{began}\n{prefix}\n{kind}\n{number}");
        Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes())
    }
}

/// See [`progress`].
#[must_use = "WF003: nothing is reported until this is awaited; see docs/errors/WF003.md"]
pub struct Progress {
    value: Result<Payload, crate::PayloadError>,
}

/// Tells people outside how far the run is: `client.progress::<T>(id)` gives the latest value. It is recorded with
/// the turn, without a commit of its own.
pub fn progress<T: Serialize + ?Sized>(value: &T) -> Progress {
    Progress { value: Payload::of(value) }
}

#[diagnostic::do_not_recommend]
impl Durable for Progress {
    type Output = ();
    type Running = Ready<()>;

    fn start(self, cx: &Cx, _: usize) -> Ready<()> {
        let mut state = cx.state();
        match self.value {
            Ok(value) => state.commands.push(Command::ReportProgress { value }),
            Err(error) => {
                state.fault = Some(CoreError::Unstorable { what: "the progress".to_owned(), error })
            }
        }
        ready(())
    }
}

/// See [`patched`].
#[must_use = "WF003: which way to go is only known when this is awaited; see docs/errors/WF003.md"]
pub struct Patched {
    id: String,
}

/// Whether this run goes the new way at a change of the code: true for runs that have not passed here before the
/// change. A run that has answered once answers the same ever after.
/// `if patched("ask-two-banks").await { new } else { old }`
pub fn patched(id: impl Into<String>) -> Patched {
    Patched { id: id.into() }
}

#[diagnostic::do_not_recommend]
impl Durable for Patched {
    type Output = bool;
    type Running = Ready<bool>;

    fn start(self, cx: &Cx, _: usize) -> Ready<bool> {
        let mut state = cx.state();
        if let Some(&is_new) = state.patches.get(&self.id) {
            return ready(is_new);
        }
        let is_new = state.recorded_patches.as_ref().is_none_or(|recorded| recorded.contains(&self.id));
        if is_new {
            state.commands.push(Command::Patch { id: self.id.clone() });
        }
        state.patches.insert(self.id, is_new);
        ready(is_new)
    }
}

/// The changes that a recorded turn passed with the changed code.
pub(crate) fn patches_of(record: &Record) -> BTreeSet<String> {
    let patch = |command: &Command| match command {
        Command::Patch { id } => Some(id.clone()),
        _ => None,
    };
    record.commands.iter().filter_map(patch).collect()
}

impl Run {
    /// Makes this run one that passed the place of a change before it was made, so that it goes the old way there: for
    /// tests of both ways. To be said before the run begins.
    pub fn pass_before_patch(&mut self, id: &str) {
        self.cx.state().patches.insert(id.to_owned(), false);
    }
}
