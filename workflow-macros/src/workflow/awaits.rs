//! Which `.await` of the text is which: they are counted in the order of the text, here in the syntax tree and in
//! `rewrite` in the tokens. Both must count alike, or an operation would be recorded under another's name.

use std::collections::BTreeMap;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::Visit;
use syn::{Block, ExprAwait, Macro};

use crate::signature::RawFn;

/// The body of a workflow as a syntax tree, with its awaits counted.
pub(crate) struct Body {
    pub(crate) block: Block,
    /// Keyed by the address of the tree's node: the tree does not move while it is lowered.
    numbers: BTreeMap<usize, usize>,
    pub(crate) awaits: usize,
}

/// Parses the body.
pub(crate) fn parse_body(function: &RawFn) -> syn::Result<Box<Body>> {
    let tokens: TokenStream = TokenTree::from(function.body.clone()).into();
    let block = syn::parse2::<Block>(tokens)?;
    let mut body = Box::new(Body { block, numbers: BTreeMap::new(), awaits: 0 });
    let mut counter = Counter { numbers: BTreeMap::new(), next: 0 };
    counter.visit_block(&body.block);
    (body.numbers, body.awaits) = (counter.numbers, counter.next);
    Ok(body)
}

impl Body {
    /// The number of this `.await`, counted from 0.
    pub(crate) fn number_of(&self, expression: &ExprAwait) -> usize {
        *self.numbers.get(&address(expression)).expect("every await of the tree has been counted")
    }
}

fn address(expression: &ExprAwait) -> usize {
    std::ptr::from_ref(expression) as usize
}

struct Counter {
    numbers: BTreeMap<usize, usize>,
    next: usize,
}

impl<'ast> Visit<'ast> for Counter {
    fn visit_expr_await(&mut self, expression: &'ast ExprAwait) {
        self.visit_expr(&expression.base); // Its text comes first.
        self.numbers.insert(address(expression), self.next);
        self.next += 1;
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.next += count_tokens(call.tokens.clone());
    }
}

/// How many `.await` these tokens hold.
pub(crate) fn count_tokens(tokens: TokenStream) -> usize {
    let mut count = 0;
    let mut after_dot = false;
    for token in tokens {
        match &token {
            TokenTree::Group(group) => count += count_tokens(group.stream()),
            TokenTree::Ident(ident) if after_dot && ident == "await" => count += 1,
            _ => {}
        }
        after_dot = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '.');
    }
    count
}
