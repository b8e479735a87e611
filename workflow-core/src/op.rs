//! The identity of one operation of one run.
//! It comes from the structure of the code alone, never from a counter over the whole run.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// One operation of a run: the scopes it stands in, its node, which time it is there, and which of many it is.
///
/// | text | meaning |
/// |---|---|
/// | `charge_card` | the first time the run passes that node |
/// | `charge_card#2` | the second time |
/// | `charge_card[3]` | the fourth of the calls that `join_all` makes at that node |
/// | `deliver.ship` | `ship` inside the subflow `deliver` |
/// | `deliver#2.ship/undo` | the compensation of `ship` in the second `deliver` |
///
/// ```
/// use workflow_core::OpId;
/// let op = OpId::from_text("deliver#2.ship[3]/undo");
/// assert_eq!(op.node(), "ship");
/// assert_eq!(op.scope().unwrap().as_str(), "deliver#2");
/// assert_eq!(op.undoes().unwrap().as_str(), "deliver#2.ship[3]");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OpId(Arc<str>);

/// No node has such an id.
const DEADLINE: &str = "*deadline";

impl OpId {
    /// The operation at this node, the `occurrence`-th time in the scope whose operations begin with `prefix`.
    pub(crate) fn new(prefix: &str, node: &str, occurrence: u32) -> OpId {
        OpId(match occurrence {
            1 if prefix.is_empty() => node.into(),
            1 => format!("{prefix}{node}").into(),
            _ => format!("{prefix}{node}#{occurrence}").into(),
        })
    }

    /// The deadline of the whole run, which stands at no node.
    pub(crate) fn deadline() -> OpId {
        OpId(DEADLINE.into())
    }

    /// Whether it is the deadline of the whole run.
    pub fn is_deadline(&self) -> bool {
        &*self.0 == DEADLINE
    }

    /// One of the calls that `join_all` makes here.
    pub(crate) fn instance(&self, index: usize) -> OpId {
        OpId(format!("{}[{index}]", self.0).into())
    }

    /// Which of the calls that `join_all` makes at `self` the operation `other` belongs to.
    pub(crate) fn instance_of(&self, other: &OpId) -> Option<usize> {
        other.0.strip_prefix(&*self.0)?.strip_prefix('[')?.split_once(']')?.0.parse().ok()
    }

    /// What the ids of all operations in the scope that begins here begin with.
    pub(crate) fn prefix(&self) -> Arc<str> {
        format!("{}.", self.0).into()
    }

    /// Whether it stands in the scope whose operations begin with `prefix`; the run's own prefix is empty.
    pub(crate) fn is_within(&self, prefix: &str) -> bool {
        self.0.starts_with(prefix)
    }

    pub(crate) fn undo(&self) -> OpId {
        OpId(format!("{}/undo", self.0).into())
    }

    /// Takes the text form as it stands, for requests that come from outside.
    pub fn from_text(text: impl Into<String>) -> OpId {
        OpId(text.into().into())
    }

    /// The text form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id of the node in the graph of its scope.
    pub fn node(&self) -> &str {
        let begin = self.0.rfind('.').map_or(0, |dot| dot + 1);
        let node = &self.0[begin..];
        &node[..node.find(['#', '[', '/']).unwrap_or(node.len())]
    }

    /// The subflow call that it stands in; `None` for the run itself.
    pub fn scope(&self) -> Option<OpId> {
        self.0.rfind('.').map(|dot| OpId(self.0[..dot].into()))
    }

    /// The operation that this one undoes, if it is a compensation.
    pub fn undoes(&self) -> Option<OpId> {
        self.0.strip_suffix("/undo").map(|forward| OpId(forward.into()))
    }
}

impl fmt::Display for OpId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
