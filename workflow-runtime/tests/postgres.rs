//! What only a Postgres store has to keep: its tables, its server that comes and goes, other engines at work in it, and
//! the dialect of its steps. What every store promises is asked in `store_*.rs`.

mod world;

use std::sync::Arc;
use std::time::Duration;

use postgres_server::{Pooler, Server};
use sqlx::{AssertSqlSafe, Connection};
use workflow_runtime::prelude::*;
use workflow_runtime::store::*;
use workflow_runtime::{Clock, Postgres, RunError};
use world::postgres::Schema;
use world::turns::*;
use world::{Behaviour, World, eventually};

const LEASE: Duration = Duration::from_secs(3_600);

async fn joined(store: Postgres) -> Postgres {
    store.join(&worker(WORKER), LEASE).await.unwrap();
    store
}

/// Runs statements beside the store.
async fn sql(schema: &Schema, statements: &str) {
    let options: sqlx::postgres::PgConnectOptions = postgres_server::url().parse().unwrap();
    let mut connection = sqlx::PgConnection::connect_with(&options.extra_float_digits(None)).await.unwrap();
    let path = format!("SET search_path = {}; {statements}", schema.name());
    sqlx::raw_sql(AssertSqlSafe(path)).execute(&mut connection).await.unwrap();
}

#[tokio::test]
async fn many_may_bring_the_tables_up_to_date_at_once() {
    let schema = Schema::new();
    let starters = (0..8).map(|_| {
        let options = schema.options();
        tokio::spawn(async move { options.connect(postgres_server::url()).await.map(drop) })
    });
    for starter in starters.collect::<Vec<_>>() {
        starter.await.unwrap().unwrap();
    }
    let store = joined(schema.connect().await).await;
    assert_eq!(store.query::<i64>("SELECT count(*) FROM workflow_schema", ()).await.unwrap(), [9]);
    assert_eq!(store.write(&[begin("a")], 0).await.unwrap(), [written()]);
}

#[tokio::test]
async fn an_older_release_goes_on_beside_a_newer_one_unless_that_forbids_it() {
    let schema = Schema::new();
    let store = joined(schema.connect().await).await;
    sql(
        &schema,
        "INSERT INTO workflow_schema VALUES (10, 5); ALTER TABLE workflow_runs ADD COLUMN later TEXT",
    )
    .await;
    assert_eq!(store.write(&[begin("a")], 0).await.unwrap(), [written()]);
    let other = schema.connect().await;
    assert!(other.run("a").await.unwrap().is_some(), "and may be started again");
    sql(&schema, "INSERT INTO workflow_schema VALUES (11, 11)").await;
    let refused = schema.options().connect(postgres_server::url()).await.err().unwrap();
    assert!(refused.to_string().contains("newer release"), "{refused}");
}

#[tokio::test]
async fn what_cannot_be_reached_is_said_without_the_password() {
    let refused = Postgres::connect("postgres://me:geheim@127.0.0.1:1/none").await.err().unwrap().to_string();
    assert!(refused.contains("127.0.0.1:1") && !refused.contains("geheim"), "{refused}");
    let unreadable = Postgres::connect("mysql:geheim").await.err().unwrap().to_string();
    assert!(!unreadable.contains("geheim"), "{unreadable}");
}

#[tokio::test]
async fn nul_breaks_no_write_and_comes_back() {
    let store = joined(Schema::new().connect().await).await;
    let odd = "\0\u{1}0'\"\\$w$";
    let mut first = begin_waiting(odd, 1);
    let wait = MessageWait { message: odd.into(), key: odd.into(), since_ms: 1 };
    first.changes.begin_waits.insert(op(odd), wait.clone());
    first.changes.open_incidents.insert(IncidentPlace::Operation(op(odd)), odd.into());
    first.changes.set_timers.insert(op(odd), 7);
    assert_eq!(store.write(&[first], 0).await.unwrap(), [written()]);
    let message = NewMessage { message: odd.into(), key: odd.into(), ..message(odd, 100) };
    let delivered = store.deliver(WORKER, &[message], 0).await.unwrap();
    assert_eq!(offered(&delivered[0].offers), [(odd, odd)]);
    store.request_cancel(WORKER, odd, odd).await.unwrap();
    let status = store.run(odd).await.unwrap().unwrap();
    assert_eq!((&status.waits[&op(odd)], status.timers[&op(odd)]), (&wait, 7));
    assert_eq!((status.incidents[0].cause.as_str(), status.cancel_reason.as_deref()), (odd, Some(odd)));
    let mut taking = turn(odd, 1, 2, &[odd]);
    taking.changes.take_messages.insert(odd.into(), op(odd));
    assert_eq!(store.write(&[taking], 0).await.unwrap(), [written()]);
    let of_run = MessageFilter { run_id: Some(odd.into()), ..MessageFilter::default() };
    let taken = &store.messages(&of_run, 0).await.unwrap()[0];
    let by = vec![Taker { run_id: odd.into(), op: Some(op(odd)) }];
    assert_eq!((taken.message_id.as_str(), &taken.state), (odd, &MessageState::Taken { by }));
}

/// Two engines begin the same runs, take the same messages and tell each other's runs something, in any order.
#[tokio::test]
async fn engines_at_work_at_once_get_each_thing_once() {
    let schema = Schema::new();
    let stores = [joined(schema.connect().await).await, schema.connect().await];
    stores[1].join(&worker("worker-2"), LEASE).await.unwrap();
    let by = |worker: usize, turn: Turn| {
        let id = [WORKER, "worker-2"][worker];
        Turn { lease: Lease { worker: id.into(), ..turn.lease.clone() }, ..turn }
    };
    let ids: Vec<String> = (0..40).map(|n| format!("run-{n:02}")).collect();
    let begun = |worker: usize| {
        let mut turns: Vec<Turn> = ids.iter().map(|id| by(worker, begin_waiting(id, 1))).collect();
        if worker == 1 {
            turns.reverse();
        }
        turns
    };
    let (first, second) = (begun(0), begun(1));
    let (a, b) = tokio::join!(stores[0].write(&first, 0), stores[1].write(&second, 0));
    let (a, mut b) = (a.unwrap(), b.unwrap());
    b.reverse();
    for (index, outcomes) in a.iter().zip(&b).enumerate() {
        let won = [outcomes.0, outcomes.1].iter().filter(|outcome| ***outcome == written()).count();
        let lost =
            [outcomes.0, outcomes.1].iter().filter(|outcome| ***outcome == TurnOutcome::Exists).count();
        assert_eq!((won, lost), (1, 1), "run {index}");
    }
    // Twenty messages under one key for forty waits: each message goes to one run.
    let messages: Vec<NewMessage> = (0..20).map(|n| message(&format!("m-{n:02}"), 1_000)).collect();
    stores[0].deliver("elsewhere", &messages, 0).await.unwrap();
    let take = |worker: usize| {
        let won = if worker == 0 { &a } else { &b };
        let mine = ids.iter().zip(won).filter(|(_, outcome)| **outcome == written()).map(|(id, _)| id);
        let turns = mine.enumerate().map(|(n, id)| by(worker, taking(id, &format!("m-{:02}", n % 20))));
        turns.collect::<Vec<Turn>>()
    };
    let (first, second) = (take(0), take(1));
    let (c, d) = tokio::join!(stores[0].write(&first, 0), stores[1].write(&second, 0));
    let (c, d) = (c.unwrap(), d.unwrap());
    let mut taken = std::collections::BTreeSet::new();
    for (turn, outcome) in first.iter().zip(&c).chain(second.iter().zip(&d)) {
        let message = turn.changes.take_messages.keys().next().unwrap();
        match outcome {
            TurnOutcome::Written(_) => assert!(taken.insert(message.clone()), "{message} was taken twice"),
            outcome => assert_eq!(*outcome, TurnOutcome::MessageTaken),
        }
    }
    let wanted: std::collections::BTreeSet<_> =
        first.iter().chain(&second).flat_map(|turn| turn.changes.take_messages.keys().cloned()).collect();
    assert_eq!(taken, wanted);
}

#[tokio::test]
async fn a_run_is_claimed_by_one_of_many_who_ask_at_once() {
    let schema = Schema::new();
    let store = Arc::new(joined(schema.connect().await).await);
    let turns: Vec<Turn> = (0..100).map(|n| begin(&format!("run-{n:02}"))).collect();
    store.write(&turns, 0).await.unwrap();
    store.leave(WORKER).await.unwrap();
    let claims = (0..6).map(|n| {
        let (store, id) = (Arc::clone(&store), format!("claimer-{n}"));
        tokio::spawn(async move {
            store.join(&worker(&id), LEASE).await.unwrap();
            let mut taken = Vec::new();
            loop {
                let claim = Claim { worker: id.as_str().into(), code: worker(&id).code, now_ms: 0, limit: 7 };
                let claimed = store.claim(&claim).await.unwrap();
                taken.extend(claimed.runs.into_iter().map(|run| run.lease.run_id));
                if claimed.next_wake_ms.is_none() {
                    return taken;
                }
            }
        })
    });
    let mut all = Vec::new();
    for claim in claims.collect::<Vec<_>>() {
        all.extend(claim.await.unwrap());
    }
    all.sort();
    let expected: Vec<Arc<str>> = turns.iter().map(|turn| Arc::clone(&turn.lease.run_id)).collect();
    assert_eq!(all, expected);
}

#[tokio::test]
async fn a_wait_and_a_message_that_cross_find_each_other() {
    let schema = Schema::new();
    let stores = [joined(schema.connect().await).await, schema.connect().await];
    stores[1].join(&worker("worker-2"), LEASE).await.unwrap();
    for n in 0..60 {
        let (id, key) = (format!("run-{n}"), format!("key-{n}"));
        let mut waiting = begin(&id);
        let wait = MessageWait { message: "Paid".into(), key: key.clone(), since_ms: 1 };
        waiting.changes.begin_waits.insert(op("paid"), wait);
        let sent = [NewMessage { key, ..message(&format!("m-{n}"), 1_000) }];
        let turns = [waiting];
        let (outcomes, delivered) =
            tokio::join!(stores[0].write(&turns, 0), stores[1].deliver("worker-2", &sent, 0));
        delivered.unwrap();
        let was_told = outcomes.unwrap() != [written()];
        let claim = Claim { worker: WORKER.into(), code: worker(WORKER).code, now_ms: 0, limit: 0 };
        let news = stores[0].claim(&claim).await.unwrap().news;
        assert!(was_told || news == [id.as_str().into()], "nobody told {id}");
    }
}

/// Tables of a user, and steps that run statements in them.
#[step(retry(attempts = 1, initial = "1s", factor = 1.0, max = "1s"), timeout = "5s")]
async fn run_sql(tx: &mut Tx, statements: Vec<String>) -> Result<u64, SqlError> {
    let mut changed = 0;
    for sql in statements {
        changed += match sql.strip_prefix("may fail: ") {
            Some(sql) => tx.execute(sql, ()).await.unwrap_or(0),
            None => tx.execute(&sql, ()).await?,
        };
    }
    Ok(changed)
}

#[workflow]
async fn statements(sql: Vec<String>) -> Result<u64, SqlError> {
    run_sql(sql).await
}

/// Many of them wait for each other's rows, on a busy machine for long.
#[step(timeout = "60s")]
async fn move_money(tx: &mut Tx, world: Resource<World>, from: &str, cents: i64) -> Result<i64, SqlError> {
    let left: i64 = tx
        .query_one("UPDATE accounts SET cents = cents - $2 WHERE name = $1 RETURNING cents", (from, cents))
        .await?;
    tx.execute("UPDATE accounts SET cents = cents + $1 WHERE name <> $2", (cents, from)).await?;
    let _ = world.call("move", from).await;
    Ok(left)
}

#[workflow]
async fn transfer(from: String, cents: i64) -> Result<i64, SqlError> {
    move_money(&from, cents).await
}

const TABLES: &str =
    "CREATE TABLE accounts (name TEXT PRIMARY KEY, cents BIGINT NOT NULL CHECK (cents >= 0));
    INSERT INTO accounts VALUES ('anna', 1000), ('bert', 0);
    CREATE TABLE receipts (
        number INT PRIMARY KEY,
        account TEXT NOT NULL REFERENCES accounts DEFERRABLE INITIALLY DEFERRED
    );
    -- no more";

struct Bank {
    store: Arc<Postgres>,
    world: World,
    clock: Clock,
}

impl Bank {
    async fn new(store: Postgres) -> Bank {
        store.execute_batch(TABLES).await.unwrap();
        Bank { store: Arc::new(store), world: World::new(), clock: Clock::manual(1_000_000) }
    }

    async fn engine(&self) -> Engine {
        let engine = world::builder(Arc::clone(&self.store), &self.world, &self.clock);
        engine.register(statements).register(transfer).start().await.unwrap()
    }

    async fn sql(&self, sql: &[&str]) -> Result<u64, SqlError> {
        let engine = self.engine().await;
        let sql = sql.iter().map(|sql| (*sql).to_owned()).collect();
        match engine.start(statements(sql)).await.unwrap().result().await {
            Ok(changed) => Ok(changed),
            Err(RunError::Failed(error)) => Err(error),
            Err(error) => panic!("{error}"),
        }
    }

    async fn cents(&self) -> Vec<i64> {
        self.store.query("SELECT cents FROM accounts ORDER BY name", ()).await.unwrap()
    }
}

#[tokio::test]
async fn a_statement_of_a_step_that_takes_longer_than_somebody_allows_is_an_error_of_the_step() {
    let bank = Bank::new(Schema::new().connect().await).await;
    let late = bank.sql(&["SET LOCAL statement_timeout = '100ms'", "SELECT pg_sleep(60)"]).await.unwrap_err();
    assert_eq!(late.kind(), SqlErrorKind::Statement, "{late}");
}

#[tokio::test]
async fn a_step_goes_on_after_an_error_of_its_sql() {
    let bank = Bank::new(Schema::new().connect().await).await;
    let good = "UPDATE accounts SET cents = cents + 1";
    let twice = "may fail: INSERT INTO accounts VALUES ('anna', 1)";
    assert_eq!(bank.sql(&[good, twice, "may fail: INSRT 'x", good, "SELECT 1"]).await, Ok(4));
    assert_eq!(bank.cents().await, [1_002, 2]);
    let parts = [
        "SAVEPOINT part",
        good,
        twice,
        "ROLLBACK TO part",
        "RELEASE part",
        good,
        twice,
        good,
        "may fail: COMMIT",
    ];
    assert_eq!(bank.sql(&parts).await, Ok(6));
    assert_eq!(bank.cents().await, [1_004, 4]);
}

#[tokio::test]
async fn errors_of_sql_say_of_which_kind_they_are() {
    let bank = Bank::new(Schema::new().connect().await).await;
    let kind = async |sql: &str| bank.sql(&["UPDATE accounts SET cents = 5", sql]).await.unwrap_err();
    assert!(kind("INSERT INTO accounts VALUES ('anna', 1)").await.is_unique_violation());
    assert_eq!(kind("UPDATE accounts SET cents = -1").await.kind(), SqlErrorKind::Constraint);
    assert!(kind("INSRT").await.to_string().contains("syntax error"));
    assert!(kind("SELECT $1").await.to_string().contains("asks for 1 parameters, but gets 0"));
    assert!(kind("COMMIT").await.to_string().contains("a step cannot commit"));
    assert!(kind("BEGIN").await.to_string().contains("transaction within a transaction"));
    assert!(kind("SELECT 1; SELECT 2").await.to_string().contains("one statement at a time"));
    assert_eq!(bank.cents().await, [1_000, 0], "none of them came to anything");
    let writes = bank.store.query::<i64>("DELETE FROM accounts RETURNING cents", ()).await.unwrap_err();
    assert!(writes.to_string().contains("read-only"), "{writes}");
    let tables = bank.store.execute_batch("CREATE TABLE a (x INT); CREATE TABLE b (").await.unwrap_err();
    assert!(tables.to_string().contains("syntax error"), "{tables}");
    assert!(bank.store.query::<i64>("SELECT count(*) FROM a", ()).await.is_err());
}

#[tokio::test]
async fn a_constraint_that_is_looked_at_last_fails_the_attempt() {
    let bank = Bank::new(Schema::new().connect().await).await;
    let engine = bank.engine().await;
    let dangling = vec!["INSERT INTO receipts VALUES (1, 'nobody')".to_owned()];
    engine.start(statements(dangling)).id("t-1").await.unwrap();
    let client = engine.client();
    let status = world::until(&client, "t-1", "a person has to look", |run| !run.incidents.is_empty()).await;
    assert!(status.incidents[0].cause.contains("foreign key"), "{:?}", status.incidents);
    bank.store.execute_batch("INSERT INTO accounts VALUES ('nobody', 0)").await.unwrap();
    client.retry("t-1").await.unwrap();
    assert_eq!(client.result::<u64>("t-1").await.unwrap(), 1);
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Kinds {
    whole: i16,
    sum: i64,
    mean: f64,
    yes: bool,
    bytes: Vec<u8>,
    at: String,
    id: String,
    json: Vec<u8>,
    none: Option<i64>,
}

#[tokio::test]
async fn values_of_every_kind_come_and_go() {
    let bank = Bank::new(Schema::new().connect().await).await;
    let kinds = "SELECT $1::int2 AS whole, (SELECT sum(x) FROM (VALUES (1::int8), (2)) v (x)) AS sum, \
         (SELECT avg(x) FROM (VALUES (1), (2)) v (x)) AS mean, $2::bool AS yes, '\\x00ff'::bytea AS bytes, \
         $3::timestamptz AS at, $4::uuid AS id, $5::jsonb AS json, NULL::int8 AS none";
    let id = "0192e4a0-0000-7000-8000-000000000001";
    let params = (7, true, "2026-11-22 06:00:00+01", id, [1, 2]);
    let read: Vec<Kinds> = bank.store.query(kinds, params).await.unwrap();
    let expected = Kinds {
        whole: 7,
        sum: 3,
        mean: 1.5,
        yes: true,
        bytes: vec![0, 255],
        at: "2026-11-22 05:00:00+00".into(),
        id: id.into(),
        json: vec![1, 2],
        none: None,
    };
    assert_eq!(read, [expected]);
    let odd = "it's \\ \"$w$ $1 {";
    assert_eq!(bank.store.query::<String>("SELECT $1", (odd,)).await.unwrap(), [odd]);
    assert_eq!(bank.store.query::<f64>("SELECT $1::float8", (0.1,)).await.unwrap(), [0.1]);
}

async fn many_transfers(bank: &Bank, transfers: i64) {
    let engine = bank.engine().await;
    let mut runs = Vec::new();
    for n in 0..transfers {
        runs.push(engine.start(transfer("anna".into(), 1)).id(format!("t-{n}")).await.unwrap());
        engine.start(world::five_notes("x".into())).id(format!("n-{n}")).await.unwrap();
    }
    for run in runs {
        run.result().await.unwrap();
    }
    for n in 0..transfers {
        assert_eq!(engine.client().result::<u64>(&format!("n-{n}")).await.unwrap(), 5);
    }
    assert_eq!(bank.cents().await, [1_000 - transfers, transfers]);
}

#[tokio::test]
async fn behind_a_pooler_each_transaction_may_have_another_session() {
    let server = Server::start().unwrap();
    let pooler = Pooler::start(&server, 3).unwrap();
    // The sessions have been used by others before, with statements prepared under the same names.
    let schema = Schema::new();
    let bank = Bank::new(schema.options().connect(pooler.url()).await.unwrap()).await;
    many_transfers(&bank, 30).await;
    let again = joined(schema.options().connect(pooler.url()).await.unwrap()).await;
    let turns: Vec<Turn> = (0..50).map(|n| begin(&format!("run-{n}"))).collect();
    for turn in &turns {
        assert_eq!(again.write(std::slice::from_ref(turn), 0).await.unwrap(), [written()]);
    }
    assert_eq!(again.runs(&RunFilter { limit: 200, ..RunFilter::default() }).await.unwrap().len(), 110);
}

#[tokio::test]
async fn a_server_that_crashes_and_comes_back_is_waited_for() {
    let server = Server::start().unwrap();
    let bank = Bank::new(Postgres::connect(server.url()).await.unwrap()).await;
    let engine = bank.engine().await;
    bank.world.script("move", [Behaviour::Wait]);
    let run = engine.start(transfer("anna".into(), 300)).id("t-1").await.unwrap();
    eventually("it has written", async || (bank.world.count("move") == 1).then_some(())).await;
    server.crash().unwrap();
    bank.world.open_gate(1);
    let ticking = tokio::spawn({
        let clock = bank.clock.clone();
        async move {
            loop {
                tokio::time::sleep(Duration::from_millis(5)).await;
                clock.advance(Duration::from_secs(1));
            }
        }
    });
    server.start_again().unwrap();
    assert_eq!(run.result().await.unwrap(), 700);
    ticking.abort();
    assert_eq!(bank.cents().await, [700, 300], "what did not commit before the crash did not happen");
}

#[tokio::test]
async fn what_nobody_waits_for_any_more_is_cancelled() {
    let bank = Bank::new(Schema::new().connect().await).await;
    let engine = bank.engine().await;
    let endless =
        "UPDATE accounts SET cents = cents + (SELECT count(*) FROM generate_series(1, 1000000000000))";
    engine.start(statements(vec![endless.to_owned()])).id("t-1").await.unwrap();
    let rows =
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'UPDATE accounts%'";
    let at_work = async || bank.store.query::<i64>(rows, ()).await.unwrap()[0];
    eventually("it is at work", async || (at_work().await == 1).then_some(())).await;
    drop(engine);
    eventually("it is cancelled", async || (at_work().await == 0).then_some(())).await;
    bank.store.execute_batch("UPDATE accounts SET cents = 5 WHERE name = 'bert'").await.unwrap();
    assert_eq!(bank.cents().await, [1_000, 5]);
}

#[tokio::test]
async fn commits_that_do_not_wait_for_the_disk_are_an_option() {
    let schema = Schema::new();
    let store =
        schema.options().synchronous_commit_off().connections(1).connect(postgres_server::url()).await;
    let store = joined(store.unwrap()).await;
    assert_eq!(store.write(&[begin("a")], 0).await.unwrap(), [written()]);
    let (default, off) = ("SHOW synchronous_commit", joined(store).await);
    assert_eq!(off.query::<String>(default, ()).await.unwrap(), ["off"]);
    assert_eq!(schema.connect().await.query::<String>(default, ()).await.unwrap(), ["on"]);
}
