//! The one connection that writes.
//! It knows scripts of statements, not what is in them; a script that fails leaves nothing behind.

use std::collections::BTreeSet;
use std::sync::Arc;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row};
use workflow_core::Timestamp;

use super::batch::{self, Script};
use super::transaction::{Watch, sql_error};
use super::{fault, fleet, inbox, is_refusal, outbox, read, refuse, sweep};
use crate::store::{
    Delivered, KeptSchedule, Lease, NewMessage, OutboxChange, RunState, StoreError, Sweep, Swept, Turn,
    TurnOutcome, Worker, codec,
};
use crate::store::{SqlError, SqlErrorKind};

pub(super) struct Writer {
    /// `None` once the store is closed.
    connection: Option<SqliteConnection>,
    /// A transaction may be open: a call failed, or its future was dropped half-way.
    is_dirty: bool,
    watch: Watch,
    /// The engine that the file serves, once it has joined.
    worker: Option<Arc<str>>,
}

impl Writer {
    pub(super) async fn connect(options: &SqliteConnectOptions) -> Result<Writer, sqlx::Error> {
        let mut connection = options.clone().connect().await?;
        let watch = Watch::default();
        watch.over(&mut connection).await?;
        Ok(Writer { connection: Some(connection), is_dirty: false, watch, worker: None })
    }

    pub(super) fn worker(&self) -> Option<Arc<str>> {
        self.worker.clone()
    }

    pub(super) async fn join(&mut self, worker: &Worker) -> Result<(), StoreError> {
        fleet::join(self, worker).await?;
        self.worker = Some(Arc::clone(&worker.id));
        Ok(())
    }

    pub(super) async fn leave(&mut self, worker: &str) -> Result<(), StoreError> {
        fleet::leave(self, worker).await?;
        self.worker.take_if(|joined| **joined == *worker);
        Ok(())
    }

    pub(super) async fn wake(&mut self, run_ids: &[Arc<str>]) -> Result<(), StoreError> {
        let run_ids: Vec<&str> = run_ids.iter().map(AsRef::as_ref).collect();
        let mut script = Script::default();
        fleet::wake(&mut script, &run_ids, None);
        self.run(script).await.map_err(fault)?;
        Ok(())
    }

    pub(super) fn watch(&self) -> Watch {
        self.watch.clone()
    }

    /// Opens the transaction of a step; false when somebody else holds the run, or it has ended.
    pub(super) async fn begin_step(&mut self, lease: &Lease) -> Result<bool, StoreError> {
        self.roll_back_what_is_left().await.map_err(fault)?;
        self.is_dirty = true;
        let mut script = Script::default();
        script.push("BEGIN IMMEDIATE");
        script
            .push("SELECT 1 FROM workflow_runs WHERE run_id = ? AND epoch = ? AND holder = ? AND ended_ms IS NULL")
            .bind(lease.run_id.as_ref())
            .bind_number(lease.epoch)
            .bind(lease.worker.as_ref());
        let is_joined = self.worker.as_ref() == Some(&lease.worker);
        let is_held = !self.run_inside(script).await?.is_empty() && is_joined;
        if !is_held {
            self.roll_back_what_is_left().await.map_err(fault)?;
        }
        Ok(is_held)
    }

    /// Writes the turn that records a step, and commits it with what the step has written.
    pub(super) async fn commit_step(
        &mut self,
        turn: &Turn,
        now_ms: Timestamp,
    ) -> Result<TurnOutcome, StoreError> {
        let turns = [turn];
        let mut script = batch::turns(&turns).and_offers(&turns, now_ms);
        script.push("COMMIT");
        let rows = self.run_inside(script).await?;
        self.is_dirty = false;
        let mut offers = Vec::new();
        read::assign_offers(&rows, &turns, |_, offer| offers.push(offer))?;
        Ok(TurnOutcome::Written(offers))
    }

    /// Runs statements of a user in a transaction of their own.
    pub(super) async fn execute_batch(&mut self, sql: &str) -> Result<(), SqlError> {
        let began = self.begin().await;
        began.map_err(|error| SqlError::new(SqlErrorKind::Unavailable, error.to_string()))?;
        let connection = self.connection().map_err(|error| sql_error(&error))?;
        // A comment at the end of the text must not hide the end of the transaction.
        let sql = format!("{sql}\n;COMMIT");
        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await;
        done.map_err(|error| sql_error(&error))?;
        self.is_dirty = false;
        Ok(())
    }

    /// Nearly always all turns can be written: one script, in which a turn that cannot be breaks a constraint
    /// and with it the whole. Only then is it looked at one by one who is refused.
    pub(super) async fn commit(
        &mut self,
        turns: &[Turn],
        now_ms: Timestamp,
    ) -> Result<Vec<TurnOutcome>, StoreError> {
        let all: Vec<&Turn> = turns.iter().collect();
        if !refuse::needs_a_look(turns, self.worker.as_deref()) {
            match self.run(batch::turns(&all).and_offers(&all, now_ms).in_one_transaction()).await {
                Ok(rows) => {
                    let mut outcomes = vec![TurnOutcome::Written(Vec::new()); turns.len()];
                    read::assign_offers(&rows, &all, |index, offer| {
                        if let TurnOutcome::Written(offers) = &mut outcomes[index] {
                            offers.push(offer);
                        }
                    })?;
                    return Ok(outcomes);
                }
                Err(error) if is_refusal(&error) => {}
                Err(error) => return Err(fault(error)),
            }
        }
        self.begin().await?;
        let outcomes = refuse::commit_what_is_not_refused(self, &all, |_| true, now_ms).await?;
        self.end().await?;
        Ok(outcomes)
    }

    pub(super) async fn deliver(
        &mut self,
        worker: &str,
        messages: &[NewMessage],
        now_ms: Timestamp,
    ) -> Result<Vec<Delivered>, StoreError> {
        self.begin().await?;
        let delivered = if messages.iter().any(|message| message.is_redelivery || !message.starts.is_empty())
        {
            self.deliver_and_start(messages, now_ms).await?
        } else {
            let rows = self.run_inside(batch::messages(messages, now_ms)).await?;
            read::delivered(&rows, messages)?
        };
        let offers = delivered.iter().flat_map(|delivered| &delivered.offers);
        let run_ids: BTreeSet<&str> = offers.map(|offer| offer.run_id.as_ref()).collect();
        let mut script = Script::default();
        fleet::wake(&mut script, &run_ids.into_iter().collect::<Vec<_>>(), Some(worker));
        self.run_inside(script).await?;
        self.end().await?;
        Ok(delivered)
    }

    /// The slower way, for messages that runs begin with and for those that come again.
    async fn deliver_and_start(
        &mut self,
        messages: &[NewMessage],
        now_ms: Timestamp,
    ) -> Result<Vec<Delivered>, StoreError> {
        let mut script = Script::default();
        inbox::give_way(&mut script, messages.iter(), now_ms);
        inbox::keep(&mut script, messages, now_ms);
        let kept = self.run_inside(script).await?;
        let are_new: Vec<bool> =
            read::delivered(&kept, messages)?.iter().map(|delivered| !delivered.is_duplicate).collect();
        let mut script = Script::default();
        inbox::starts(
            &mut script,
            messages.iter().zip(&are_new).filter(|(_, is_new)| **is_new).map(|(new, _)| new),
        );
        self.run_inside(script).await?;
        let starts = messages.iter().zip(&are_new);
        let starts = starts.flat_map(|(new, is_new)| new.starts.iter().map(move |turn| (turn, *is_new)));
        let (turns, may_be_new): (Vec<&Turn>, Vec<bool>) = starts.unzip();
        let outcomes =
            refuse::commit_what_is_not_refused(self, &turns, |index| may_be_new[index], now_ms).await?;
        let mut script = Script::default();
        batch::offers_to_all(&mut script, messages, now_ms);
        let mut rows = kept;
        rows.extend(self.run_inside(script).await?);
        let mut delivered = read::delivered(&rows, messages)?;
        let mut outcomes = outcomes.into_iter();
        for (delivered, new) in delivered.iter_mut().zip(messages) {
            delivered.starts = outcomes.by_ref().take(new.starts.len()).collect();
        }
        Ok(delivered)
    }

    pub(super) async fn discard(
        &mut self,
        message_id: &str,
        now_ms: Timestamp,
    ) -> Result<Option<bool>, StoreError> {
        let rows = self.run(inbox::discard(message_id, now_ms)).await.map_err(fault)?;
        rows.first().map(|row| row.try_get(0).map_err(fault)).transpose()
    }

    pub(super) async fn sweep(&mut self, what: &Sweep) -> Result<Swept, StoreError> {
        sweep::sweep(self, what).await
    }

    pub(super) async fn request_cancel(
        &mut self,
        worker: &str,
        run_id: &str,
        reason: &str,
    ) -> Result<Option<RunState>, StoreError> {
        let mut script = Script::default();
        script.push(
            "UPDATE workflow_runs SET cancel_reason = CASE WHEN ended_ms IS NULL THEN ? END \
             WHERE run_id = ? RETURNING conclusion",
        );
        script.bind(reason).bind(run_id);
        fleet::wake(&mut script, &[run_id], Some(worker));
        let rows = self.run(script.in_one_transaction()).await.map_err(fault)?;
        let Some(row) = rows.first() else { return Ok(None) };
        codec::read_state(run_id, row.try_get(0).map_err(fault)?).map(Some)
    }

    pub(super) async fn note_schedule(&mut self, schedule: &KeptSchedule) -> Result<(), StoreError> {
        let KeptSchedule { workflow, cron, timezone, kept_until_ms, last_tick_ms } = schedule;
        let mut script = Script::default();
        script.push(
            "INSERT OR REPLACE INTO workflow_schedules (workflow, cron, timezone, kept_until_ms, last_tick_ms) \
             SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each(?)",
        );
        script.bind_rows(&[(workflow, cron, timezone, kept_until_ms, last_tick_ms)]);
        self.run(script).await.map_err(fault)?;
        Ok(())
    }

    pub(super) async fn change_outbox(&mut self, changes: &[OutboxChange]) -> Result<Vec<bool>, StoreError> {
        let rows = self.run(outbox::changes(changes).in_one_transaction()).await.map_err(fault)?;
        let ids =
            rows.iter().map(|row| row.try_get(0)).collect::<Result<BTreeSet<&str>, _>>().map_err(fault)?;
        Ok(changes.iter().map(|change| ids.contains(change.id())).collect())
    }

    pub(super) async fn close(&mut self) {
        if let Some(connection) = self.connection.take()
            && let Err(error) = connection.close().await
        {
            tracing::warn!(%error, "the database did not close in order; nothing is lost");
        }
    }

    pub(super) async fn begin(&mut self) -> Result<(), StoreError> {
        self.roll_back_what_is_left().await.map_err(fault)?;
        self.is_dirty = true;
        self.script("BEGIN IMMEDIATE").await?;
        Ok(())
    }

    pub(super) async fn end(&mut self) -> Result<(), StoreError> {
        self.script("COMMIT").await?;
        self.is_dirty = false;
        Ok(())
    }

    /// Runs statements without arguments and without answers.
    pub(super) async fn script(&mut self, sql: &str) -> Result<(), StoreError> {
        let connection = self.connection().map_err(fault)?;
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.map_err(fault)?;
        Ok(())
    }

    pub(super) async fn number(&mut self, sql: &'static str) -> Result<i64, StoreError> {
        let connection = self.connection().map_err(fault)?;
        sqlx::query_scalar(sql).fetch_one(connection).await.map_err(fault)
    }

    /// Runs a script inside of the transaction that is open.
    pub(super) async fn run_inside(&mut self, script: Script) -> Result<Vec<SqliteRow>, StoreError> {
        if script.is_empty() {
            return Ok(Vec::new());
        }
        self.execute(script).await.map_err(fault)
    }

    /// Runs a script that is a transaction of its own.
    pub(super) async fn run(&mut self, script: Script) -> Result<Vec<SqliteRow>, sqlx::Error> {
        if script.is_empty() {
            return Ok(Vec::new());
        }
        self.roll_back_what_is_left().await?;
        self.is_dirty = true;
        let rows = self.execute(script).await?;
        self.is_dirty = false;
        Ok(rows)
    }

    async fn execute(&mut self, script: Script) -> Result<Vec<SqliteRow>, sqlx::Error> {
        let (sql, arguments) = script.into_parts();
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for argument in arguments {
            query = match argument {
                batch::Argument::Text(text) => query.bind(text),
                batch::Argument::Number(number) => query.bind(number),
            };
        }
        query.fetch_all(self.connection()?).await
    }

    pub(super) async fn roll_back_what_is_left(&mut self) -> Result<(), sqlx::Error> {
        if self.is_dirty {
            // It fails when nothing is open: some errors make SQLite roll back by itself.
            let _ = sqlx::raw_sql("ROLLBACK").execute(self.connection()?).await;
            self.is_dirty = false;
            self.watch.reset();
        }
        Ok(())
    }

    pub(super) fn connection(&mut self) -> Result<&mut SqliteConnection, sqlx::Error> {
        self.connection.as_mut().ok_or(sqlx::Error::PoolClosed)
    }
}
