//! The world of the example: a directory of advisers, their desks, and the work orders that somebody else keeps.
//! It knows no workflow.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::workflow::Adviser;

/// The bank. Clones are the same one.
#[derive(Clone, Default)]
pub struct Bank(Arc<Mutex<Books>>);

#[derive(Default)]
struct Books {
    /// Who looks after which application.
    desks: BTreeMap<String, String>,
    /// Who is on holiday.
    away: BTreeSet<String>,
    work_orders: BTreeSet<String>,
}

impl Bank {
    fn books(&self) -> MutexGuard<'_, Books> {
        self.0.lock().expect("nothing panics while the books are open")
    }

    /// The advisers of a region.
    pub fn advisers(&self, region: &str) -> Vec<Adviser> {
        let adviser = |name: &str, open_cases, limit| Adviser { name: name.to_owned(), open_cases, limit };
        match region {
            "north" => {
                vec![adviser("Anna", 3, 50_000), adviser("Björn", 1, 20_000), adviser("Cleo", 2, 500_000)]
            }
            "south" => vec![adviser("Dana", 0, 100_000)],
            _ => Vec::new(),
        }
    }

    /// Sends an adviser on holiday.
    pub fn send_away(&self, adviser: &str) {
        self.books().away.insert(adviser.to_owned());
    }

    /// Puts an application on a desk; tells whether somebody sits there.
    pub fn assign(&self, application: &str, adviser: &str) -> bool {
        let mut books = self.books();
        let is_there = !books.away.contains(adviser);
        if is_there {
            books.desks.insert(application.to_owned(), adviser.to_owned());
        }
        is_there
    }

    /// Takes an application from a desk again.
    pub fn take_back(&self, application: &str, adviser: &str) {
        let mut books = self.books();
        if books.desks.get(application).is_some_and(|on_desk| on_desk == adviser) {
            books.desks.remove(application);
        }
    }

    /// Who looks after an application.
    pub fn desk_of(&self, application: &str) -> Option<String> {
        self.books().desks.get(application).cloned()
    }

    /// What the work order service does when it is asked.
    pub fn create_work_order(&self, application: &str) -> String {
        self.books().work_orders.insert(application.to_owned());
        format!("WO-{application}")
    }

    /// Forgets the work order of an application, if there is one.
    pub fn cancel_work_order(&self, application: &str) {
        self.books().work_orders.remove(application);
    }

    /// Whether there is a work order for an application.
    pub fn has_work_order(&self, application: &str) -> bool {
        self.books().work_orders.contains(application)
    }
}
