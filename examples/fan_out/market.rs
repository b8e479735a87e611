//! The world of the example: three suppliers with prices, stock and order books, in memory.
//! It knows no workflow.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The suppliers. Clones are the same ones.
#[derive(Clone, Default)]
pub struct Market {
    orders: Arc<Mutex<BTreeSet<(String, String)>>>,
    asking: Arc<AtomicUsize>,
    most_asking: Arc<AtomicUsize>,
}

impl Market {
    /// The price for so many of an article, in cents; `None` when this supplier has none.
    pub async fn offer(&self, supplier: &str, sku: &str, count: u32) -> Option<u32> {
        let asking = self.asking.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_asking.fetch_max(asking, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(10)).await;
        self.asking.fetch_sub(1, Ordering::SeqCst);
        let mark_up = match supplier {
            "near" => 130,
            "far" => 100,
            _ => 110,
        };
        let piece = sku.bytes().map(u32::from).sum::<u32>() % 500 + 100;
        let is_gone = supplier == "far" && sku.ends_with('3');
        let has_it = !is_gone && !sku.starts_with("unicorn");
        has_it.then_some(piece * mark_up / 100 * count)
    }

    /// Orders an article; tells whether the supplier has it.
    pub fn order(&self, supplier: &str, sku: &str) -> bool {
        let has_it = !sku.starts_with("last");
        if has_it {
            self.orders().insert((supplier.to_owned(), sku.to_owned()));
        }
        has_it
    }

    /// Cancels an order.
    pub fn cancel(&self, supplier: &str, sku: &str) {
        self.orders().remove(&(supplier.to_owned(), sku.to_owned()));
    }

    /// How many articles are on order.
    pub fn orders_count(&self) -> usize {
        self.orders().len()
    }

    /// The most questions that were asked at the same time.
    pub fn most_asking(&self) -> usize {
        self.most_asking.load(Ordering::SeqCst)
    }

    fn orders(&self) -> std::sync::MutexGuard<'_, BTreeSet<(String, String)>> {
        self.orders.lock().expect("nothing panics while the books are open")
    }
}
