//! `join_all` and `try_join_all`: the same call once for each of many values.
//! The calls go on side by side; their outputs come in the order of the values.

use std::collections::VecDeque;
use std::future::Future;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::parallel::Settling;
use crate::{Cx, Durable, Fallible, OpId};

/// Calls to be made side by side.
#[must_use = "WF003: nothing is called until this is awaited; see docs/errors/WF003.md"]
pub struct JoinAll<D> {
    calls: VecDeque<D>,
    limit: usize,
}

/// Calls to be made side by side, until one fails.
#[must_use = "WF003: nothing is called until this is awaited; see docs/errors/WF003.md"]
pub struct TryJoinAll<D>(JoinAll<D>);

/// Makes every call, side by side, and gives their outputs in the order of the calls:
/// `join_all(orders.iter().map(|order| ship(order))).limit(8).await`.
pub fn join_all<D: Durable>(calls: impl IntoIterator<Item = D>) -> JoinAll<D> {
    JoinAll { calls: calls.into_iter().collect(), limit: usize::MAX }
}

/// Like [`join_all`], until a call fails: then no further one is made, what is under way is waited for, and that error
/// is the result.
pub fn try_join_all<D: Durable<Output: Fallible>>(calls: impl IntoIterator<Item = D>) -> TryJoinAll<D> {
    TryJoinAll(join_all(calls))
}

impl<D> JoinAll<D> {
    /// Makes at most this many calls at a time, at least one; all at once unless said otherwise.
    pub fn limit(self, limit: usize) -> JoinAll<D> {
        JoinAll { limit: limit.max(1), ..self }
    }
}

impl<D> TryJoinAll<D> {
    /// Makes at most this many calls at a time, at least one; all at once unless said otherwise.
    pub fn limit(self, limit: usize) -> TryJoinAll<D> {
        TryJoinAll(self.0.limit(limit))
    }
}

#[diagnostic::do_not_recommend]
impl<D: Durable<Output: Send> + Send> Durable for JoinAll<D> {
    type Output = Vec<D::Output>;
    type Running = Calls<D>;

    fn start(self, cx: &Cx, position: usize) -> Calls<D> {
        Calls::new(self, cx, position)
    }
}

#[diagnostic::do_not_recommend]
impl<D> Durable for TryJoinAll<D>
where
    D: Durable<Output: Fallible<Ok: Send, Error: Send> + Send> + Send,
{
    type Output = Result<Vec<<D::Output as Fallible>::Ok>, <D::Output as Fallible>::Error>;
    type Running = TryCalls<D>;

    fn start(self, cx: &Cx, position: usize) -> TryCalls<D> {
        TryCalls { calls: Calls::new(self.0, cx, position), done: Vec::new(), error: None, settling: None }
    }
}

/// The calls of a [`join_all`], under way.
pub struct Calls<D: Durable> {
    cx: Cx,
    op: OpId,
    position: usize,
    waiting: VecDeque<D>,
    limit: NonZeroUsize,
    /// One place for each call that was made: under way, or gone.
    running: Vec<Option<Pin<Box<D::Running>>>>,
    under_way: usize,
    outputs: Vec<Option<D::Output>>,
}

impl<D: Durable> Unpin for Calls<D> {}

impl<D: Durable> Calls<D> {
    fn new(all: JoinAll<D>, cx: &Cx, position: usize) -> Calls<D> {
        let op = cx.next_op(position);
        let limit = NonZeroUsize::new(all.limit).unwrap_or(NonZeroUsize::MIN);
        let count = all.calls.len();
        Calls {
            cx: cx.__region(),
            op,
            position,
            waiting: all.calls,
            limit,
            running: Vec::with_capacity(count),
            under_way: 0,
            outputs: std::iter::repeat_with(|| None).take(count).collect(),
        }
    }

    /// Lets the calls go on that the event concerns, and those that are made now. Gives the number of a call that has
    /// just come to its end, one at a time.
    fn go_on(&mut self, context: &mut Context<'_>) -> Option<usize> {
        // With thousands of calls under way, an event must not cost a look at each of them.
        let touched = self.cx.state().touched.clone();
        let touched = touched.and_then(|op| self.op.instance_of(&op));
        if let Some(done) = touched.and_then(|call| self.poll_call(call, context)) {
            return Some(done);
        }
        while self.under_way < self.limit.get() {
            let call = self.waiting.pop_front()?;
            let number = self.running.len();
            let cx = self.cx.at(self.cx.frame.instance(self.op.instance(number)));
            self.running.push(Some(Box::pin(call.start(&cx, self.position))));
            self.under_way += 1;
            if let Some(done) = self.poll_call(number, context) {
                return Some(done);
            }
        }
        None
    }

    fn poll_call(&mut self, number: usize, context: &mut Context<'_>) -> Option<usize> {
        let call = self.running.get_mut(number)?;
        let Poll::Ready(output) = call.as_mut()?.as_mut().poll(context) else { return None };
        *call = None;
        self.under_way -= 1;
        self.outputs[number] = Some(output);
        Some(number)
    }

    fn is_done(&self) -> bool {
        self.under_way == 0 && self.waiting.is_empty()
    }
}

impl<D: Durable> Future for Calls<D> {
    type Output = Vec<D::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Vec<D::Output>> {
        while self.go_on(context).is_some() {}
        if !self.is_done() {
            return Poll::Pending;
        }
        Poll::Ready(std::mem::take(&mut self.outputs).into_iter().flatten().collect())
    }
}

/// The calls of a [`try_join_all`], under way.
pub struct TryCalls<D: Durable<Output: Fallible>> {
    calls: Calls<D>,
    done: Vec<Option<<D::Output as Fallible>::Ok>>,
    error: Option<<D::Output as Fallible>::Error>,
    settling: Option<Settling>,
}

impl<D: Durable<Output: Fallible>> Unpin for TryCalls<D> {}

impl<D: Durable<Output: Fallible>> Future for TryCalls<D> {
    type Output = Result<Vec<<D::Output as Fallible>::Ok>, <D::Output as Fallible>::Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if this.error.is_none() {
            while let Some(number) = this.calls.go_on(context) {
                if this.done.len() <= number {
                    this.done.resize_with(number + 1, || None);
                }
                match this.calls.outputs[number].take().map(Fallible::into_result) {
                    Some(Err(error)) => {
                        this.error = Some(error);
                        break;
                    }
                    done => this.done[number] = done.and_then(Result::ok),
                }
            }
            if this.error.is_none() {
                if !this.calls.is_done() {
                    return Poll::Pending;
                }
                return Poll::Ready(Ok(std::mem::take(&mut this.done).into_iter().flatten().collect()));
            }
            this.calls.running.clear();
            this.calls.waiting.clear();
            this.settling = Some(this.calls.cx.settled());
        }
        if let Some(settling) = &mut this.settling {
            std::task::ready!(Pin::new(settling).poll(context));
            this.settling = None;
        }
        match this.error.take() {
            Some(error) => Poll::Ready(Err(error)),
            None => Poll::Pending,
        }
    }
}
