//! The same with a way out, and ranges that end.
use workflow_runtime::prelude::*;

#[step]
async fn write_report(_count: u64) -> bool {
    true
}

#[workflow]
#[allow(while_true)]
async fn reports() -> u64 {
    let mut count = 0;
    while true {
        count += 1;
        if write_report(count).await {
            break;
        }
        sleep(days(1)).await;
    }
    count
}

#[workflow]
async fn numbered_reports(last: u64) -> u64 {
    'all: for number in 1.. {
        if write_report(number).await {
            return number;
        }
        for hour in 0.. {
            sleep(hours(1)).await;
            if hour > last {
                break 'all;
            }
        }
    }
    for number in 0..last {
        write_report(number).await;
    }
    last
}

fn main() {}
