//! Reading a graph while the compiler evaluates constants, where neither `Deref` nor `==` can be called.
//! It reads; what is found is judged by the checks.

use std::borrow::Cow;

use crate::{Flow, Graph, Node, Text};

/// The text, borrowed or owned.
pub(crate) const fn text_of(text: &Text) -> &str {
    match text {
        Cow::Borrowed(text) => text,
        Cow::Owned(text) => text.as_str(),
    }
}

/// The list, borrowed or owned.
#[allow(clippy::ptr_arg, reason = "constants cannot dereference a `Cow`")]
pub(crate) const fn list_of<'a, T: Clone>(list: &'a Cow<'static, [T]>) -> &'a [T] {
    match list {
        Cow::Borrowed(list) => list,
        Cow::Owned(list) => list.as_slice(),
    }
}

/// The nodes.
pub(crate) const fn nodes_of(graph: &Graph) -> &[Node] {
    list_of(&graph.nodes)
}

/// The flows.
pub(crate) const fn flows_of(graph: &Graph) -> &[Flow] {
    list_of(&graph.flows)
}

/// Whether both texts are the same.
pub(crate) const fn is_same_text(left: &str, right: &str) -> bool {
    is_same_bytes(left.as_bytes(), right.as_bytes())
}

/// Whether both are the same bytes.
pub(crate) const fn is_same_bytes(left: &[u8], right: &[u8]) -> bool {
    let mut index = 0;
    while index < left.len() && index < right.len() && left[index] == right[index] {
        index += 1;
    }
    index == left.len() && index == right.len()
}

/// Whether both are the graph of one function: constants cannot compare addresses, but names and places.
pub(crate) const fn is_same_graph(left: &Graph, right: &Graph) -> bool {
    left.source.line == right.source.line
        && is_same_text(text_of(&left.workflow), text_of(&right.workflow))
        && is_same_text(text_of(&left.source.file), text_of(&right.source.file))
}
