//! A model that cannot be read says what is wrong with it.
use workflow_runtime::prelude::*;

#[step(read_only)]
async fn check_stock() -> u32 {
    1
}

#[workflow(bpmn = "../ordr.bpmn")]
async fn not_there() -> u32 {
    check_stock().await
}

#[workflow(bpmn = "what_cannot_be_read.rs")]
async fn no_xml() -> u32 {
    check_stock().await
}

#[workflow(bpmn = "../entities.bpmn")]
async fn entities() -> u32 {
    check_stock().await
}

#[workflow(bpmn = "../two.bpmn")]
async fn which_process() -> u32 {
    check_stock().await
}

#[workflow(bpmn = "../two.bpmn", process = "Lend")]
async fn no_such_process() -> u32 {
    check_stock().await
}

#[workflow(bpmn = "../order.bpmn", conform = "name")]
async fn no_such_level() -> u32 {
    check_stock().await
}

#[workflow(conform = "strict")]
async fn no_model() -> u32 {
    check_stock().await
}

#[subflow(bpmn = "../order.bpmn")]
async fn part() -> u32 {
    check_stock().await
}

fn main() {}
