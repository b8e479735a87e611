//! The load that is attacked: sagas, retries, timers, messages, children, branches, races, transactions, generations.
//! It must not know who attacks it; what each run should come to follows from its plan alone.

use std::time::Duration;

use workflow_runtime::EngineBuilder;
use workflow_runtime::prelude::*;

use crate::ledger::{Flaw, Ledger};

/// How many messages a visitor waits for, how often a sleeper sleeps, how many generations there are.
pub(crate) const PARTS: u32 = 3;

/// What a race comes to when its message is late.
pub(crate) const LATE: u32 = 100;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
pub(crate) enum Trouble {
    #[error("declined")]
    Declined,
    #[error("busy")]
    #[step_error(transient)]
    Busy,
    #[error(transparent)]
    Sql(#[from] SqlError),
}

/// What a run is told to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) kind: Kind,
    /// Also its id, and the key of its messages.
    pub(crate) name: String,
    pub(crate) flaws: Vec<Flaw>,
    pub(crate) nap_ms: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Kind {
    Trip,
    Pair,
    Transact,
    Naps,
    Visitor,
    Race,
    Family,
    Rounds,
    Herald,
}

impl Plan {
    pub(crate) fn by_chance(chance: &mut fastrand::Rng, name: String) -> Plan {
        use Kind::{Family, Herald, Naps, Pair, Race, Rounds, Transact, Trip, Visitor};
        let kinds = [Trip, Trip, Pair, Transact, Naps, Visitor, Race, Family, Rounds, Herald];
        let flaw = |chance: &mut fastrand::Rng| match chance.u32(..12) {
            0 | 1 => Flaw::Busy(chance.u32(1..3)),
            2 => Flaw::Panics,
            3 => Flaw::Declines,
            _ => Flaw::Nothing,
        };
        let flaws = (0..chance.usize(3..6)).map(|_| flaw(chance)).collect();
        Plan { kind: kinds[chance.usize(..kinds.len())], name, flaws, nap_ms: chance.u64(10..120) }
    }

    /// Whether a step of it declines, so that it has to undo itself.
    pub(crate) fn declines(&self) -> bool {
        self.flaws[..self.steps()].contains(&Flaw::Declines)
    }

    /// How many of its flaws play a part.
    pub(crate) fn steps(&self) -> usize {
        if self.kind == Kind::Pair { 3 } else { self.flaws.len() }
    }
}

/// The statements of the transactional steps, in the words of the store's database.
pub(crate) struct Sql {
    pub(crate) book: &'static str,
}

#[derive(Debug, Clone, Serialize, Deserialize, Message)]
#[message(name = "Paid", key = name)]
pub(crate) struct Paid {
    pub(crate) name: String,
    pub(crate) part: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize, Message)]
#[message(name = "Done", key = name)]
pub(crate) struct Done {
    pub(crate) name: String,
}

#[step(compensate = take_back(place, output), retry(attempts = 5, initial = "5ms", factor = 1.0, max = "5ms"))]
pub(crate) async fn act(
    ledger: Resource<Ledger>,
    cx: StepContext,
    place: usize,
    flaw: Flaw,
) -> Result<i64, Trouble> {
    ledger.call(&cx, "act", place.to_string(), flaw).await
}

#[step(retriable, retry(attempts = 5, initial = "5ms", factor = 1.0, max = "5ms"))]
pub(crate) async fn take_back(ledger: Resource<Ledger>, cx: StepContext, place: &usize, number: &i64) -> i64 {
    let flaw = if number % 5 == 0 { Flaw::Panics } else { Flaw::Nothing };
    let taken = ledger.call(&cx, "take_back", format!("{place} {number}"), flaw).await;
    taken.expect("taking back declines nothing")
}

#[step(read_only)]
pub(crate) async fn note(ledger: Resource<Ledger>, cx: StepContext, what: u32) -> i64 {
    let noted = ledger.call(&cx, "note", what.to_string(), Flaw::Nothing).await;
    noted.expect("a note declines nothing")
}

#[step(compensate = unbook(place), retry(attempts = 20, initial = "5ms", factor = 1.0, max = "5ms"))]
pub(crate) async fn book(
    tx: &mut Tx,
    sql: Resource<Sql>,
    cx: StepContext,
    place: usize,
    flaw: Flaw,
) -> Result<usize, Trouble> {
    tx.execute(sql.book, (cx.run_id(), place, cx.idempotency_key())).await?;
    match flaw {
        Flaw::Busy(attempts) if cx.attempt() <= attempts => Err(Trouble::Busy),
        Flaw::Panics if cx.attempt() == 1 => panic!("the step was told to panic"),
        Flaw::Declines => Err(Trouble::Declined),
        _ => Ok(place),
    }
}

#[step(retriable, retry(attempts = 20, initial = "5ms", factor = 1.0, max = "5ms"))]
pub(crate) async fn unbook(
    tx: &mut Tx,
    sql: Resource<Sql>,
    cx: StepContext,
    place: &usize,
) -> Result<(), SqlError> {
    tx.execute(sql.book, (cx.run_id(), place, cx.idempotency_key())).await?;
    Ok(())
}

/// A saga of steps one after the other.
#[workflow]
pub(crate) async fn trip(plan: Plan) -> Result<u32, Trouble> {
    let mut place = 0;
    for flaw in plan.flaws {
        act(place, flaw).await?;
        place += 1;
    }
    Ok(0)
}

/// A saga with branches.
#[workflow]
pub(crate) async fn pair(plan: Plan) -> Result<u32, Trouble> {
    let (one, two, three) = (plan.flaws[0], plan.flaws[1], plan.flaws[2]);
    try_join!(act(0, one), async {
        act(1, two).await?;
        act(2, three).await
    })?;
    Ok(0)
}

/// A saga in the store's own transactions.
#[workflow]
pub(crate) async fn transact(plan: Plan) -> Result<u32, Trouble> {
    let mut place = 0;
    for flaw in plan.flaws {
        book(place, flaw).await?;
        place += 1;
    }
    Ok(0)
}

#[workflow]
pub(crate) async fn naps(plan: Plan) -> Result<u32, Trouble> {
    for nap in 0..PARTS {
        note(nap).await;
        sleep(Duration::from_millis(plan.nap_ms)).await;
    }
    note(PARTS).await;
    Ok(0)
}

#[workflow]
pub(crate) async fn visitor(plan: Plan) -> Result<u32, Trouble> {
    for _ in 0..PARTS {
        let paid = receive::<Paid>(&plan.name).forever().await;
        note(paid.part).await;
    }
    Ok(0)
}

/// A message against a timer, then a step against a timer: what the loser did all the same is taken back.
#[workflow]
pub(crate) async fn race(plan: Plan) -> Result<u32, Trouble> {
    let won = select! {
        paid = receive::<Paid>(&plan.name).forever() => paid.part,
        _ = sleep(Duration::from_millis(plan.nap_ms)) => LATE,
    };
    note(won).await;
    let acted = select! {
        acted = act(0, Flaw::Nothing) => Some(acted?),
        _ = sleep(Duration::from_millis(5)) => None,
    };
    Ok(if acted.is_some() { won } else { won + 1_000 })
}

/// Children side by side, some of which undo themselves.
#[workflow]
pub(crate) async fn family(plan: Plan) -> Result<u32, Trouble> {
    let ended = join_all(plan.flaws.iter().map(|flaw| member(*flaw))).await;
    let good = ended.iter().filter(|ended| ended.is_ok()).count();
    let good = u32::try_from(good).unwrap_or(u32::MAX);
    note(good).await;
    Ok(good)
}

#[workflow]
pub(crate) async fn member(flaw: Flaw) -> Result<u32, Trouble> {
    act(0, Flaw::Nothing).await?;
    act(1, flaw).await?;
    Ok(0)
}

/// Begins anew, over and over.
#[workflow]
pub(crate) async fn rounds(plan: Plan, round: u32) -> Result<u32, Trouble> {
    note(round).await;
    if round == PARTS {
        return Ok(round);
    }
    sleep(Duration::from_millis(5)).await;
    return continue_as_new(rounds(plan, round + 1)).await;
}

/// Tells it to whoever begins with it.
#[workflow]
pub(crate) async fn herald(plan: Plan) -> Result<u32, Trouble> {
    note(0).await;
    publish(Done { name: plan.name }).await;
    Ok(0)
}

#[workflow(on = Done)]
pub(crate) async fn celebrate(done: Done) -> usize {
    note(0).await;
    done.name.len()
}

pub(crate) fn register(builder: EngineBuilder) -> EngineBuilder {
    let sagas = builder.register(trip).register(pair).register(transact).register(race);
    let others = sagas.register(naps).register(visitor).register(family).register(rounds);
    others.register(herald).register(celebrate)
}
