//! The values with which a function comes back, as far as its own text makes them: the last expression, what follows a
//! `return`, and what becomes of an error before a `?`. What an operation answers is left out.

use std::collections::BTreeSet;

use syn::visit::{self, Visit};
use syn::{Block, Expr, Stmt};

use super::Basis;

/// See the module. Each text counts once, wherever it stands, so that a way that ends like another one changes nothing.
#[derive(Default)]
pub(super) struct Results(BTreeSet<Vec<String>>);

impl Results {
    pub(super) fn of(block: &Block) -> Basis {
        let mut results = Results::default();
        results.visit_block(block);
        results.last_of(block);
        let words = results.0.into_iter().flat_map(|words| words.into_iter().chain([";".to_owned()]));
        // Whatever gives a name its value comes before it.
        Basis { words: words.collect(), place: (usize::MAX, 0) }
    }

    fn last_of(&mut self, block: &Block) {
        if let Some(Stmt::Expr(last, None)) = block.stmts.last() {
            self.value(last);
        }
    }

    fn value(&mut self, value: &Expr) {
        match value {
            Expr::Paren(paren) => self.value(&paren.expr),
            Expr::Group(group) => self.value(&group.expr),
            Expr::Block(block) => self.last_of(&block.block),
            Expr::If(if_) => {
                self.last_of(&if_.then_branch);
                if let Some((_, otherwise)) = &if_.else_branch {
                    self.value(otherwise);
                }
            }
            Expr::Match(match_) => match_.arms.iter().for_each(|arm| self.value(&arm.body)),
            Expr::Return(_) | Expr::Loop(_) => {} // Seen by the visit.
            other => self.add(Basis::of_expression(other)),
        }
    }

    /// An answer as it stands is in the journal.
    fn add(&mut self, basis: Basis) {
        if basis.words != ["await"] {
            self.0.insert(basis.words);
        }
    }
}

impl<'ast> Visit<'ast> for Results {
    fn visit_expr_return(&mut self, return_: &'ast syn::ExprReturn) {
        if let Some(value) = &return_.expr {
            self.value(value);
        }
        visit::visit_expr_return(self, return_);
    }

    fn visit_expr_break(&mut self, break_: &'ast syn::ExprBreak) {
        if let Some(value) = &break_.expr {
            self.value(value);
        }
        visit::visit_expr_break(self, break_);
    }

    fn visit_expr_try(&mut self, try_: &'ast syn::ExprTry) {
        self.add(Basis::of_expression(&try_.expr));
        visit::visit_expr_try(self, try_);
    }
}
