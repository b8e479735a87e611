//! Hints to the other engines that a run was told something, so that they need not find out by asking again and again:
//! `NOTIFY`, many at once, and never within a transaction that does something else. Hints may be lost or come for
//! nothing; nothing depends on them. What the run was told is not known here.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use sqlx::postgres::{PgListener, PgPoolOptions, PgRow};
use sqlx::{Column, Row};
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout_at};
use uuid::Uuid;

use super::pool::{Pool, lost};
use super::script::Script;

/// One for all schemas of a database; what is said names the schema.
const CHANNEL: &str = "workflow_woken";

/// All that others are told in between is one hint.
const AT_MOST_EVERY: Duration = Duration::from_millis(20);

/// How often it is looked whether hints still come through.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// After so many connections over which none came, there is a pooler in between that lets none through.
const IN_VAIN: u32 = 3;

/// The longest wait before the next connection.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// The name of the only column of rows that stand for runs which others have to look at.
const WOKEN: &str = "woken";

pub(super) struct Hints {
    /// Who gives hints here: its own are no news to it.
    name: String,
    /// Others have to look.
    to_tell: Notify,
    /// Somebody else has said so.
    heard: Notify,
    /// Hints have come through: it is no pooler that keeps them back.
    come_through: AtomicBool,
    /// Nobody tells, and nobody listens.
    are_off: AtomicBool,
    /// The engine here is the one that hands messages over.
    is_first: AtomicBool,
    tasks: Mutex<Tasks>,
}

#[derive(Default)]
struct Tasks {
    telling: Option<AbortHandle>,
    listening: Option<AbortHandle>,
}

impl Hints {
    pub(super) fn new() -> Hints {
        Hints {
            name: Uuid::now_v7().simple().to_string(),
            to_tell: Notify::new(),
            heard: Notify::new(),
            come_through: AtomicBool::new(false),
            are_off: AtomicBool::new(false),
            is_first: AtomicBool::new(true),
            tasks: Mutex::default(),
        }
    }

    /// Takes the rows out that stand for woken runs; if there are any, others are told soon.
    pub(super) fn take(pool: &Arc<Pool>, mut rows: Vec<PgRow>) -> Vec<PgRow> {
        let before = rows.len();
        rows.retain(|row| !matches!(row.columns(), [column] if column.name() == WOKEN));
        if rows.len() < before {
            Hints::tell(pool);
        }
        rows
    }

    /// Has others look.
    pub(super) fn tell(pool: &Arc<Pool>) {
        let hints = pool.hints();
        if !hints.are_off.load(Ordering::Relaxed) {
            hints.keep_at_work(
                |tasks| &mut tasks.telling,
                || tell_all(Arc::downgrade(pool), Arc::clone(hints)),
            );
            hints.to_tell.notify_one();
        }
    }

    /// Has others look, before the store is closed.
    pub(super) async fn tell_now(pool: &Arc<Pool>) {
        if !pool.hints().are_off.load(Ordering::Relaxed)
            && let Err(error) = say(pool).await
        {
            tracing::debug!(%error, "a hint is lost; others find out when they look");
        }
    }

    /// There are messages to hand over, which another engine does, if there is one.
    pub(super) fn tell_of_messages(pool: &Arc<Pool>) {
        if !pool.hints().is_first.load(Ordering::Relaxed) {
            Hints::tell(pool);
        }
    }

    pub(super) fn note_first(&self, is_first: bool) {
        self.is_first.store(is_first, Ordering::Relaxed);
    }

    /// Returns when another engine has given a hint.
    pub(super) async fn woken(pool: &Arc<Pool>) {
        let hints = pool.hints();
        if !hints.are_off.load(Ordering::Relaxed) {
            hints.keep_at_work(
                |tasks| &mut tasks.listening,
                || listen(Arc::downgrade(pool), Arc::clone(hints)),
            );
        }
        hints.heard.notified().await;
    }

    pub(super) fn stop(&self) {
        self.are_off.store(true, Ordering::Relaxed);
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        let Tasks { telling, listening } = std::mem::take(&mut *tasks);
        telling.into_iter().chain(listening).for_each(|task| task.abort());
    }

    /// Whoever needs the task first starts it. A store may outlive the runtime in which that was.
    fn keep_at_work<F: Future<Output = ()> + Send + 'static>(
        &self,
        which: impl FnOnce(&mut Tasks) -> &mut Option<AbortHandle>,
        task: impl FnOnce() -> F,
    ) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        let handle = which(&mut tasks);
        if handle.as_ref().is_none_or(AbortHandle::is_finished) {
            *handle = Some(tokio::spawn(task()).abort_handle());
        }
    }
}

async fn tell_all(pool: Weak<Pool>, hints: Arc<Hints>) {
    loop {
        hints.to_tell.notified().await;
        let Some(pool) = pool.upgrade() else { return };
        Hints::tell_now(&pool).await;
        drop(pool);
        sleep(AT_MOST_EVERY).await;
    }
}

async fn say(pool: &Arc<Pool>) -> Result<(), sqlx::Error> {
    let mut script = Script::default();
    script.push("SELECT pg_notify($1, current_schema() || ' ' || $2)").bind(CHANNEL).bind(&pool.hints().name);
    pool.run(&script.in_one_transaction()).await.map(drop)
}

/// Why a connection is not listened to any more.
enum End {
    /// The store is gone.
    Closed,
    /// What was said did not come.
    InVain,
    Lost(sqlx::Error),
}

impl From<sqlx::Error> for End {
    fn from(error: sqlx::Error) -> End {
        End::Lost(error)
    }
}

async fn listen(pool: Weak<Pool>, hints: Arc<Hints>) {
    let (mut in_vain, mut wait) = (0, AT_MOST_EVERY);
    loop {
        let began = Instant::now();
        match listen_once(&pool, &hints).await {
            End::Closed => return,
            End::InVain => in_vain += 1,
            End::Lost(error) => tracing::debug!(%error, "no hints of other engines come for now"),
        }
        if in_vain >= IN_VAIN && !hints.come_through.load(Ordering::Relaxed) {
            tracing::info!(
                "no hints of other engines come through (a pooler?): what they tell is found by asking"
            );
            hints.are_off.store(true, Ordering::Relaxed);
            return;
        }
        wait = if began.elapsed() > LOOK_EVERY { AT_MOST_EVERY } else { (wait * 2).min(LONGEST_WAIT) };
        sleep(wait).await;
    }
}

async fn listen_once(pool: &Weak<Pool>, hints: &Hints) -> End {
    match hear(pool, hints).await {
        Ok(end) | Err(end) => end,
    }
}

async fn hear(pool: &Weak<Pool>, hints: &Hints) -> Result<End, End> {
    let (options, patience) = {
        let pool = pool.upgrade().ok_or(End::Closed)?;
        (pool.options().clone(), pool.answer_timeout())
    };
    // A pool of one: the listener asks for no less.
    let one = PgPoolOptions::new().max_connections(1).acquire_timeout(patience).idle_timeout(None);
    let mut listener = PgListener::connect_with(&one.max_lifetime(None).connect_lazy_with(options)).await?;
    listener.eager_reconnect(false);
    timeout_at(Instant::now() + patience, listener.listen(CHANNEL))
        .await
        .map_err(|_| lost("the server does not answer `LISTEN`".to_owned()))??;
    // What was said while nobody listened is heard by looking.
    hints.heard.notify_one();
    let schema = schema_of(pool).await?;
    loop {
        // Over another connection: a pooler would answer it on the one on which it was asked.
        let said = say(&pool.upgrade().ok_or(End::Closed)?).await;
        let (mut is_heard, mut until) = (said.is_err(), Instant::now() + patience);
        loop {
            match timeout_at(until, listener.try_recv()).await {
                Ok(Ok(Some(hint))) => match hint.payload().rsplit_once(' ') {
                    Some((of, name)) if of == schema && name == hints.name => {
                        hints.come_through.store(true, Ordering::Relaxed);
                        if !is_heard {
                            (is_heard, until) = (true, Instant::now() + LOOK_EVERY);
                        }
                    }
                    Some((of, _)) if of == schema => hints.heard.notify_one(),
                    _ => {}
                },
                Ok(Ok(None)) => return Err(End::Lost(lost("the connection was closed".to_owned()))),
                Ok(Err(error)) => return Err(End::Lost(error)),
                Err(_) if is_heard => break,
                Err(_) => return Ok(End::InVain),
            }
        }
    }
}

async fn schema_of(pool: &Weak<Pool>) -> Result<String, End> {
    let pool = pool.upgrade().ok_or(End::Closed)?;
    let mut script = Script::default();
    script.push("SELECT current_schema()");
    let rows = pool.run(&script).await?;
    let row = rows.first().ok_or_else(|| End::Lost(sqlx::Error::RowNotFound))?;
    Ok(row.try_get(0)?)
}
