//! Methods that ask the clock or the disk, found by the type that they are called on (WF010): `due.elapsed()`,
//! `path.exists()`. The `#[workflow]` macro writes the two methods before them; it must not know of which type that is.

use std::fs::{DirEntry, File};
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

/// What such a method is called on.
pub struct Asked<'a, T>(pub(crate) &'a T);

/// The second method, for all that answers by itself.
pub trait AnsweringAlike<'a, T> {
    #[doc(hidden)]
    fn __alike(self) -> &'a T;
}

impl<'a, T> AnsweringAlike<'a, T> for Asked<'a, T> {
    fn __alike(self) -> &'a T {
        self.0
    }
}

impl<'a, T: Outside> Asked<'a, T> {
    /// Never compiles. It comes before the method of [`AnsweringAlike`], and so tells WF010.
    #[doc(hidden)]
    pub fn __alike(self) -> &'a T
    where
        T: Repeatable,
    {
        self.0
    }
}

/// That a replay hears the same. Neither the clock nor the disk has it.
#[diagnostic::on_unimplemented(
    message = "WF010: a `#[workflow]` asks the clock or the disk",
    label = "a replay hears something else",
    note = "for the time write `now().await` and compare with that; ask for files in a `#[step]`",
    note = "if it may differ: `#[allow_workflow(nondeterministic_call, reason = \"..\")]` above the statement",
    note = "see docs/errors/WF010.md"
)]
pub trait Repeatable {}

/// What asks the world outside when such a method is called on it.
pub trait Outside {}

macro_rules! outside {
    ($($asking:ty),* $(,)?) => {
        $(impl Outside for $asking {})*
    };
}

outside! {
    SystemTime, &SystemTime, &mut SystemTime,
    Instant, &Instant, &mut Instant,
    PathBuf, &PathBuf, &mut PathBuf, &Path, Box<Path>,
    File, &File, &mut File,
    DirEntry, &DirEntry,
}
