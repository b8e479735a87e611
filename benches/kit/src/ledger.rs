//! A file that tells which bodies of steps have run and which workflows came to their end, kept beside every store.
//! It outlives a killed process: each line is one write, and nothing is buffered.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// A line of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Entry {
    /// The body of a step ran.
    Ran { run: u32, step: u32 },
    /// The code of a workflow came to its end.
    Ended { run: u32 },
}

pub(crate) struct Ledger(File);

impl Ledger {
    pub(crate) fn open(path: &Path) -> io::Result<Ledger> {
        Ok(Ledger(OpenOptions::new().create(true).append(true).open(path)?))
    }

    /// Whole lines only, whoever else writes: the file is opened for appending.
    pub(crate) fn note(&self, entry: Entry) {
        let line = match entry {
            Entry::Ran { run, step } => format!("ran {run} {step}\n"),
            Entry::Ended { run } => format!("ended {run}\n"),
        };
        (&self.0).write_all(line.as_bytes()).expect("the disk has room for the ledger");
    }
}

/// All entries, in the order in which they were written; none when there is no file.
///
/// # Errors
/// When the file cannot be read, or has a line that is not one of the ledger's.
pub fn read_ledger(path: &Path) -> io::Result<Vec<Entry>> {
    match std::fs::read_to_string(path) {
        Ok(text) => text.lines().map(read_line).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn read_line(line: &str) -> io::Result<Entry> {
    let words: Vec<&str> = line.split(' ').collect();
    let number = |at: usize| words.get(at).and_then(|word: &&str| word.parse().ok());
    let entry = match words.first() {
        Some(&"ran") => number(1).zip(number(2)).map(|(run, step)| Entry::Ran { run, step }),
        Some(&"ended") => number(1).map(|run| Entry::Ended { run }),
        _ => None,
    };
    entry
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, format!("`{line}` is no line of a ledger")))
}

#[test]
fn what_was_noted_is_read_again() {
    let path = std::env::temp_dir().join(format!("bench-ledger-{}", std::process::id()));
    let entries = [Entry::Ran { run: 3, step: 14 }, Entry::Ended { run: 3 }];
    let ledger = Ledger::open(&path).unwrap();
    entries.iter().for_each(|entry| ledger.note(*entry));
    assert_eq!(read_ledger(&path).unwrap(), entries);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(read_ledger(&path).unwrap(), []);
}
