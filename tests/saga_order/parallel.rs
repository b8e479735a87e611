//! Invents what happens side by side: branches, races, and calls for each of many values.
//! What is in a branch is invented like everything else, in `make`.

use super::flow::{Arm, Block, Branch, Call, Callee, Handling, Statement, falls_through, goes_on};
use super::make::{Maker, Nature, Phase, Place};

impl Maker {
    /// Two or three branches; a careful author has a pivot in at most one of them, and then nothing to undo beside it.
    fn branches(&mut self, place: &Place, all_fallible: bool) -> (Vec<Branch>, bool) {
        let count = if self.is_likely(80) { 2 } else { 3 };
        let open = self.phase;
        let pivot_in = (open == Phase::Open && self.is_likely(30)).then(|| self.chance.usize(..count));
        let mut branches = Vec::new();
        for index in 0..count {
            self.phase = if pivot_in.is_some() { Phase::Aside } else { open };
            branches.push(if pivot_in == Some(index) {
                let ship = vec![Statement::Call(Call::of(Callee::Ship), Handling::Plain)];
                Branch::Block { is_fallible: all_fallible, body: ship }
            } else {
                self.branch_of(place, all_fallible)
            });
        }
        self.phase = if pivot_in.is_some() { Phase::Decided } else { open };
        (branches, pivot_in.is_some())
    }

    fn branch_of(&mut self, place: &Place, all_fallible: bool) -> Branch {
        if self.is_likely(20) {
            // The author has forgotten what goes on beside it.
            self.phase = if self.chance.bool() { Phase::Open } else { Phase::Decided };
        }
        let is_fallible = all_fallible || self.chance.bool();
        let inside = Place { is_fallible, is_branch: true, labels: Vec::new(), depth: 2, ..place.clone() };
        if self.chance.bool() {
            let call = self.some_call(&inside);
            let fits = !all_fallible || self.flow.is_fallible(call.callee);
            if fits && call.callee != Callee::Receive {
                return Branch::Call(call);
            }
        }
        let phase = self.phase;
        let budget = self.budget;
        loop {
            self.phase = phase;
            self.budget = 3;
            let body = self.block(&inside, 3);
            if falls_through(&body) {
                self.budget = budget.saturating_sub(1);
                return Branch::Block { is_fallible, body };
            }
        }
    }

    fn is_fallible(&self, branch: &Branch) -> bool {
        match branch {
            Branch::Call(call) => self.flow.is_fallible(call.callee),
            Branch::Block { is_fallible, .. } => *is_fallible,
        }
    }

    pub(super) fn join(&mut self, place: &Place, block: &mut Block) {
        let (branches, _) = self.branches(place, false);
        let mut handlings = Vec::new();
        for branch in &branches {
            let handling = if !self.is_fallible(branch) {
                Handling::Plain
            } else {
                self.handling_of(place, false, true)
            };
            // What follows must be reached.
            handlings.push(if goes_on(&handling) { handling } else { Handling::Ignore });
        }
        block.push(Statement::Join(branches, handlings));
    }

    pub(super) fn try_join(&mut self, place: &Place, block: &mut Block) {
        let (branches, passes) = self.branches(place, true);
        let handling = self.handling_of(place, passes, true);
        let handling = if matches!(handling, Handling::Return) { Handling::Ignore } else { handling };
        block.push(Statement::TryJoin(branches, handling));
    }

    pub(super) fn select(&mut self, place: &Place, block: &mut Block) {
        let count = self.chance.usize(2..=3);
        let phase = self.phase;
        let mut furthest = phase;
        let mut arms = Vec::new();
        for _ in 0..count {
            self.phase = phase;
            let callee = match self.chance.u32(..20) {
                0..4 => Callee::Look,
                4..7 => Callee::Check,
                7..11 => Callee::Reserve,
                11..14 => Callee::Hold,
                14..17 => Callee::Receive,
                17..19 => Callee::Inquire,
                _ => [Callee::Deliver, Callee::Order][self.chance.usize(..2)],
            };
            let fits = match self.nature(callee) {
                Nature::Looks => true,
                // What nothing undoes must not lose.
                Nature::Stays => self.slips(),
                _ => phase == Phase::Open || self.slips(),
            };
            let call = (fits && self.is_likely(75)).then_some(Call::of(callee));
            let handling = call.map_or(Handling::Plain, |call| self.handling(place, call.callee));
            let body = if goes_on(&handling) { self.block(place, 1) } else { Block::new() };
            if self.phase == Phase::Decided {
                furthest = Phase::Decided;
            }
            arms.push(Arm { call, handling, body });
        }
        self.phase = furthest;
        block.push(Statement::Select(arms));
    }

    pub(super) fn many(&mut self, place: &Place, block: &mut Block) {
        let inside = Place { is_branch: true, ..place.clone() };
        let call = self.some_call(&inside);
        if call.callee == Callee::Receive {
            return self.call(place, block);
        }
        let is_fallible = self.flow.is_fallible(call.callee);
        let handling = self.handling(place, call.callee);
        let handling = if matches!(handling, Handling::Return) { Handling::Ignore } else { handling };
        let fails_fast = is_fallible && self.is_likely(60);
        block.push(Statement::Many { call, fails_fast, handling });
    }
}
