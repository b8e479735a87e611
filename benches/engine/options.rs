//! What a person asks of the benchmark on the command line.
//! Reads words; measures nothing.

use std::path::{Path, PathBuf};

use crate::cases::{CASES, Case};
use crate::contestants::StoreKind;

pub(crate) const USAGE: &str = "\
usage: cargo xtask bench [case..] [option..]

cases: A B C D E F, or one size of one: D-20000 D-100000 D-messages F-2000 F-10000; all of them when none is named

  --store STORE   only this store: sqlite or postgres; may be repeated. A Postgres server is started for it
  --rounds N      how often each contestant plays each case, in turn; 3 unless said otherwise
  --peers         other engines, too; they are built first, which takes a quarter of an hour
  --only NAME     only contestants whose name has this word in it; may be repeated
  --quiet         waits for a quiet second before each measurement, up to a minute
  --folder PATH   where the stores lie, for a look at another disk or at none; target/bench unless said otherwise
  --first         the measurements run before all else on this machine, by a priority that root can give
  --only-engine   plays one case once, with the engine alone and in one process, for a profiler
  --json FILE     where the results go; target/bench/results.json unless said otherwise
  --table         prints the results of that file as markdown and measures nothing
  --document      writes them into docs/performance.md";

/// The option for a higher priority.
pub(crate) const GOES_FIRST: &str = "--first";

/// What is asked for.
#[derive(Debug, PartialEq)]
pub(crate) enum Wish {
    Help,
    Measure(Options),
    OnlyEngine(Case, StoreKind, PathBuf),
    Table(PathBuf),
    Document(PathBuf),
}

#[derive(Debug, PartialEq)]
pub(crate) struct Options {
    pub(crate) cases: Vec<Case>,
    pub(crate) stores: Vec<StoreKind>,
    pub(crate) rounds: usize,
    pub(crate) with_peers: bool,
    pub(crate) only: Vec<String>,
    pub(crate) waits_for_quiet: bool,
    pub(crate) goes_first: bool,
    pub(crate) folder: PathBuf,
    pub(crate) json: PathBuf,
}

/// Reads the command line.
///
/// # Errors
/// A word that means nothing here, in words for people.
pub(crate) fn read(arguments: &[String]) -> Result<Wish, String> {
    let mut options = Options {
        cases: Vec::new(),
        stores: Vec::new(),
        rounds: 3,
        with_peers: false,
        only: Vec::new(),
        waits_for_quiet: false,
        goes_first: false,
        folder: target_folder().join("bench"),
        json: target_folder().join("bench/results.json"),
    };
    let (mut only_engine, mut table, mut document) = (false, false, false);
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("`{word}` needs a value"));
        match word.as_str() {
            "--help" | "-h" => return Ok(Wish::Help),
            "--store" => options.stores.push(StoreKind::named(value()?)?),
            "--rounds" => {
                let number = value()?;
                options.rounds = number
                    .parse()
                    .ok()
                    .filter(|rounds| *rounds > 0)
                    .ok_or(format!("`{number}` is no number"))?;
            }
            "--peers" => options.with_peers = true,
            "--only" => options.only.push(value()?.clone()),
            "--quiet" => options.waits_for_quiet = true,
            GOES_FIRST => options.goes_first = true,
            "--folder" => options.folder = PathBuf::from(value()?),
            "--json" => options.json = PathBuf::from(value()?),
            "--only-engine" => only_engine = true,
            "--table" => table = true,
            "--document" => document = true,
            word => match Case::named(word) {
                cases if !cases.is_empty() => options.cases.extend(cases),
                _ => return Err(format!("`{word}` is neither a case nor an option")),
            },
        }
    }
    if table {
        return Ok(Wish::Table(options.json));
    }
    if document {
        return Ok(Wish::Document(options.json));
    }
    if options.cases.is_empty() {
        options.cases = CASES.to_vec();
    }
    if only_engine {
        let store = options.stores.first().copied().unwrap_or(StoreKind::Sqlite);
        return match options.cases.as_slice() {
            [case] => Ok(Wish::OnlyEngine(*case, store, options.folder)),
            _ => Err("`--only-engine` plays one case: name it, such as `A` or `F-10000`".to_owned()),
        };
    }
    if options.stores.is_empty() {
        options.stores = StoreKind::ALL.to_vec();
    }
    Ok(Wish::Measure(options))
}

/// Where cargo builds: on the disk that is measured, and never part of the sources.
pub(crate) fn target_folder() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder))
}
