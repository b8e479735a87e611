//! What statements do to the thread that executes them, and what becomes of outcomes.
//! The moves here take no time; what is under way, and how it ends, is told in `machine`.

use super::flow::{Block, Branch, Call, Callee, Flow, Handling, Label, LoopKind, Statement};
use super::machine::{At, End, Events, Fate, Frame, Joins, Kept, Move, Outcome, PLAIN, Thread};

impl<'a> Thread<'a> {
    /// The moves of a thread that does not wait; `frame` was its innermost one.
    pub(super) fn proceed(self, flow: &'a Flow, frame: Frame<'a>) -> Vec<Move<'a>> {
        match frame {
            Frame::Rest(At([])) => self.fallen_off(),
            Frame::Rest(At([statement, rest @ ..])) => {
                let mut thread = self;
                thread.frames.push(Frame::Rest(At(rest)));
                thread.statement(flow, statement)
            }
            Frame::Holds(handling, outcome) => self.handle(handling.0, outcome),
            Frame::Picks(At(Statement::If { yes, no, .. })) => self.either(&[yes, no]),
            other => unreachable!("{other:?} is never left innermost"),
        }
    }

    /// A block has come to its end.
    fn fallen_off(mut self) -> Vec<Move<'a>> {
        match self.frames.last() {
            None => {
                self.fate = Fate::Done(Outcome::Ok);
                self.only()
            }
            Some(Frame::Loop(statement)) => {
                let statement = *statement;
                self.round(statement.0)
            }
            Some(Frame::Labelled(_)) => {
                self.frames.pop();
                self.only()
            }
            Some(Frame::Function { .. }) => self.returned(Outcome::Ok),
            Some(_) => self.only(),
        }
    }

    /// The loop on top begins its next round, or ends.
    fn round(mut self, statement: &'a Statement) -> Vec<Move<'a>> {
        let Statement::Loop(kind, _, body) = statement else { unreachable!("only loops have rounds") };
        let mut again = self.clone();
        again.block(body);
        let mut moves = again.only();
        if *kind != LoopKind::Endless {
            self.frames.pop();
            moves.extend(self.only());
        }
        moves
    }

    fn statement(mut self, flow: &'a Flow, statement: &'a Statement) -> Vec<Move<'a>> {
        let mut events = Events::default();
        match statement {
            Statement::Call(call, handling) => {
                self.frames.push(Frame::Receives(At(handling)));
                self.begin(flow, *call, &mut events);
            }
            Statement::Kept(call, ..) => {
                self.frames.push(Frame::Keeps(At(statement)));
                self.begin(flow, *call, &mut events);
            }
            Statement::Sleep => {
                self.frames.push(Frame::Receives(At(&PLAIN)));
                self.frames.push(Frame::Waits(None, false));
            }
            Statement::Publish => {}
            Statement::Compensate => events.undoes = true,
            Statement::If { looks: true, .. } => {
                self.frames.push(Frame::Picks(At(statement)));
                self.frames.push(Frame::Receives(At(&PLAIN)));
                self.begin(flow, Call::of(Callee::Look), &mut events);
            }
            Statement::If { looks: false, yes, no } => return self.either(&[yes, no]),
            Statement::Choose(arms) => return self.either(&arms.iter().collect::<Vec<_>>()),
            Statement::Loop(..) => {
                self.frames.push(Frame::Loop(At(statement)));
                return self.round(statement);
            }
            Statement::Labelled(label, body) => {
                self.frames.push(Frame::Labelled(*label));
                self.block(body);
            }
            Statement::Break(label) => self.leave_until(*label, true),
            Statement::Continue(label) => {
                self.leave_until(*label, false);
                return self.fallen_off();
            }
            Statement::ReturnOk => return self.returned(Outcome::Ok),
            Statement::Fail(_) => return self.returned(Outcome::Gone),
            Statement::ContinueAsNew => return self.returned(Outcome::Continued),
            Statement::Join(branches, handlings) => {
                self.branches(flow, begins(branches), Joins::Each(At(handlings)), &mut events);
            }
            Statement::TryJoin(branches, handling) => {
                self.frames.push(Frame::Receives(At(handling)));
                self.branches(flow, begins(branches), Joins::FirstError, &mut events);
            }
            Statement::Select(arms) => {
                let calls = arms.iter().filter_map(|arm| arm.call);
                events.began.extend(calls.map(|call| (call.callee, call.stays)));
                self.frames.push(Frame::Races(At(arms)));
            }
            Statement::Many { call, fails_fast, handling } => {
                let joins = || if *fails_fast { Joins::FirstError } else { Joins::Collected };
                let few = (0..=2).map(|count| {
                    let mut thread = self.clone();
                    let mut events = Events::default();
                    thread.frames.push(Frame::Receives(At(handling)));
                    let calls = std::iter::repeat_n(Begins::Call(*call), count);
                    thread.branches(flow, calls, joins(), &mut events);
                    Move { thread, events }
                });
                return few.collect();
            }
        }
        vec![Move { thread: self, events }]
    }

    /// Splits into branches, each a thread of its own.
    fn branches(
        &mut self,
        flow: &'a Flow,
        branches: impl Iterator<Item = Begins<'a>>,
        joins: Joins<'a>,
        events: &mut Events,
    ) {
        let threads = branches.map(|branch| {
            let mut thread = Thread::running();
            match branch {
                Begins::Call(call) => thread.begin(flow, call, events),
                Begins::Block(body) => thread.block(body),
            }
            thread
        });
        let threads = threads.collect();
        self.frames.push(Frame::Parallel { threads, joins, first_error: None });
    }

    /// One of these blocks is next.
    fn either(self, blocks: &[&'a Block]) -> Vec<Move<'a>> {
        let ways = blocks.iter().map(|block| {
            let mut thread = self.clone();
            thread.block(block);
            Move { thread, events: Events::default() }
        });
        ways.collect()
    }

    fn only(self) -> Vec<Move<'a>> {
        vec![Move { thread: self, events: Events::default() }]
    }

    /// Gives up all frames down to the loop or block of that label, and with `itself` that one, too.
    fn leave_until(&mut self, label: Label, itself: bool) {
        while let Some(frame) = self.frames.last() {
            let is_it = match frame {
                Frame::Loop(At(Statement::Loop(_, own, _))) | Frame::Labelled(own) => *own == label,
                _ => false,
            };
            if is_it && !itself {
                return;
            }
            self.frames.pop();
            if is_it {
                return;
            }
        }
        unreachable!("a label stands around what names it")
    }

    /// The function ends, or the branch if there is none in it.
    pub(super) fn returned(mut self, outcome: Outcome) -> Vec<Move<'a>> {
        while let Some(frame) = self.frames.pop() {
            if let Frame::Function { pivoted, kept } = frame {
                let end = End { path: vec![self.frames.len()], outcome, pivoted };
                self.deliver(outcome);
                // What stays after a success has come about in the caller; a scope that fails answers for its own.
                let kept = if kept && outcome == Outcome::Ok { Kept::Outside } else { Kept::Nothing };
                let events = Events { ended: Some(end), kept, ..Events::default() };
                return vec![Move { thread: self, events }.noted()];
            }
        }
        self.fate = Fate::Done(outcome);
        self.only()
    }

    fn handle(mut self, handling: &'a Handling, outcome: Outcome) -> Vec<Move<'a>> {
        let is_ok = outcome == Outcome::Ok;
        let block = match handling {
            Handling::Plain | Handling::Ignore => return self.only(),
            Handling::Question | Handling::MappedQuestion if is_ok => return self.only(),
            Handling::Question | Handling::Return => return self.returned(outcome),
            Handling::MappedQuestion => return self.returned(Outcome::Gone),
            Handling::Match { ok, gone, late } => match outcome {
                Outcome::Ok => ok,
                Outcome::Gone => gone,
                _ => late,
            },
            Handling::MatchRest { ok, guarded, gone } => match outcome {
                Outcome::Ok => ok,
                Outcome::Gone if *guarded => {
                    let mut moves = self.clone().returned(outcome);
                    self.block(gone);
                    moves.extend(self.only());
                    return moves;
                }
                Outcome::Gone => gone,
                _ => return self.returned(outcome),
            },
            Handling::LetElse(_) | Handling::IfErr(_) if is_ok => return self.only(),
            Handling::LetElse(block) | Handling::IfErr(block) => block,
            Handling::IfOk(yes, no) | Handling::IsOk(yes, no) => {
                if is_ok {
                    yes
                } else {
                    no
                }
            }
        };
        self.block(block);
        self.only()
    }
}

/// How a branch begins.
#[derive(Clone)]
enum Begins<'a> {
    Call(Call),
    Block(&'a Block),
}

fn begins(branches: &[Branch]) -> impl Iterator<Item = Begins<'_>> {
    branches.iter().map(|branch| match branch {
        Branch::Call(call) => Begins::Call(*call),
        Branch::Block { body, .. } => Begins::Block(body),
    })
}
