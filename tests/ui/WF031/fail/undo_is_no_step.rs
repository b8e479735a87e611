//! What undoes a step is a step itself.
use workflow_runtime::prelude::*;

#[step(compensate = release(output))]
async fn reserve(amount: u64) -> u64 {
    amount
}

async fn release(reservation: u64) {
    let _ = reservation;
}

fn main() {
    let _ = (reserve(1), release(1));
}
