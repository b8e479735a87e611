//! All that can become of runs: where they can stand when the old code is taken away, and how they end.
//! Ways are tried in the order of how much goes wrong on them, so that what is cut off is the least usual.

use std::collections::{BTreeMap, BTreeSet};

use workflow_core::Payload;

use super::life::{Broken, Ending, Life, done_of};
use super::pair::Code;

/// How many places of one run are looked at when its endings are gathered.
pub(crate) const MOST_PLACES: usize = 1_500;

/// What becomes of the runs of one code, from one input on.
#[derive(Default)]
pub(crate) struct Walks {
    /// Every place where a run can stand, but for those where it has ended. None comes twice.
    pub(crate) stops: Vec<Life>,
    pub(crate) endings: BTreeSet<Ending>,
    /// How often each thing is done at most.
    pub(crate) most: BTreeMap<String, usize>,
    /// What does not work with this code alone.
    pub(crate) broken: Option<String>,
}

impl Walks {
    /// Tries everything that can happen to a run that begins with this input.
    pub(crate) fn of(code: &Code, input: &Payload) -> Walks {
        Walks::from(code, vec![Life::begun(code, input)], MOST_PLACES)
    }

    /// Tries everything that can happen to runs that stand here, up to so many places.
    pub(crate) fn from(code: &Code, lives: Vec<Life>, most: usize) -> Walks {
        let mut walks = Walks::default();
        // By how much went wrong, then by length, then by the order in which they were found.
        let mut found = lives.len();
        let open = lives.into_iter().enumerate().map(|(number, life)| ((0, 0, number), life));
        let mut open: BTreeMap<(u32, usize, usize), Life> = open.collect();
        while let Some((_, life)) = open.pop_first() {
            if let Err(Broken(text)) = walks.look(code, life, &mut open, &mut found) {
                walks.broken = Some(text);
                break;
            }
            if walks.stops.len() >= most {
                break;
            }
        }
        walks
    }

    fn look(
        &mut self,
        code: &Code,
        life: Life,
        open: &mut BTreeMap<(u32, usize, usize), Life>,
        found: &mut usize,
    ) -> Result<(), Broken> {
        for (what, count) in done_of(&life.deeds) {
            let most = self.most.entry(what).or_default();
            *most = count.max(*most);
        }
        let run = life.replayed(code)?;
        if let Some(ending) = life.ending(&run) {
            self.endings.insert(ending);
            return Ok(());
        }
        let chances = life.chances(&run);
        if chances.is_empty() {
            return Err(Broken("it waits for nothing".to_owned()));
        }
        for chance in &chances {
            let mut next = life.clone();
            let mut run = life.replayed(code)?;
            next.take(code, &mut run, chance)?;
            let length = next.journal.len() + 100 * next.generation as usize;
            if next.generation < 4 {
                open.insert((next.trouble(), length, *found), next);
                *found += 1;
            }
        }
        self.stops.push(life);
        Ok(())
    }

    /// Takes over what else may become of a run.
    pub(crate) fn add(&mut self, other: &Walks) {
        self.endings.extend(other.endings.iter().cloned());
        for (what, count) in &other.most {
            let most = self.most.entry(what.clone()).or_default();
            *most = (*count).max(*most);
        }
    }
}
