//! The world of the example: a payment gateway and a mail box, in memory.
//! It knows no workflow.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

/// The gateway and the mail box. Clones are the same ones.
#[derive(Clone, Default)]
pub struct Billing(Arc<Mutex<Books>>);

#[derive(Default)]
struct Books {
    keys: BTreeSet<String>,
    paid: BTreeMap<(String, u32), u32>,
    declines: BTreeSet<(String, u32)>,
    mails: Vec<String>,
}

impl Billing {
    fn books(&self) -> MutexGuard<'_, Books> {
        self.0.lock().expect("nothing panics while the books are open")
    }

    /// The customer's own card will be declined in this month.
    pub fn decline(&self, customer: &str, month: u32) {
        self.books().declines.insert((customer.to_owned(), month));
    }

    /// Charges a month, once for each key; tells whether it was taken.
    pub fn charge(&self, key: &str, customer: &str, month: u32, cents: u32, card: Option<&str>) -> bool {
        let mut books = self.books();
        let place = (customer.to_owned(), month);
        if card.is_none() && books.declines.contains(&place) {
            return false;
        }
        if books.keys.insert(key.to_owned()) {
            *books.paid.entry(place).or_default() += cents;
        }
        true
    }

    /// Gives the money of a month back.
    pub fn refund(&self, customer: &str, month: u32) {
        self.books().paid.remove(&(customer.to_owned(), month));
    }

    /// Writes to a customer.
    pub fn write(&self, customer: &str, text: &str) {
        self.books().mails.push(format!("to {customer}: {text}"));
    }

    /// The mails so far.
    pub fn mails(&self) -> Vec<String> {
        self.books().mails.clone()
    }

    /// What this customer paid, month by month, in cents.
    pub fn paid_by(&self, customer: &str) -> Vec<u32> {
        self.books().paid.iter().filter(|((who, _), _)| who == customer).map(|(_, cents)| *cents).collect()
    }
}
