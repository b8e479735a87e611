//! A compensation may run when something behind the step fails, or when the step can be cancelled under way.
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

#[step(compensate = give_back(output))]
async fn charge(account: &str) -> Result<u32, BookError> {
    let _ = account;
    Ok(1)
}

#[step(retriable)]
async fn give_back(_cents: &u32) {}

#[workflow]
async fn transfer(from: String, to: String) -> Result<(), BookError> {
    enter(&from).await?;
    enter(&to).without_compensation().await
}

#[workflow]
async fn charged(from: String) -> Result<u32, BookError> {
    enter(&from).await?;
    charge(&from).await
}

#[workflow]
async fn a_person_knows(from: String) -> Result<(), BookError> {
    #[allow_workflow(unused_compensation, reason = "the audit step is added next week")]
    enter(&from).await?;
    Ok(())
}

#[subflow]
async fn entered(from: &str) -> Result<(), BookError> {
    enter(from).await
}

fn main() {}
