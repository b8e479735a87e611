//! The identity of one operation of one run.
//! It comes from the structure of the code alone, never from a counter over the whole run.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One operation of a run: the node it stands at and, from the second time on, which time it is.
///
/// `charge_card` is the first time the run passes that node, `charge_card#2` the second, and
/// `charge_card#2/undo` the compensation of the second.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OpId(String);

impl OpId {
    pub(crate) fn new(node: &str, occurrence: u32) -> OpId {
        if occurrence == 1 { OpId(node.to_owned()) } else { OpId(format!("{node}#{occurrence}")) }
    }

    pub(crate) fn undo(&self) -> OpId {
        OpId(format!("{}/undo", self.0))
    }

    /// Takes the text form as it stands, for requests that come from outside.
    pub fn from_text(text: impl Into<String>) -> OpId {
        OpId(text.into())
    }

    /// The text form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id of the node in the graph.
    pub fn node(&self) -> &str {
        let end = self.0.find(['#', '/']).unwrap_or(self.0.len());
        &self.0[..end]
    }

    /// The operation that this one undoes, if it is a compensation.
    pub fn undoes(&self) -> Option<OpId> {
        self.0.strip_suffix("/undo").map(|forward| OpId(forward.to_owned()))
    }
}

impl fmt::Display for OpId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
