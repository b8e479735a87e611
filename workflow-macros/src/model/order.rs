//! What a drawing says about the order of its elements: which can follow which, and which run side by side.
//! Where a drawing leaves it open (inclusive gateways, events that interrupt nothing), both answers are kept.

use workflow_graph::conform::{ElementKind, Repeats};

use super::elements::Drawing;

/// The four tables of [`Model::order`](workflow_graph::conform::Model), one behind the other.
pub(super) fn table(drawing: &Drawing) -> Vec<u8> {
    let count = drawing.elements.len();
    let ways = Ways::of(drawing);
    let (after, mut maybe_after) = (ways.closed(true), ways.closed(false));
    let mut beside = vec![Set::new(ways.count); ways.count];
    let mut maybe_beside = beside.clone();
    for (split, is_certain) in ways.splits(drawing) {
        let branches: Vec<Set> = ways.from(split).map(|to| ways.reached(to, split)).collect();
        for (number, one) in branches.iter().enumerate() {
            for other in branches.iter().skip(number + 1) {
                let table = if is_certain { &mut beside } else { &mut maybe_beside };
                pair(table, &one.without(other), &other.without(one));
            }
        }
    }
    for (index, drawn) in drawing.elements.iter().enumerate() {
        let mut inside = contents(drawing, Some(index));
        if drawn.is_ad_hoc {
            pair(&mut maybe_after, &inside, &inside);
            pair(&mut maybe_beside, &inside, &inside);
        }
        if drawn.element.repeats == Repeats::InParallel {
            pair(&mut beside, &inside, &inside);
            beside[index].add(index);
        }
        if drawn.element.kind == ElementKind::EventSubProcess {
            inside.add(index);
            let around = contents(drawing, drawn.element.parent);
            pair(&mut maybe_after, &inside, &around);
            pair(&mut maybe_beside, &inside, &around);
        }
        if let Some(host) = drawn.element.host.filter(|_| drawn.goes_on) {
            let (mut here, mut there) = (after[index].clone(), after[host].clone());
            here.add(index);
            there.add(host);
            pair(&mut maybe_after, &here, &there);
            pair(&mut maybe_beside, &here, &there);
        }
    }
    let row = count.div_ceil(8);
    let mut bytes = vec![0; 4 * count * row];
    for (number, table) in [after, maybe_after, beside, maybe_beside].iter().enumerate() {
        for from in 0..count {
            for to in (0..count).filter(|&to| table[from].has(to)) {
                bytes[(number * count + from) * row + to / 8] |= 1 << (to % 8);
            }
        }
    }
    bytes
}

/// What stands in a scope, at any depth.
fn contents(drawing: &Drawing, scope: Option<usize>) -> Set {
    let mut inside = Set::new(2 * drawing.elements.len() + drawing.elements.len() + 1);
    for (index, drawn) in drawing.elements.iter().enumerate() {
        let parent = drawn.element.parent;
        if parent == scope || parent.is_some_and(|parent| inside.has(parent)) {
            inside.add(index);
        }
    }
    inside
}

/// Every one of these with every one of those, both ways.
fn pair(table: &mut [Set], one: &Set, other: &Set) {
    for (from, to) in [(one, other), (other, one)] {
        for index in from.each() {
            table[index].join(to);
        }
    }
}

/// What leads to what, with a place for each way out of a sub-process.
struct Ways {
    count: usize,
    /// From, to, and whether it is certain.
    ways: Vec<(usize, usize, bool)>,
}

impl Ways {
    fn of(drawing: &Drawing) -> Ways {
        let elements = &drawing.elements;
        let count = elements.len();
        let (done, failed) = (|index: usize| count + 2 * index, |index: usize| count + 2 * index + 1);
        let mut ways = Ways { count: 3 * count + 1, ways: Vec::new() };
        let is_frame = |index: usize| elements[index].element.kind == ElementKind::SubProcess;
        for &(from, to) in &drawing.flows {
            if is_frame(from) {
                let catches_all = elements.iter().any(|other| {
                    other.element.host == Some(from)
                        && other.element.kind == ElementKind::ErrorBoundary
                        && other.element.detail.is_empty()
                });
                ways.lead(done(from), to, true);
                ways.lead(failed(from), to, !catches_all);
            } else {
                ways.lead(from, to, true);
            }
        }
        for (index, drawn) in elements.iter().enumerate() {
            let element = &drawn.element;
            let is_boundary = matches!(
                element.kind,
                ElementKind::ErrorBoundary
                    | ElementKind::TimerBoundary
                    | ElementKind::MessageBoundary
                    | ElementKind::OtherBoundary
            );
            if let Some(host) = element.host.filter(|_| is_boundary) {
                let fails = element.kind == ElementKind::ErrorBoundary && is_frame(host);
                ways.lead(host, index, !fails);
                if is_frame(host) {
                    ways.lead(failed(host), index, fails);
                    ways.lead(done(host), index, false);
                    contents(drawing, Some(host)).each().for_each(|inner| ways.lead(inner, index, false));
                }
            }
            let stands_in_frame = element.parent.filter(|&frame| is_frame(frame));
            let is_passed =
                !is_boundary && !matches!(element.kind, ElementKind::Handler | ElementKind::EventSubProcess);
            let Some(frame) = stands_in_frame.filter(|_| is_passed) else { continue };
            if element.kind == ElementKind::Start || !drawing.flows.iter().any(|(_, to)| *to == index) {
                ways.lead(frame, index, !elements[frame].is_ad_hoc);
            }
            if !drawing.flows.iter().any(|(from, _)| *from == index) && !is_frame(index) {
                ways.lead(index, if drawn.fails { failed(frame) } else { done(frame) }, true);
                ways.lead(index, if drawn.fails { done(frame) } else { failed(frame) }, false);
            } else if is_frame(index) && !drawing.flows.iter().any(|(from, _)| *from == index) {
                ways.lead(done(index), done(frame), true);
                ways.lead(failed(index), failed(frame), true);
            }
        }
        for (index, drawn) in elements.iter().enumerate() {
            if is_frame(index) && drawn.element.repeats == Repeats::InTurn {
                ways.lead(done(index), index, true);
            }
            // Nothing is drawn inside: it leads through.
            if is_frame(index) && !elements.iter().any(|inner| inner.element.parent == Some(index)) {
                ways.lead(index, done(index), true);
                ways.lead(index, failed(index), false);
            }
        }
        ways
    }

    fn lead(&mut self, from: usize, to: usize, is_certain: bool) {
        self.ways.push((from, to, is_certain));
    }

    fn from(&self, place: usize) -> impl Iterator<Item = usize> {
        self.ways
            .iter()
            .filter(move |(from, _, is_certain)| *from == place && *is_certain)
            .map(|(_, to, _)| *to)
    }

    /// All that can come after each place.
    fn closed(&self, certain_only: bool) -> Vec<Set> {
        let mut after = vec![Set::new(self.count); self.count];
        let mut has_changed = true;
        while has_changed {
            has_changed = false;
            for &(from, to, _) in self.ways.iter().rev().filter(|way| way.2 || !certain_only) {
                let mut row = std::mem::take(&mut after[from]);
                has_changed |= row.add(to);
                has_changed |= if from == to { false } else { row.join(&after[to]) };
                after[from] = row;
            }
        }
        after
    }

    /// What is reached from here without passing this place.
    fn reached(&self, from: usize, without: usize) -> Set {
        let mut reached = Set::new(self.count);
        let mut open = vec![from];
        while let Some(place) = open.pop() {
            if place != without && reached.add(place) {
                open.extend(self.from(place));
            }
        }
        reached
    }

    /// Where several ways are taken, and whether all of them always are.
    fn splits(&self, drawing: &Drawing) -> Vec<(usize, bool)> {
        let count = drawing.elements.len();
        let mut splits = Vec::new();
        for (index, drawn) in drawing.elements.iter().enumerate() {
            let leaving =
                drawing.flows.iter().zip(&drawing.conditional).filter(|((from, _), _)| *from == index);
            let conditions: Vec<bool> = leaving.map(|(_, is_conditional)| *is_conditional).collect();
            let is_certain = match drawn.element.kind {
                ElementKind::ExclusiveGateway | ElementKind::EventGateway => continue,
                ElementKind::InclusiveGateway => false,
                ElementKind::ParallelGateway => true,
                // Several flows out of an activity are all taken, unless a condition says otherwise.
                _ => !conditions.contains(&true),
            };
            let place = if drawn.element.kind == ElementKind::SubProcess { count + 2 * index } else { index };
            if conditions.len() > 1 {
                splits.push((place, is_certain));
            }
            // A sub-process without a start begins with all that nothing leads to.
            if drawn.element.kind == ElementKind::SubProcess && self.from(index).count() > 1 {
                let has_start = drawing.elements.iter().any(|inner| {
                    inner.element.parent == Some(index) && inner.element.kind == ElementKind::Start
                });
                if !has_start {
                    splits.push((index, true));
                }
            }
        }
        splits
    }
}

/// A set of places.
#[derive(Clone, Default)]
struct Set(Vec<u64>);

impl Set {
    fn new(count: usize) -> Set {
        Set(vec![0; count.div_ceil(64)])
    }

    /// Whether it was not there before.
    fn add(&mut self, index: usize) -> bool {
        let word = &mut self.0[index / 64];
        let before = *word;
        *word |= 1 << (index % 64);
        *word != before
    }

    fn has(&self, index: usize) -> bool {
        self.0[index / 64] >> (index % 64) & 1 == 1
    }

    /// Whether something came in.
    fn join(&mut self, other: &Set) -> bool {
        let mut has_changed = false;
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            has_changed |= *word | other != *word;
            *word |= other;
        }
        has_changed
    }

    fn without(&self, other: &Set) -> Set {
        Set(self.0.iter().zip(&other.0).map(|(word, other)| word & !other).collect())
    }

    fn each(&self) -> impl Iterator<Item = usize> {
        (0..self.0.len() * 64).filter(|&index| self.has(index))
    }
}
