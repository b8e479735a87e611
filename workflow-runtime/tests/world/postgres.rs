//! Tables of one's own on the Postgres server that tests share.
//! It must not know who asks.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use workflow_runtime::{Postgres, PostgresOptions};

/// A schema that no other test uses.
pub struct Schema(String);

impl Schema {
    pub fn new() -> Schema {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        // The server may outlive the process, and another one may get its number.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        Schema(format!("test_{}_{now}_{number}", std::process::id()))
    }

    pub fn name(&self) -> &str {
        &self.0
    }

    pub fn options(&self) -> PostgresOptions {
        Postgres::options().schema(&self.0)
    }

    pub async fn connect(&self) -> Postgres {
        self.options().connect(postgres_server::url()).await.unwrap()
    }

    /// A store for one engine at a time, of which each gives up the one before when it begins: there is no lease to
    /// wait for.
    pub async fn connect_alone(&self) -> Postgres {
        let store = self.connect().await;
        let alone = "CREATE FUNCTION alone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                     UPDATE workflow_workers SET is_gone = true WHERE worker <> NEW.worker; RETURN NEW; END $$; \
                     CREATE TRIGGER alone BEFORE INSERT ON workflow_workers FOR EACH ROW EXECUTE FUNCTION alone()";
        store.execute_batch(alone).await.unwrap();
        store
    }

    /// A store in which the worker that writes by hand has the last place, should an engine work in it, too: what only
    /// the first may do is the engine's.
    pub async fn connect_by_hand(&self) -> Postgres {
        let store = self.connect().await;
        let row = "INSERT INTO workflow_workers (worker, code, started, expires) \
                   VALUES ('worker-1', '[]', 'infinity', now())";
        store.execute_batch(row).await.unwrap();
        store
    }
}
