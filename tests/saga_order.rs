//! The order of steps in a saga, as the compiler judges it, beside a judge who looks at every execution.
//! Flows are invented, written as Rust, and compiled; nothing here knows how the compiler decides.

mod saga_order {
    pub(crate) mod by_hand;
    pub(crate) mod compiler;
    pub(crate) mod constructs;
    pub(crate) mod flow;
    pub(crate) mod judge;
    pub(crate) mod machine;
    pub(crate) mod make;
    pub(crate) mod parallel;
    pub(crate) mod render;
    pub(crate) mod statements;
}

use std::collections::{BTreeMap, BTreeSet};

use saga_order::compiler::{self, Said};
use saga_order::constructs;
use saga_order::flow::Flow;
use saga_order::judge::{Verdict, is_saga, judge};
use saga_order::make::make;
use saga_order::render::render;

/// Another seed makes other flows: `SAGA_FLOWS_SEED=7 cargo test --test saga_order`.
const SEED: &str = "SAGA_FLOWS_SEED";

/// How many flows are judged; `SAGA_FLOWS` asks for another number, but no fewer.
const FEWEST: usize = 700;

/// What may be said about them.
const SAGA_CODES: [&str; 5] = ["WF006", "WF033", "WF034", "WF036", "WF038"];

struct Case {
    seed: u64,
    flow: Flow,
    text: String,
    verdict: Verdict,
}

fn number(name: &str, otherwise: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is a number, not `{text}`")),
        Err(_) => otherwise,
    }
}

/// Flows that are all different, judged; and how many were left out because they have too many states.
fn cases(seed: u64, count: usize) -> (Vec<Case>, usize) {
    let mut cases: Vec<Case> = Vec::new();
    let mut texts = BTreeSet::new();
    let mut too_large = 0;
    for seed in seed.wrapping_mul(1_000_000).. {
        if cases.len() == count {
            break;
        }
        let flow = make(seed);
        // Where nothing is ever undone there is little to see.
        if !is_saga(&flow) && seed % 8 > 0 {
            continue;
        }
        if !texts.insert(render(&flow, 0)) {
            continue;
        }
        let Some(verdict) = judge(&flow) else {
            too_large += 1;
            continue;
        };
        let text = render(&flow, cases.len());
        cases.push(Case { seed, flow, text, verdict });
    }
    (cases, too_large)
}

#[test]
fn no_flow_that_can_end_half_undone_compiles() {
    let seed = number(SEED, 1);
    let count = usize::try_from(number("SAGA_FLOWS", 0)).expect("a small number").max(FEWEST);
    let (cases, too_large) = cases(seed, count);
    let texts: Vec<String> = cases.iter().map(|case| case.text.clone()).collect();
    let said = compiler::check(&texts);

    let judged: Vec<(&Case, &Said)> = cases.iter().zip(&said).collect();
    no_other_errors(&judged);
    let (refused, accepted): (Vec<_>, Vec<_>) = judged.iter().partition(|(_, said)| !said.codes.is_empty());
    let unsound: Vec<_> = accepted.iter().filter(|(case, _)| !case.verdict.is_empty()).collect();
    let needless: Vec<_> = refused.iter().filter(|(case, _)| case.verdict.is_empty()).collect();
    println!(
        "seed {seed}: {count} flows ({too_large} more had too many states), {} refused, {} accepted; accepted although \
         half-undone ends can be reached: {}; refused without need: {} ({:.1} % of the refused)",
        refused.len(),
        accepted.len(),
        unsound.len(),
        needless.len(),
        100.0 * needless.len() as f64 / refused.len().max(1) as f64,
    );
    println!("refused by code, and how often without need:");
    for (codes, (count, needless)) in by_codes(&refused) {
        println!("  {codes}: {count}, {needless}");
    }
    if std::env::var_os("SAGA_FLOWS_SHOW").is_some() {
        let mut shown: Vec<_> = needless.iter().map(|(case, said)| told(case, said)).collect();
        shown.sort_by_key(String::len);
        println!("\nrefused without need:\n\n{}", shown.join("\n"));
    }

    let mut unsound: Vec<String> = unsound.into_iter().map(|(case, said)| told(case, said)).collect();
    unsound.sort_by_key(String::len);
    assert!(
        unsound.is_empty(),
        "{} flows compile although they can end half undone; the shortest ones ({SEED}={seed} repeats this):\n\n{}",
        unsound.len(),
        unsound[..unsound.len().min(5)].join("\n")
    );
    for part in [refused.len(), accepted.len()] {
        assert!(
            part * 4 >= count,
            "the flows are too much alike: a quarter is refused, and a quarter accepted"
        );
    }
    every_construct_occurs("refused", &refused);
    every_construct_occurs("accepted", &accepted);
}

/// The flow, what the judge found and what the compiler said.
fn told(case: &Case, said: &Said) -> String {
    let mut text = format!("// seed {}\n{}", case.seed, case.text);
    for (wrong, trace) in &case.verdict {
        text.push_str(&format!("// judge: {wrong:?} ({trace})\n"));
    }
    for (line, error) in &said.errors {
        text.push_str(&format!("// compiler, line {line}: {error}\n"));
    }
    text
}

/// Flows are right Rust, and right workflows but for the order of their steps.
fn no_other_errors(judged: &[(&Case, &Said)]) {
    let mut others: Vec<String> = Vec::new();
    for (case, said) in judged {
        let has_other_code = said.codes.iter().any(|code| !SAGA_CODES.contains(&code.as_str()));
        if has_other_code || !said.foreign.is_empty() {
            others.push(format!("{}{}", told(case, said), said.foreign.join("\n")));
        }
    }
    others.sort_by_key(String::len);
    assert!(others.is_empty(), "{} flows have other errors; the shortest:\n\n{}", others.len(), others[0]);
}

fn by_codes(refused: &[(&Case, &Said)]) -> BTreeMap<String, (usize, usize)> {
    let mut table = BTreeMap::new();
    for (case, said) in refused {
        let codes: Vec<&str> = said.codes.iter().map(String::as_str).collect();
        let (count, needless): &mut (usize, usize) = table.entry(codes.join(" ")).or_default();
        *count += 1;
        *needless += usize::from(case.verdict.is_empty());
    }
    table
}

fn every_construct_occurs(class: &str, flows: &[(&Case, &Said)]) {
    let found: BTreeSet<&str> =
        flows.iter().flat_map(|(case, _)| constructs::constructs(&case.flow)).collect();
    let missing: Vec<_> = constructs::ALL.iter().filter(|name| !found.contains(*name)).collect();
    assert!(missing.is_empty(), "no flow that was {class} has {missing:?}");
}
