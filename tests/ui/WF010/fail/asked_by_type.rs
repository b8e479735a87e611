//! Methods that ask the clock or the disk, by the types that they are called on.
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use workflow_runtime::prelude::*;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Order {
    placed_at: SystemTime,
    invoice: PathBuf,
}

impl Order {
    fn folder(&self) -> &Path {
        self.invoice.parent().unwrap()
    }
}

#[step]
async fn remind(_text: String) {}

#[workflow]
async fn waits(order: Order) {
    if order.placed_at.elapsed().is_ok_and(|age| age > days(3)) {
        remind("late".to_owned()).await;
    }
    let began = now().await;
    remind(format!("{:?}", began.elapsed())).await;
}

#[workflow]
async fn looks(order: Order) {
    let path = order.folder();
    if path.exists() && !order.invoice.is_file() {
        remind("gone".to_owned()).await;
    }
    let borrowed = &order.invoice;
    remind(format!("{}", borrowed.metadata().unwrap().len())).await;
}

fn main() {}
