//! Runs of the old code that go on with the new one: from every place where they can stand, in several ways.
//! The judge: they end, nothing is done twice, and what is left of them is what one of the two codes leaves.

use std::collections::{BTreeMap, BTreeSet};

use workflow_core::Payload;

use super::life::{Broken, Chance, Ending, Life, done_of};
use super::pair::{Code, Pair};
use super::shop::Deed;
use super::walks::{MOST_PLACES, Walks};

/// From how many places of one run it is resumed.
const MOST_STOPS: usize = 250;

/// What was found out about a pair.
#[derive(Default)]
pub(crate) struct Findings {
    /// From how many places runs were resumed.
    pub(crate) stops: usize,
    /// At how many of them a run broke.
    pub(crate) broken_at: usize,
    /// The first place, and what went wrong there.
    pub(crate) first: Option<String>,
}

/// How a resumed run goes on.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// All goes well, and in the order in which things were asked for.
    Well,
    /// All goes well, but the other way round, and nobody sends a message in time.
    Late,
    /// The next thing that can fail fails.
    Failing,
    /// It is cancelled at once.
    Cancelled,
}

/// What may become of the runs of a pair that begin with one input.
pub(crate) struct Fates {
    /// Where they can stand.
    stops: Vec<Life>,
    /// What becomes of them with one code alone, or with one after the other as they are meant to be.
    legal: Walks,
}

impl Fates {
    pub(crate) fn of(pair: &Pair, input: &Payload) -> Fates {
        let old = pair.old_code();
        let mut walks = Walks::of(&old, input);
        let mut legal = Walks::default();
        if let Some(before) = pair.before {
            let earlier = Walks::of(&vec![before], input);
            legal.add(&earlier);
            let later = Walks::from(&old, earlier.stops, MOST_PLACES);
            walks.stops.extend(later.stops);
            walks.broken = walks.broken.or(later.broken);
        }
        assert_eq!(walks.broken, None, "{}: the old code alone, from {input}", pair.name);
        legal.add(&walks);
        // What the new code takes as input may be something else.
        if pair.new.accepts(input) {
            let walks = Walks::of(&vec![pair.new], input);
            assert_eq!(walks.broken, None, "{}: the new code alone, from {input}", pair.name);
            legal.add(&walks);
        }
        Fates { stops: walks.stops, legal }
    }

    pub(crate) fn judge(&self, pair: &Pair) -> Judge<'_> {
        let endings = self.legal.endings.iter().map(|ending| comparable(ending, pair.mixes)).collect();
        Judge { legal: Some(&self.legal), endings, mixes: pair.mixes }
    }

    /// Resumes the runs of the old code with the new one, from everywhere.
    pub(crate) fn resume(&self, pair: &Pair, input: &Payload, findings: &mut Findings) {
        let (judge, new) = (self.judge(pair), pair.new_code());
        for stop in self.stops.iter().take(MOST_STOPS) {
            findings.stops += 1;
            if let Err(Broken(text)) = judge.resume(stop, &new) {
                findings.broken_at += 1;
                findings.first.get_or_insert_with(|| {
                    format!("from {input}, after {} rows, {text}", stop.journal.len())
                });
            }
        }
    }
}

/// Tells whether what became of a run is right.
pub(crate) struct Judge<'a> {
    /// What is right; when it is not known, a run that does not end well has to leave nothing.
    legal: Option<&'a Walks>,
    endings: BTreeSet<Ending>,
    mixes: bool,
}

impl Judge<'_> {
    pub(crate) const UNKNOWN: Judge<'static> = Judge { legal: None, endings: BTreeSet::new(), mixes: false };

    /// Resumes one run, in several ways.
    pub(crate) fn resume(&self, stop: &Life, code: &Code) -> Result<(), Broken> {
        [Way::Well, Way::Late, Way::Failing, Way::Cancelled].into_iter().try_for_each(|way| {
            let broken = |Broken(text)| Broken(format!("{way:?}: {text}"));
            self.resume_in(way, stop, code).map_err(broken)
        })
    }

    fn resume_in(&self, way: Way, stop: &Life, code: &Code) -> Result<(), Broken> {
        let mut life = stop.clone();
        let mut run = life.replayed(code)?;
        let mut way = way;
        loop {
            if let Some(ending) = life.ending(&run) {
                // Who comes next reads a journal that both codes have written.
                life.replayed(code)?;
                return self.judge(&life.deeds, &ending);
            }
            let chances = life.chances(&run);
            let Some(chance) = way.choose(&chances) else {
                return Err(Broken("it waits for nothing, and has not ended".to_owned()));
            };
            life.take(code, &mut run, chance)?;
        }
    }

    /// Whether one of the two codes ends like this, and nothing was done more often than by either of them.
    pub(crate) fn judge(&self, deeds: &[Deed], ending: &Ending) -> Result<(), Broken> {
        let Some(legal) = self.legal else {
            let is_done = ending.conclusion.starts_with("completed");
            let is_kept = |what: &str| what.starts_with("reserve") || what.starts_with("charge");
            // What was taken back though it was never done was in doubt.
            let kept = ending.left.iter().find(|(what, count)| *count > 0 && !is_done && is_kept(what));
            let text = |(what, count): &(String, i64)| format!("{}, left {what} {count}", ending.conclusion);
            return kept.map_or(Ok(()), |kept| Err(Broken(text(kept))));
        };
        if !self.endings.contains(&comparable(ending, self.mixes)) {
            let Ending { conclusion, left } = ending;
            return Err(Broken(format!("neither code ends like this: {conclusion}, left {left:?}")));
        }
        for (what, count) in done_of(deeds) {
            let most = legal.most.get(&what).copied().unwrap_or(0);
            if count > most && !self.mixes {
                return Err(Broken(format!(
                    "`{what}` is done {count} times, by either code at most {most} times"
                )));
            }
        }
        Ok(())
    }
}

/// An ending; where the values are of both codes, without them.
fn comparable(ending: &Ending, mixes: bool) -> Ending {
    if !mixes {
        return ending.clone();
    }
    let bare = |text: &str| text.split(' ').next().unwrap_or_default().to_owned();
    let mut left = BTreeMap::<String, i64>::new();
    for (what, count) in &ending.left {
        *left.entry(bare(what)).or_default() += count;
    }
    Ending { conclusion: bare(&ending.conclusion), left: left.into_iter().collect() }
}

impl Way {
    fn choose<'a>(&mut self, chances: &'a [Chance]) -> Option<&'a Chance> {
        let goes_well = |chance: &&Chance| {
            use Chance::{Again, Answer, ChildEnded, ChildStarted, Fires, Message};
            matches!(chance, Answer(_) | Fires(..) | Message(..) | ChildStarted(_) | ChildEnded(_) | Again)
        };
        let fires = |chance: &&Chance| matches!(chance, Chance::Fires(..));
        let trouble = match self {
            Way::Well | Way::Late => None,
            Way::Failing => chances.iter().find(|chance| !goes_well(chance) && **chance != Chance::Cancel),
            Way::Cancelled => chances.iter().find(|chance| **chance == Chance::Cancel),
        };
        if trouble.is_some() {
            *self = Way::Well;
            return trouble;
        }
        match self {
            Way::Late => chances.iter().rfind(fires).or_else(|| chances.iter().rfind(goes_well)),
            _ => chances.iter().find(|c| goes_well(c) && !fires(c)).or_else(|| chances.iter().find(fires)),
        }
    }
}
