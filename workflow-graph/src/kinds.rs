//! What can happen at a node, and what starts a run.
//! Facts of the source text; how they are drawn and run is decided elsewhere.

use std::borrow::Cow;

use crate::{ErrorFacts, StepFacts, Subgraph, Text};

/// What happens at a node.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "graphs are constants, and a constant holds no box")]
pub enum NodeKind {
    /// The run begins. Exactly one per graph, and one per block.
    Start,
    /// A step touches the world.
    Step(StepFacts),
    /// A durable timer: `sleep(days(3))`.
    Timer(Span),
    /// A durable timer for a point in time: `sleep_until(t)`.
    TimerAt {
        /// For people: the expression that computes it.
        text: Text,
    },
    /// A wait for a message by its correlation key.
    Receive {
        /// The name of the message.
        message: Text,
        /// How long it waits; `None` for `.forever()`.
        deadline: Option<Span>,
    },
    /// A message leaves: `send(command)` to one receiver, `publish(event)` to all that listen.
    Send {
        /// The name of the message.
        message: Text,
        /// Whether it is for all that listen.
        publishes: bool,
    },
    /// Another workflow runs as a child: a run of its own.
    Child(ChildFacts),
    /// A `#[subflow]`: the same run, a scope of its own.
    Subflow(SubflowFacts),
    /// A region whose branches fail together (`try_join!`). The nodes inside name it as their scope: one start, one
    /// fork, the branches, one join, and ends; the first failure in it leaves the block.
    Block,
    /// The flow splits into branches that all run: one leaving flow per branch.
    Fork,
    /// The branches of a fork have all arrived, each by one flow. Has one leaving flow.
    Join,
    /// The first of several operations wins (`select!`): one leaving flow per operation, the others are withdrawn.
    /// Nothing else leads to these operations, and what leaves the one that wins goes on.
    Race,
    /// One of several ways is taken. Leaving flows carry answers; exactly one of them is the default.
    Decision {
        /// The question that the answers reply to, ending in a question mark.
        question: Text,
    },
    /// Runs from before a change take one way, later ones the other: `if patched("..").await`. Leaves like a decision.
    VersionSwitch {
        /// The id of the change.
        patch: Text,
    },
    /// What was completed so far is undone on purpose: `compensate().await`.
    Compensate,
    /// Several ways come together again, or a loop begins. Has one leaving flow.
    Merge,
    /// The run, or the block, ends here.
    End(Outcome),
}

impl NodeKind {
    /// See [`Node::is_operation`](crate::Node::is_operation).
    pub const fn is_operation(&self) -> bool {
        matches!(
            self,
            NodeKind::Step(_)
                | NodeKind::Timer(_)
                | NodeKind::TimerAt { .. }
                | NodeKind::Receive { .. }
                | NodeKind::Send { .. }
                | NodeKind::Child(_)
                | NodeKind::Subflow(_)
        )
    }

    /// The ways in which it can fail, as far as they are known here: of a block they are not.
    pub fn errors(&self) -> &[ErrorFacts] {
        match self {
            NodeKind::Step(step) => &step.errors,
            NodeKind::Child(child) => &child.errors,
            NodeKind::Subflow(subflow) => &subflow.errors,
            _ => &[],
        }
    }
}

/// How a run ends at an end node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// With a result; nothing is undone.
    Success,
    /// With an error; what was completed is compensated first.
    Failure,
    /// It continues as new: same id, fresh journal.
    Continued,
}

/// What is known about a child workflow at compile time.
#[derive(Clone, Debug, PartialEq)]
pub struct ChildFacts {
    /// The name under which its runs are stored.
    pub workflow: Text,
    /// First line of its documentation, or the humanised name.
    pub label: Text,
    /// Whether nobody waits for it: `.detached()`.
    pub detached: bool,
    /// The ways in which it can fail; empty when it cannot.
    pub errors: Cow<'static, [ErrorFacts]>,
    /// Its own flow.
    pub graph: Subgraph,
}

/// What is known about a subflow at compile time.
#[derive(Clone, Debug, PartialEq)]
pub struct SubflowFacts {
    /// The name of the function.
    pub name: Text,
    /// First line of its documentation, or the humanised name.
    pub label: Text,
    /// The ways in which it can fail; empty when it cannot.
    pub errors: Cow<'static, [ErrorFacts]>,
    /// Its own flow.
    pub graph: Subgraph,
}

/// What starts a run by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// Nothing: a client or a parent does.
    None,
    /// A message of this name: `#[workflow(on = OrderPlaced)]`.
    Message(Text),
    /// A schedule: `#[workflow(cron = "0 6 * * *", timezone = "Europe/Berlin")]`.
    Schedule {
        /// Five fields: minute, hour, day of month, month, day of week.
        cron: Text,
        /// An IANA name, `UTC` unless declared.
        timezone: Text,
        /// What becomes of the times that passed while no engine ran.
        catch_up: CatchUp,
    },
}

/// What becomes of scheduled times that passed while no engine ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CatchUp {
    /// One run, for the latest of them.
    Latest,
    /// One run for each.
    All,
    /// None.
    Skip,
}

/// A stretch of time as the source text gives it.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// ISO 8601 (`P7D`) when the source is a literal; empty when it is computed at run time.
    pub iso: Text,
    /// For people: `7 days`, or the expression that computes it.
    pub text: Text,
}

impl Span {
    /// A span for use in constants.
    pub const fn literal(iso: &'static str, text: &'static str) -> Span {
        Span { iso: Cow::Borrowed(iso), text: Cow::Borrowed(text) }
    }
}
