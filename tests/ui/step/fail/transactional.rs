//! Transactional steps whose transaction is not lent as it must be.
use workflow_runtime::prelude::*;

#[step]
async fn that_keeps_it(tx: Tx) {
    drop(tx);
}

#[step]
async fn that_only_looks(order: &str, tx: &Tx) {
    let _ = (order, tx);
}

#[step]
async fn that_has_two(from: &mut Tx, to: &mut Tx) {
    let _ = (from, to);
}

#[step]
fn that_blocks(tx: &mut Tx) {
    let _ = tx;
}

#[step]
async fn of_another_database(tx: &mut sqlx::Transaction<'_, sqlx::Postgres>) {
    let _ = tx;
}

#[step]
async fn with_a_parameter_that_is_no_list(tx: &mut Tx, order: String) -> Result<u64, SqlError> {
    tx.execute("DELETE FROM orders WHERE id = ?", order).await
}

fn main() {}
