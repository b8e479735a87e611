//! Tokens: where in the graph a run, or a branch of it, may be.
//! They are moved elsewhere; here is what they are, and how an event changes them.

use std::rc::Rc;

use workflow_graph::{NodeIndex, Outcome};

/// See the module.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token<'a> {
    /// It has left through this flow, and has not been seen since.
    Left(usize),
    /// It is in an operation.
    In { node: NodeIndex, calls: Vec<Call<'a>> },
    /// It was split by a fork or a race: one token per leaving flow.
    Split { node: NodeIndex, branches: Vec<Token<'a>> },
    /// It is in a block.
    Block { node: NodeIndex, inside: Box<Token<'a>> },
    /// It came to a join, or to an end.
    At { node: NodeIndex, outcome: Option<Outcome> },
}

/// One call of an operation; there are several where it happens once for each of many values.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call<'a> {
    /// The text of its id, up to its own scope.
    pub(crate) id: &'a str,
    pub(crate) answer: Answer<'a>,
    /// Where it is inside, if it is a subflow.
    pub(crate) inside: Option<Token<'a>>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Answer<'a> {
    Open,
    Good,
    Error(&'a str),
    /// An error, nobody knows which.
    AnyError,
    TimedOut,
    /// Nobody waits for it any more.
    Gone,
}

impl Answer<'_> {
    pub(crate) fn text(self) -> String {
        match self {
            Answer::Open | Answer::Good | Answer::Gone => String::new(),
            Answer::Error(variant) => format!(" -> {variant}"),
            Answer::AnyError => " -> an error".to_owned(),
            Answer::TimedOut => " -> timed out".to_owned(),
        }
    }

    pub(crate) fn is_error(self) -> bool {
        matches!(self, Answer::Error(_) | Answer::AnyError | Answer::TimedOut)
    }
}

/// What a way is made of.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step<'a> {
    /// A node that no flow leads to: a start.
    Node { map: usize, node: NodeIndex },
    Way {
        map: usize,
        /// The call of the subflow that it leads through; empty in the flow itself.
        scope: &'a str,
        flows: Rc<[usize]>,
    },
    /// A subflow came to its end.
    Scope { id: &'a str, outcome: Outcome, row: usize },
    /// A failure beside it ended this operation: nobody waits for what it gives, but for it to be over.
    Dropped { id: &'a str, row: usize },
    /// A failure beside it broke this subflow off before it came to its end.
    BrokenOff { id: &'a str, row: usize },
    /// The code undid on purpose what the subflow had done, and went on; `None` is the workflow itself.
    Compensated { scope: Option<&'a str>, row: usize },
}

/// Whether the same subflows ended in the same way, and the same was to be undone.
pub(crate) fn has_same_ends(a: &[Step<'_>], b: &[Step<'_>]) -> bool {
    fn ends<'s, 'a>(steps: &'s [Step<'a>]) -> impl Iterator<Item = Step<'a>> + use<'s, 'a> {
        steps.iter().filter_map(|step| match step {
            Step::Node { .. } | Step::Way { .. } => None,
            // In which row it was is the same for both: they have come to the same place.
            Step::Scope { id, outcome, .. } => Some(Step::Scope { id, outcome: *outcome, row: 0 }),
            Step::Dropped { id, .. } => Some(Step::Dropped { id, row: 0 }),
            Step::BrokenOff { id, .. } => Some(Step::BrokenOff { id, row: 0 }),
            Step::Compensated { scope, .. } => Some(Step::Compensated { scope: *scope, row: 0 }),
        })
    }
    ends(a).eq(ends(b))
}

/// The first of several ways to the same place, without the ends that are others on another one: nobody knows them.
pub(crate) fn certain<'a>(ways: Vec<Vec<Step<'a>>>) -> Option<Vec<Step<'a>>> {
    let mut ways = ways.into_iter();
    let mut first = ways.next()?;
    for other in ways {
        first.retain(|step| matches!(step, Step::Node { .. } | Step::Way { .. }) || other.contains(step));
    }
    Some(first)
}

/// The same steps, as those of this subflow.
pub(crate) fn inside<'a>(mut steps: Vec<Step<'a>>, id: &'a str) -> Vec<Step<'a>> {
    for step in &mut steps {
        if let Step::Compensated { scope: scope @ None, .. } = step {
            *scope = Some(id);
        }
    }
    steps
}

/// One part of an operation's id: `ship#2[3]` in `deliver.ship#2[3]`.
#[derive(Clone, Copy)]
pub(crate) struct Segment<'a> {
    /// `ship`.
    pub(crate) node: &'a str,
    /// All of the id up to here: `deliver.ship#2[3]`.
    pub(crate) id: &'a str,
    /// The same without the instance: `deliver.ship#2`.
    pub(crate) activation: &'a str,
    /// Where the next part begins.
    pub(crate) next: Option<usize>,
}

impl<'a> Segment<'a> {
    /// The part that begins there.
    pub(crate) fn at(text: &'a str, from: usize) -> Segment<'a> {
        let end = text[from..].find('.').map_or(text.len(), |dot| from + dot);
        let (id, part) = (&text[..end], &text[from..end]);
        let node = &part[..part.find(['#', '[', '/']).unwrap_or(part.len())];
        Segment { node, id, activation: activation(id), next: (end < text.len()).then_some(end + 1) }
    }
}

/// The id of what all instances have in common.
pub(crate) fn activation(id: &str) -> &str {
    if id.ends_with(']') { &id[..id.rfind('[').unwrap_or(id.len())] } else { id }
}

impl<'a> Token<'a> {
    /// An operation has its answer.
    pub(crate) fn settle(&mut self, id: &str, answer: Answer<'a>) {
        match self {
            Token::Left(_) | Token::At { .. } => {}
            Token::In { calls, .. } => {
                for call in calls {
                    match &mut call.inside {
                        Some(inside) if id.len() > call.id.len() && id.starts_with(call.id) => {
                            inside.settle(id, answer);
                        }
                        // What is settled stays settled.
                        None if call.id == id && call.answer == Answer::Open => call.answer = answer,
                        _ => {}
                    }
                }
            }
            Token::Split { branches, .. } => branches.iter_mut().for_each(|branch| branch.settle(id, answer)),
            Token::Block { inside, .. } => inside.settle(id, answer),
        }
    }

    /// The operations that are open.
    pub(crate) fn open(&self, open: &mut Vec<&'a str>) {
        match self {
            Token::Left(_) | Token::At { .. } => {}
            Token::In { calls, .. } => {
                for call in calls {
                    match &call.inside {
                        Some(inside) => inside.open(open),
                        None if call.answer == Answer::Open => open.push(call.id),
                        None => {}
                    }
                }
            }
            Token::Split { branches, .. } => branches.iter().for_each(|branch| branch.open(open)),
            Token::Block { inside, .. } => inside.open(open),
        }
    }
}
