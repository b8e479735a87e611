//! Schedules that can be kept, with and without the time; the type may have another name.
use std::time::SystemTime;

use workflow_runtime::prelude::*;

type Tick = SystemTime;

#[workflow(cron = "0 6 * * *", timezone = "Europe/Berlin")]
async fn nightly(time: Tick) {
    let _ = time;
}

#[workflow(version = 2, cron = "*/5 8-18 * JAN,dec mon-FRI", catch_up = "skip")]
async fn busy() {}

#[workflow(cron = "0 0 29 2 *", catch_up = "all", timezone = "UTC")]
async fn leap_day(_: std::time::SystemTime) {}

fn main() {
    let _ = (nightly(SystemTime::UNIX_EPOCH), busy(), leap_day(SystemTime::UNIX_EPOCH));
}
