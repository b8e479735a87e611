//! The same on the engine: one engine with the old code stops answering after a write, another one with the new code
//! goes on. Fewer things happen than on the walks, but here all parts take part that a user's process has.

use std::sync::Arc;
use std::time::Duration;

use workflow_core::Command;
use workflow_runtime::store::{IncidentPlace, RunState, Store};
use workflow_runtime::{Clock, Engine, EngineBuilder, RunStatus};

use super::faulty::{Crash, Faulty};
use super::life::{Broken, Ending, conclusion_text, left_of};
use super::pair::Pair;
use super::resumed::Judge;
use super::shop::*;

/// How often a run is looked at before it is said to hang.
const PATIENCE: usize = 300;

/// What happens to a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Trouble {
    None,
    /// No message comes in time.
    Late,
    /// The step that is called as the n-th fails.
    Fails(usize),
}

impl Trouble {
    pub(crate) const ALL: [Trouble; 4] = [Trouble::None, Trouble::Late, Trouble::Fails(2), Trouble::Fails(3)];
}

#[derive(Clone, Serialize, Deserialize, Message)]
#[message(name = "Paid", key = key)]
struct PaidLetter {
    #[serde(skip)]
    key: String,
    order: u32,
    cents: u32,
}

#[derive(Clone, Serialize, Deserialize, Message)]
#[message(name = "Noted", key = key)]
struct NotedLetter {
    #[serde(skip)]
    key: String,
    order: u32,
}

/// Stops the run after this write and resumes it with the new code. `None` when it ends before.
pub(crate) async fn resume(
    judge: &Judge<'_>,
    pair: &Pair,
    input: usize,
    trouble: Trouble,
    store: Arc<dyn Store>,
    stop: usize,
) -> Option<Result<(), Broken>> {
    let world = World::default();
    if let Trouble::Fails(number) = trouble {
        world.refuse_call(number);
    }
    let clock = Clock::manual(1_000);
    let prepare = |store: Arc<dyn Store>| -> EngineBuilder {
        Engine::builder().store(store).clock(clock.clone()).resource(world.clone())
    };
    let faulty = Faulty::new(Arc::clone(&store), Crash::After(stop));
    let old = (pair.register_old)(prepare(Arc::clone(&faulty) as Arc<dyn Store>)).start().await;
    let old = old.expect("an engine with the old code");
    let starting = tokio::spawn((pair.start)(old.clone(), input));
    let outcome = go_on(&old, &store, &clock, trouble, || faulty.has_crashed()).await;
    starting.abort();
    let _ = starting.await;
    drop(old);
    match outcome {
        Ok(None) => {}
        Ok(Some(_)) => return None,
        Err(Broken(text)) => panic!("{}: the old code alone, {trouble:?}: {text}", pair.name),
    }

    let mut new = (pair.register_new)(prepare(Arc::clone(&store)));
    if pair.keeps_old {
        new = (pair.register_old)(new);
    }
    let new = match new.start().await {
        Ok(new) => new,
        Err(error) => return Some(Err(Broken(format!("the engine does not start: {error}")))),
    };
    if let Some(orphan) = new.orphans().first() {
        return Some(Err(Broken(format!("nobody has code for it: {orphan:?}"))));
    }
    let status = match go_on(&new, &store, &clock, trouble, || false).await {
        Ok(Some(status)) => status,
        Ok(None) => return Some(Err(Broken("it hangs".to_owned()))),
        Err(broken) => return Some(Err(broken)),
    };
    Some(look_back(judge, &store, &world, &status).await)
}

/// Plays the outside until the run has ended, and gives what it is then; `None` when the store stopped answering.
async fn go_on(
    engine: &Engine,
    store: &Arc<dyn Store>,
    clock: &Clock,
    trouble: Trouble,
    has_stopped: impl Fn() -> bool,
) -> Result<Option<RunStatus>, Broken> {
    let client = engine.client();
    for look in 0..PATIENCE {
        for _ in 0..30 {
            tokio::task::yield_now().await;
        }
        if look > 20 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        if has_stopped() {
            return Ok(None);
        }
        let Some(status) = store.run("run").await.expect("it answers") else { continue };
        if status.has_ended() {
            return Ok(Some(status));
        }
        let mut incidents = status.incidents.iter();
        if let Some(incident) = incidents.find(|incident| incident.place != IncidentPlace::Run) {
            return Err(Broken(incident.cause.clone()));
        }
        let timers = status.timers.iter().filter(|(op, _)| op.as_str() != "*deadline");
        let due_ms = timers.map(|(_, due_ms)| *due_ms).min();
        let is_late = trouble == Trouble::Late && due_ms.is_some();
        if !status.waits.is_empty() && !is_late {
            for (op, wait) in &status.waits {
                let (key, id) = (wait.key.clone(), format!("{op} of {}", status.generation));
                // Who is stopped in the midst of it gives no answer.
                let sending = async {
                    match wait.message.as_str() {
                        "Paid" => client.deliver(PaidLetter { key, order: 7, cents: 5 }).message_id(id).await,
                        _ => client.deliver(NotedLetter { key, order: 7 }).message_id(id).await,
                    }
                };
                let _ = tokio::time::timeout(Duration::from_millis(5), sending).await;
            }
        } else if let Some(due_ms) = due_ms {
            clock.advance(Duration::from_millis(u64::try_from(due_ms - clock.now_ms()).unwrap_or(0)));
        }
    }
    Ok(None)
}

/// Judges what became of the run, and of the world.
async fn look_back(
    judge: &Judge<'_>,
    store: &Arc<dyn Store>,
    world: &World,
    status: &RunStatus,
) -> Result<(), Broken> {
    let RunState::Ended(conclusion) = &status.state else {
        return Err(Broken("it has not ended".to_owned()));
    };
    // Children have worlds of their own on the walks.
    let mut deeds: Vec<Deed> =
        world.deeds().into_iter().filter(|deed| deed.key.starts_with("run/")).collect();
    let journal = store.journal("run").await.expect("the journal is read");
    let commands = journal.iter().flat_map(|record| &record.commands);
    deeds.extend(commands.filter_map(|command| match command {
        Command::Send { op, message, payload, .. } => {
            let what = format!("send {message} {payload}");
            Some(Deed { key: op.to_string(), what, takes_back: false })
        }
        _ => None,
    }));
    let ending = Ending { conclusion: conclusion_text(conclusion), left: left_of(&deeds) };
    judge.judge(&deeds, &ending)
}
