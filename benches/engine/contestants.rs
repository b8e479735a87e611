//! Who takes part, on which store, and how durable what it acknowledges is.
//! Knows how each is started; must not know what is measured.

use std::fmt;
use std::process::Command;
use std::time::Duration;

use bench_kit::{Order, perform};
use serde::{Deserialize, Serialize};

use crate::cases::Case;
use crate::options::Options;
use crate::place::Places;
use crate::{Failure, floor, measure, ours, peers};

/// Where runs are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StoreKind {
    Sqlite,
    Postgres,
    /// Restate brings its own.
    Restate,
}

impl StoreKind {
    /// Those that this project's engine has.
    pub(crate) const ALL: [StoreKind; 2] = [StoreKind::Sqlite, StoreKind::Postgres];

    pub(crate) fn named(word: &str) -> Result<StoreKind, String> {
        let named = StoreKind::ALL.into_iter().find(|store| store.to_string() == word);
        named.ok_or_else(|| format!("there is no store `{word}`"))
    }
}

impl fmt::Display for StoreKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            StoreKind::Sqlite => "sqlite",
            StoreKind::Postgres => "postgres",
            StoreKind::Restate => "restate",
        })
    }
}

/// What a contestant is to the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    Floor,
    Engine,
    Peer,
}

/// Somebody who plays.
#[derive(Clone, Debug)]
pub(crate) struct Contestant {
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) store: StoreKind,
    /// What is still there after a power failure.
    pub(crate) durability: &'static str,
    /// The peer's program; without one it is this program.
    pub(crate) peer: Option<&'static str>,
    settings: &'static [(&'static str, &'static str)],
}

const SQLITE_FULL: &str = "WAL, synchronous=FULL: on the disk before it is acknowledged";
const SQLITE_NORMAL: &str = "WAL, synchronous=NORMAL: the last commits can be lost when the power fails";
const POSTGRES: &str = "fsync=on, synchronous_commit=on: on the disk before it is acknowledged";
const RESTATE: &str = "its log is forced to the disk before it is acknowledged";

/// Its queues are looked at every 100 ms as it is shipped; at that, a lone run of ten steps takes a second.
const DUROXIDE: &[(&str, &str)] = &[("poll_ms", "1")];

impl Contestant {
    fn ours(name: &str, role: Role, store: StoreKind, durability: &'static str) -> Contestant {
        let name = format!("{name}-{store}");
        Contestant { name, role, store, durability, peer: None, settings: &[] }
    }

    fn peer(name: &str, program: &'static str, store: StoreKind, durability: &'static str) -> Contestant {
        let settings = if program == "duroxide" { DUROXIDE } else { &[] };
        let peer = Some(program);
        let name = name.to_owned();
        Contestant { name, role: Role::Peer, store, durability, peer, settings }
    }

    /// Whether it takes part in this round of this case. What takes a peer many minutes, or never ends, is left out;
    /// what takes it some minutes is played once, since nobody doubts by then who is faster.
    pub(crate) fn plays(&self, case: &Case, round: usize) -> bool {
        match (case.name, self.peer) {
            (_, None) => true,
            (_, Some("duroxide")) if round > 0 => false,
            ("D-100000" | "D-messages", Some(_)) => false,
            // At its pace, each half of E takes minutes.
            ("E", Some("duroxide")) => false,
            // The one replays its whole history at every step; the server of the other gives the replay up half-way.
            ("F-10000", Some("duroxide" | "restate")) => false,
            (_, Some(_)) => true,
        }
    }

    /// How long its store believes, once it was killed, that it is still there.
    pub(crate) fn outlives_itself(&self) -> Duration {
        match (self.role, self.store) {
            (Role::Engine, StoreKind::Postgres) => ours::LEASE,
            _ => Duration::ZERO,
        }
    }

    /// The process that does what the order says.
    pub(crate) fn command(&self, mut order: Order) -> Result<Command, Failure> {
        let settings = self.settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        order.settings.extend(settings);
        let program = match self.peer {
            Some(peer) => peers::program(peer),
            None => std::env::current_exe()?,
        };
        let mut command = Command::new(program);
        if self.peer.is_none() {
            command.arg(measure::PLAY).arg(&self.name);
        }
        command.arg(serde_json::to_string(&order)?);
        Ok(command)
    }
}

/// All who take part.
///
/// # Errors
/// When nobody does.
pub(crate) fn of(options: &Options) -> Result<Vec<Contestant>, Failure> {
    let mut all = Vec::new();
    if options.stores.contains(&StoreKind::Sqlite) {
        all.push(Contestant::ours("floor", Role::Floor, StoreKind::Sqlite, SQLITE_FULL));
        all.push(Contestant::ours("engine", Role::Engine, StoreKind::Sqlite, SQLITE_FULL));
        if options.with_peers {
            all.push(Contestant::peer("durare-sqlite", "durare", StoreKind::Sqlite, SQLITE_NORMAL));
            all.push(Contestant::peer("duroxide-sqlite", "duroxide", StoreKind::Sqlite, SQLITE_NORMAL));
        }
    }
    if options.stores.contains(&StoreKind::Postgres) {
        all.push(Contestant::ours("floor", Role::Floor, StoreKind::Postgres, POSTGRES));
        all.push(Contestant::ours("engine", Role::Engine, StoreKind::Postgres, POSTGRES));
        if options.with_peers {
            all.push(Contestant::peer("dbos", "dbos", StoreKind::Postgres, POSTGRES));
            all.push(Contestant::peer("durare-postgres", "durare", StoreKind::Postgres, POSTGRES));
            all.push(Contestant::peer("duroxide-postgres", "duroxide", StoreKind::Postgres, POSTGRES));
        }
    }
    if options.with_peers {
        all.push(Contestant::peer("restate", "restate", StoreKind::Restate, RESTATE));
    }
    let is_meant = |name: &str| options.only.iter().any(|word| name.contains(word.as_str()));
    all.retain(|contestant| options.only.is_empty() || is_meant(&contestant.name));
    if all.is_empty() { Err("nobody is left to take part".into()) } else { Ok(all) }
}

/// Plays in this process, which was started for it.
pub(crate) fn play(name: &str, order: &str) {
    let order: Order = serde_json::from_str(order).expect("the order comes from a process of this program");
    let runtime = runtime();
    match name {
        "engine-sqlite" => runtime.block_on(perform(order, ours::open_sqlite)),
        "engine-postgres" => runtime.block_on(perform(order, ours::open_postgres)),
        "floor-sqlite" => runtime.block_on(perform(order, floor::open_sqlite)),
        "floor-postgres" => runtime.block_on(perform(order, floor::open_postgres)),
        name => panic!("there is no contestant `{name}`"),
    }
}

/// Plays a case once in this process, so that a profiler sees the engine and nothing else.
pub(crate) fn play_here(case: &Case, store: StoreKind, places: &Places) -> Result<(), Failure> {
    let place = places.fresh(store)?;
    let order = measure::first_order(case, &place);
    println!("{case}: {}, {store}, process {}", case.title(), std::process::id());
    match store {
        StoreKind::Sqlite => runtime().block_on(perform(order, ours::open_sqlite)),
        StoreKind::Postgres => runtime().block_on(perform(order, ours::open_postgres)),
        StoreKind::Restate => return Err("the engine does not play there".into()),
    }
    Ok(())
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads can be started")
}
