//! A loop that waits in every round and never ends: its journal would grow for ever.
use workflow_runtime::prelude::*;

#[derive(Debug, Clone, Serialize, Deserialize, thiserror::Error, StepError)]
#[error("declined")]
struct Declined;

#[step]
async fn charge(_plan: u32) -> Result<u32, Declined> {
    Ok(1)
}

#[step]
async fn write_report(_count: u32) {}

#[workflow]
async fn subscription(plan: u32) -> Result<(), Declined> {
    loop {
        charge(plan).await?;
        sleep(days(30)).await;
    }
}

#[workflow]
async fn reports(mut count: u32) {
    'months: loop {
        while count % 30 != 0 {
            count += 1;
            sleep(days(1)).await;
        }
        write_report(count).await;
        if count > 300 {
            continue 'months;
        }
        count += 1;
    }
}

#[workflow]
async fn until_it_is_declined(plan: u32) -> Result<(), Declined> {
    loop {
        match charge(plan).await {
            Ok(_) => sleep(days(30)).await,
            Err(error) => {
                write_report(0).await;
                return Err(error);
            }
        }
    }
}

fn main() {}
