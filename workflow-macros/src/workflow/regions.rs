//! `join!`, `try_join!` and `select!` as they are written: their branches and arms, each with its own tokens.
//! Syntax only. The tree of the body and the rewritten tokens are both made from it, so that they agree.

pub(crate) mod expand;
mod parse;
mod repair;
#[cfg(test)]
mod tests;

use proc_macro2::{Ident, Span, TokenStream};
use syn::{Attribute, Block, Error, Expr, Macro, Pat};

pub(crate) use parse::parse;

/// The most branches or arms that one macro takes.
const MOST: usize = 8;

/// Which of the language's macros it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    Join,
    TryJoin,
    Select,
}

impl Word {
    /// The macro of this name.
    pub(crate) fn named(name: &Ident) -> Option<Word> {
        Word::written(&name.to_string())
    }

    /// The macro whose name is this text.
    pub(crate) fn written(name: &str) -> Option<Word> {
        Some(match name {
            "join" => Word::Join,
            "try_join" => Word::TryJoin,
            "select" => Word::Select,
            _ => return None,
        })
    }

    /// The macro that is called here, whatever crate it is said to come from.
    pub(crate) fn of(call: &Macro) -> Option<Word> {
        call.path.segments.last().and_then(|last| Word::named(&last.ident))
    }
}

/// What stands between the parentheses of one of the macros, and where.
pub(crate) struct Region {
    /// The name of the macro.
    pub(crate) span: Span,
    pub(crate) parts: Vec<Part>,
    /// For each part that is a call, which of the body's awaits it counts as.
    pub(crate) numbers: Vec<Option<usize>>,
}

/// A branch of a `join!` or `try_join!`, or an arm of a `select!`.
pub(crate) struct Part {
    pub(crate) attrs: Vec<Attribute>,
    /// The call, or the `async` block.
    pub(crate) operation: Written<Expr>,
    /// What has to be written differently, though it is plain what was meant.
    pub(crate) slip: Option<Error>,
    /// What a `select!` does with the outcome.
    pub(crate) arm: Option<Arm>,
}

/// What a `select!` does when this operation is first.
pub(crate) struct Arm {
    pub(crate) pattern: Written<Pat>,
    pub(crate) body: Written<Expr>,
}

/// A piece of syntax, and the very tokens that it was written with.
pub(crate) struct Written<T> {
    pub(crate) tree: T,
    pub(crate) tokens: TokenStream,
}

impl Part {
    /// The `async` block that this branch is; `None` for a call.
    pub(crate) fn block(&self) -> Option<&Block> {
        match &self.operation.tree {
            Expr::Async(block) => Some(&block.block),
            _ => None,
        }
    }
}
