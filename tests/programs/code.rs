//! A generated program as its interpreter reads it: the same tree, with the number of each `.await` and of each
//! condition, counted in the order in which they stand in the text that the compiler reads.
//! It must count as `saga_order::render` writes and as the macros read; programs that were
//! compiled are the proof.

use crate::saga_order::flow::{Arm, Branch, Call, Flow, Handling, Label, LoopKind, Statement as Written};

/// One function.
pub(crate) struct Code {
    pub(crate) is_fallible: bool,
    pub(crate) body: Vec<Op>,
}

/// A call, and which `.await` of its function it is.
pub(crate) struct Awaited {
    pub(crate) call: Call,
    pub(crate) at: usize,
}

/// The number of a condition: what `toss` is given beside the number.
pub(crate) type Condition = u32;

pub(crate) enum Op {
    Call(Awaited, After),
    Kept(Awaited, Vec<Op>, After),
    Sleep(usize),
    SleepUntil { now: usize, at: usize },
    Progress(usize),
    Publish(usize),
    Send(usize),
    Compensate(usize),
    If { looks: Option<usize>, condition: Condition, yes: Vec<Op>, no: Vec<Op> },
    Choose(Vec<Vec<Op>>),
    Loop { kind: LoopKind, condition: Condition, label: Label, body: Vec<Op> },
    Labelled(Label, Vec<Op>),
    Break(Label),
    Continue(Label),
    ReturnOk,
    Fail,
    ContinueAsNew(usize),
    Join(Vec<Part>, Vec<After>),
    TryJoin(Vec<Part>, After),
    Select(Vec<Racer>),
    Many { awaited: Awaited, fails_fast: bool, after: After },
}

/// A branch.
pub(crate) enum Part {
    Call(Awaited),
    Block(Vec<Op>),
}

/// An arm of a race; `None` for a timer.
pub(crate) struct Racer {
    pub(crate) call: Option<Call>,
    pub(crate) at: usize,
    pub(crate) after: After,
    pub(crate) body: Vec<Op>,
}

/// What becomes of an outcome.
pub(crate) enum After {
    Nothing,
    Question,
    MappedQuestion,
    Return,
    Match { ok: Vec<Op>, gone: Vec<Op>, late: Vec<Op> },
    MatchRest { ok: Vec<Op>, guard: Option<Condition>, gone: Vec<Op> },
    Either { ok: Vec<Op>, error: Vec<Op> },
}

/// The functions of a program.
pub(crate) fn codes(flow: &Flow) -> Vec<Code> {
    let functions = flow.functions.iter();
    let code = functions.map(|function| Code {
        is_fallible: function.is_fallible,
        body: Counter::default().block(&function.body),
    });
    code.collect()
}

#[derive(Default)]
struct Counter {
    awaits: usize,
    names: u32,
}

impl Counter {
    fn an_await(&mut self) -> usize {
        self.awaits += 1;
        self.awaits - 1
    }

    fn a_name(&mut self) -> u32 {
        self.names += 1;
        self.names
    }

    fn awaited(&mut self, call: Call) -> Awaited {
        Awaited { call, at: self.an_await() }
    }

    fn block(&mut self, statements: &[Written]) -> Vec<Op> {
        statements.iter().map(|statement| self.op(statement)).collect()
    }

    fn op(&mut self, statement: &Written) -> Op {
        match statement {
            Written::Call(call, handling) => {
                let awaited = self.awaited(*call);
                Op::Call(awaited, self.after(handling))
            }
            Written::Kept(call, between, handling) => {
                self.a_name();
                let awaited = self.awaited(*call);
                let between = self.block(between);
                Op::Kept(awaited, between, self.after(handling))
            }
            Written::Sleep => match self.a_name() % 3 {
                0 => Op::Sleep(self.an_await()),
                1 => Op::SleepUntil { now: self.an_await(), at: self.an_await() },
                _ => Op::Progress(self.an_await()),
            },
            Written::Publish => match self.a_name() % 2 {
                0 => Op::Publish(self.an_await()),
                _ => Op::Send(self.an_await()),
            },
            Written::Compensate => Op::Compensate(self.an_await()),
            Written::If { looks, yes, no } => {
                let condition = self.a_name();
                let looks = looks.then(|| self.an_await());
                Op::If { looks, condition, yes: self.block(yes), no: self.block(no) }
            }
            Written::Choose(arms) => Op::Choose(arms.iter().map(|arm| self.block(arm)).collect()),
            Written::Loop(kind, label, body) => {
                let condition = if *kind == LoopKind::While { self.a_name() } else { 0 };
                Op::Loop { kind: *kind, condition, label: *label, body: self.block(body) }
            }
            Written::Labelled(label, body) => Op::Labelled(*label, self.block(body)),
            Written::Break(label) => Op::Break(*label),
            Written::Continue(label) => Op::Continue(*label),
            Written::ReturnOk => Op::ReturnOk,
            Written::Fail(_) => Op::Fail,
            Written::ContinueAsNew => Op::ContinueAsNew(self.an_await()),
            Written::Join(branches, handlings) => {
                for _ in branches {
                    self.a_name();
                }
                let parts = self.parts(branches);
                Op::Join(parts, handlings.iter().map(|handling| self.after(handling)).collect())
            }
            Written::TryJoin(branches, handling) => {
                let parts = self.parts(branches);
                Op::TryJoin(parts, self.after(handling))
            }
            Written::Select(arms) => Op::Select(arms.iter().map(|arm| self.racer(arm)).collect()),
            Written::Many { call, fails_fast, handling } => {
                let awaited = self.awaited(*call);
                if !fails_fast {
                    self.a_name();
                }
                Op::Many { awaited, fails_fast: *fails_fast, after: self.after(handling) }
            }
        }
    }

    fn parts(&mut self, branches: &[Branch]) -> Vec<Part> {
        let parts = branches.iter().map(|branch| match branch {
            Branch::Call(call) => Part::Call(self.awaited(*call)),
            Branch::Block { body, .. } => Part::Block(self.block(body)),
        });
        parts.collect()
    }

    fn racer(&mut self, Arm { call, handling, body }: &Arm) -> Racer {
        self.a_name();
        let at = self.an_await();
        let after = self.after(handling);
        Racer { call: *call, at, after, body: self.block(body) }
    }

    fn after(&mut self, handling: &Handling) -> After {
        match handling {
            Handling::Plain | Handling::Ignore => After::Nothing,
            Handling::Question => After::Question,
            Handling::MappedQuestion => After::MappedQuestion,
            Handling::Return => After::Return,
            Handling::Match { ok, gone, late } => {
                After::Match { ok: self.block(ok), gone: self.block(gone), late: self.block(late) }
            }
            Handling::MatchRest { ok, guarded, gone } => {
                let guard = guarded.then(|| self.a_name());
                After::MatchRest { ok: self.block(ok), guard, gone: self.block(gone) }
            }
            Handling::LetElse(error) => After::Either { ok: Vec::new(), error: self.block(error) },
            Handling::IfErr(error) => {
                // Two ways, of which the other one is empty.
                After::Either { ok: Vec::new(), error: self.block(error) }
            }
            Handling::IfOk(yes, no) | Handling::IsOk(yes, no) => {
                After::Either { ok: self.block(yes), error: self.block(no) }
            }
        }
    }
}
