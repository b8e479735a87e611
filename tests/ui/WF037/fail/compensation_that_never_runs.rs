//! Nothing comes behind the last transactional step that could have it undone. A warning; here it is an error.
#![deny(warnings)]

use workflow_runtime::prelude::*;

#[derive(Debug, Clone, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum BookError {
    #[error("no such account")]
    NoAccount,
}

#[step(compensate = take_out(account))]
async fn enter(tx: &mut Tx, account: &str) -> Result<(), BookError> {
    let _ = (tx, account);
    Ok(())
}

#[step(retriable)]
async fn take_out(tx: &mut Tx, account: &str) {
    let _ = (tx, account);
}

#[workflow]
async fn transfer(from: String, to: String) -> Result<(), BookError> {
    enter(&from).await?;
    enter(&to).await
}

fn main() {}
