//! Pairs of old and new code: what the lock says of the change, held against what becomes of runs that began with the
//! old code and are resumed with the new one, from every place where they can stand.
#![allow(missing_docs, unreachable_pub, reason = "the workflows are as users write them, and nobody else's")]
#![allow(dead_code, reason = "of each pair only that is called which the change is about")]
#![allow(
    clippy::match_overlapping_arm,
    overlapping_range_endpoints,
    reason = "arms that overlap are among the changes whose effect is judged"
)]

mod lock_pairs {
    pub(crate) mod coded;
    pub(crate) mod compensations;
    pub(crate) mod engines;
    #[path = "../../workflow-runtime/tests/world/faulty.rs"]
    pub(crate) mod faulty;
    pub(crate) mod generated;
    pub(crate) mod generations;
    pub(crate) mod guards;
    pub(crate) mod life;
    pub(crate) mod locals;
    pub(crate) mod loops;
    pub(crate) mod matches;
    pub(crate) mod messages;
    pub(crate) mod pair;
    pub(crate) mod parallel;
    pub(crate) mod patches;
    #[path = "../../workflow-runtime/tests/world/patience.rs"]
    pub(crate) mod patience;
    pub(crate) mod programs;
    pub(crate) mod races;
    pub(crate) mod renames;
    pub(crate) mod resumed;
    pub(crate) mod sequence;
    pub(crate) mod shop;
    pub(crate) mod steps;
    pub(crate) mod subflows;
    pub(crate) mod timers;
    pub(crate) mod values;
    pub(crate) mod verdict;
    pub(crate) mod walks;
}

use std::sync::Arc;

use lock_pairs::engines::{self, Trouble};
use lock_pairs::pair::Pair;
use lock_pairs::resumed::{Fates, Findings};
use lock_pairs::verdict::{BLIND, NEEDLESSLY_STRICT, Verdict};
use lock_pairs::*;
use workflow_runtime::store::Store;
use workflow_runtime::{Memory, Sqlite};

fn all() -> Vec<Pair> {
    let groups = [
        sequence::pairs(),
        renames::pairs(),
        steps::pairs(),
        guards::pairs(),
        locals::pairs(),
        values::pairs(),
        matches::pairs(),
        loops::pairs(),
        compensations::pairs(),
        timers::pairs(),
        messages::pairs(),
        parallel::pairs(),
        races::pairs(),
        subflows::pairs(),
        patches::pairs(),
        generations::pairs(),
    ];
    groups.into_iter().flatten().collect()
}

#[test]
fn no_two_pairs_have_one_name() {
    let mut names: Vec<_> = all().iter().map(|pair| pair.name).collect();
    names.sort_unstable();
    let twice: Vec<_> = names.windows(2).filter(|pair| pair[0] == pair[1]).collect();
    assert_eq!(twice, [] as [&[&str]; 0]);
}

/// The names of the pairs with this property, sorted.
fn names<'a>(found: impl Iterator<Item = &'a Found>) -> Vec<&'static str> {
    let mut names: Vec<_> = found.map(|found| found.pair.name).collect();
    names.sort_unstable();
    names
}

struct Found {
    pair: Pair,
    verdict: Verdict,
    findings: Findings,
}

impl Found {
    fn line(&self) -> String {
        let Found { pair, verdict, findings } = self;
        let (stops, broken) = (findings.stops, findings.broken_at);
        let first = findings.first.as_deref().unwrap_or("");
        let word = if verdict.accepts() { "accepts" } else { "refuses" };
        format!("{:48} {word} {stops:5} stops {broken:5} broken  {first}", pair.name)
    }
}

fn is_unsound(found: &Found) -> bool {
    found.verdict.accepts() && found.findings.broken_at > 0
}

fn is_strict(found: &Found) -> bool {
    !found.verdict.accepts() && found.findings.broken_at == 0
}

#[test]
fn what_the_lock_accepts_resumes_and_what_it_refuses_breaks() {
    let mut found = Vec::new();
    for pair in all() {
        let mut findings = Findings::default();
        for input in &pair.inputs {
            Fates::of(&pair, input).resume(&pair, input, &mut findings);
        }
        found.push(Found { verdict: Verdict::of(&pair), pair, findings });
        println!("{}", found.last().unwrap().line());
    }
    let stops: usize = found.iter().map(|found| found.findings.stops).sum();
    let accepted = found.iter().filter(|found| found.verdict.accepts()).count();
    println!("{} pairs, {accepted} of them accepted, {stops} stops", found.len());
    for (name, reason) in NEEDLESSLY_STRICT.iter().chain(&BLIND) {
        println!("{name}: {reason}");
    }
    let listed = |list: &[(&'static str, &str)]| {
        let mut names: Vec<_> = list.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(
        names(found.iter().filter(|found| is_unsound(found))),
        listed(&BLIND),
        "accepted, but runs break"
    );
    let strict = names(found.iter().filter(|found| is_strict(found)));
    assert_eq!(strict, listed(&NEEDLESSLY_STRICT), "refused, though no run breaks");
    assert!(accepted >= 40 && found.len() - accepted >= 40, "both kinds are there");
}

#[tokio::test]
async fn the_engine_agrees() {
    let (mut stops, mut shown, mut refused) = (0, 0, 0);
    let mut disagree = Vec::new();
    for pair in all().iter().filter(|pair| pair.before.is_none()) {
        let (tried, broken) = on_engines(pair, &Trouble::ALL, async || Arc::new(Memory::new()) as _).await;
        stops += tried;
        let verdict = Verdict::of(pair);
        let is_listed = |list: &[(&str, &str)]| list.iter().any(|(name, _)| *name == pair.name);
        println!("{:48} {tried:4} stops {broken:?}", pair.name);
        if verdict.accepts() {
            let broken = broken.filter(|_| !is_listed(&BLIND));
            disagree.extend(broken.map(|broken| format!("accepts {}: {broken}", pair.name)));
        } else if is_listed(&NEEDLESSLY_STRICT) {
            disagree.extend(broken.map(|broken| format!("needlessly refuses {}: {broken}", pair.name)));
        } else {
            refused += 1;
            shown += usize::from(broken.is_some());
        }
    }
    println!("{stops} stops of engines; {shown} of {refused} refused pairs break on them");
    assert!(disagree.is_empty(), "{}", disagree.join("\n"));
    assert!(shown * 10 > refused * 8, "{shown} of {refused}");
}

/// Some of them on a database file.
#[tokio::test]
async fn the_engine_agrees_on_sqlite() {
    const SOME: [&str; 8] = [
        "step_appended",
        "step_renamed",
        "insert_patched",
        "guard_changed",
        "version_with_old_code",
        "compensation_replaced",
        "generation_extended",
        "wait_gets_a_deadline",
    ];
    let pairs: Vec<Pair> = all().into_iter().filter(|pair| SOME.contains(&pair.name)).collect();
    assert_eq!(pairs.len(), SOME.len());
    for pair in &pairs {
        let folder = tempfile::tempdir().unwrap();
        let next = std::cell::Cell::new(0);
        let open = async || {
            next.set(next.get() + 1);
            let path = folder.path().join(format!("{}.db", next.get()));
            Arc::new(Sqlite::open(path).await.unwrap()) as Arc<dyn Store>
        };
        let (stops, broken) = on_engines(pair, &[Trouble::None, Trouble::Fails(2)], open).await;
        assert!(stops >= 4, "{}", pair.name);
        assert_eq!(broken.is_none(), Verdict::of(pair).accepts(), "{}: {broken:?}", pair.name);
    }
}

/// How many stops were tried, and what went wrong first.
async fn on_engines(
    pair: &Pair,
    troubles: &[Trouble],
    store: impl AsyncFn() -> Arc<dyn Store>,
) -> (usize, Option<String>) {
    let (mut stops, mut first) = (0, None);
    for (number, input) in pair.inputs.iter().enumerate() {
        let fates = Fates::of(pair, input);
        let judge = fates.judge(pair);
        for trouble in troubles.iter().take(if number == 0 { troubles.len() } else { 1 }) {
            let mut stop = 0;
            loop {
                let store = store().await;
                match engines::resume(&judge, pair, number, *trouble, store, stop).await {
                    None => break,
                    Some(Ok(())) => {}
                    Some(Err(broken)) if first.is_none() => {
                        first = Some(format!("from {input}, after write {stop}, {trouble:?}: {}", broken.0));
                    }
                    Some(Err(_)) => {}
                }
                (stop, stops) = (stop + 1, stops + 1);
            }
        }
    }
    (stops, first)
}
