//! What people write into `join!`, `try_join!` and `join_all` at first.
use workflow_runtime::prelude::*;

#[derive(Debug, Clone, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum PackError {
    #[error("broken")]
    Broken,
}

#[derive(Debug, Clone, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum MailError {
    #[error("lost")]
    Lost,
}

#[step]
async fn pack(_item: u32) -> Result<u32, PackError> {
    Ok(1)
}

#[step]
async fn mail(_item: u32) -> Result<u32, MailError> {
    Ok(1)
}

#[subflow]
async fn pack_two(item: u32) -> Result<u32, PackError> {
    Ok(pack(item).await? + pack(item).await?)
}

#[workflow]
async fn the_function_itself(item: u32) -> u32 {
    let (a, b) = join!(pack, mail(item));
    0
}

#[workflow]
async fn awaited_inside(item: u32) -> u32 {
    let (a, b) = join!(pack(item).await, mail(item).await);
    0
}

#[workflow]
async fn two_errors(item: u32) -> Result<u32, PackError> {
    let (a, b) = try_join!(pack(item), mail(item))?;
    Ok(a + b)
}

#[workflow]
async fn awaited_behind(item: u32) -> u32 {
    let (a, b) = join!(pack(item), mail(item)).await;
    0
}

#[workflow]
async fn asked_inside(item: u32) -> Result<u32, PackError> {
    let (a, b) = join!(pack(item)?, pack(item)?);
    Ok(a + b)
}

#[workflow]
async fn nothing_at_a_time(items: Vec<u32>) -> usize {
    join_all(items.into_iter().map(pack)).limit(0).await.len()
}

#[workflow]
async fn in_a_closure(items: Vec<u32>) -> u32 {
    items.into_iter().map(|item| pack(item).await.unwrap_or(0)).sum()
}

#[workflow]
async fn a_block_without_its_word(item: u32) -> u32 {
    let (a, b) = join!({ pack(item).await }, mail(item));
    0
}

#[workflow]
async fn forgotten(item: u32) -> Result<u32, PackError> {
    join_all([pack(item)]);
    pack_two(item);
    Ok(1)
}

fn main() {}
