//! Runs a generated program without compiling it: the same operations of the same core, in the order of its text.
//! Nothing of the language is played here; a step, a region, a scope is what the macros would have called.

use std::future::Future;
use std::pin::Pin;

use workflow_core::{
    Cx, Durable, Fallible, Raced2, Raced3, SubflowCall, WorkflowCall, join_all, try_join_all,
};

use crate::code::{After, Awaited, Op, Part, Racer};
use crate::prepared::{Interpreted, Subprogram};
use crate::saga_order::flow::{Call, Callee, Label, LoopKind};
use crate::steps::*;

/// What a call came to; of what it gives, programs look at nothing but whether it is an error.
pub(crate) type Outcome = Result<u32, Trouble>;

type Running = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// How statements are left.
enum Exit {
    On,
    Break(Label),
    Continue(Label),
    Return(Outcome),
}

/// The body of a function, or of a branch.
pub(crate) async fn body<const SLOT: usize>(ops: &'static [Op], cx: Cx, mut number: u32) -> Outcome {
    match block::<SLOT>(ops, &cx, &mut number).await {
        Exit::On => Ok(number),
        Exit::Return(outcome) => outcome,
        Exit::Break(label) | Exit::Continue(label) => unreachable!("nothing has the label {label}"),
    }
}

fn block<'a, const SLOT: usize>(
    ops: &'static [Op],
    cx: &'a Cx,
    number: &'a mut u32,
) -> Pin<Box<dyn Future<Output = Exit> + Send + 'a>> {
    Box::pin(async move {
        for op in ops {
            match perform::<SLOT>(op, cx, number).await {
                Exit::On => {}
                exit => return exit,
            }
        }
        Exit::On
    })
}

async fn perform<const SLOT: usize>(op: &'static Op, cx: &Cx, number: &mut u32) -> Exit {
    match op {
        Op::Call(awaited, after) => {
            let outcome = begin::<SLOT>(awaited, *number, cx).await;
            handle::<SLOT>(outcome, after, cx, number).await
        }
        Op::Kept(awaited, between, after) => {
            let outcome = begin::<SLOT>(awaited, *number, cx).await;
            match block::<SLOT>(between, cx, number).await {
                Exit::On => handle::<SLOT>(outcome, after, cx, number).await,
                exit => exit,
            }
        }
        Op::Sleep(at) => {
            sleep(hours(1)).start(cx, *at).await;
            Exit::On
        }
        Op::SleepUntil { now: before, at } => {
            let time = now().start(cx, *before).await + minutes(90);
            sleep_until(time).start(cx, *at).await;
            Exit::On
        }
        Op::Progress(at) => {
            progress(&*number).start(cx, *at).await;
            Exit::On
        }
        Op::Publish(at) => {
            publish(Answer { number: *number }).start(cx, *at).await;
            Exit::On
        }
        Op::Send(at) => {
            send(Answer { number: *number }).start(cx, *at).await;
            Exit::On
        }
        Op::Compensate(at) => {
            compensate().start(cx, *at).await;
            Exit::On
        }
        Op::If { looks, condition, yes, no } => {
            let seen = match looks {
                Some(at) => look(*number).start(cx, *at).await,
                None => *number,
            };
            let chosen = if toss(seen, *condition) { yes } else { no };
            block::<SLOT>(chosen, cx, number).await
        }
        Op::Choose(arms) => {
            let arm = *number as usize % arms.len();
            block::<SLOT>(&arms[arm], cx, number).await
        }
        Op::Loop { kind, condition, label, body } => {
            let mut rounds = *number % 4;
            loop {
                let goes_on = match kind {
                    LoopKind::Endless => true,
                    LoopKind::While => toss(*number, *condition),
                    LoopKind::For => rounds > 0,
                };
                if !goes_on {
                    return Exit::On;
                }
                rounds = rounds.saturating_sub(1);
                *number += 1;
                match block::<SLOT>(body, cx, number).await {
                    Exit::Break(own) if own == *label => return Exit::On,
                    Exit::Continue(own) if own == *label => {}
                    Exit::On => {}
                    exit => return exit,
                }
            }
        }
        Op::Labelled(label, body) => match block::<SLOT>(body, cx, number).await {
            Exit::Break(own) if own == *label => Exit::On,
            exit => exit,
        },
        Op::Break(label) => Exit::Break(*label),
        Op::Continue(label) => Exit::Continue(*label),
        Op::ReturnOk => Exit::Return(Ok(*number)),
        Op::Fail => Exit::Return(Err(Trouble::Gone)),
        Op::ContinueAsNew(at) => {
            if *number > 9 {
                return Exit::Return(Ok(*number));
            }
            let next = (*number + 1,);
            // Whether it can fail makes no difference to how it is named.
            let call = WorkflowCall::<Interpreted<SLOT, true>>::new(next);
            Exit::Return(continue_as_new(call).start(cx, *at).await)
        }
        Op::Join(parts, afters) => {
            let outcomes = join::<SLOT>(parts, cx, *number).await;
            for (outcome, after) in outcomes.into_iter().zip(afters) {
                match handle::<SLOT>(outcome, after, cx, number).await {
                    Exit::On => {}
                    exit => return exit,
                }
            }
            Exit::On
        }
        Op::TryJoin(parts, after) => {
            let outcome = try_join::<SLOT>(parts, cx, *number).await;
            handle::<SLOT>(outcome, after, cx, number).await
        }
        Op::Select(racers) => {
            let (first, outcome) = race::<SLOT>(racers, cx, *number).await;
            let Racer { after, body, .. } = &racers[first];
            match handle::<SLOT>(outcome, after, cx, number).await {
                Exit::On => block::<SLOT>(body, cx, number).await,
                exit => exit,
            }
        }
        Op::Many { awaited, fails_fast, after } => {
            let outcome = many::<SLOT>(awaited, *fails_fast, *number % 4, cx).await;
            handle::<SLOT>(outcome, after, cx, number).await
        }
    }
}

async fn handle<const SLOT: usize>(
    outcome: Outcome,
    after: &'static After,
    cx: &Cx,
    number: &mut u32,
) -> Exit {
    let chosen = match (after, outcome) {
        (After::Nothing, _) | (After::Question | After::MappedQuestion, Ok(_)) => return Exit::On,
        (After::Question | After::Return, outcome) => return Exit::Return(outcome),
        (After::MappedQuestion, Err(_)) => return Exit::Return(Err(Trouble::Gone)),
        (After::Match { ok, .. } | After::MatchRest { ok, .. } | After::Either { ok, .. }, Ok(_)) => ok,
        (After::Match { gone, .. }, Err(Trouble::Gone)) => gone,
        (After::Match { late, .. }, Err(Trouble::Late(_))) => late,
        (After::MatchRest { guard, gone, .. }, Err(Trouble::Gone))
            if guard.is_none_or(|condition| toss(*number, condition)) =>
        {
            gone
        }
        (After::MatchRest { .. }, error) => return Exit::Return(error),
        (After::Either { error, .. }, Err(_)) => error,
    };
    block::<SLOT>(chosen, cx, number).await
}

/// Asks for the call at once, as the text does that the macros write.
fn begin<const SLOT: usize>(awaited: &Awaited, number: u32, cx: &Cx) -> Running {
    begin_call::<SLOT>(awaited.call, number, cx, awaited.at)
}

fn begin_call<const SLOT: usize>(Call { callee, stays }: Call, number: u32, cx: &Cx, at: usize) -> Running {
    match callee {
        Callee::Look => running(look(number), cx, at),
        Callee::Check => running(check(number), cx, at),
        Callee::Reserve if stays => running(reserve(number).without_compensation(), cx, at),
        Callee::Reserve => running(reserve(number), cx, at),
        Callee::Hold if stays => running(hold(number).without_compensation(), cx, at),
        Callee::Hold => running(hold(number), cx, at),
        Callee::Charge => running(charge(number), cx, at),
        Callee::Ship => running(ship(number), cx, at),
        Callee::Tell => running(tell(number), cx, at),
        Callee::Inquire => running(inquire(number), cx, at),
        Callee::Deliver => running(deliver(number), cx, at),
        Callee::Order => running(order(number), cx, at),
        Callee::Receive => {
            let running = receive::<Answer>(number).within(days(1)).start(cx, at);
            Box::pin(async move { Ok(running.await.map(|answer| answer.number)?) })
        }
        Callee::Subflow(1) => running(part::<SLOT, 1>(number), cx, at),
        Callee::Subflow(part_2) => {
            assert_eq!(part_2, 2, "programs have three functions at most");
            running(part::<SLOT, 2>(number), cx, at)
        }
    }
}

/// A call of a subflow.
pub(crate) fn part<const SLOT: usize, const PART: usize>(number: u32) -> SubflowCall<Subprogram<SLOT, PART>> {
    SubflowCall::new((number,))
}

fn running<D>(call: D, cx: &Cx, at: usize) -> Running
where
    D: Durable<Output: IntoOutcome, Running: 'static>,
{
    let running = call.start(cx, at);
    Box::pin(async move { running.await.into_outcome() })
}

/// What a call gives, as far as programs look at it.
trait IntoOutcome {
    fn into_outcome(self) -> Outcome;
}

impl IntoOutcome for u32 {
    fn into_outcome(self) -> Outcome {
        Ok(self)
    }
}

impl IntoOutcome for Outcome {
    fn into_outcome(self) -> Outcome {
        self
    }
}

fn branch<const SLOT: usize>(part: &'static Part, cx: &Cx, number: u32) -> Running {
    match part {
        Part::Call(awaited) => begin::<SLOT>(awaited, number, cx),
        Part::Block(ops) => Box::pin(body::<SLOT>(ops, cx.clone(), number)),
    }
}

async fn join<const SLOT: usize>(parts: &'static [Part], cx: &Cx, number: u32) -> Vec<Outcome> {
    let cx = cx.__region();
    let begin = |part| branch::<SLOT>(part, &cx, number);
    match parts {
        [a, b] => {
            let (a, b) = cx.__join((begin(a), begin(b))).await;
            vec![a, b]
        }
        [a, b, c] => {
            let (a, b, c) = cx.__join((begin(a), begin(b), begin(c))).await;
            vec![a, b, c]
        }
        _ => unreachable!("two or three branches"),
    }
}

async fn try_join<const SLOT: usize>(parts: &'static [Part], cx: &Cx, number: u32) -> Outcome {
    let cx = cx.__region();
    let begin = |part| branch::<SLOT>(part, &cx, number);
    match parts {
        [a, b] => cx.__try_join((begin(a), begin(b))).await.map(|_| number),
        [a, b, c] => cx.__try_join((begin(a), begin(b), begin(c))).await.map(|_| number),
        _ => unreachable!("two or three branches"),
    }
}

async fn race<const SLOT: usize>(racers: &'static [Racer], cx: &Cx, number: u32) -> (usize, Outcome) {
    let cx = cx.__region();
    let begin = |racer: &Racer| -> Running {
        let Some(call) = racer.call else {
            let running = sleep(days(2)).start(&cx, racer.at);
            return Box::pin(async move {
                running.await;
                Ok(number)
            });
        };
        begin_call::<SLOT>(call, number, &cx, racer.at)
    };
    match racers {
        [a, b] => match cx.__race((begin(a), begin(b))).await {
            Raced2::First(outcome) => (0, outcome),
            Raced2::Second(outcome) => (1, outcome),
        },
        [a, b, c] => match cx.__race((begin(a), begin(b), begin(c))).await {
            Raced3::First(outcome) => (0, outcome),
            Raced3::Second(outcome) => (1, outcome),
            Raced3::Third(outcome) => (2, outcome),
        },
        _ => unreachable!("two or three arms"),
    }
}

fn many<const SLOT: usize>(awaited: &Awaited, fails_fast: bool, count: u32, cx: &Cx) -> Running {
    let Awaited { call: Call { callee, stays }, at } = *awaited;
    match (callee, fails_fast) {
        (Callee::Look, _) => all(look, count, cx, at),
        (Callee::Hold, _) if stays => all(|one| hold(one).without_compensation(), count, cx, at),
        (Callee::Hold, _) => all(hold, count, cx, at),
        (Callee::Ship, _) => all(ship, count, cx, at),
        (Callee::Tell, _) => all(tell, count, cx, at),
        (Callee::Deliver, _) => all(deliver, count, cx, at),
        (Callee::Check, true) => try_all(check, count, cx, at),
        (Callee::Check, false) => all(check, count, cx, at),
        (Callee::Reserve, true) if stays => try_all(|one| reserve(one).without_compensation(), count, cx, at),
        (Callee::Reserve, false) if stays => all(|one| reserve(one).without_compensation(), count, cx, at),
        (Callee::Reserve, true) => try_all(reserve, count, cx, at),
        (Callee::Reserve, false) => all(reserve, count, cx, at),
        (Callee::Charge, true) => try_all(charge, count, cx, at),
        (Callee::Charge, false) => all(charge, count, cx, at),
        (Callee::Inquire, true) => try_all(inquire, count, cx, at),
        (Callee::Inquire, false) => all(inquire, count, cx, at),
        (Callee::Order, true) => try_all(order, count, cx, at),
        (Callee::Order, false) => all(order, count, cx, at),
        (Callee::Subflow(1), true) => try_all(part::<SLOT, 1>, count, cx, at),
        (Callee::Subflow(1), false) => all(part::<SLOT, 1>, count, cx, at),
        (Callee::Subflow(_), true) => try_all(part::<SLOT, 2>, count, cx, at),
        (Callee::Subflow(_), false) => all(part::<SLOT, 2>, count, cx, at),
        (Callee::Receive, _) => unreachable!("no program waits for many messages at once"),
    }
}

fn all<D>(call: impl Fn(u32) -> D, count: u32, cx: &Cx, at: usize) -> Running
where
    D: Durable<Output: IntoOutcome + Send> + Send + 'static,
{
    let running = join_all((0..count).map(call)).limit(2).start(cx, at);
    Box::pin(async move {
        let outcomes: Result<Vec<u32>, Trouble> =
            running.await.into_iter().map(IntoOutcome::into_outcome).collect();
        outcomes.map(|_| count)
    })
}

fn try_all<D>(call: impl Fn(u32) -> D, count: u32, cx: &Cx, at: usize) -> Running
where
    D: Durable<Output: Fallible<Ok: Send, Error = Trouble> + Send> + Send + 'static,
{
    let running = try_join_all((0..count).map(call)).limit(2).start(cx, at);
    Box::pin(async move { running.await.map(|_| count) })
}
