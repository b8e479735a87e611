//! The stores that are attacked, and what only their own words can ask of them.
//! It must not know what any test expects.

use std::path::PathBuf;
use std::sync::Arc;

use workflow_runtime::prelude::*;
use workflow_runtime::store::Store;

use crate::load::Sql;

/// Where the runs are.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Database {
    Sqlite(PathBuf),
}

/// What a transactional step has written: the run, the place, and the key of the call.
pub(crate) type Booking = (String, u32, String);

const TABLE: &str = "CREATE TABLE bookings (run_id TEXT NOT NULL, place BIGINT NOT NULL, key TEXT NOT NULL)";
const BOOKINGS: &str = "SELECT run_id, place, key FROM bookings ORDER BY run_id, key";

impl Database {
    pub(crate) async fn open(&self) -> Result<Arc<dyn Store>, workflow_runtime::Error> {
        match self {
            Database::Sqlite(path) => Ok(Arc::new(Sqlite::open(path).await?)),
        }
    }

    pub(crate) fn sql(&self) -> Sql {
        match self {
            Database::Sqlite(_) => Sql { book: "INSERT INTO bookings (run_id, place, key) VALUES (?, ?, ?)" },
        }
    }

    /// Makes the table of the transactional steps.
    pub(crate) async fn prepare(&self) {
        match self {
            Database::Sqlite(path) => Sqlite::open(path).await.unwrap().execute_batch(TABLE).await.unwrap(),
        }
    }

    pub(crate) async fn bookings(&self) -> Vec<Booking> {
        match self {
            Database::Sqlite(path) => Sqlite::open(path).await.unwrap().query(BOOKINGS, ()).await.unwrap(),
        }
    }
}
