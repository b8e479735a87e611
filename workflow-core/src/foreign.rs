//! Who awaited what is not durable, and where: told from a call stack and from the graph.
//! It reads text for people; whether anybody is to blame is decided elsewhere.

use std::backtrace::Backtrace;
use std::fmt;

use crate::whereabouts::{all_graphs, between};
use crate::{Definition, OpId};

/// The code of a workflow waits for something that no journal records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignFuture {
    /// The workflow.
    pub workflow: String,
    /// File, line and column of the await, as far as the program carries debug information: `src/order.rs:41:20`.
    pub at: Option<String>,
    /// The function that polled it, as far as the program carries symbols.
    pub future: Option<String>,
    /// Between which operations: ``after `charge_card` (src/order.rs:40), before `ship` (src/order.rs:43)``.
    pub between: String,
}

impl ForeignFuture {
    /// `after` is the operation that the code has begun last.
    pub(crate) fn found(definition: &Definition, after: Option<&OpId>, stack: &Backtrace) -> ForeignFuture {
        let stack = stack.to_string();
        let frames = frames(&stack);
        let files: Vec<&str> =
            all_graphs(definition.graph()).iter().map(|graph| &*graph.source.file).collect();
        let body = body_of_a_workflow(&frames, &files);
        ForeignFuture {
            workflow: definition.name.to_owned(),
            at: body.and_then(|body| place_in(&frames[body], &files)),
            future: body.and_then(|body| polled_by(&frames[..body])),
            between: between(definition, after),
        }
    }
}

impl std::error::Error for ForeignFuture {}

impl fmt::Display for ForeignFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the code of `{}` awaits something that is not durable", self.workflow)?;
        if let Some(at) = &self.at {
            write!(f, " at {at}")?;
        }
        if let Some(future) = &self.future {
            write!(f, ", by way of `{future}`")?;
        }
        write!(f, "; it stands {} (WF103, docs/errors/WF103.md)", self.between)
    }
}

/// One line of a call stack.
struct Frame<'a> {
    function: &'a str,
    /// Empty when unknown.
    place: &'a str,
}

impl<'a> Frame<'a> {
    /// The path of the function, without what it is generic over.
    fn path(&self) -> &'a str {
        match self.function.strip_prefix('<') {
            Some(_) => self.function,
            None => self.function.split('<').next().unwrap_or_default(),
        }
    }
}

/// The frames of a call stack as text, the innermost first.
fn frames(stack: &str) -> Vec<Frame<'_>> {
    let mut frames: Vec<Frame<'_>> = Vec::new();
    for line in stack.lines().map(str::trim) {
        if let Some(place) = line.strip_prefix("at ") {
            if let Some(frame) = frames.last_mut() {
                frame.place = place;
            }
        } else if let Some((number, function)) = line.split_once(": ")
            && number.bytes().all(|byte| byte.is_ascii_digit())
        {
            frames.push(Frame { function, place: "" });
        }
    }
    frames
}

/// The innermost frame that is the text of a workflow or a subflow: what polls the foreign future.
fn body_of_a_workflow(frames: &[Frame<'_>], files: &[&str]) -> Option<usize> {
    // What the macro leaves behind has a name of its own. With line tables alone it has none: then it is an `async`
    // block in one of the files, where the foreign future may stand as well.
    let is_named =
        |frame: &Frame<'_>| ["::__run::{", "flow>::run::{"].iter().any(|name| frame.path().contains(name));
    let is_there = |frame: &Frame<'_>| place_in(frame, files).is_some();
    let is_block = |frame: &Frame<'_>| frame.function.starts_with("{async_") && is_there(frame);
    let position = |is_body: &dyn Fn(&Frame<'_>) -> bool| frames.iter().position(is_body);
    position(&is_named).or_else(|| position(&is_block)).or_else(|| position(&is_there))
}

/// The place of a frame, if it lies in one of these files.
fn place_in(frame: &Frame<'_>, files: &[&str]) -> Option<String> {
    let place = frame.place.strip_prefix("./").unwrap_or(frame.place);
    let (file, line) = place.rsplit_once(':').and_then(|(rest, column)| {
        let (file, line) = rest.rsplit_once(':')?;
        Some((file, format!("{line}:{column}")))
    })?;
    let known = files.iter().find(|known| is_same_file(known, file))?;
    Some(format!("{known}:{line}"))
}

/// Whether two paths mean one file: a call stack and the compiler name files from different folders.
fn is_same_file(a: &str, b: &str) -> bool {
    let parts = |path: &str| -> Vec<String> {
        path.split(['/', '\\']).rev().filter(|part| !matches!(*part, "" | ".")).map(str::to_owned).collect()
    };
    let (a, b) = (parts(a), parts(b));
    !a.is_empty() && !b.is_empty() && a.iter().zip(&b).all(|(a, b)| a == b)
}

/// What the code of the workflow polled: the outermost of these frames that is not the standard library's.
fn polled_by(inside: &[Frame<'_>]) -> Option<String> {
    let is_known = |frame: &&Frame<'_>| {
        let function = frame.function.trim_start_matches('<').trim_start_matches("&mut ");
        let is_standard = ["core::", "alloc::", "std::"].iter().any(|name| function.starts_with(name));
        let is_ours = function.starts_with("workflow_core::waker");
        // A name without a path says nothing.
        let has_path = frame.path().contains("::");
        !is_standard && !is_ours && has_path && !frame.place.starts_with("/rustc/")
    };
    inside.iter().rev().find(is_known).map(|frame| frame.function.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STACK: &str = "\
   0: workflow_core::waker::take
             at /rs/workflow-core/src/waker.rs:33:5
   1: <core::task::wake::Waker as core::clone::Clone>::clone
             at /rustc/0/library/core/src/task/wake.rs:6:1
   2: tokio::runtime::time::entry::TimerEntry::poll_elapsed
             at /registry/tokio/src/runtime/time/entry.rs:1:1
   3: <tokio::time::sleep::Sleep as core::future::future::Future>::poll
   4: <core::pin::Pin<P> as core::future::future::Future>::poll
             at /rustc/0/library/core/src/future/future.rs:133:9
   5: shop::order::__pay::__run::{{closure}}
             at ./src/order.rs:41:20
   6: workflow_core::workflow::Definition::of::body::{{closure}}
             at /rs/workflow-core/src/workflow.rs:41:20
   7: shop::order::__pay::__run::{{closure}}
             at ./src/order.rs:12:1";

    #[test]
    fn the_call_stack_tells_the_line_and_the_future() {
        let frames = frames(STACK);
        let files = ["shop/src/order.rs"];
        let body = body_of_a_workflow(&frames, &files).unwrap();
        assert_eq!(place_in(&frames[body], &files).unwrap(), "shop/src/order.rs:41:20");
        let future = "<tokio::time::sleep::Sleep as core::future::future::Future>::poll";
        assert_eq!(polled_by(&frames[..body]).unwrap(), future);
    }

    #[test]
    fn line_tables_alone_tell_the_line() {
        let stack = "\
   0: workflow_core::waker::take
   1: {async_block#0}
             at ./src/order.rs:41:20
   2: go_on<shop::{impl#7}::__run::{async_block#0}::{async_block_env#0}>
             at /rs/workflow-core/src/parallel.rs:104:35
   3: {async_block#0}<shop::order::__pay>
             at /rs/workflow-core/src/scope.rs:83:60";
        let (frames, files) = (frames(stack), ["src/order.rs"]);
        let body = body_of_a_workflow(&frames, &files).unwrap();
        assert_eq!(place_in(&frames[body], &files).unwrap(), "src/order.rs:41:20");
        assert_eq!(polled_by(&frames[body + 1..]), None, "a name without a path says nothing");
    }

    #[test]
    fn a_call_stack_without_symbols_tells_nothing_and_harms_nobody() {
        for stack in ["", "disabled backtrace", "   0: <unknown>\n   1: <unknown>"] {
            let frames = frames(stack);
            assert_eq!(body_of_a_workflow(&frames, &["src/order.rs"]), None);
            assert_eq!(polled_by(&frames), None);
        }
    }

    #[test]
    fn a_file_is_found_again_whatever_folder_it_is_named_from() {
        assert!(is_same_file("shop/src/order.rs", "./src/order.rs"));
        assert!(is_same_file("src/order.rs", "/build/shop/src/order.rs"));
        assert!(!is_same_file("src/order.rs", "src/other.rs"));
        assert!(!is_same_file("", "src/order.rs"));
    }
}
