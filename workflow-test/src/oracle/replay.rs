//! Replay equality: the journal, fed to the code again, gives the same commands, arguments and result.
//! Stricter than recovery, which uses what was recorded: here the bytes count.

use workflow_core::{Command, Definition, Record};

use crate::annals::Head;
use crate::violation::{Oracle, Violation};
use crate::words;

/// Where the code is run again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Replayed {
    Here,
    OnAnotherThread,
}

impl Replayed {
    fn oracle(self) -> Oracle {
        match self {
            Replayed::Here => Oracle::Replay,
            Replayed::OnAnotherThread => Oracle::OtherThread,
        }
    }

    fn when(self) -> &'static str {
        match self {
            Replayed::Here => "when it was replayed",
            Replayed::OnAnotherThread => "when another thread replayed it",
        }
    }

    /// What no journal records and may come out otherwise.
    fn suspects(self) -> &'static str {
        match self {
            Replayed::Here => {
                "no journal records a static, a clock, a random number, an address, the order of a `HashMap`; let a \
                 step find it out, or take `now()`, `random()`, a `BTreeMap`"
            }
            Replayed::OnAnotherThread => {
                "another thread has other thread-locals, another name and id, another order of every `HashMap` and \
                 `HashSet`, other addresses; pass it in, let a step find it out, or take a `BTreeMap`"
            }
        }
    }
}

pub(crate) fn check(head: &Head, journal: &[&Record], replayed: Replayed) -> Result<(), Violation> {
    let mut run = head.fresh_run();
    for (row, record) in (1..).zip(journal) {
        let asked = run.feed(record.at_ms, &record.event).map_err(|error| {
            let when = replayed.when();
            let text = format!("the journal does not go through at write {row} {when}: {error}");
            Violation::new(replayed.oracle(), text)
        })?;
        hold(&head.definition, row, &record.commands, &asked, replayed)?;
    }
    Ok(())
}

/// Holds what the code asks for at a row against what it asked for the first time.
pub(crate) fn compare(
    definition: &Definition,
    row: usize,
    first: &[Command],
    again: &[Command],
) -> Result<(), Violation> {
    hold(definition, row, first, again, Replayed::Here)
}

fn hold(
    definition: &Definition,
    row: usize,
    first: &[Command],
    again: &[Command],
    replayed: Replayed,
) -> Result<(), Violation> {
    if first == again {
        return Ok(());
    }
    let at = (0..first.len().max(again.len())).find(|&i| first.get(i) != again.get(i)).unwrap_or(0);
    let side = |command: Option<&Command>| {
        let source = command.and_then(Command::op).and_then(|op| definition.source_of(op));
        let place = source.map_or(String::new(), |source| format!(" ({source})"));
        format!("{}{place}", words::command(command))
    };
    let is_reordered =
        first.len() == again.len() && first.iter().all(|command| again.contains(command)) && first.len() > 1;
    let why = if is_reordered {
        "it is the same in another order: look for a walk through a `HashMap` or a `HashSet`, and take a `BTreeMap` \
         or sort"
    } else {
        replayed.suspects()
    };
    let (one, other, when) = (side(first.get(at)), side(again.get(at)), replayed.when());
    let text =
        format!("after write {row} the code asked for {one} the first time, and for {other} {when}; {why}");
    Err(Violation::new(replayed.oracle(), text))
}
