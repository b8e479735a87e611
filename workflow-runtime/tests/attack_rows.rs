//! Rows that are not what was written: every column of every table of a SQLite file is garbled, one row at a time.
//! Whatever it is, the engine starts, nothing panics, all other runs go on, and whoever is stuck is seen to be.

mod world;

use std::collections::BTreeSet;
use std::panic;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::types::Value;
use workflow_runtime::prelude::*;
use workflow_runtime::store::{Fleet, Request, Store};
use workflow_runtime::{
    Client, Clock, EngineBuilder, MessageFilter, OutboxFilter, Payload, RunFilter, TransportError,
};
use world::family::{race, supervise};
use world::*;

const HOUR: Duration = Duration::from_secs(3_600);

/// Runs of each kind; one of them is the victim, at most.
const EACH: usize = 3;

/// Takes no message, so that the outbox is full.
struct Closed;

#[async_trait::async_trait]
impl workflow_runtime::Transport for Closed {
    async fn hand_over(&self, _: &workflow_runtime::Outgoing) -> Result<(), TransportError> {
        Err(TransportError::unavailable("closed"))
    }
}

/// Tells somebody else, then waits for an hour.
#[workflow]
async fn teller(order: String) -> u64 {
    progress(&order).await;
    publish(Paid { order: format!("{order}-told"), amount: 1 }).await;
    sleep(hours(1)).await;
    1
}

/// Every hour, and waits for a message.
#[workflow(cron = "0 * * * *", timezone = "UTC")]
async fn hourly(tick: std::time::SystemTime) -> u64 {
    let late = receive::<Paid>(format!("{tick:?}")).within(minutes(1)).await;
    u64::from(late.is_err())
}

fn engine(store: impl Store, world: &World, clock: &Clock) -> EngineBuilder {
    let builder = builder(store, world, clock).transport(Closed).register(teller).register(hourly);
    builder.register(supervise).register(race)
}

/// A file in which every table has rows that matter: what waits for times, messages and children, what is stuck.
async fn prepare(database: &Path) -> Vec<String> {
    let (world, clock) = (World::new(), Clock::manual(1_000_000));
    let store = Arc::new(Sqlite::open(database).await.unwrap());
    world.always("charge", Behaviour::Fail(ShopError::Busy));
    let engine = engine(Arc::clone(&store), &world, &clock).start().await.unwrap();
    let client = engine.client();
    let mut ids = Vec::new();
    for number in 0..EACH {
        let name = |kind: &str| format!("{kind}-{number}");
        engine.start(slow(name("slow"))).id(name("slow")).await.unwrap();
        engine.start(patient(name("patient"))).id(name("patient")).await.unwrap();
        engine.start(supervise(name("parent"))).id(name("parent")).await.unwrap();
        engine.start(teller(name("teller"))).id(name("teller")).await.unwrap();
        engine.start(fulfil(name("stuck"))).id(name("stuck")).await.unwrap();
        ids.extend(["slow", "patient", "parent", "teller", "stuck"].map(name));
        let early = Paid { order: name("later"), amount: 7 };
        client.deliver(early).message_id(name("early")).await.unwrap();
        let event = Paid { order: name("heard"), amount: 7 };
        client.publish(event).message_id(name("event")).await.unwrap();
        engine.start(patient(name("heard"))).id(name("heard")).await.unwrap();
        ids.push(name("heard"));
        client.deliver(Placed { order: name("placed"), amount: 1 }).message_id(name("placed")).await.unwrap();
        ids.push(format!("open_order:{}", name("placed")));
    }
    for id in ids.iter().filter(|id| id.starts_with("parent")) {
        until(&client, id, "its child", |status| !status.has_ended()).await;
        eventually("its child waits", async || {
            let child = store.run(&format!("{id}/collect")).await.unwrap();
            child.filter(|child| !child.waits.is_empty())
        })
        .await;
    }
    for id in ids.iter().filter(|id| id.starts_with("stuck")) {
        until(&client, id, "a retry", |status| !status.timers.is_empty()).await;
    }
    for id in ids.iter().filter(|id| id.starts_with("teller")) {
        until(&client, id, "its nap", |status| !status.timers.is_empty()).await;
    }
    drop(engine);
    for number in 0..EACH {
        let id = format!("stuck-{number}");
        let body = Payload::of("what nobody understands").unwrap();
        let request = Request { id: format!("request-{number}"), run_id: id.as_str().into(), body };
        assert!(store.ask("nobody", &request, 1_000_000).await.unwrap());
    }
    store.close().await;
    let rows = Connection::open(database).unwrap();
    let incident = "INSERT INTO workflow_incidents (run_id, place, cause, since_ms) \
                    SELECT run_id, 'nowhere', 'for the attack', 1 FROM workflow_runs WHERE run_id LIKE 'patient-%'";
    rows.execute(incident, ()).unwrap();
    rows.pragma_update(None, "journal_mode", "DELETE").unwrap();
    ids
}

/// Everything that is waited for comes; a run that has all it needs ends.
async fn give_them_all(engine: &Engine, clock: &Clock, number: usize) -> Vec<String> {
    let client = engine.client();
    let mut refused = Vec::new();
    let mut note = |what: Result<workflow_runtime::Delivery, workflow_runtime::Error>| {
        refused.extend(what.err().map(|error| error.to_string()));
    };
    let of = |order: String, amount| Paid { order, amount };
    for kind in ["patient", "placed"] {
        let id = format!("paid-{kind}-{number}");
        note(client.deliver(of(format!("{kind}-{number}"), 1)).message_id(id).await);
    }
    for part in 0..2 {
        let id = format!("paid-parent-{number}-{part}");
        note(client.deliver(of(format!("parent-{number}-c"), 1)).message_id(id).await);
    }
    clock.advance(HOUR + HOUR);
    refused
}

/// What may be garbled: each table of ours, with its columns. (Another number of the schema is another release's file,
/// and is refused as such.)
fn columns(database: &Path) -> Vec<(String, String)> {
    let rows = Connection::open(database).unwrap();
    let sql = "SELECT t.name, c.name FROM sqlite_master t JOIN pragma_table_info(t.name) c \
               WHERE t.type = 'table' AND t.name LIKE 'workflow~_%' ESCAPE '~' \
               AND t.name <> 'workflow_schema' ORDER BY 1, 2";
    let mut statement = rows.prepare(sql).unwrap();
    let columns = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    columns.map(Result::unwrap).collect()
}

/// What once did harm to others, or was not seen; it is tried every time.
const FOUND_BEFORE: [(&str, &str, &str); 10] = [
    ("workflow_events", "seq", "garbage"),
    ("workflow_events", "run_id", "garbage"),
    ("workflow_requests", "body", "garbage"),
    ("workflow_runs", "generation", "garbage"),
    ("workflow_runs", "holder", "garbage"),
    ("workflow_runs", "version", "garbage"),
    ("workflow_runs", "ended_ms", "garbage"),
    ("workflow_workers", "worker", "garbage"),
    ("workflow_schedules", "kept_until_ms", "garbage"),
    ("workflow_outbox", "publishes", "garbage"),
];

fn garbage(chance: &mut fastrand::Rng) -> Value {
    let text = |text: &str| Value::Text(text.to_owned());
    match chance.u32(..10) {
        0 => Value::Null,
        1 => text(""),
        2 => text("garbage"),
        3 => text(&format!("{{\"at_ms\":{},\"event\":\"Resumed\",\"commands\":[]}}", chance.u32(..))),
        4 => text(&"[".repeat(5_000)),
        5 => Value::Blob((0..40).map(|_| chance.u8(..)).collect()),
        6 => Value::Integer(i64::MIN),
        7 => Value::Integer(chance.i64(..)),
        8 => Value::Real(f64::NAN),
        _ => Value::Real(1e300),
    }
}

/// Garbles one value; gives the texts of its row, before and after, or `None` when the database does not take it.
fn garble(
    database: &Path,
    chance: &mut fastrand::Rng,
    table: &str,
    column: &str,
    garbage: &Value,
) -> Option<BTreeSet<String>> {
    let rows = Connection::open(database).unwrap();
    rows.pragma_update(None, "foreign_keys", false).unwrap();
    rows.pragma_update(None, "ignore_check_constraints", true).unwrap();
    let count = format!("SELECT count(*) FROM {table}");
    let count: u32 = rows.query_row(&count, (), |row| row.get(0)).unwrap();
    if count == 0 {
        return None;
    }
    let nth = chance.u32(..count);
    let mut statement = rows.prepare(&format!("SELECT * FROM {table} LIMIT 1 OFFSET {nth}")).unwrap();
    let names: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
    let row: Vec<Value> =
        statement.query_row((), |row| (0..names.len()).map(|column| row.get(column)).collect()).unwrap();
    let same: Vec<String> =
        names.iter().enumerate().map(|(at, name)| format!("{name} IS ?{}", at + 1)).collect();
    let update = format!("UPDATE {table} SET {column} = ?{} WHERE {}", names.len() + 1, same.join(" AND "));
    let values = row.iter().chain([garbage]);
    rows.execute(&update, rusqlite::params_from_iter(values)).ok().filter(|changed| *changed == 1)?;
    let texts = row.iter().chain([garbage]).filter_map(|value| match value {
        Value::Text(text) => Some(text.clone()),
        Value::Blob(bytes) => Some(format!("{bytes:?}")),
        _ => None,
    });
    Some(texts.collect())
}

/// Whether somebody who looks can see that something is wrong with this run, or with the child that it waits for.
async fn is_seen(engine: &Engine, client: &Client, id: &str) -> bool {
    let child = format!("{id}/collect");
    is_seen_itself(engine, client, id).await
        || (id.starts_with("parent") && is_seen_itself(engine, client, &child).await)
}

async fn is_seen_itself(engine: &Engine, client: &Client, id: &str) -> bool {
    match client.status(id).await {
        Ok(status) if status.has_ended() || !status.incidents.is_empty() => true,
        Ok(status) => engine
            .orphans()
            .iter()
            .any(|orphan| orphan.workflow == status.workflow && orphan.version == status.version),
        Err(error) => error.to_string().contains(id) || error.is_unknown_run(),
    }
}

/// What is wrong when the engine goes on with this file, if anything is.
async fn trouble_with(
    database: &Path,
    looks_sound: bool,
    ids: &[String],
    named: &BTreeSet<String>,
) -> Vec<String> {
    let (world, clock) = (World::new(), Clock::manual(1_000_000));
    // What is written need not outlive the machine; it is faster without.
    let store = match Sqlite::options().synchronous_normal().open(database).await {
        Ok(store) => Arc::new(store),
        Err(error) => return vec![format!("the store does not open: {error}")],
    };
    let engine = match engine(Arc::clone(&store), &world, &clock).start().await {
        Ok(engine) => engine,
        Err(error) => return vec![format!("the engine does not start: {error}")],
    };
    let client = engine.client();
    let mut trouble = Vec::new();
    let is_named = |id: &str| {
        let number = id.rsplit('-').next().unwrap();
        named.iter().any(|text| {
            text.contains(id)
                || (text.ends_with(&format!("-{number}")) && !text.contains(' '))
                || text.starts_with(id)
        })
    };
    for number in 0..EACH {
        let refused = give_them_all(&engine, &clock, number).await;
        // What is said to a garbled run may be refused; nobody else's may.
        if !named.iter().any(|text| text.ends_with(&format!("-{number}"))) {
            trouble.extend(
                refused.into_iter().map(|error| format!("a message of {number} was refused: {error}")),
            );
        }
    }
    let began = std::time::Instant::now();
    for id in ids {
        loop {
            let has_ended = store.run(id).await.is_ok_and(|run| run.is_some_and(|run| run.has_ended()));
            if has_ended || (is_named(id) && is_seen(&engine, &client, id).await) {
                break;
            }
            if is_named(id) && looks_sound {
                break;
            }
            if began.elapsed() > Duration::from_secs(3) {
                let status = client.status(id).await;
                trouble.push(format!("`{id}` is stuck (garbled: {}): {status:?}", is_named(id)));
                break;
            }
            clock.advance(Duration::from_secs(60));
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
    // A list that cannot be read says which row it is.
    let lists = [
        client.runs(&RunFilter::default()).await.err(),
        client.messages(&MessageFilter::default()).await.err(),
        client.outbox(&OutboxFilter::default()).await.err(),
    ];
    for error in lists.into_iter().flatten().map(|error| error.to_string()) {
        if !named.iter().any(|text| !text.is_empty() && error.contains(text)) {
            trouble.push(format!("a list cannot be read, and nobody knows why: {error}"));
        }
    }
    trouble
}

#[tokio::test]
async fn whatever_is_garbled_harms_no_other_and_is_seen() {
    let seed = std::env::var("WORKFLOW_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..1 << 32));
    println!("again: WORKFLOW_SEED={seed} cargo test -p workflow-runtime --test attack_rows");
    let mut chance = fastrand::Rng::with_seed(seed);
    let rounds = if std::env::var("WORKFLOW_ATTACK").is_ok_and(|how| how == "long") { 20 } else { 1 };
    static PANICS: AtomicUsize = AtomicUsize::new(0);
    let default = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        PANICS.fetch_add(1, Ordering::SeqCst);
        default(panic);
    }));
    let folder = Folder::new();
    let sound = folder.database();
    let ids = prepare(&sound).await;
    let found = trouble_with(&copy(&sound, "sound"), false, &ids, &BTreeSet::new()).await;
    assert!(found.is_empty(), "{found:?}");
    let mut trouble = Vec::new();
    let mut garbled = 0;
    let mut cases: Vec<_> = FOUND_BEFORE
        .iter()
        .map(|(table, column, garbage)| {
            ((*table).to_owned(), (*column).to_owned(), Value::Text((*garbage).to_owned()))
        })
        .collect();
    for (table, column) in columns(&sound) {
        // Every other one, in a short attack; another time the others.
        if rounds == 1 && chance.bool() {
            continue;
        }
        cases.extend((0..rounds).map(|_| (table.clone(), column.clone(), garbage(&mut chance))));
    }
    for (number, (table, column, garbage)) in cases.into_iter().enumerate() {
        let database = copy(&sound, &format!("garbled-{number}"));
        let Some(named) = garble(&database, &mut chance, &table, &column, &garbage) else { continue };
        garbled += 1;
        // What may well be true of a run that waits for others: nobody can tell it from one that does.
        let looks_sound = match (&*table, &*column) {
            ("workflow_waits", "message" | "key" | "since_ms") | ("workflow_runs", "wake_ms") => true,
            ("workflow_runs", "holder") => garbage == Value::Null,
            _ => false,
        };
        let found = trouble_with(&database, looks_sound, &ids, &named).await;
        let garbage: String = format!("{garbage:?}").chars().take(60).collect();
        trouble.extend(found.into_iter().map(|found| format!("{table}.{column} = {garbage}: {found}")));
        std::fs::remove_file(&database).unwrap();
    }
    println!("{garbled} values were garbled");
    assert!(trouble.is_empty(), "{} of {garbled}:\n{}", trouble.len(), trouble.join("\n"));
    assert_eq!(PANICS.load(Ordering::SeqCst), 0, "something panicked");
    assert!(garbled > 20, "only {garbled} values were garbled");
}

fn copy(database: &Path, name: &str) -> std::path::PathBuf {
    let copy = database.with_file_name(name);
    std::fs::copy(database, &copy).unwrap();
    copy
}
