//! Programs and changes made by chance: the lock's simulation of one graph by another, held against what becomes of
//! runs. Only that: what the macro takes down of conditions is for the pairs that people wrote.

use std::collections::BTreeMap;

use workflow_core::Payload;
use workflow_graph::lock;

use super::coded::definition;
use super::life::Life;
use super::programs::{Chance, changed, program, unpatched};
use super::resumed::Judge;
use super::walks::Walks;

/// How many changes are made; `WORKFLOW_CHANGES` says otherwise.
const CHANGES: u64 = 240;

/// How many places of the runs of one program are looked for, and from how many of them they are resumed.
const MOST_STOPS: usize = 10;

/// What was found out about one kind of change.
#[derive(Default)]
struct Tally {
    accepted: usize,
    refused: usize,
    /// Refused, though no run broke.
    strict: usize,
}

#[test]
fn no_change_made_by_chance_is_accepted_and_breaks() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let only = number("WORKFLOW_SEED");
    let seeds = only.map_or(0..number("WORKFLOW_CHANGES").unwrap_or(CHANGES), |seed| seed..seed + 1);
    let (mut tallies, mut stops, mut unsound) = (BTreeMap::<&str, Tally>::new(), 0, Vec::new());
    for seed in seeds {
        let mut chance = Chance::of(seed);
        let old_program = program(&mut chance);
        let (mut new_program, mut what) = changed(&mut chance, &old_program);
        if chance.below(4) == 0 {
            (new_program, what) = (changed(&mut chance, &new_program).0, "two changes");
        }
        if new_program == old_program {
            continue;
        }
        let before = vec![definition::<2>(&unpatched(&old_program))];
        let (old, new) = (vec![definition::<0>(&old_program)], vec![definition::<1>(&new_program)]);
        let refusal = lock::incompatibility(old[0].graph(), new[0].graph());
        let mut broken = None;
        for input in [50_u32, 150] {
            let input = Payload::of(&(input,)).unwrap();
            let walks = Walks::from(&old, vec![Life::begun(&old, &input)], MOST_STOPS);
            assert_eq!(walks.broken, None, "seed {seed}: {old_program:#?}");
            // Runs from before the patches as well, where the old program can go on with them.
            let earlier = Walks::from(&before, vec![Life::begun(&before, &input)], MOST_STOPS / 2);
            let later = Walks::from(&old, earlier.stops, MOST_STOPS);
            let later = if later.broken.is_none() { later.stops } else { Vec::new() };
            for stop in walks.stops.iter().chain(&later) {
                stops += 1;
                broken =
                    broken.or(Judge::UNKNOWN.resume(stop, &new).err().map(|broken| (input.clone(), broken)));
                if broken.is_some() {
                    break;
                }
            }
        }
        let tally = tallies.entry(what).or_default();
        match (refusal, broken) {
            (None, None) => tally.accepted += 1,
            (Some(_), Some(_)) => tally.refused += 1,
            (Some(_), None) => (tally.refused, tally.strict) = (tally.refused + 1, tally.strict + 1),
            (None, Some((input, broken))) => unsound.push(format!(
                "WORKFLOW_SEED={seed} {what}, from {input}: {}\n{old_program:?}\n{new_program:?}",
                broken.0
            )),
        }
    }
    for (what, Tally { accepted, refused, strict }) in &tallies {
        println!("{what:52} {accepted:4} accepted {refused:4} refused, {strict:4} of them needlessly");
    }
    let sum = |count: fn(&Tally) -> usize| tallies.values().map(count).sum::<usize>();
    let (accepted, refused, strict) = (sum(|t| t.accepted), sum(|t| t.refused), sum(|t| t.strict));
    println!("{accepted} accepted, {refused} refused, {strict} of them needlessly; {stops} stops");
    assert!(unsound.is_empty(), "{} accepted, but runs break\n{}", unsound.len(), unsound.join("\n"));
    assert!(only.is_some() || (accepted > 40 && refused > 80), "both kinds are there");
}
