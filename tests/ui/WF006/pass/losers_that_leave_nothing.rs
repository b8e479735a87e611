//! What may lose a race only looks, or is undone, or promises to heed a cancel, or a person has said why it may stay.

use workflow_runtime::prelude::*;

#[step(read_only)]
async fn look_up_train(_customer: &str) -> u32 {
    3
}

#[step(compensate = cancel_taxi(output))]
async fn order_taxi(_customer: &str) -> u32 {
    7
}

#[step(retriable)]
async fn cancel_taxi(_taxi: &u32) {}

#[step(retriable)]
async fn greet(_customer: &str) -> u32 {
    0
}

#[step(retriable, cancellable)]
async fn hail_taxi(cx: StepContext, _customer: &str) -> u32 {
    if cx.is_cancelled() { 0 } else { 9 }
}

#[workflow]
async fn get_home(customer: String) -> u32 {
    #[allow_workflow(race_effect, reason = "a greeting too many harms nobody")]
    let first = select! {
        train = look_up_train(&customer) => train,
        taxi = order_taxi(&customer) => taxi,
        greeting = greet(&customer) => greeting,
        hailed = hail_taxi(&customer) => hailed,
    };
    first
}

fn main() {}
