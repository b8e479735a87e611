//! `&mut Tx`: the transaction in which a step runs its SQL and the engine records its answer.
//! It names no database; the store behind it does.

use std::fmt;

use serde::de::DeserializeOwned;
use workflow_core::{StepFault, TransactionHandle};

use crate::store::{SqlError, SqlErrorKind, SqlParams, StoreTransaction};

/// The store's own transaction, lent to a step: a parameter `tx: &mut Tx` makes an `async` step **transactional**. What
/// the step writes through it and the journal's note that the step is done become durable together, or neither does.
/// So such a step takes effect exactly once, however often it is tried and wherever the process dies.
///
/// An error, a panic and a timeout roll back all that the attempt has written. All other writes of the engine wait
/// meanwhile, so be short: without a `timeout` of its own, a transactional step has five seconds. A body that waits for
/// the engine it runs in (starts a run, delivers a message) waits for itself, until that time is over.
///
/// ```
/// use workflow_runtime::{SqlError, Tx, prelude::*};
///
/// #[derive(Debug, Clone, Serialize, Deserialize, thiserror::Error, StepError)]
/// pub enum StockError {
///     #[error("{0} is out of stock")]
///     OutOfStock(String),
///     #[error(transparent)]
///     Sql(#[from] SqlError),
/// }
///
/// #[step]
/// async fn take_from_stock(tx: &mut Tx, item: &str, pieces: u32) -> Result<u32, StockError> {
///     let left: Option<u32> = tx
///         .query_optional(
///             "UPDATE stock SET pieces = pieces - ?2 WHERE item = ?1 AND pieces >= ?2 RETURNING pieces",
///             (item, pieces),
///         )
///         .await?;
///     left.ok_or_else(|| StockError::OutOfStock(item.to_owned()))
/// }
/// ```
///
/// The SQL is that of the database, parameters included: `?` and `?1` for SQLite, `$1` for Postgres.
///
/// The tables are the user's own, in the database of the store: make them before the engine starts, with
/// [`Sqlite::execute_batch`](crate::Sqlite::execute_batch) or its like of `Postgres`. Tables whose names
/// begin with `workflow_` belong to the engine: leave them alone.
pub struct Tx {
    transaction: Box<dyn StoreTransaction>,
}

impl Tx {
    pub(crate) fn new(transaction: Box<dyn StoreTransaction>) -> Tx {
        Tx { transaction }
    }

    pub(crate) fn into_inner(self) -> Box<dyn StoreTransaction> {
        self.transaction
    }

    /// Runs a statement, and gives the number of rows that an `INSERT`, `UPDATE` or `DELETE` has changed. Its `?`
    /// (SQLite) are filled from the parameters, in their order; `?1` (SQLite) and `$1` (Postgres) are the first one.
    ///
    /// # Errors
    /// What the database says. The transaction can go on: whether the step fails is up to its body.
    pub async fn execute(&mut self, sql: &str, params: impl SqlParams) -> Result<u64, SqlError> {
        let params = params.values()?;
        self.transaction.execute(sql, params).await
    }

    /// Runs a query, and gives all its rows: as tuples by the order of the columns, as structs by their names, or, of a
    /// single column, as its values.
    ///
    /// # Errors
    /// What the database says, or that a row does not fit the type.
    pub async fn query<T: DeserializeOwned>(
        &mut self,
        sql: &str,
        params: impl SqlParams,
    ) -> Result<Vec<T>, SqlError> {
        let params = params.values()?;
        let rows = self.transaction.query(sql, params).await?;
        rows.into_iter().map(|row| row.read()).collect()
    }

    /// Runs a query that has one row.
    ///
    /// # Errors
    /// What the database says; that there is no row, or more than one; that it does not fit the type.
    pub async fn query_one<T: DeserializeOwned>(
        &mut self,
        sql: &str,
        params: impl SqlParams,
    ) -> Result<T, SqlError> {
        let row = self.query_optional(sql, params).await?;
        row.ok_or_else(|| SqlError::new(SqlErrorKind::Mismatch, "the query has no row, but one is asked for"))
    }

    /// Runs a query that has one row or none.
    ///
    /// # Errors
    /// What the database says; that there is more than one row; that it does not fit the type.
    pub async fn query_optional<T: DeserializeOwned>(
        &mut self,
        sql: &str,
        params: impl SqlParams,
    ) -> Result<Option<T>, SqlError> {
        let mut rows = self.query(sql, params).await?;
        if rows.len() > 1 {
            let message = format!("the query has {} rows, but one is asked for", rows.len());
            return Err(SqlError::new(SqlErrorKind::Mismatch, message));
        }
        Ok(rows.pop())
    }
}

impl fmt::Debug for Tx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tx")
    }
}

/// The transaction behind what the core hands through.
///
/// # Errors
/// When it is something else: whoever runs the step is no engine.
#[doc(hidden)]
pub fn transaction(handle: &mut TransactionHandle) -> Result<&mut Tx, StepFault> {
    handle.downcast_mut().ok_or(StepFault::NoTransaction)
}
