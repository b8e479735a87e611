//! The world of the example: a seat map, a barcode service that may be down, and a mail box.
//! It knows no workflow.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

/// The barcode service does not answer.
#[derive(Debug)]
pub struct Unreachable;

/// The airline. Clones are the same one.
#[derive(Clone, Default)]
pub struct Airline {
    books: Arc<Mutex<Books>>,
    is_barcode_service_down: Arc<AtomicBool>,
}

#[derive(Default)]
struct Books {
    seats: BTreeMap<String, u32>,
    mails: BTreeMap<String, String>,
}

impl Airline {
    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().expect("nothing panics while the books are open")
    }

    /// Takes the barcode service down, or brings it back.
    pub fn set_barcode_service_down(&self, is_down: bool) {
        self.is_barcode_service_down.store(is_down, Ordering::SeqCst);
    }

    /// The seat of a booking: the first free one, or the one that it has already; `None` when there is none.
    pub fn assign_seat(&self, booking: &str) -> Option<String> {
        const SEATS: u32 = 60;
        let mut books = self.books();
        let row = match books.seats.get(booking) {
            Some(&row) => row,
            None => {
                let row = (1..=SEATS).find(|row| !books.seats.values().any(|taken| taken == row))?;
                books.seats.insert(booking.to_owned(), row);
                row
            }
        };
        Some(format!("{row}A"))
    }

    /// Frees the seat of a booking.
    pub fn free_seat(&self, booking: &str) {
        self.books().seats.remove(booking);
    }

    /// What the gate will read; `None` for a booking that nobody knows.
    pub async fn barcode(&self, booking: &str, seat: &str) -> Result<Option<String>, Unreachable> {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        if self.is_barcode_service_down.load(Ordering::SeqCst) {
            return Err(Unreachable);
        }
        Ok((!booking.is_empty()).then(|| format!("M1{booking}{seat}")))
    }

    /// Writes a mail, once for each key.
    pub fn mail(&self, key: &str, to: &str, text: &str) {
        self.books().mails.entry(key.to_owned()).or_insert_with(|| format!("to {to}: {text}"));
    }

    /// All mails so far.
    pub fn mails(&self) -> Vec<String> {
        self.books().mails.values().cloned().collect()
    }

    /// How many seats are taken.
    pub fn seats_taken(&self) -> usize {
        self.books().seats.len()
    }
}
