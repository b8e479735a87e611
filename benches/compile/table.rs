//! The measurements as a table in Markdown: medians, and how many times the plain crate's they are.

use std::fmt;

use crate::project::Duration;
use crate::source::{Bodies, Kind};
use crate::{Measured, Task};

pub(crate) struct Table<'a>(pub(crate) &'a Measured);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| workflows | bodies | | plain | durable | ratio | plain, computing | durable, computing | ratio |"
        )?;
        writeln!(f, "|---|---|---|---|---|---|---|---|---|")?;
        let of_plain = self.0.iter().filter(|((_, _, _, kind), _)| *kind == Kind::Plain);
        for ((size, bodies, task, _), plain) in of_plain {
            let Some(durable) = self.0.get(&(*size, *bodies, *task, Kind::Durable)) else { continue };
            let wall = |all: &[Duration]| median(all.iter().map(|took| took.wall));
            let busy = |all: &[Duration]| median(all.iter().filter_map(|took| took.busy));
            write!(f, "| {size} | {} | {} |", length(*bodies), words(*task))?;
            pair(f, wall(plain), wall(durable))?;
            pair(f, busy(plain), busy(durable))?;
            writeln!(f)?;
        }
        Ok(())
    }
}

fn length(bodies: Bodies) -> &'static str {
    match bodies {
        Bodies::OneLine => "one line",
        Bodies::TenLines => "ten lines more",
    }
}

fn words(task: Task) -> &'static str {
    match task {
        Task::Check => "`cargo check`",
        Task::CheckChange => "`cargo check`, one line changed",
        Task::Build => "`cargo build`",
        Task::BuildChange => "`cargo build`, one line changed",
    }
}

fn pair(f: &mut fmt::Formatter<'_>, plain: Option<f64>, durable: Option<f64>) -> fmt::Result {
    match plain.zip(durable) {
        Some((plain, durable)) => write!(f, " {plain:.2} s | {durable:.2} s | {:.2} |", durable / plain),
        None => write!(f, " | | |"),
    }
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
