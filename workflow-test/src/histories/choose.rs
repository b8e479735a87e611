//! Which journals of an exploration become golden histories: as few as possible that take every way between them.
//! It counts flows and compensations; files are the folder's affair.

use std::collections::BTreeMap;

use workflow_core::{Event, Record};

use super::History;
use crate::annals::Annals;
use crate::coverage::{Coverage, Kind};
use crate::oracle::walk::{Path, Walker};

/// Which ways a journal takes, one bit each.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ways(Vec<u64>);

impl Ways {
    fn insert(&mut self, way: usize) {
        let word = way / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (way % 64);
    }

    fn contains(&self, way: usize) -> bool {
        self.0.get(way / 64).is_some_and(|word| word & (1 << (way % 64)) != 0)
    }

    fn add(&mut self, other: &Ways) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        self.0.iter_mut().zip(&other.0).for_each(|(own, other)| *own |= other);
    }

    /// How many of them the other one lacks.
    fn beyond(&self, other: &Ways) -> u32 {
        let lacks =
            |(index, word): (usize, &u64)| (word & !other.0.get(index).copied().unwrap_or(0)).count_ones();
        self.0.iter().enumerate().map(lacks).sum()
    }
}

/// The ways of a workflow, numbered: first the flows of each graph, then what can be undone at each node.
struct Numbers {
    flows: Vec<usize>,
    undone: Vec<usize>,
}

impl Numbers {
    fn of(coverage: &Coverage) -> Numbers {
        let mut next = 0;
        let mut begin = |count: usize| {
            next += count;
            next - count
        };
        Numbers {
            flows: coverage.graphs.iter().map(|graph| begin(graph.flows.len())).collect(),
            undone: coverage.graphs.iter().map(|graph| begin(graph.nodes.len())).collect(),
        }
    }

    fn ways<'a>(&self, path: &Path, journal: impl IntoIterator<Item = &'a Record>, walker: &Walker) -> Ways {
        let mut ways = Ways::default();
        path.flows.iter().for_each(|&(graph, flow)| ways.insert(self.flows[graph] + flow));
        for record in journal {
            if let Event::StepCompleted { op, .. } | Event::Skipped { op, .. } = &record.event
                && let Some((graph, node)) = op.undoes().and_then(|op| walker.place_of(&op))
            {
                ways.insert(self.undone[graph] + node);
            }
        }
        ways
    }
}

/// The journals of an exploration: for all that take the same ways, the shortest.
pub(crate) struct Gallery {
    numbers: Numbers,
    found: BTreeMap<Ways, History>,
}

impl Gallery {
    pub(crate) fn of(coverage: &Coverage) -> Gallery {
        Gallery { numbers: Numbers::of(coverage), found: BTreeMap::new() }
    }

    /// Looks at an execution that is over; one path per generation.
    pub(crate) fn look_at(&mut self, annals: &Annals, paths: &[Path], walker: &Walker) {
        for (journal, path) in annals.of_root().zip(paths) {
            let records: Vec<&Record> = annals.records(journal).collect();
            let ways = self.numbers.ways(path, records.iter().copied(), walker);
            let is_shorter = |known: &History| records.len() < known.journal.len();
            if self.found.get(&ways).is_none_or(is_shorter) {
                self.found.insert(ways, History::of(&annals.journals[journal], &records));
            }
        }
    }

    /// Journals that take the ways which those that are kept do not take: always the one with the most of them, then
    /// without those that the others make superfluous.
    pub(crate) fn choose(&self, kept: &[History], walker: &Walker) -> Vec<&History> {
        let mut taken = self.taken(kept, walker);
        let already = taken.clone();
        let mut chosen: Vec<(&Ways, &History)> = Vec::new();
        loop {
            let worth = |(ways, history): &(&Ways, &History)| {
                (ways.beyond(&taken), std::cmp::Reverse(history.journal.len()))
            };
            let best = self.found.iter().max_by_key(worth).filter(|(ways, _)| ways.beyond(&taken) > 0);
            let Some((ways, history)) = best else { break };
            taken.add(ways);
            chosen.push((ways, history));
        }
        for index in (0..chosen.len()).rev() {
            let mut others = already.clone();
            let rest = chosen.iter().enumerate().filter(|(other, _)| *other != index);
            rest.for_each(|(_, (ways, _))| others.add(ways));
            if chosen[index].0.beyond(&others) == 0 {
                chosen.remove(index);
            }
        }
        chosen.into_iter().map(|(_, history)| history).collect()
    }

    fn taken(&self, kept: &[History], walker: &Walker) -> Ways {
        let mut taken = Ways::default();
        for history in kept {
            let records: Vec<&Record> = history.journal.iter().collect();
            // Old code may have gone ways that the graph does not show any more; those count for nothing.
            if let Some(path) = walker.walk(&records).ok().and_then(|paths| paths.into_iter().next()) {
                taken.add(&self.numbers.ways(&path, records, walker));
            }
        }
        taken
    }

    /// The ways that these take and the kept ones do not, in words.
    pub(crate) fn missing(&self, kept: &[History], coverage: &Coverage, walker: &Walker) -> Vec<String> {
        let taken = self.taken(kept, walker);
        let mut all = Ways::default();
        self.found.keys().for_each(|ways| all.add(ways));
        let is_missing = |way: usize| all.contains(way) && !taken.contains(way);
        let flow = |graph: usize, id: &str| {
            let of = coverage.graphs[graph];
            (0..of.flows.len())
                .find(|&flow| of.flow_id(flow) == id)
                .map(|flow| self.numbers.flows[graph] + flow)
        };
        let node = |graph: usize, id: &str| {
            coverage.graphs[graph].index_of(id).map(|node| self.numbers.undone[graph] + node)
        };
        let flows = coverage
            .items(Kind::Flows)
            .into_iter()
            .filter_map(|item| Some((flow(item.graph, &item.id)?, item)));
        let undone = coverage
            .items(Kind::Compensations)
            .into_iter()
            .filter_map(|item| Some((node(item.graph, &item.id)?, item)));
        let missing = flows.chain(undone).filter(|(way, _)| is_missing(*way));
        missing.map(|(_, item)| coverage.gap(&item)).collect()
    }
}
