//! Has the engine on SQLite do what the kit did, one write after the other, and compares each with the kit's.
//! It plays the outside: answers of steps, messages, the clock, people. It knows nothing of how an order was found.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use workflow_core::{Event, FailureKind, Record, StepContext};
use workflow_runtime::store::Store;
use workflow_runtime::{Clock, Engine, RecordingTransport, Sqlite};

use crate::explore::{Program, Row};
use crate::steps::{Answer, Stage, Told};
use crate::watched::Watched;

/// How long a write may take; milliseconds are usual.
const PATIENCE: Duration = Duration::from_secs(60);

/// Plays these rows; after as many as `restart` says, another engine goes on with what the first one has written.
pub(crate) async fn play(
    program: &Program,
    number: u32,
    rows: &[Row],
    restart: Option<usize>,
    folder: &Path,
) -> Result<(), String> {
    let clock = Clock::manual(0);
    let stage = Stage::default();
    let (mut store, mut engine) = open(program, folder, &clock, &stage).await?;
    (program.start)(&engine, number).await?;
    let mut lengths: BTreeMap<(&str, u32), usize> = BTreeMap::new();
    for (index, row) in rows.iter().enumerate() {
        if restart == Some(index) {
            engine.shutdown().await;
            (store, engine) = open(program, folder, &clock, &stage).await?;
        }
        if row.record.at_ms > clock.now_ms() {
            clock.set(row.record.at_ms);
        }
        act(&engine, &stage, row)
            .await
            .map_err(|error| format!("row {index}, {:?}: {error}", row.record.event))?;
        let length = lengths.entry((&row.run_id, row.generation)).or_default();
        *length += 1;
        let written = written(&store, row, *length - 1).await?;
        if let Some(written) = written.filter(|written| *written != row.record) {
            return Err(format!("row {index}:\n  the kit:    {:?}\n  the engine: {written:?}", row.record));
        }
    }
    for (&(run_id, generation), &length) in &lengths {
        let journal = journal(&store, run_id).await?;
        if generation_of(&journal) == Some(generation) && journal.len() != length {
            return Err(format!("`{run_id}` has more rows: {:?}", &journal[length..]));
        }
    }
    engine.shutdown().await;
    Ok(())
}

async fn open(
    program: &Program,
    folder: &Path,
    clock: &Clock,
    stage: &Stage,
) -> Result<(Arc<Watched>, Engine), String> {
    let store = Sqlite::open(folder.join("runs.db")).await.map_err(|error| error.to_string())?;
    let store = Arc::new(Watched::new(store));
    // What leaves is not handed over: the rows say which message reaches whom.
    let builder = Engine::builder().store(Arc::clone(&store)).transport(RecordingTransport::new());
    let builder = builder.clock(clock.clone()).grace_period(Duration::ZERO).resource(stage.clone());
    let engine = (program.register)(builder).start().await.map_err(|error| error.to_string())?;
    Ok((store, engine))
}

/// Does what is done from outside to come to this row; the rest the engine does by itself.
async fn act(engine: &Engine, stage: &Stage, row: &Row) -> Result<(), String> {
    let client = engine.client();
    let run_id = &row.run_id;
    let key =
        |op: &str| StepContext::new(run_id, op, 1).in_generation(row.generation).idempotency_key().to_owned();
    let done = match &row.record.event {
        Event::StepCompleted { op, output, .. } => {
            stage.tell(key(op.as_str()), Told::Answer(output.as_json().to_owned()));
            return Ok(());
        }
        Event::AttemptFailed { op, failure, .. } => {
            match failure.kind {
                FailureKind::Timeout => {}
                FailureKind::Panic => stage.tell(key(op.as_str()), Told::Panic),
                other => return Err(format!("no step here fails like this: {other:?}")),
            }
            return Ok(());
        }
        Event::MessageReceived { message_id, payload, .. } => {
            let message: Answer = payload.read().map_err(|error| error.to_string())?;
            client.deliver(message).message_id(message_id).await.map(drop)
        }
        Event::CancelRequested { reason } if run_id == "run" => client.cancel(run_id, reason).await.map(drop),
        Event::RetryRequested { .. } => client.retry(run_id).await.map(drop),
        Event::GivenUp { op, reason } => client.fail(run_id, op.as_str(), reason).await.map(drop),
        _ => Ok(()),
    };
    done.map_err(|error| error.to_string())
}

/// What the engine wrote there; `None` when the next generation has already taken the place of that journal.
async fn written(store: &Watched, row: &Row, index: usize) -> Result<Option<Record>, String> {
    let mut writes = store.written.subscribe();
    let look = async {
        loop {
            writes.borrow_and_update();
            let mut journal = journal(store, &row.run_id).await?;
            match generation_of(&journal) {
                Some(generation) if generation > row.generation => return Ok(None),
                Some(generation) if generation == row.generation && journal.len() > index => {
                    return Ok(Some(journal.swap_remove(index)));
                }
                // The sender lives in the store, so it is not gone.
                _ => writes.changed().await.map_err(|error| error.to_string())?,
            }
        }
    };
    if let Ok(found) = tokio::time::timeout(PATIENCE, look).await {
        return found;
    }
    let status = store.run(&row.run_id).await.map_err(|error| error.to_string())?;
    let last = journal(store, &row.run_id).await?.pop();
    Err(format!(
        "the engine has not written {:?} of `{}`; it is at {status:?} with {last:?}",
        row.record, row.run_id
    ))
}

async fn journal(store: &Watched, run_id: &str) -> Result<Vec<Record>, String> {
    store.journal(run_id).await.map_err(|error| error.to_string())
}

fn generation_of(journal: &[Record]) -> Option<u32> {
    match &journal.first()?.event {
        Event::Started { generation, .. } => Some(*generation),
        _ => None,
    }
}
