//! What is known about a step at compile time: its effect, its policy, its errors and how it is undone.
//! Facts only; nothing here runs a step.

use std::borrow::Cow;
use std::fmt;

use crate::{Text, humanise};

/// A place in the source text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The file, as the compiler names it; empty when unknown.
    pub file: Text,
    /// The line, counted from 1; 0 when unknown.
    pub line: u32,
}

impl Source {
    /// Nowhere.
    pub const UNKNOWN: Source = Source { file: Cow::Borrowed(""), line: 0 };

    /// A place for use in constants.
    pub const fn at(file: &'static str, line: u32) -> Source {
        Source { file: Cow::Borrowed(file), line }
    }
}

/// As people and editors write it: `src/order.rs:41`.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&*self.file, self.line) {
            ("", _) => f.write_str("an unknown place"),
            (file, 0) => f.write_str(file),
            (file, line) => write!(f, "{file}:{line}"),
        }
    }
}

/// What a step does to the world, as its author declares it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing was declared; refused in a saga.
    Undeclared,
    /// It only looks.
    ReadOnly,
    /// It can be undone by its compensation.
    Compensatable,
    /// The point of no return: once it has happened, nothing is undone any more.
    Pivot,
    /// It is repeated until it succeeds.
    Retriable,
}

/// Who does a step, as far as the diagram tells it apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Task {
    /// Software.
    #[default]
    Service,
    /// A person: `#[step(human)]`.
    User,
    /// Rules that somebody maintains, such as a decision table: `#[step(rule)]`.
    BusinessRule,
}

/// How often, and after which waits, a failed attempt is repeated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryPolicy {
    /// The number of attempts in all, the first one included; `None` for no limit.
    pub attempts: Option<u32>,
    /// The wait after the first failed attempt, in milliseconds.
    pub initial_ms: u64,
    /// What each further wait is multiplied by.
    pub factor: f64,
    /// The longest wait, in milliseconds.
    pub max_ms: u64,
}

impl RetryPolicy {
    /// What a step without `retry(..)` gets: five attempts, waiting one second, doubling up to a minute.
    pub const DEFAULT: RetryPolicy =
        RetryPolicy { attempts: Some(5), initial_ms: 1_000, factor: 2.0, max_ms: 60_000 };

    /// What a retriable step without `retry(..)` gets: no limit, doubling up to five minutes.
    pub const UNTIL_SUCCESS: RetryPolicy =
        RetryPolicy { attempts: None, initial_ms: 1_000, factor: 2.0, max_ms: 300_000 };

    /// The default policy with another number of attempts in all, the first one included.
    ///
    /// ```
    /// use workflow_graph::RetryPolicy;
    /// let policy = RetryPolicy::attempts(3).initial_ms(200).factor(3.0).max_ms(1_000);
    /// assert_eq!([1, 2, 3].map(|attempt| policy.wait_after(attempt)), [Some(200), Some(600), None]);
    /// ```
    pub const fn attempts(attempts: u32) -> RetryPolicy {
        RetryPolicy { attempts: Some(attempts), ..RetryPolicy::DEFAULT }
    }

    /// The same policy with another wait after the first failed attempt, in milliseconds.
    pub const fn initial_ms(self, initial_ms: u64) -> RetryPolicy {
        RetryPolicy { initial_ms, ..self }
    }

    /// The same policy with another factor for each further wait.
    pub const fn factor(self, factor: f64) -> RetryPolicy {
        RetryPolicy { factor, ..self }
    }

    /// The same policy with another longest wait, in milliseconds.
    pub const fn max_ms(self, max_ms: u64) -> RetryPolicy {
        RetryPolicy { max_ms, ..self }
    }

    /// The wait in milliseconds after failed attempt number `attempt` (the first is 1), or `None` when that
    /// was the last one.
    ///
    /// ```
    /// use workflow_graph::RetryPolicy;
    /// assert_eq!(RetryPolicy::DEFAULT.wait_after(3), Some(4_000));
    /// assert_eq!(RetryPolicy::DEFAULT.wait_after(5), None);
    /// ```
    pub fn wait_after(&self, attempt: u32) -> Option<u64> {
        if self.attempts.is_some_and(|attempts| attempt >= attempts) {
            return None;
        }
        let exponent = i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX);
        let wait_ms = self.initial_ms as f64 * self.factor.powi(exponent);
        // A factor that overflows means "the longest wait", never zero.
        Some(if wait_ms.is_finite() { (wait_ms as u64).min(self.max_ms) } else { self.max_ms })
    }
}

/// How many attempts of a step may begin in any span of a given length: `100/s`.
///
/// ```
/// use workflow_graph::Rate;
/// assert_eq!(Rate::per_minute(30).to_string(), "30/m");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many may begin; more than zero.
    pub count: u32,
    /// In any span of that many milliseconds; more than zero.
    pub per_ms: u64,
}

impl Rate {
    /// So many in any second.
    pub const fn per_second(count: u32) -> Rate {
        Rate { count, per_ms: 1_000 }
    }

    /// So many in any minute.
    pub const fn per_minute(count: u32) -> Rate {
        Rate { count, per_ms: 60_000 }
    }

    /// So many in any hour.
    pub const fn per_hour(count: u32) -> Rate {
        Rate { count, per_ms: 3_600_000 }
    }
}

/// As it is written in `#[step(rate = "100/s")]`; a span that is no unit of its own is told in milliseconds.
impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.per_ms {
            1_000 => write!(f, "{}/s", self.count),
            60_000 => write!(f, "{}/m", self.count),
            3_600_000 => write!(f, "{}/h", self.count),
            per_ms => write!(f, "{}/{per_ms}ms", self.count),
        }
    }
}

/// One way in which a step can fail, from `#[derive(StepError)]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorFacts {
    /// The variant's name in the code.
    pub variant: Text,
    /// The code that the journal and the diagram carry; the variant's name unless declared.
    pub code: Text,
    /// For people.
    pub label: Text,
    /// Whether it is retried by policy before it becomes the step's answer.
    pub transient: bool,
    /// The ways to fail of the error inside of it, where it is made of one by `?` (`#[from]`); empty otherwise.
    pub wraps: &'static [ErrorFacts],
}

/// What is known about a message at compile time, from `#[derive(Message)]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageFacts {
    /// The name of the message, the same for sender and receiver.
    pub name: Text,
    /// The field that tells one conversation from another; empty when that is not known.
    pub key: Text,
    /// The other party that sends or takes it; empty when none is named.
    pub participant: Text,
}

impl MessageFacts {
    /// Facts for use in constants.
    pub const fn of(name: &'static str, key: &'static str, participant: &'static str) -> MessageFacts {
        MessageFacts {
            name: Cow::Borrowed(name),
            key: Cow::Borrowed(key),
            participant: Cow::Borrowed(participant),
        }
    }
}

/// Where an argument of a compensation comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// The recorded argument of the step at this position.
    Argument(usize),
    /// What the step returned.
    Output,
}

/// The types that the journal records of a step or a workflow, as the source text writes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Of the arguments: `Order, u64`.
    pub takes: Text,
    /// Of the answer, without the type of its errors: `Receipt`, `Result<Receipt>`.
    pub gives: Text,
}

impl Signature {
    /// Nothing is taken, and what is given is not known.
    pub const UNKNOWN: Signature = Signature { takes: Cow::Borrowed(""), gives: Cow::Borrowed("") };

    /// A signature for use in constants.
    pub const fn of(takes: &'static str, gives: &'static str) -> Signature {
        Signature { takes: Cow::Borrowed(takes), gives: Cow::Borrowed(gives) }
    }
}

/// How a step is undone.
#[derive(Clone, Debug, PartialEq)]
pub struct CompensationFacts {
    /// The name of the step that undoes.
    pub step: Text,
    /// The names that it had before.
    pub was: Cow<'static, [Text]>,
    /// The types of its arguments, as the source text writes them.
    pub takes: Text,
    /// Its label.
    pub label: Text,
    /// Where its arguments come from, in order.
    pub wiring: Cow<'static, [Wire]>,
    /// Whether that step is repeated until it succeeds, as it has to be.
    pub retriable: bool,
    /// Who does it.
    pub task: Task,
    /// The other party that it turns to; empty when none is named.
    pub participant: Text,
    /// All that is known about that step; `None` where only its name is.
    pub facts: Option<&'static StepFacts>,
}

impl CompensationFacts {
    /// Whether it needs the step's output; if not, it can also undo a step whose outcome is unknown.
    pub fn needs_output(&self) -> bool {
        self.wiring.contains(&Wire::Output)
    }
}

/// What a single call of a step computes while it runs: the expressions, for people. Nothing is known of their values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Computed {
    /// How long one attempt may take, by `.timeout(..)`; empty when that is known.
    pub timeout: Text,
    /// How failed attempts are repeated, by `.retry(..)`; empty when that is known.
    pub retry: Text,
}

impl Computed {
    /// All is known.
    pub const NOTHING: Computed = Computed { timeout: Cow::Borrowed(""), retry: Cow::Borrowed("") };
}

/// All that is known about a step at compile time.
#[derive(Clone, Debug, PartialEq)]
pub struct StepFacts {
    /// The name under which the journal knows it, by default the name of the function.
    pub name: Text,
    /// The names that it had before: journals from then know it by them.
    pub was: Cow<'static, [Text]>,
    /// First line of the documentation, or the humanised name.
    pub label: Text,
    /// The documentation comment, without its first line; empty when there is none.
    pub documentation: Text,
    /// The types that the journal records of it.
    pub signature: Signature,
    /// What it does to the world.
    pub effect: Effect,
    /// How failed attempts are repeated.
    pub retry: RetryPolicy,
    /// How long one attempt may take, in milliseconds; `None` for no limit, and where the call computes it.
    pub timeout_ms: Option<u64>,
    /// What the call computes while it runs, in place of what is said here.
    pub computed: Computed,
    /// How long one attempt may give no sign of life, in milliseconds; `None` when it promises none.
    pub heartbeat_ms: Option<u64>,
    /// How many attempts may be under way in the process at a time; `None` for no limit.
    pub concurrency: Option<u32>,
    /// How many attempts may begin in the process in a span of time; `None` for no limit.
    pub rate: Option<Rate>,
    /// Whether its function returns a `Result`.
    pub fallible: bool,
    /// The ways in which it can fail; empty when it cannot.
    pub errors: Cow<'static, [ErrorFacts]>,
    /// How it is undone.
    pub compensation: Option<CompensationFacts>,
    /// Whether its writes and its answer are one transaction of the store: nothing, no cancel either, comes between.
    pub transactional: bool,
    /// Whether it promises to leave nothing behind when it hears of a cancel.
    pub cancellable: bool,
    /// Whether its effect is meant to stay, whatever becomes of the run: the call says `.without_compensation()`.
    pub kept: bool,
    /// Who does it.
    pub task: Task,
    /// The other party that it turns to, such as a payment service; empty when none is named.
    pub participant: Text,
    /// Where the function stands.
    pub source: Source,
}

impl StepFacts {
    /// Facts about a step of that name and nothing else, to be filled with `..`.
    pub fn named(name: &str) -> StepFacts {
        StepFacts {
            name: Cow::Owned(name.to_owned()),
            was: Cow::Borrowed(&[]),
            label: Cow::Owned(humanise(name)),
            documentation: Cow::Borrowed(""),
            signature: Signature::UNKNOWN,
            effect: Effect::Undeclared,
            retry: RetryPolicy::DEFAULT,
            timeout_ms: None,
            computed: Computed::NOTHING,
            heartbeat_ms: None,
            concurrency: None,
            rate: None,
            fallible: false,
            errors: Cow::Borrowed(&[]),
            compensation: None,
            transactional: false,
            cancellable: false,
            kept: false,
            task: Task::Service,
            participant: Cow::Borrowed(""),
            source: Source::UNKNOWN,
        }
    }

    /// The same facts with another timeout, for a call that says `.timeout(..)`.
    pub const fn with_timeout_ms(mut self, timeout_ms: u64) -> StepFacts {
        self.timeout_ms = Some(timeout_ms);
        self
    }

    /// The same facts with another policy, for a call that says `.retry(..)`.
    pub const fn with_retry(mut self, retry: RetryPolicy) -> StepFacts {
        self.retry = retry;
        self
    }

    /// The same facts without a compensation, for a call that says `.without_compensation()`.
    pub const fn without_compensation(mut self) -> StepFacts {
        let compensation = self.compensation.take();
        std::mem::forget(compensation); // A constant cannot drop it.
        self.kept = true;
        self
    }

    /// The error with this variant name.
    pub fn error(&self, variant: &str) -> Option<&ErrorFacts> {
        self.errors.iter().find(|error| error.variant == variant)
    }
}
