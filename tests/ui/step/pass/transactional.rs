//! Transactional steps, wherever the transaction stands among the parameters, and whoever it is lent to.
use workflow_runtime::prelude::*;

#[derive(Debug, Clone, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum StockError {
    #[error("sold out")]
    SoldOut,
    #[error(transparent)]
    Sql(#[from] SqlError),
}

async fn left(tx: &mut Tx, item: &str) -> Result<Option<u32>, SqlError> {
    tx.query_optional("SELECT pieces FROM stock WHERE item = ?", [item]).await
}

#[step(compensate = give_back(item, pieces), timeout = "2s")]
pub async fn take(item: &str, tx: &mut Tx, cx: StepContext, pieces: u32) -> Result<u32, StockError> {
    let left = left(tx, item).await?.filter(|left| *left >= pieces).ok_or(StockError::SoldOut)?;
    let taken = (cx.idempotency_key(), item, pieces, None::<String>);
    tx.execute("INSERT INTO taken VALUES (?, ?, ?, ?)", taken).await?;
    Ok(left - pieces)
}

#[step(retriable)]
async fn give_back(mut tx: &mut workflow_runtime::Tx, item: String, pieces: &u32) -> Result<(), StockError> {
    let sql = "UPDATE stock SET pieces = pieces + ? WHERE item = ?";
    Tx::execute(&mut tx, sql, (pieces, item)).await?;
    Ok(())
}

#[step]
async fn nothing(_tx: &mut Tx) {}

#[workflow]
pub async fn sell(item: String) -> Result<u32, StockError> {
    let left = take(&item, 1).await?;
    Ok(left)
}

#[workflow]
pub async fn idle() {
    nothing().await;
}

fn main() {}
