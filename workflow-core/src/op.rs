//! The identity of one operation of one run.
//! It comes from the structure of the code alone, never from a counter over the whole run.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

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
#[derive(Clone)]
pub struct OpId(Text);

/// Most operations go by the id of their node, which costs nothing to make and to copy. What an operation stands in or
/// undoes is the beginning of its own id, and shares the text with it.
#[derive(Clone)]
enum Text {
    Node(&'static str),
    Shared(Arc<str>),
    /// That many bytes of a text.
    Beginning(Arc<str>, usize),
}

/// No node has such an id.
const DEADLINE: &str = "*deadline";

impl OpId {
    /// The operation at this node, the `occurrence`-th time in the scope whose operations begin with `prefix`.
    pub(crate) fn new(prefix: &str, node: &'static str, occurrence: u32) -> OpId {
        match occurrence {
            1 if prefix.is_empty() => OpId(Text::Node(node)),
            _ => OpId::under(prefix, node, occurrence),
        }
    }

    /// The same for a node whose id is not known to the program.
    pub(crate) fn under(prefix: &str, node: &str, occurrence: u32) -> OpId {
        OpId::from_text(match occurrence {
            1 => format!("{prefix}{node}"),
            _ => format!("{prefix}{node}#{occurrence}"),
        })
    }

    /// The deadline of the whole run, which stands at no node.
    pub(crate) fn deadline() -> OpId {
        OpId(Text::Node(DEADLINE))
    }

    /// Whether it is the deadline of the whole run.
    pub fn is_deadline(&self) -> bool {
        self.as_str() == DEADLINE
    }

    /// One of the calls that `join_all` makes here.
    pub(crate) fn instance(&self, index: usize) -> OpId {
        OpId::from_text(format!("{}[{index}]", self.0))
    }

    /// Which of the calls that `join_all` makes at `self` the operation `other` belongs to.
    pub(crate) fn instance_of(&self, other: &OpId) -> Option<usize> {
        let rest = other.as_str().strip_prefix(self.as_str())?;
        rest.strip_prefix('[')?.split_once(']')?.0.parse().ok()
    }

    /// What the ids of all operations in the scope that begins here begin with.
    pub(crate) fn prefix(&self) -> Arc<str> {
        format!("{}.", self.0).into()
    }

    /// Whether it stands in the scope whose operations begin with `prefix`; the run's own prefix is empty.
    pub(crate) fn is_within(&self, prefix: &str) -> bool {
        self.as_str().starts_with(prefix)
    }

    pub(crate) fn undo(&self) -> OpId {
        OpId::from_text(format!("{}/undo", self.0))
    }

    /// Takes the text form as it stands, for requests that come from outside.
    pub fn from_text(text: impl Into<String>) -> OpId {
        OpId(Text::Shared(text.into().into()))
    }

    /// The text form.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The id of the node in the graph of its scope.
    pub fn node(&self) -> &str {
        let text = self.as_str();
        let begin = text.rfind('.').map_or(0, |dot| dot + 1);
        let node = &text[begin..];
        &node[..node.find(['#', '[', '/']).unwrap_or(node.len())]
    }

    /// The subflow call that it stands in; `None` for the run itself.
    pub fn scope(&self) -> Option<OpId> {
        self.as_str().rfind('.').map(|dot| self.beginning(dot))
    }

    /// The operation that this one undoes, if it is a compensation.
    pub fn undoes(&self) -> Option<OpId> {
        self.as_str().strip_suffix("/undo").map(|forward| self.beginning(forward.len()))
    }

    /// The operation whose id is the beginning of this one.
    fn beginning(&self, length: usize) -> OpId {
        OpId(match &self.0 {
            Text::Node(text) => Text::Node(&text[..length]),
            Text::Shared(text) | Text::Beginning(text, _) => Text::Beginning(Arc::clone(text), length),
        })
    }
}

impl Text {
    fn as_str(&self) -> &str {
        match self {
            Text::Node(text) => text,
            Text::Shared(text) => text,
            Text::Beginning(text, length) => &text[..*length],
        }
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for OpId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for OpId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OpId").field(&self.as_str()).finish()
    }
}

// The text is what counts, and not how it is kept.
impl PartialEq for OpId {
    fn eq(&self, other: &OpId) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for OpId {}

impl PartialOrd for OpId {
    fn partial_cmp(&self, other: &OpId) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for OpId {
    fn cmp(&self, other: &OpId) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl Hash for OpId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl Serialize for OpId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for OpId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<OpId, D::Error> {
        Ok(OpId(Text::Shared(Arc::deserialize(deserializer)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_the_same_however_its_text_is_kept() {
        let node = OpId::new("", "ship", 1);
        let shared = OpId::from_text("ship");
        let beginning = OpId::from_text("ship/undo").undoes().expect("an undo");
        for other in [&shared, &beginning] {
            assert_eq!((&node, node.cmp(other)), (other, Ordering::Equal));
            assert_eq!(format!("{other} {other:?}"), "ship OpId(\"ship\")");
            let written = serde_json::to_string(other).expect("text");
            assert_eq!(serde_json::from_str::<OpId>(&written).expect("an id"), node);
        }
        let known = std::collections::HashSet::from([node]);
        assert!(known.contains(&shared) && known.contains(&beginning));
        assert!(beginning < OpId::from_text("ship/undo"));
    }

    #[test]
    fn the_beginnings_of_an_id_share_its_text() {
        let undo = OpId::new("deliver#2.", "ship", 3).undo();
        assert_eq!(undo.as_str(), "deliver#2.ship#3/undo");
        let ship = undo.undoes().expect("an undo");
        assert_eq!((ship.as_str(), ship.node()), ("deliver#2.ship#3", "ship"));
        assert_eq!(ship.scope().expect("a scope").as_str(), "deliver#2");
        assert_eq!((ship.undoes(), OpId::new("", "ship", 1).scope()), (None, None));
    }
}
