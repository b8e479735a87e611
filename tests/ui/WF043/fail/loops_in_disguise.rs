//! `while true`, and values that never come to their end.
use workflow_runtime::prelude::*;

#[step]
async fn write_report(_count: u64) {}

#[workflow]
#[allow(while_true)]
async fn reports() {
    while true {
        write_report(1).await;
        sleep(days(1)).await;
    }
}

#[workflow]
async fn numbered_reports() {
    for number in 0.. {
        write_report(number).await;
        sleep(days(1)).await;
    }
}

fn main() {}
