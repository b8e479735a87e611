//! Invents flows: any construct anywhere, or in an order that a careful author would keep, with a slip now and then.
//! Half of all flows would be wrong at once without that care; whether one is right is not decided here.

use super::flow::{
    Block, Call, Callee, FailForm, Flow, Function, Handling, Label, LoopKind, Statement, falls_through,
    leaves,
};

/// How far a careful author has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// What happens can be undone, and anything may fail.
    Open,
    /// The end is decided: nothing fails any more, and what happens stays.
    Decided,
    /// Beside a pivot: only what leaves no trace.
    Aside,
}

/// Where statements are put.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) function: usize,
    pub(super) is_fallible: bool,
    pub(super) is_branch: bool,
    pub(super) depth: usize,
    /// What `break` may name, and whether `continue` may name it, too.
    pub(super) labels: Vec<(Label, bool)>,
}

/// The same flow for the same seed.
pub(crate) fn make(seed: u64) -> Flow {
    let mut chance = fastrand::Rng::with_seed(seed);
    loop {
        let flow = attempt(chance.fork());
        if calls_all_parts(&flow) {
            return flow;
        }
    }
}

fn attempt(mut chance: fastrand::Rng) -> Flow {
    let care = if chance.u32(..100) < 55 { Some(chance.u32(0..8)) } else { None };
    let parts = [0, 0, 0, 1, 1, 2][chance.usize(..6)];
    let functions = (0..=parts).map(|_| Function { is_fallible: chance.u32(..5) > 0, body: Block::new() });
    let functions = functions.collect();
    let mut maker =
        Maker { chance, flow: Flow { functions }, care, labels: 0, budget: 0, phase: Phase::Open };
    // From the last to the first, so that a function knows what it calls.
    for function in (0..=parts).rev() {
        maker.function(function);
    }
    maker.flow
}

pub(super) struct Maker {
    pub(super) chance: fastrand::Rng,
    pub(super) flow: Flow,
    /// Of a careful author, how many choices in a hundred are slips.
    care: Option<u32>,
    labels: usize,
    /// How many statements may still be invented.
    pub(super) budget: usize,
    pub(super) phase: Phase,
}

/// What a call means to a careful author.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Nature {
    Looks,
    Undoable,
    Pivot,
    Stays,
    Mixed,
}

impl Maker {
    fn function(&mut self, function: usize) {
        // Short ones are many: a mistake that stands alone shows best whether it is found.
        let (one, other) = (self.chance.usize(2..12), self.chance.usize(2..12));
        self.budget = if function == 0 { one.min(other) } else { self.chance.usize(1..5) };
        // A part may be meant for the time after the decision.
        let is_epilogue = function > 0 && self.chance.u32(..3) == 0;
        self.phase = if is_epilogue { Phase::Decided } else { Phase::Open };
        let is_fallible = self.flow.functions[function].is_fallible;
        let place = Place { function, is_fallible, is_branch: false, depth: 0, labels: Vec::new() };
        let mut body = Block::new();
        while self.budget > 0 && falls_through(&body) {
            self.one_more(&place, &mut body);
        }
        if falls_through(&body) && self.is_likely(30) {
            self.phase = Phase::Decided;
            body.push(Statement::Call(Call::of(Callee::Tell), Handling::Plain));
        }
        // Behind an endless loop that only leads to errors, WF043 would be said.
        let loops = body.iter().any(|statement| matches!(statement, Statement::Loop(..)));
        if falls_through(&body) && !loops && is_fallible && self.may_fail(&place) && self.is_likely(6) {
            body.push(Statement::Fail(self.fail_form()));
        }
        self.flow.functions[function].body = body;
    }

    pub(super) fn is_likely(&mut self, percent: u32) -> bool {
        self.chance.u32(..100) < percent
    }

    /// Whether the author takes no care just now.
    pub(super) fn slips(&mut self) -> bool {
        match self.care {
            Some(percent) => self.is_likely(percent),
            None => true,
        }
    }

    fn may_fail(&mut self, place: &Place) -> bool {
        place.is_fallible && (self.phase == Phase::Open || self.slips())
    }

    fn fail_form(&mut self) -> FailForm {
        if self.chance.bool() { FailForm::Return } else { FailForm::Question }
    }

    fn new_label(&mut self) -> Label {
        self.labels += 1;
        self.labels
    }

    pub(super) fn block(&mut self, place: &Place, most: usize) -> Block {
        let inner = Place { depth: place.depth + 1, ..place.clone() };
        let mut block = Block::new();
        for _ in 0..self.chance.usize(0..=most) {
            if self.budget > 0 && falls_through(&block) {
                self.one_more(&inner, &mut block);
            }
        }
        block
    }

    /// Blocks of which one is executed: each begins in the phase of now, and the furthest one goes on.
    fn either(&mut self, place: &Place, phases: &[Phase]) -> Vec<Block> {
        let mut furthest = None;
        let mut blocks = Vec::new();
        for phase in phases {
            self.phase = *phase;
            let block = self.block(place, 2);
            if falls_through(&block) && furthest != Some(Phase::Decided) {
                furthest = Some(self.phase);
            }
            blocks.push(block);
        }
        self.phase = furthest.unwrap_or(self.phase);
        blocks
    }

    fn one_more(&mut self, place: &Place, block: &mut Block) {
        self.budget = self.budget.saturating_sub(1);
        let deep = place.depth >= 3;
        match self.chance.u32(..100) {
            0..38 => self.call(place, block),
            38..41 => block.push(Statement::Sleep),
            41..43 => block.push(Statement::Publish),
            43..45 if self.phase == Phase::Open || self.slips() => block.push(Statement::Compensate),
            43..47 => self.leave_perhaps(place, block),
            47..49 => self.phase = if self.phase == Phase::Open { Phase::Decided } else { self.phase },
            _ if deep => self.call(place, block),
            49..57 => {
                let blocks = self.either(place, &[self.phase; 2]);
                let [yes, no] = blocks.try_into().expect("two blocks were asked for");
                block.push(Statement::If { looks: self.is_likely(30), yes, no });
            }
            57..60 => block.push(Statement::Choose(self.either(place, &[self.phase; 3]))),
            60..67 => self.a_loop(place, block),
            67..70 => self.labelled(place, block),
            70..76 => self.kept(place, block),
            76..83 => self.join(place, block),
            83..91 => self.try_join(place, block),
            91..96 => self.select(place, block),
            _ => self.many(place, block),
        }
    }

    /// A way out of the block, behind a condition unless it is the last thing.
    fn leave_perhaps(&mut self, place: &Place, block: &mut Block) {
        let phase = self.phase;
        let way_out = self.way_out(place);
        self.phase = phase;
        if self.is_likely(75) || place.depth == 0 {
            let (yes, no) = if self.is_likely(80) { (way_out, vec![]) } else { (vec![], way_out) };
            block.push(Statement::If { looks: self.is_likely(20), yes, no });
        } else {
            block.extend(way_out);
        }
    }

    /// Statements that do not come to their end.
    fn way_out(&mut self, place: &Place) -> Block {
        let mut block = Block::new();
        let fails = self.may_fail(place);
        let jumps = !place.labels.is_empty();
        let begins_anew = place.function == 0 && !place.is_branch;
        let last = loop {
            break match self.chance.u32(..12) {
                0..4 if fails => {
                    if self.is_likely(25) && self.phase != Phase::Aside {
                        block.push(Statement::Call(Call::of(Callee::Tell), Handling::Plain));
                    }
                    Statement::Fail(FailForm::Return)
                }
                4..6 => Statement::ReturnOk,
                6..11 if jumps => {
                    let (label, is_loop) = place.labels[self.chance.usize(..place.labels.len())];
                    if is_loop && self.is_likely(35) {
                        Statement::Continue(label)
                    } else {
                        Statement::Break(label)
                    }
                }
                11 if begins_anew && self.is_likely(60) => Statement::ContinueAsNew,
                _ => continue,
            };
        };
        block.push(last);
        block
    }

    pub(super) fn nature(&self, callee: Callee) -> Nature {
        match callee {
            Callee::Look | Callee::Check | Callee::Inquire | Callee::Receive => Nature::Looks,
            Callee::Reserve | Callee::Hold => Nature::Undoable,
            Callee::Charge | Callee::Ship => Nature::Pivot,
            Callee::Tell | Callee::Deliver | Callee::Order => Nature::Stays,
            Callee::Subflow(function) => {
                let mut natures = Vec::new();
                for statement in &self.flow.functions[function].body {
                    statement.walk(&mut |inner| {
                        natures.extend(inner.calls().iter().map(|call| self.nature(call.callee)));
                        if matches!(inner, Statement::Compensate) {
                            natures.push(Nature::Undoable);
                        }
                    });
                }
                let has = |nature: Nature| natures.contains(&nature);
                if has(Nature::Pivot) && !has(Nature::Mixed) {
                    Nature::Pivot
                } else if has(Nature::Mixed) || has(Nature::Undoable) && has(Nature::Stays) {
                    Nature::Mixed
                } else if has(Nature::Undoable) {
                    Nature::Undoable
                } else if has(Nature::Stays) {
                    Nature::Stays
                } else {
                    Nature::Looks
                }
            }
        }
    }

    /// What may be called here; in branches and loops a careful author does not pass the point of no return.
    fn callee(&mut self, place: &Place) -> Callee {
        let slips = self.slips();
        loop {
            let callee = self.any_callee(place);
            let fits = match self.nature(callee) {
                Nature::Looks => true,
                Nature::Undoable => self.phase == Phase::Open,
                Nature::Pivot => self.phase == Phase::Open && !place.is_branch && place.labels.is_empty(),
                Nature::Stays => self.phase == Phase::Decided,
                Nature::Mixed => false,
            };
            if fits || slips {
                return callee;
            }
        }
    }

    fn any_callee(&mut self, place: &Place) -> Callee {
        let parts = place.function + 1..self.flow.functions.len();
        match self.chance.u32(..100) {
            0..8 => Callee::Look,
            8..22 => Callee::Check,
            22..40 => Callee::Reserve,
            40..46 => Callee::Hold,
            46..56 => Callee::Charge,
            56..62 => Callee::Ship,
            62..76 => Callee::Tell,
            76..78 => Callee::Inquire,
            78..80 => Callee::Deliver,
            80..82 => Callee::Order,
            82..85 => Callee::Receive,
            _ if parts.is_empty() => Callee::Check,
            _ => Callee::Subflow(self.chance.usize(parts)),
        }
    }

    /// A call, where the author is past the pivot behind it if it is one.
    pub(super) fn some_call(&mut self, place: &Place) -> Call {
        let callee = self.callee(place);
        let stays = matches!(callee, Callee::Reserve | Callee::Hold) && self.is_likely(8);
        Call { callee, stays }
    }

    pub(super) fn call(&mut self, place: &Place, block: &mut Block) {
        let call = self.some_call(place);
        let handling = self.handling(place, call.callee);
        block.push(Statement::Call(call, handling));
    }

    fn kept(&mut self, place: &Place, block: &mut Block) {
        let call = self.some_call(place);
        if !self.flow.is_fallible(call.callee) {
            return self.call(place, block);
        }
        let mut between = self.block(place, 1);
        if !falls_through(&between) {
            between.clear();
        }
        let handling = self.handling(place, call.callee);
        block.push(Statement::Kept(call, between, handling));
    }

    /// What becomes of the outcome of this call.
    pub(super) fn handling(&mut self, place: &Place, callee: Callee) -> Handling {
        let passes = self.nature(callee) == Nature::Pivot;
        if !self.flow.is_fallible(callee) {
            self.phase = if passes { Phase::Decided } else { self.phase };
            return Handling::Plain;
        }
        self.handling_of(place, passes, callee != Callee::Receive)
    }

    /// Whether the success passes a pivot, and whether the error is a `Trouble`: a timeout is never ignored (WF041).
    pub(super) fn handling_of(&mut self, place: &Place, passes: bool, is_trouble: bool) -> Handling {
        let open = self.phase;
        let past = if passes { Phase::Decided } else { open };
        let fails = self.may_fail(place);
        let handling = loop {
            break match self.chance.u32(..24) {
                0..7 if fails => Handling::Question,
                7 if fails => Handling::MappedQuestion,
                8 if fails && is_trouble && !place.is_branch && self.is_likely(40) => Handling::Return,
                9..12 if fails && is_trouble => {
                    let [ok, gone] = self.either(place, &[past, open]).try_into().expect("two blocks");
                    Handling::MatchRest { ok, guarded: self.is_likely(30), gone }
                }
                12..15 if is_trouble => {
                    let [ok, gone, late] =
                        self.either(place, &[past, open, open]).try_into().expect("three blocks");
                    Handling::Match { ok, gone, late }
                }
                15..18 => {
                    self.phase = open;
                    Handling::LetElse(self.way_out(place))
                }
                18 if is_trouble => Handling::Ignore,
                19 => {
                    let [yes, no] = self.either(place, &[past, open]).try_into().expect("two blocks");
                    Handling::IfOk(yes, no)
                }
                20..22 => {
                    let block = self.either(place, &[open]).remove(0);
                    Handling::IfErr(block)
                }
                22 => {
                    let [yes, no] = self.either(place, &[past, open]).try_into().expect("two blocks");
                    Handling::IsOk(yes, no)
                }
                _ => continue,
            };
        };
        if passes {
            self.phase = Phase::Decided;
        }
        handling
    }

    fn a_loop(&mut self, place: &Place, block: &mut Block) {
        let label = self.new_label();
        let kind = [LoopKind::Endless, LoopKind::While, LoopKind::For][self.chance.usize(..3)];
        let mut inner = place.clone();
        inner.labels.push((label, true));
        let mut body = self.block(&inner, 3);
        if self.phase == Phase::Open && falls_through(&body) && self.is_likely(15) {
            // The last round passes the point of no return.
            body.push(Statement::Call(Call::of(Callee::Ship), Handling::Plain));
            body.push(Statement::Break(label));
            self.phase = Phase::Decided;
        }
        if kind == LoopKind::Endless && !leaves(&body, label) {
            let yes = vec![Statement::Break(label)];
            let stop = Statement::If { looks: false, yes, no: Vec::new() };
            body.insert(0, stop);
        }
        block.push(Statement::Loop(kind, label, body));
    }

    fn labelled(&mut self, place: &Place, block: &mut Block) {
        let label = self.new_label();
        let mut inner = place.clone();
        inner.labels.push((label, false));
        let mut body = self.block(&inner, 2);
        if !leaves(&body, label) {
            let yes = vec![Statement::Break(label)];
            body.insert(0, Statement::If { looks: false, yes, no: Vec::new() });
        }
        block.push(Statement::Labelled(label, body));
    }
}

/// Whether each part is called by something that is called.
fn calls_all_parts(flow: &Flow) -> bool {
    let mut called = vec![false; flow.functions.len()];
    called[0] = true;
    for index in 0..called.len() {
        if called[index] {
            for statement in &flow.functions[index].body {
                statement.walk(&mut |inner| {
                    for call in inner.calls() {
                        if let Callee::Subflow(part) = call.callee {
                            called[part] = true;
                        }
                    }
                });
            }
        }
    }
    called.into_iter().all(|called| called)
}
