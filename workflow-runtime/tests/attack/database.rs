//! The stores that are attacked, and what only their own words can ask of them.
//! It must not know what any test expects.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use workflow_runtime::Postgres;
use workflow_runtime::prelude::*;
use workflow_runtime::store::Store;

use crate::load::Sql;

/// Where the runs are.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Database {
    Sqlite(PathBuf),
    /// In a schema of its own, reached at this URL, which need not be the server's.
    Postgres {
        url: String,
        schema: String,
    },
}

/// What a transactional step has written: the run, the place, and the key of the call.
pub(crate) type Booking = (String, u32, String);

const TABLE: &str = "CREATE TABLE bookings (run_id TEXT NOT NULL, place BIGINT NOT NULL, key TEXT NOT NULL)";
const BOOKINGS: &str = "SELECT run_id, place, key FROM bookings ORDER BY run_id, key";

impl Database {
    pub(crate) async fn open(&self) -> Result<Arc<dyn Store>, workflow_runtime::Error> {
        match self {
            Database::Sqlite(path) => Ok(Arc::new(Sqlite::open(path).await?)),
            Database::Postgres { url, schema } => Ok(Arc::new(connect(url, schema).await?)),
        }
    }

    pub(crate) fn sql(&self) -> Sql {
        match self {
            Database::Sqlite(_) => Sql { book: "INSERT INTO bookings (run_id, place, key) VALUES (?, ?, ?)" },
            Database::Postgres { .. } => {
                Sql { book: "INSERT INTO bookings (run_id, place, key) VALUES ($1, $2, $3)" }
            }
        }
    }

    /// Makes the table of the transactional steps.
    pub(crate) async fn prepare(&self) {
        match self {
            Database::Sqlite(path) => Sqlite::open(path).await.unwrap().execute_batch(TABLE).await.unwrap(),
            Database::Postgres { url, schema } => {
                let store = connect(url, schema).await.unwrap();
                store.execute_batch(TABLE).await.unwrap();
                store.close().await;
            }
        }
    }

    pub(crate) async fn bookings(&self) -> Vec<Booking> {
        match self {
            Database::Sqlite(path) => Sqlite::open(path).await.unwrap().query(BOOKINGS, ()).await.unwrap(),
            Database::Postgres { url, schema } => {
                let store = connect(url, schema).await.unwrap();
                let bookings = store.query(BOOKINGS, ()).await.unwrap();
                store.close().await;
                bookings
            }
        }
    }

    /// The same tables, reached through whatever listens on this port of the loopback interface.
    pub(crate) fn through(&self, port: u16) -> Database {
        let Database::Postgres { schema, .. } = self else { panic!("no network leads to {self:?}") };
        let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
        Database::Postgres { url, schema: schema.clone() }
    }

    /// How many workers there are whose lease is not over, by the clock of the database.
    pub(crate) async fn living_workers(&self) -> i64 {
        let Database::Postgres { url, schema } = self else { panic!("{self:?} has no leases") };
        let store = connect(url, schema).await.unwrap();
        let sql = "SELECT count(*) FROM workflow_workers WHERE NOT is_gone AND expires > clock_timestamp()";
        let living: Vec<i64> = store.query(sql, ()).await.unwrap();
        store.close().await;
        living[0]
    }
}

async fn connect(url: &str, schema: &str) -> Result<Postgres, workflow_runtime::Error> {
    // Much shorter than usual, that lost connections are found while somebody looks.
    Postgres::options().schema(schema).answer_timeout(Duration::from_secs(3)).connect(url).await
}
