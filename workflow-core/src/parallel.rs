//! `join!`, `try_join!` and `select!`: several operations at once, in the order of the text.
//! One event is fed at a time, so who is first is never left to chance.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::frame::Region;
use crate::scope::Undoing;
use crate::state::Operation;
use crate::{Cx, OpId};

impl Cx {
    /// The inside of a parallel region.
    #[doc(hidden)]
    pub fn __region(&self) -> Cx {
        self.at(self.frame.region())
    }

    /// All branches, with their outputs in the order of the text.
    #[doc(hidden)]
    pub fn __join<B: Branches>(&self, branches: B) -> B::Joined {
        branches.joined()
    }

    /// All branches, or the first error: then what is under way in the others is waited for.
    #[doc(hidden)]
    pub fn __try_join<B: TryBranches>(&self, branches: B) -> B::Joined {
        branches.joined(self.clone())
    }

    /// The first of several operations; the others are withdrawn.
    #[doc(hidden)]
    pub fn __race<B: Racers>(&self, racers: B) -> B::Race {
        racers.race()
    }

    /// What the code of this region dropped comes to rest: attempts under way are waited for, and scopes that were
    /// dropped before their end are undone.
    pub(crate) fn settled(&self) -> Settling {
        Settling { cx: self.clone(), undoing: None }
    }
}

/// See [`Cx::settled`].
pub(crate) struct Settling {
    cx: Cx,
    undoing: Option<Undoing>,
}

impl Future for Settling {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        loop {
            if let Some(undoing) = &mut self.undoing {
                std::task::ready!(Pin::new(undoing).poll(context));
                self.undoing = None;
            }
            let mut state = self.cx.state();
            let Some(region) = &self.cx.frame.region else { return Poll::Ready(()) };
            let is_there = |_: &OpId, operation: &Operation| operation.is_in(region);
            if state.is_settling(is_there) {
                return Poll::Pending;
            }
            if let Err(error) = state.forget_withdrawn(is_there) {
                state.fault = Some(error);
                return Poll::Pending;
            }
            let Some(prefix) = state.take_broken_scope(region) else { return Poll::Ready(()) };
            drop(state);
            let undoing = self.cx.undo(&prefix);
            self.undoing = Some(undoing);
        }
    }
}

impl crate::state::State {
    /// A scope inside of this region whose code was dropped; the one that was dropped last first.
    fn take_broken_scope(&mut self, region: &Arc<Region>) -> Option<Arc<str>> {
        let is_there =
            |broken: &Option<Arc<Region>>| broken.as_ref().is_some_and(|inner| inner.is_within(region));
        let last = self.broken_scopes.iter().rposition(|(_, broken)| is_there(broken))?;
        Some(self.broken_scopes.remove(last).0)
    }
}

/// A branch, and its output once it has come to its end.
enum Branch<F: Future> {
    Open(Pin<Box<F>>),
    Done(F::Output),
    Gone,
}

impl<F: Future> Branch<F> {
    fn new(future: F) -> Branch<F> {
        Branch::Open(Box::pin(future))
    }

    /// Lets it go on; whether it has come to its end.
    fn go_on(&mut self, context: &mut Context<'_>) -> bool {
        if let Branch::Open(future) = self {
            match future.as_mut().poll(context) {
                Poll::Ready(output) => *self = Branch::Done(output),
                Poll::Pending => return false,
            }
        }
        true
    }

    fn take(&mut self) -> Option<F::Output> {
        match std::mem::replace(self, Branch::Gone) {
            Branch::Done(output) => Some(output),
            _ => None,
        }
    }
}

impl<F: Future<Output = Result<T, E>>, T, E> Branch<F> {
    fn take_error(&mut self) -> Option<E> {
        if !matches!(self, Branch::Done(Err(_))) {
            return None;
        }
        self.take().and_then(Result::err)
    }
}

impl<F: Future> Unpin for Branch<F> {}

/// The branches of a `join!`.
pub trait Branches {
    /// The future of all their outputs.
    type Joined: Future;
    #[doc(hidden)]
    fn joined(self) -> Self::Joined;
}

/// The branches of a `try_join!`.
pub trait TryBranches {
    /// The future of all their results, or of the first error.
    type Joined: Future;
    #[doc(hidden)]
    fn joined(self, cx: Cx) -> Self::Joined;
}

/// The operations of a `select!`.
pub trait Racers {
    /// The future of the first output.
    type Race: Future;
    #[doc(hidden)]
    fn race(self) -> Self::Race;
}

macro_rules! branches {
    ($($joined:ident $try_joined:ident $race:ident $raced:ident: $($branch:ident $output:ident $first:ident)*;)*) => {$(
        #[doc(hidden)]
        pub struct $joined<$($branch: Future),*>($(Branch<$branch>),*);

        impl<$($branch: Future),*> Branches for ($($branch,)*) {
            type Joined = $joined<$($branch),*>;

            #[allow(non_snake_case)]
            fn joined(self) -> Self::Joined {
                let ($($branch,)*) = self;
                $joined($(Branch::new($branch)),*)
            }
        }

        #[allow(non_snake_case)]
        impl<$($branch: Future),*> Future for $joined<$($branch),*> {
            type Output = ($($branch::Output,)*);

            fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
                let $joined($($branch),*) = &mut *self;
                let mut is_done = true;
                $(is_done &= $branch.go_on(context);)*
                if !is_done {
                    return Poll::Pending;
                }
                match ($($branch.take(),)*) {
                    ($(Some($branch),)*) => Poll::Ready(($($branch,)*)),
                    _ => Poll::Pending,
                }
            }
        }

        #[doc(hidden)]
        pub struct $try_joined<Error, $($branch: Future),*> {
            branches: ($(Branch<$branch>,)*),
            error: Option<Error>,
            cx: Cx,
            settling: Option<Settling>,
        }

        impl<Error, $($output,)* $($branch: Future<Output = Result<$output, Error>>),*> TryBranches for ($($branch,)*) {
            type Joined = $try_joined<Error, $($branch),*>;

            #[allow(non_snake_case)]
            fn joined(self, cx: Cx) -> Self::Joined {
                let ($($branch,)*) = self;
                $try_joined { branches: ($(Branch::new($branch),)*), error: None, cx, settling: None }
            }
        }

        impl<Error, $($branch: Future),*> Unpin for $try_joined<Error, $($branch),*> {}

        #[allow(non_snake_case)]
        impl<Error, $($output,)* $($branch: Future<Output = Result<$output, Error>>),*> Future
            for $try_joined<Error, $($branch),*>
        {
            type Output = Result<($($output,)*), Error>;

            fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
                let this = &mut *self;
                if this.error.is_none() {
                    let ($($branch,)*) = &mut this.branches;
                    let mut is_done = true;
                    // From the first error on, the branches behind it are not looked at any more.
                    $(
                        if this.error.is_none() {
                            is_done &= $branch.go_on(context);
                            this.error = $branch.take_error();
                        }
                    )*
                    if this.error.is_none() {
                        if !is_done {
                            return Poll::Pending;
                        }
                        return match ($($branch.take(),)*) {
                            ($(Some(Ok($branch)),)*) => Poll::Ready(Ok(($($branch,)*))),
                            _ => Poll::Pending,
                        };
                    }
                    $(*$branch = Branch::Gone;)*
                    this.settling = Some(this.cx.settled());
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

        /// Which of the operations of a `select!` was first, with its output.
        #[doc(hidden)]
        pub enum $raced<$($branch),*> { $($first($branch)),* }

        #[doc(hidden)]
        pub struct $race<$($branch: Future),*>($(Branch<$branch>),*);

        impl<$($branch: Future),*> Racers for ($($branch,)*) {
            type Race = $race<$($branch),*>;

            #[allow(non_snake_case)]
            fn race(self) -> Self::Race {
                let ($($branch,)*) = self;
                $race($(Branch::new($branch)),*)
            }
        }

        #[allow(non_snake_case)]
        impl<$($branch: Future),*> Future for $race<$($branch),*> {
            type Output = $raced<$($branch::Output),*>;

            fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
                let $race($($branch),*) = &mut *self;
                $(
                    if $branch.go_on(context) && let Some(output) = $branch.take() {
                        return Poll::Ready($raced::$first(output));
                    }
                )*
                Poll::Pending
            }
        }
    )*};
}

branches! {
    Joined1 TryJoined1 Race1 Raced1: A OA First;
    Joined2 TryJoined2 Race2 Raced2: A OA First B OB Second;
    Joined3 TryJoined3 Race3 Raced3: A OA First B OB Second C OC Third;
    Joined4 TryJoined4 Race4 Raced4: A OA First B OB Second C OC Third D OD Fourth;
    Joined5 TryJoined5 Race5 Raced5: A OA First B OB Second C OC Third D OD Fourth G OG Fifth;
    Joined6 TryJoined6 Race6 Raced6: A OA First B OB Second C OC Third D OD Fourth G OG Fifth H OH Sixth;
    Joined7 TryJoined7 Race7 Raced7:
        A OA First B OB Second C OC Third D OD Fourth G OG Fifth H OH Sixth I OI Seventh;
    Joined8 TryJoined8 Race8 Raced8:
        A OA First B OB Second C OC Third D OD Fourth G OG Fifth H OH Sixth I OI Seventh J OJ Eighth;
}
