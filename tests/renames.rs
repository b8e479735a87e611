//! Journals from before a renaming, read by the code of today: every beginning of them, and what is refused.
//! Only replay; how a run goes on from there is for the tests of the engine.

#![allow(missing_docs, unreachable_pub, reason = "modules stand for the code of two times")]

use std::collections::VecDeque;

use workflow_core::{Command, CoreError, Definition, Event, Payload, Record, Run};
use workflow_runtime::prelude::*;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum TillError {
    #[error("empty")]
    Empty,
}

mod before {
    use super::*;

    #[step(compensate = refund(cents))]
    pub async fn charge(cents: u32) -> Result<u32, TillError> {
        Ok(cents)
    }

    #[step(retriable)]
    pub async fn refund(_cents: &u32) {}

    #[step(name = "weigh-it", read_only)]
    pub async fn weigh() -> Result<u32, TillError> {
        Ok(1)
    }

    #[subflow]
    pub async fn deposit(cents: u32) -> Result<u32, TillError> {
        charge(cents).await
    }

    #[workflow]
    pub async fn trade(cents: u32) -> Result<u32, TillError> {
        let weight = weigh().await?;
        let paid = charge(cents).await?;
        let more = deposit(cents + weight).await?;
        charge(paid + more).await
    }
}

mod after {
    use super::*;

    #[step(was = "charge", compensate = give_back(cents))]
    pub async fn take_money(cents: u32) -> Result<u32, TillError> {
        Ok(cents)
    }

    #[step(retriable, was = "refund")]
    pub async fn give_back(_cents: &u32) {}

    /// The name of the step is pinned; what the function was called is said.
    #[step(name = "weigh-it", was = "weigh", read_only)]
    pub async fn put_on_the_scales() -> Result<u32, TillError> {
        Ok(1)
    }

    #[subflow]
    pub async fn deposit(cents: u32) -> Result<u32, TillError> {
        take_money(cents).await
    }

    #[workflow]
    pub async fn trade(cents: u32) -> Result<u32, TillError> {
        let weight = put_on_the_scales().await?;
        let paid = take_money(cents).await?;
        let more = deposit(cents + weight).await?;
        take_money(paid + more).await
    }
}

/// A step of another kind took the name that the renamed one had.
mod taken {
    use super::*;
    use after::{put_on_the_scales, take_money};

    #[step(read_only)]
    pub async fn charge() -> Result<u32, TillError> {
        Ok(1)
    }

    #[workflow]
    pub async fn trade(cents: u32) -> Result<u32, TillError> {
        put_on_the_scales().await?;
        take_money(cents).await?;
        charge().await
    }
}

/// The renamed step is called where another one was.
mod moved {
    use super::*;
    use after::{put_on_the_scales, take_money};

    #[workflow]
    pub async fn trade(cents: u32) -> Result<u32, TillError> {
        let paid = take_money(cents).await?;
        put_on_the_scales().await?;
        Ok(paid)
    }
}

/// The whole journal of a run of the code as it was: the last payment fails, and the rest is undone.
fn journal() -> Vec<Record> {
    let mut run = Run::new(before::trade.definition(), "run");
    let mut journal = Vec::new();
    drive(&mut run, [Event::started(Payload::of(&(5_u32,)).unwrap())], &mut journal);
    journal
}

/// Lets a run go on to its end, and writes down what happens.
fn drive(run: &mut Run, events: impl Into<VecDeque<Event>>, journal: &mut Vec<Record>) {
    let mut events = events.into();
    while let Some(event) = events.pop_front() {
        let commands = run.feed(0, &event).unwrap();
        events.extend(commands.iter().filter_map(answer));
        journal.push(Record::new(0, event, commands));
    }
    assert!(run.conclusion().is_some());
}

/// What the outside answers.
fn answer(command: &Command) -> Option<Event> {
    let Command::StartStep { op, .. } = command else { return None };
    let (output, error) = match op.as_str() {
        last if last.ends_with("_2") => (r#"{"Err":"Empty"}"#, Some("Empty".to_owned())),
        undo if undo.ends_with("/undo") => ("null", None),
        _ => (r#"{"Ok":7}"#, None),
    };
    let output = Payload::from_json(output.to_owned()).unwrap();
    Some(Event::StepCompleted { op: op.clone(), output, error })
}

/// What a run waits for after these rows.
fn open(definition: Definition, journal: &[Record]) -> Result<Vec<Command>, CoreError> {
    let run = Run::replay(definition, "run", journal)?;
    Ok(run.open_operations().into_iter().map(|open| open.request).collect())
}

#[test]
fn every_beginning_of_an_old_journal_is_read() {
    let journal = journal();
    let begun = journal.iter().flat_map(|record| &record.commands).filter_map(Command::op);
    let begun: Vec<&str> = begun.map(|op| op.as_str()).collect();
    let ids = ["weigh", "charge", "deposit.charge", "charge_2", "deposit.charge/undo", "charge/undo"];
    assert_eq!(begun, ids);
    for rows in 0..=journal.len() {
        let old = open(before::trade.definition(), &journal[..rows]).unwrap();
        let new = open(after::trade.definition(), &journal[..rows]).unwrap();
        assert_eq!(old, new, "after {rows} rows");
    }
}

#[test]
fn a_run_that_goes_on_under_the_new_names_is_read_again() {
    let journal = journal();
    for rows in 1..journal.len() {
        // The rows up to here are from before; the rest is written by the code of today.
        let mut mixed = journal[..rows].to_vec();
        let mut run = Run::replay(after::trade.definition(), "run", &mixed).unwrap();
        let open: VecDeque<Event> =
            run.open_operations().iter().filter_map(|open| answer(&open.request)).collect();
        drive(&mut run, open, &mut mixed);
        assert_eq!(mixed.len(), journal.len());
        let again = Run::replay(after::trade.definition(), "run", &mixed).unwrap();
        assert_eq!(again.conclusion(), run.conclusion(), "from row {rows} on");
        let undone = mixed.iter().flat_map(|record| &record.commands).filter_map(Command::op);
        let undone = undone.filter_map(|op| op.undoes()).map(|op| op.to_string()).collect::<Vec<_>>();
        // Each flow keeps the names under which the run came to it.
        let expected = match rows {
            1 => ["deposit.take_money", "take_money"],
            2 => ["deposit.take_money", "charge"],
            _ => ["deposit.charge", "charge"],
        };
        assert_eq!(undone, expected, "from row {rows} on");
    }
}

#[test]
fn what_cannot_be_told_is_refused_and_nothing_is_taken_for_another() {
    let journal = journal();
    let refused = |definition: Definition| match open(definition, &journal) {
        Err(CoreError::Mismatch(mismatch)) => (mismatch.row, mismatch.journal, mismatch.code),
        other => panic!("not refused: {other:?}"),
    };
    let step = |text: &str| text.to_owned();
    assert_eq!(
        refused(taken::trade.definition()),
        (2, step("the step `charge`"), step("the step `take_money`"))
    );
    let (row, recorded, asked) = refused(moved::trade.definition());
    assert_eq!((row, recorded), (1, step("the step `weigh-it` at `weigh`")));
    assert_eq!(asked, "the step `take_money` at `charge`");
}
