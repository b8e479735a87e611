//! The world of the example: a budget, a bank and a notice board, in memory.
//! It knows no workflow.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

/// The office. Clones are the same office.
#[derive(Clone, Default)]
pub struct Office(Arc<Mutex<Books>>);

#[derive(Default)]
struct Books {
    budget: u32,
    set_aside: BTreeMap<String, u32>,
    paid: BTreeSet<String>,
    notices: Vec<String>,
}

impl Office {
    /// An office with this budget, in cents.
    pub fn with_budget(cents: u32) -> Office {
        Office(Arc::new(Mutex::new(Books { budget: cents, ..Books::default() })))
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.0.lock().expect("nothing panics while the books are open")
    }

    /// Sets money aside for a claim, once; else tells what is left.
    pub fn set_aside(&self, claim: &str, cents: u32) -> Result<(), u32> {
        let mut books = self.books();
        if books.set_aside.contains_key(claim) {
            return Ok(());
        }
        books.budget = books.budget.checked_sub(cents).ok_or(books.budget)?;
        books.set_aside.insert(claim.to_owned(), cents);
        Ok(())
    }

    /// Gives back what was set aside and not paid.
    pub fn give_back(&self, claim: &str) {
        let mut books = self.books();
        let cents = books.set_aside.remove(claim).unwrap_or(0);
        books.budget += cents;
    }

    /// Pays a claim, once for each key.
    pub fn pay(&self, key: &str, claim: &str) -> String {
        if self.books().paid.insert(key.to_owned()) {
            self.tell(format!("Bank: paid {claim}"));
        }
        format!("transfer-{claim}")
    }

    /// Pins a notice to the board.
    pub fn tell(&self, notice: String) {
        self.books().notices.push(notice);
    }

    /// Takes the notices from the board.
    pub fn notices(&self) -> Vec<String> {
        std::mem::take(&mut self.books().notices)
    }

    /// The budget that is left, in cents.
    pub fn budget(&self) -> u32 {
        self.books().budget
    }
}
