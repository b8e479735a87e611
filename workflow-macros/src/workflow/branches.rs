//! The branches of `join!` and `try_join!`: calls, and `async` blocks with a flow and ends of their own.
//! How branches split and meet again is decided elsewhere.

use syn::{Block, Expr, Macro};
use workflow_graph::{NodeIndex, Outcome, Thrown};

use super::expressions::block_is_drawn;
use super::graph::Ways;
use super::lower::{Lowerer, span_of};
use super::operations::CallText;
use super::regions::Region;
use crate::docs;

/// Where the results of the code lead that is being lowered.
pub(crate) enum Ending {
    /// They end the flow.
    Function,
    /// They end a branch.
    Branch {
        /// The ways of those that go on to where the branches meet.
        exits: Ways,
        /// Whether an error ends the block of all branches; else it is a value like any other.
        fails: bool,
    },
}

impl Ending {
    /// Whether the code that is being lowered stands in a branch.
    pub(crate) fn is_of_branch(&self) -> bool {
        matches!(self, Ending::Branch { .. })
    }

    /// Whether results and errors lead to the same place.
    pub(crate) fn takes_any(&self) -> bool {
        matches!(self, Ending::Branch { fails: false, .. })
    }
}

/// One branch, or the operation of an arm.
pub(crate) struct Branch<'e> {
    pub(crate) label: Option<String>,
    pub(crate) body: BranchBody<'e>,
}

pub(crate) enum BranchBody<'e> {
    /// A call, which counts as one of the body's awaits.
    Call { text: Box<CallText<'e>>, await_number: usize, written: &'e Expr },
    /// An `async` block.
    Block(&'e Block),
}

impl Branch<'_> {
    /// Whether anything happens in it that is drawn.
    pub(crate) fn is_drawn(&self) -> bool {
        match &self.body {
            BranchBody::Call { .. } => true,
            BranchBody::Block(block) => block_is_drawn(block),
        }
    }
}

impl<'a> Lowerer<'a> {
    /// What stands in one of the language's macros; `None` after an error.
    pub(crate) fn region(&mut self, call: &Macro) -> Option<&'a Region> {
        let region = self.body.region(call)?;
        if call.path.get_ident().is_none() {
            self.has_refused = true; // It is another crate's, and was refused as that.
            return None;
        }
        match region {
            Ok(region) => Some(region),
            Err(error) => {
                self.refuse_as(error.clone());
                None
            }
        }
    }

    /// The branches, behind all that is evaluated before any of them begins.
    pub(crate) fn branches(&mut self, region: &'a Region, mut ways: Ways) -> (Vec<Branch<'a>>, Ways) {
        let mut branches = Vec::new();
        for (part, number) in region.parts.iter().zip(&region.numbers) {
            let label = docs::split(&part.attrs).label;
            if let Some(slip) = &part.slip {
                self.refuse_as(slip.clone());
                continue;
            }
            let written = &part.operation.tree;
            let body = match (part.block(), number) {
                (Some(block), _) => BranchBody::Block(block),
                (None, &Some(await_number)) => {
                    let Some(text) = self.call_text(written) else { continue };
                    ways = self.arguments(&text, ways);
                    BranchBody::Call { text: Box::new(text), await_number, written }
                }
                (None, None) => continue,
            };
            branches.push(Branch { label, body });
        }
        (branches, ways)
    }

    /// A call that is a branch, or the operation of an arm.
    pub(crate) fn begin(
        &mut self,
        text: CallText<'_>,
        await_number: usize,
        written: &Expr,
        ways: Ways,
    ) -> (Option<NodeIndex>, Ways) {
        self.call(text, await_number, span_of_call(written), ways)
    }

    /// One branch. If it `fails`, its errors end the block of all branches.
    pub(crate) fn branch(&mut self, branch: Branch<'_>, fails: bool, ways: Ways) -> Ways {
        self.label = branch.label;
        let after = match branch.body {
            BranchBody::Block(block) => self.branch_block(block, fails, ways),
            BranchBody::Call { text, await_number, written } => {
                let (node, ways) = self.begin(*text, await_number, written, ways);
                if fails && let Some(way) = node.and_then(|node| self.error_way(node)) {
                    self.failure(vec![way], Thrown::Arriving);
                }
                ways
            }
        };
        self.label = None;
        after
    }

    /// The flow of an `async` block, up to its ends.
    fn branch_block(&mut self, block: &Block, fails: bool, ways: Ways) -> Ways {
        let inside = Ending::Branch { exits: Ways::new(), fails };
        let outside = std::mem::replace(&mut self.ending, inside);
        // Neither a loop nor the result type of the function reach into the block.
        let loops = std::mem::take(&mut self.loops);
        let is_fallible = std::mem::replace(&mut self.is_fallible, true);
        let ways = self.block_end(block, ways);
        self.end_of_function(ways);
        self.is_fallible = is_fallible;
        self.loops = loops;
        match std::mem::replace(&mut self.ending, outside) {
            Ending::Branch { exits, .. } => exits,
            Ending::Function => Ways::new(),
        }
    }

    /// Takes the ways that end the branch instead of the flow; gives those that still end the flow.
    pub(crate) fn leave_branch(&mut self, ways: Ways, outcome: Outcome) -> Ways {
        match (&mut self.ending, outcome) {
            (Ending::Branch { exits, .. }, Outcome::Success)
            | (Ending::Branch { exits, fails: false }, Outcome::Failure) => {
                exits.extend(ways);
                Ways::new()
            }
            _ => ways,
        }
    }
}

/// The parentheses of the call, so that no identifier of the user gets a second meaning.
fn span_of_call(written: &Expr) -> proc_macro2::Span {
    match written {
        Expr::Call(call) => call.paren_token.span.join(),
        Expr::MethodCall(call) => call.paren_token.span.join(),
        Expr::Paren(paren) => span_of_call(&paren.expr),
        Expr::Group(group) => span_of_call(&group.expr),
        other => span_of(other),
    }
}
