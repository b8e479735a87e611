//! Executes a flow in every way there is, one small move at a time: each call may end in each of its ways, each
//! condition may hold or not, and whatever is under way in parallel may end in any order.
//! It follows the tree of the flow as an interpreter would; it must not know what order of steps is allowed.

use std::hash::{Hash, Hasher};

use super::flow::{Arm, Block, Call, Callee, Flow, Handling, Label, Statement};

/// How a call, a branch or a function came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Outcome {
    Ok,
    Gone,
    Late,
    /// The workflow goes on as a new one.
    Continued,
}

/// A part of the flow; two are the same only if they stand at the same place.
#[derive(Debug)]
pub(crate) struct At<'a, T: ?Sized>(pub(crate) &'a T);

impl<T: ?Sized> Clone for At<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for At<'_, T> {}

impl<T: ?Sized> PartialEq for At<'_, T> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl<T: ?Sized> Eq for At<'_, T> {}

impl<T: ?Sized> Hash for At<'_, T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::ptr::from_ref(self.0).hash(state);
    }
}

/// What is left to do, the innermost last.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Frame<'a> {
    /// These statements are next.
    Rest(At<'a, [Statement]>),
    /// The body of this loop is running above.
    Loop(At<'a, Statement>),
    Labelled(Label),
    /// A function: whether a pivot happened since it began, and whether an effect that nobody undoes did.
    Function {
        pivoted: bool,
        kept: bool,
    },
    /// Gets the outcome of what is above.
    Receives(At<'a, Handling>),
    /// Keeps the outcome of what is above for later.
    Keeps(At<'a, Statement>),
    /// Looks at an outcome.
    Holds(At<'a, Handling>, Outcome),
    /// Takes one of two ways.
    Picks(At<'a, Statement>),
    /// A call is under way; `None` is a timer.
    Waits(Option<Callee>, bool),
    Races(At<'a, [Arm]>),
    Parallel {
        threads: Vec<Thread<'a>>,
        joins: Joins<'a>,
        first_error: Option<Outcome>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Joins<'a> {
    /// Each outcome is handled, one after the other.
    Each(At<'a, [Handling]>),
    /// The first error ends it.
    FirstError,
    /// All are waited for, then the first error in the order of the text is the outcome.
    Collected,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Thread<'a> {
    pub(crate) frames: Vec<Frame<'a>>,
    pub(crate) fate: Fate,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Fate {
    Running,
    Done(Outcome),
    /// A sibling failed: nothing new begins, and this was under way.
    Left(Vec<Callee>),
}

/// A moment of an execution.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State<'a> {
    /// Whether a pivot has happened.
    pivoted: bool,
    root: Thread<'a>,
}

/// Where a function that is running stands: frames and threads from the outside to the inside.
pub(crate) type Path = Vec<usize>;

/// What happened in one move, beside that it led to another state.
#[derive(Clone, Debug, Default)]
pub(crate) struct Events {
    /// A call came to its end, or a timer did.
    pub(crate) completed: Option<(Option<Callee>, Outcome)>,
    /// A function came to its end.
    pub(crate) ended: Option<End>,
    /// A pivot happened.
    pub(crate) pivot: bool,
    /// An effect that nobody undoes came about, in this function.
    pub(crate) kept: Kept,
    /// `compensate()` was called.
    pub(crate) undoes: bool,
    /// These began.
    pub(crate) began: Vec<(Callee, bool)>,
    /// These lost a race.
    pub(crate) lost: Vec<Callee>,
}

#[derive(Clone, Debug)]
pub(crate) struct End {
    pub(crate) path: Path,
    pub(crate) outcome: Outcome,
    /// Whether a pivot had happened in it.
    pub(crate) pivoted: bool,
}

#[derive(Clone, Debug, Default)]
pub(crate) enum Kept {
    #[default]
    Nothing,
    /// In a function further outside.
    Outside,
    In(Path),
}

/// A move and where it leads.
pub(crate) struct Move<'a> {
    pub(crate) thread: Thread<'a>,
    pub(crate) events: Events,
}

pub(crate) static PLAIN: Handling = Handling::Plain;

impl<'a> State<'a> {
    /// The workflow begins.
    pub(crate) fn start(flow: &'a Flow) -> State<'a> {
        let mut root = Thread::running();
        root.enter(flow, 0);
        State { pivoted: false, root }
    }

    /// Every move that can be next. What takes no time comes before all that does, in the order of the text.
    pub(crate) fn moves(&self, flow: &'a Flow) -> Vec<(State<'a>, Events)> {
        let moves = self.root.local(flow).unwrap_or_else(|| self.root.completions(flow));
        let states = moves.into_iter().map(|Move { thread, events }| {
            (State { pivoted: self.pivoted || events.pivot, root: thread }, events)
        });
        states.collect()
    }

    pub(crate) fn pivoted(&self) -> bool {
        self.pivoted
    }

    /// Whether the function that stood there is still running.
    pub(crate) fn is_running(&self, path: &[usize]) -> bool {
        let mut thread = &self.root;
        let (function, ways) = path.split_last().expect("a path ends at a function");
        for way in ways.chunks(2) {
            let Some(Frame::Parallel { threads, .. }) = thread.frames.get(way[0]) else { return false };
            thread = &threads[way[1]];
        }
        matches!(thread.frames.get(*function), Some(Frame::Function { .. }))
    }

    /// All calls under way, with whether they are meant to stay.
    pub(crate) fn under_way(&self) -> Vec<(Callee, bool)> {
        let mut calls = Vec::new();
        self.root.under_way(&mut calls);
        calls
    }
}

impl<'a> Thread<'a> {
    pub(super) fn running() -> Thread<'a> {
        Thread { frames: Vec::new(), fate: Fate::Running }
    }

    fn enter(&mut self, flow: &'a Flow, function: usize) {
        self.frames.push(Frame::Function { pivoted: false, kept: false });
        self.block(&flow.functions[function].body);
    }

    pub(super) fn block(&mut self, block: &'a Block) {
        self.frames.push(Frame::Rest(At(block.as_slice())));
    }

    pub(super) fn begin(&mut self, flow: &'a Flow, call: Call, events: &mut Events) {
        match call.callee {
            Callee::Subflow(function) => self.enter(flow, function),
            callee => {
                events.began.push((callee, call.stays));
                self.frames.push(Frame::Waits(Some(callee), call.stays));
            }
        }
    }

    fn under_way(&self, calls: &mut Vec<(Callee, bool)>) {
        if let Fate::Left(left) = &self.fate {
            // What was compensatable there is undone as soon as its outcome is known.
            calls.extend(left.iter().map(|callee| (*callee, true)));
        }
        match self.frames.last() {
            Some(Frame::Waits(Some(callee), stays)) => calls.push((*callee, *stays)),
            Some(Frame::Races(arms)) => {
                calls.extend(arms.0.iter().filter_map(|arm| arm.call).map(|call| (call.callee, call.stays)));
            }
            Some(Frame::Parallel { threads, .. }) => {
                threads.iter().for_each(|thread| thread.under_way(calls));
            }
            _ => {}
        }
    }

    /// A sibling failed.
    fn leave(&mut self) {
        if self.fate == Fate::Running {
            let mut calls = Vec::new();
            self.under_way(&mut calls);
            // All others change nothing by ending.
            let lasting = |callee: &Callee| {
                use Callee::{Charge, Deliver, Order, Ship, Tell};
                matches!(callee, Charge | Ship | Tell | Deliver | Order)
            };
            self.fate = Fate::Left(calls.into_iter().map(|(callee, _)| callee).filter(lasting).collect());
            self.frames.clear();
        }
    }

    /// The moves that take no time, of the first thread that has one; `None` when all wait.
    fn local(&self, flow: &'a Flow) -> Option<Vec<Move<'a>>> {
        if self.fate != Fate::Running {
            return None;
        }
        match self.frames.last().expect("a thread without frames is done") {
            Frame::Waits(..) | Frame::Races(_) => None,
            Frame::Parallel { threads, .. } => {
                for (index, thread) in threads.iter().enumerate() {
                    if let Some(moves) = thread.local(flow) {
                        return Some(moves.into_iter().map(|inner| self.with(index, inner)).collect());
                    }
                }
                let is_settled = |thread: &Thread| match &thread.fate {
                    Fate::Running => false,
                    Fate::Done(_) => true,
                    Fate::Left(calls) => calls.is_empty(),
                };
                threads.iter().all(is_settled).then(|| vec![self.joined()])
            }
            _ => {
                let mut rest = self.clone();
                let frame = rest.frames.pop().expect("it was just looked at");
                Some(rest.proceed(flow, frame))
            }
        }
    }

    /// What is under way comes to an end.
    fn completions(&self, flow: &'a Flow) -> Vec<Move<'a>> {
        let mut moves = Vec::new();
        if let Fate::Left(calls) = &self.fate {
            for (index, callee) in calls.iter().enumerate() {
                for outcome in outcomes(flow, *callee) {
                    let mut left = calls.clone();
                    left.remove(index);
                    let thread = Thread { frames: Vec::new(), fate: Fate::Left(left) };
                    moves.push(thread.after(Some(*callee), false, outcome));
                }
            }
        }
        match self.frames.last() {
            Some(Frame::Waits(callee, stays)) => {
                for outcome in callee.map_or(vec![Outcome::Ok], |callee| outcomes(flow, callee)) {
                    let mut thread = self.clone();
                    thread.frames.pop();
                    thread.deliver(outcome);
                    moves.push(thread.after(*callee, *stays, outcome));
                }
            }
            Some(Frame::Races(arms)) => {
                for arm in arms.0 {
                    let callee = arm.call.map(|call| call.callee);
                    for outcome in callee.map_or(vec![Outcome::Ok], |callee| outcomes(flow, callee)) {
                        let mut thread = self.clone();
                        thread.frames.pop();
                        thread.block(&arm.body);
                        thread.frames.push(Frame::Holds(At(&arm.handling), outcome));
                        let stays = arm.call.is_some_and(|call| call.stays);
                        let mut first = thread.after(callee, stays, outcome);
                        let others = arms.0.iter().filter(|other| !std::ptr::eq(*other, arm));
                        first.events.lost = others.filter_map(|other| Some(other.call?.callee)).collect();
                        moves.push(first);
                    }
                }
            }
            Some(Frame::Parallel { threads, .. }) => {
                for (index, thread) in threads.iter().enumerate() {
                    moves.extend(thread.completions(flow).into_iter().map(|inner| self.with(index, inner)));
                }
            }
            _ => {}
        }
        moves
    }

    /// The move by which this call ended: what it did to the world is done.
    fn after(self, callee: Option<Callee>, stays: bool, outcome: Outcome) -> Move<'a> {
        let happened = outcome == Outcome::Ok && !stays;
        let pivot = happened && matches!(callee, Some(Callee::Charge | Callee::Ship));
        let kept = match callee {
            Some(Callee::Tell | Callee::Deliver | Callee::Order) if happened => Kept::Outside,
            _ => Kept::Nothing,
        };
        let events = Events { completed: Some((callee, outcome)), pivot, kept, ..Events::default() };
        Move { thread: self, events }.noted()
    }

    /// The move of a branch as a move of the thread that it branches from.
    fn with(&self, index: usize, inner: Move<'a>) -> Move<'a> {
        let Move { thread: branch, mut events } = inner;
        let mut thread = self.clone();
        let place = thread.frames.len() - 1;
        let Some(Frame::Parallel { threads, joins, first_error }) = thread.frames.last_mut() else {
            unreachable!("branches move only while nothing else does")
        };
        let failed = match branch.fate {
            Fate::Done(error @ (Outcome::Gone | Outcome::Late)) => Some(error),
            _ => None,
        };
        threads[index] = branch;
        if *joins == Joins::FirstError && first_error.is_none() && failed.is_some() {
            *first_error = failed;
            threads.iter_mut().for_each(Thread::leave);
        }
        let outer = |path: Path| [vec![place, index], path].concat();
        events.ended = events.ended.map(|end| End { path: outer(end.path), ..end });
        if let Kept::In(path) = events.kept {
            events.kept = Kept::In(outer(path));
        }
        Move { thread, events }.noted()
    }

    /// All branches are at their end.
    fn joined(&self) -> Move<'a> {
        let mut thread = self.clone();
        let Some(Frame::Parallel { threads, joins, first_error }) = thread.frames.pop() else {
            unreachable!("only branches join")
        };
        let outcomes: Vec<Outcome> = threads
            .iter()
            .map(|thread| match thread.fate {
                Fate::Done(outcome) => outcome,
                Fate::Running | Fate::Left(_) => Outcome::Ok,
            })
            .collect();
        match joins {
            Joins::Each(handlings) => {
                for (handling, outcome) in handlings.0.iter().zip(&outcomes).rev() {
                    thread.frames.push(Frame::Holds(At(handling), *outcome));
                }
            }
            Joins::FirstError => thread.deliver(first_error.unwrap_or(Outcome::Ok)),
            Joins::Collected => {
                let error = outcomes.into_iter().find(|outcome| *outcome != Outcome::Ok);
                thread.deliver(error.unwrap_or(Outcome::Ok));
            }
        }
        Move { thread, events: Events::default() }
    }

    /// Hands an outcome to who waits for it.
    pub(super) fn deliver(&mut self, outcome: Outcome) {
        match self.frames.pop() {
            Some(Frame::Receives(handling)) => self.frames.push(Frame::Holds(handling, outcome)),
            Some(Frame::Keeps(At(Statement::Kept(_, between, handling)))) => {
                self.frames.push(Frame::Holds(At(handling), outcome));
                self.block(between);
            }
            None => self.fate = Fate::Done(outcome),
            Some(other) => unreachable!("nobody waits for an outcome in {other:?}"),
        }
    }
}

impl Move<'_> {
    /// What happened is noted by the functions of this thread that it happened in.
    pub(super) fn noted(mut self) -> Self {
        for (place, frame) in self.thread.frames.iter_mut().enumerate().rev() {
            if let Frame::Function { pivoted, kept } = frame {
                *pivoted |= self.events.pivot;
                if matches!(self.events.kept, Kept::Outside) {
                    *kept = true;
                    self.events.kept = Kept::In(vec![place]);
                }
            }
        }
        self
    }
}

/// All ways in which a call can end. What becomes of a pivot is always known in the end, or nothing goes on.
fn outcomes(flow: &Flow, callee: Callee) -> Vec<Outcome> {
    match callee {
        Callee::Receive => vec![Outcome::Ok, Outcome::Late],
        callee if flow.is_fallible(callee) => vec![Outcome::Ok, Outcome::Gone, Outcome::Late],
        _ => vec![Outcome::Ok],
    }
}
