//! Steps: what the `#[step]` macro makes of a function, and the errors they answer with.
//! Descriptions only; when a step runs, and how often, is decided elsewhere.

use std::any::{Any, TypeId};
use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;

use serde::Serialize;
use workflow_graph::{Effect, ErrorFacts, StepFacts, Text};

use crate::attempt::{self, Attempt};
use crate::{Payload, PayloadError, ResourceNeed, Resources, StepContext, Storable};

/// A function under `#[step]`. Implemented by the macro, never by hand.
pub trait Step: Sized + 'static {
    /// The name under which the journal knows it.
    const NAME: &'static str = written(Self::FACTS).0;
    /// What people read.
    const LABEL: &'static str = written(Self::FACTS).1;
    /// The names that it had before.
    const WAS: &'static [Text] = names_before(Self::FACTS);
    /// The types of the arguments that are recorded, as they were written.
    const TAKES: &'static str = written(Self::FACTS).2;
    /// All that is known at compile time.
    const FACTS: StepFacts;
    /// The arguments that are recorded, in the order of the parameters.
    type Args: Storable;
    /// What the call gives to the workflow.
    type Output: Storable;
    /// The step that undoes this one; a function, so that a step may name one that names it.
    const COMPENSATION: Option<fn() -> &'static StepDef> = None;
    /// What the process has to supply.
    const RESOURCES: &'static [ResourceNeed] = &[];
    /// Runs one attempt.
    const BODY: StepBody = StepBody::Async(attempt::asynchronous::<Self>);
    /// The definition that the engine runs. A constant has no address of its own: [`StepDef::is`] tells steps apart.
    const DEF: &'static StepDef = &StepDef::of::<Self>();

    /// One attempt of an `async fn`, with the recorded arguments. Not called where [`BODY`](Self::BODY) says otherwise.
    ///
    /// # Errors
    /// When the process does not supply what it needs.
    fn attempt(_cx: StepContext, _resources: &Resources, _args: Self::Args) -> Attempt {
        unreachable!("the body of `{}` does not ask for it", Self::NAME)
    }
}

/// The name, the label and the types of the arguments of a step, as its constant has them.
const fn written(facts: StepFacts) -> (&'static str, &'static str, &'static str) {
    let texts = (text(&facts.name), text(&facts.label), text(&facts.signature.takes));
    std::mem::forget(facts); // A constant cannot drop it.
    texts
}

const fn text(text: &Text) -> &'static str {
    match text {
        Cow::Borrowed(text) => text,
        Cow::Owned(_) => panic!("the facts of a step are constants"),
    }
}

const fn names_before(facts: StepFacts) -> &'static [Text] {
    let names = match &facts.was {
        Cow::Borrowed(names) => *names,
        Cow::Owned(_) => panic!("the facts of a step are constants"),
    };
    std::mem::forget(facts); // A constant cannot drop it.
    names
}

const fn returns_result(facts: StepFacts) -> bool {
    // The errors of a step that is repeated until it succeeds never reach the workflow.
    let returns_result = facts.fallible && !matches!(facts.effect, Effect::Retriable);
    std::mem::forget(facts); // A constant cannot drop it.
    returns_result
}

/// A step as the engine and the test kit see it: facts, and a function to call.
#[derive(Debug)]
pub struct StepDef {
    /// Which step it is, whatever it is called.
    pub id: StepId,
    /// What is known at compile time.
    pub facts: StepFacts,
    /// The step that undoes this one.
    pub compensation: Option<fn() -> &'static StepDef>,
    /// Whether the call gives the workflow a `Result`.
    pub returns_result: bool,
    /// What the process has to supply.
    pub resources: &'static [ResourceNeed],
    /// Runs one attempt.
    pub run: StepBody,
}

/// What tells one step from another in this process: the type behind its function. It differs from build to build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepId(TypeId);

impl StepId {
    /// The id of the step behind this type.
    pub const fn of<S: 'static>() -> StepId {
        StepId(TypeId::of::<S>())
    }
}

/// The body of a step, as one attempt of it is run: with its context, what the process supplies, and the recorded
/// arguments.
#[derive(Clone, Copy, Debug)]
pub enum StepBody {
    /// An `async fn`: a future that its driver polls.
    Async(fn(StepContext, &Resources, &Payload) -> StepFuture),
    /// A plain `fn`: it keeps a thread until it comes back.
    Blocking(fn(StepContext, &Resources, &Payload) -> Result<Answer, StepFault>),
    /// An `async fn` with `&mut Tx`: its future borrows the transaction in which its answer is recorded. An attempt
    /// that does not come back with what it has done did not take effect.
    Transactional(TransactionalBody),
}

/// What makes an attempt of a transactional step.
pub type TransactionalBody =
    for<'tx> fn(StepContext, &Resources, &Payload, &'tx mut TransactionHandle) -> TransactionalFuture<'tx>;

/// The transaction of an attempt, as one hands it through that does not know what it is.
pub type TransactionHandle = dyn Any + Send;

/// One attempt of a transactional step, running.
pub type TransactionalFuture<'tx> = Pin<Box<dyn Future<Output = Result<Answer, StepFault>> + Send + 'tx>>;

impl StepDef {
    /// The definition of this step.
    pub const fn of<S: Step>() -> StepDef {
        StepDef {
            id: StepId::of::<S>(),
            facts: S::FACTS,
            compensation: S::COMPENSATION,
            returns_result: returns_result(S::FACTS),
            resources: S::RESOURCES,
            run: S::BODY,
        }
    }

    /// Whether both are the definition of one step.
    pub fn is(&self, other: &StepDef) -> bool {
        self.id == other.id
    }

    /// Whether attempts run inside of a transaction, so that one that fails took no effect.
    pub fn is_transactional(&self) -> bool {
        matches!(self.run, StepBody::Transactional(_))
    }
}

impl StepBody {
    /// One attempt on the thread that polls it, a blocking body too: for drivers that have no other thread, such as
    /// a test of the body. A transactional body cannot run here: there is no transaction.
    pub fn here(self, cx: StepContext, resources: &Resources, args: &Payload) -> StepFuture {
        match self {
            StepBody::Async(run) => run(cx, resources, args),
            StepBody::Blocking(run) => {
                let (resources, args) = (resources.clone(), args.clone());
                Box::pin(async move { run(cx, &resources, &args) })
            }
            StepBody::Transactional(_) => Box::pin(async { Err(StepFault::NoTransaction) }),
        }
    }
}

/// One attempt of a step, running.
pub type StepFuture = Pin<Box<dyn Future<Output = Result<Answer, StepFault>> + Send>>;

/// What an attempt of a step came back with.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// It took effect; this is the value that the workflow will see.
    Done(Payload),
    /// It answered with an error of its own type.
    Refused {
        /// The value that the workflow will see, should this be the step's answer.
        output: Payload,
        /// The variant of the error.
        variant: &'static str,
        /// Whether it is worth another attempt.
        transient: bool,
        /// For people.
        message: String,
    },
}

impl Answer {
    /// The answer of a step that cannot fail.
    ///
    /// # Errors
    /// When the value cannot be stored.
    pub fn of_value<T: Serialize>(value: &T) -> Result<Answer, StepFault> {
        Ok(Answer::Done(Payload::of(value).map_err(StepFault::Output)?))
    }

    /// The answer of a step whose call gives the workflow a `Result`.
    ///
    /// # Errors
    /// When the value or the error cannot be stored.
    pub fn of_result<T: Serialize, E: StepError>(result: &Result<T, E>) -> Result<Answer, StepFault> {
        let output = Payload::of(result).map_err(StepFault::Output)?;
        Ok(match result {
            Ok(_) => Answer::Done(output),
            Err(error) => Answer::refused(output, error),
        })
    }

    /// The answer of a retriable step: its errors never reach the workflow.
    ///
    /// # Errors
    /// When the value or the error cannot be stored.
    pub fn of_retriable<T: Serialize, E: StepError>(result: &Result<T, E>) -> Result<Answer, StepFault> {
        match result {
            Ok(value) => Answer::of_value(value),
            Err(error) => Ok(Answer::refused(Payload::of(error).map_err(StepFault::Output)?, error)),
        }
    }

    pub(crate) fn refused<E: StepError>(output: Payload, error: &E) -> Answer {
        let facts = error.facts();
        let (variant, transient) = (facts.variant.as_ref(), facts.transient);
        Answer::Refused { output, variant, transient, message: error.to_string() }
    }
}

/// Why an attempt could not even be made, or its answer not be kept.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StepFault {
    /// The recorded arguments do not fit the parameters.
    #[error("the recorded arguments do not fit the parameters of the step: {0}")]
    Arguments(PayloadError),
    /// The answer cannot be written to the journal.
    #[error("the answer of the step cannot be stored in the journal: {0}")]
    Output(PayloadError),
    /// The process does not supply this resource.
    #[error("no resource of type `{0}` was given to the engine")]
    Resource(&'static str),
    /// The step needs the transaction of a store, and whoever runs it has none.
    #[error("the step is transactional (`&mut Tx`), and there is no store with transactions")]
    NoTransaction,
}

/// The error type of a step or workflow: its ways to fail have names, and say whether to try again.
/// Use `#[derive(StepError)]`.
#[diagnostic::on_unimplemented(
    message = "WF022: `{Self}` is not a step error",
    label = "the journal and the diagram need a name for each way to fail",
    note = "derive it on an enum of your own: `#[derive(StepError)]`",
    note = "see docs/errors/WF022.md"
)]
pub trait StepError: Storable + std::fmt::Display {
    /// All ways to fail.
    #[doc(hidden)]
    const ERRORS: &'static [ErrorFacts];
    /// Which of them this value is: an index into [`StepError::ERRORS`].
    #[doc(hidden)]
    fn index(&self) -> usize;

    /// The facts about this value's way to fail.
    fn facts(&self) -> &'static ErrorFacts {
        &Self::ERRORS[self.index()]
    }
}

/// A result type: lets the macro name the parts of `Result`, also behind an alias.
#[diagnostic::on_unimplemented(
    message = "WF021: `{Self}` is called `Result` but is not `std::result::Result`",
    label = "write the result type out"
)]
pub trait Fallible {
    /// The good half.
    type Ok;
    /// The bad half.
    type Error;
    /// The result itself.
    fn into_result(self) -> Result<Self::Ok, Self::Error>;
    /// What went wrong.
    fn error(&self) -> Option<&Self::Error>;
}

impl<T, E> Fallible for Result<T, E> {
    type Ok = T;
    type Error = E;

    fn into_result(self) -> Result<T, E> {
        self
    }

    fn error(&self) -> Option<&E> {
        self.as_ref().err()
    }
}

/// That the arguments of a compensation are what the wiring passes.
#[diagnostic::on_unimplemented(
    message = "WF031: the compensation takes `{Self}`, but its wiring passes `{Passed}`",
    label = "these arguments do not fit the parameters of the compensation",
    note = "name parameters of the step, and `output` for what it returns, in the compensation's order",
    note = "see docs/errors/WF031.md"
)]
pub trait WiredFrom<Passed> {}

#[diagnostic::do_not_recommend]
impl<T> WiredFrom<T> for T {}
