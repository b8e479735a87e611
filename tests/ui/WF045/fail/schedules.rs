//! A schedule that cannot be kept is refused where it is written.
use std::time::SystemTime;

use workflow_runtime::prelude::*;

#[workflow(cron = "0 25 * * *")]
async fn at_no_hour() {}

#[workflow(cron = "0 0 0 6 * *")]
async fn with_seconds() {}

#[workflow(cron = "0 0 30 2 *")]
async fn never() {}

#[workflow(cron = "0 6 * * *", timezone = "Europe/Berln")]
async fn nowhere() {}

#[workflow(cron = "0 6 * * *", catch_up = "some")]
async fn some_of_them() {}

#[workflow(timezone = "Europe/Berlin", catch_up = "all")]
async fn no_times() {}

#[workflow(cron = "0 6 * * *")]
async fn of_what(time: SystemTime, region: String) {
    let _ = (time, region);
}

#[workflow(cron = "0 6 * * *")]
async fn of_whom(customer: String) {
    let _ = customer;
}

fn main() {}
