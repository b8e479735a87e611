//! Who takes part, on which store, and how durable what it acknowledges is.
//! Knows how each is started; must not know what is measured.

use std::fmt;
use std::path::Path;
use std::process::Command;

use bench_kit::{Order, perform};
use serde::{Deserialize, Serialize};

use crate::cases::Case;
use crate::measure;
use crate::options::Options;
use crate::{Failure, floor, ours};

/// Where runs are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StoreKind {
    Sqlite,
}

impl StoreKind {
    pub(crate) const ALL: [StoreKind; 1] = [StoreKind::Sqlite];

    pub(crate) fn named(word: &str) -> Result<StoreKind, String> {
        let named = StoreKind::ALL.into_iter().find(|store| store.to_string() == word);
        named.ok_or_else(|| format!("there is no store `{word}`"))
    }
}

impl fmt::Display for StoreKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            StoreKind::Sqlite => "sqlite",
        })
    }
}

/// What a contestant is to the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Role {
    Engine,
    Floor,
}

/// Somebody who plays.
#[derive(Clone, Debug)]
pub(crate) struct Contestant {
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) store: StoreKind,
    /// What is still there after a power failure.
    pub(crate) durability: &'static str,
    /// Whether its processes have priority over all others.
    goes_first: bool,
}

impl Contestant {
    /// Whether it takes part in this case.
    pub(crate) fn plays(&self, _case: &Case) -> bool {
        true
    }

    /// The process that does what the order says.
    pub(crate) fn command(&self, order: &Order) -> Result<Command, Failure> {
        let program = std::env::current_exe()?;
        let mut command = if self.goes_first {
            let mut nice = Command::new("nice");
            nice.args(["-n", "-20"]).arg(program);
            nice
        } else {
            Command::new(program)
        };
        command.arg(measure::PLAY).arg(&self.name).arg(serde_json::to_string(order)?);
        Ok(command)
    }
}

/// All who take part.
pub(crate) fn of(options: &Options) -> Result<Vec<Contestant>, Failure> {
    let mut all = Vec::new();
    for store in &options.stores {
        let durability = match store {
            StoreKind::Sqlite => "WAL, synchronous=FULL",
        };
        for (role, name) in [(Role::Floor, "floor"), (Role::Engine, "engine")] {
            all.push(Contestant {
                name: format!("{name}-{store}"),
                role,
                store: *store,
                durability,
                goes_first: options.goes_first,
            });
        }
    }
    if !options.only.is_empty() {
        all.retain(|contestant| options.only.iter().any(|word| contestant.name.contains(word.as_str())));
    }
    if all.is_empty() { Err("nobody is left to take part".into()) } else { Ok(all) }
}

/// Plays in this process, which was started for it.
pub(crate) fn play(name: &str, order: &str) {
    let order: Order = serde_json::from_str(order).expect("the order comes from a process of this program");
    let runtime = runtime();
    match name {
        "engine-sqlite" => runtime.block_on(perform(order, ours::Ours::open_sqlite)),
        "floor-sqlite" => runtime.block_on(perform(order, floor::open_sqlite)),
        name => panic!("there is no contestant `{name}`"),
    }
}

/// Plays a case once in this process, so that a profiler sees the engine and nothing else.
pub(crate) fn play_here(case: &Case, store: StoreKind, folder: &Path) -> Result<(), Failure> {
    let folder = measure::folder_in(folder)?;
    let file = folder.path().join("bench.db");
    let order = measure::lone_order(case, &file)?;
    println!("{case}: {}, {store}, process {}", case.title(), std::process::id());
    runtime().block_on(perform(order, ours::Ours::open_sqlite));
    Ok(())
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads can be started")
}
