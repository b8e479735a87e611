//! Which `.await` of the text is which: they are counted in the order of the text, here in the syntax tree and in
//! `rewrite` in the tokens. Both must count alike, or an operation would be recorded under another's name.

use std::collections::BTreeMap;

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::Visit;
use syn::{Block, ExprAwait, Macro};

use crate::signature::RawFn;

/// The body of a workflow as a syntax tree, with its awaits counted.
pub(crate) struct Body {
    pub(crate) block: Block,
    /// Keyed by the address of the tree's node: the tree does not move while it is lowered.
    numbers: BTreeMap<usize, usize>,
    /// Where they stand, in the order of the text; for those inside a macro call, where the call does.
    pub(crate) awaits: Vec<Span>,
}

/// Parses the body.
pub(crate) fn parse_body(function: &RawFn) -> syn::Result<Box<Body>> {
    let tokens: TokenStream = TokenTree::from(function.body.clone()).into();
    let block = syn::parse2::<Block>(tokens)?;
    let mut body = Box::new(Body { block, numbers: BTreeMap::new(), awaits: Vec::new() });
    let mut counter = Counter { numbers: BTreeMap::new(), found: Vec::new() };
    counter.visit_block(&body.block);
    (body.numbers, body.awaits) = (counter.numbers, counter.found);
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
    found: Vec<Span>,
}

impl<'ast> Visit<'ast> for Counter {
    fn visit_expr_await(&mut self, expression: &'ast ExprAwait) {
        self.visit_expr(&expression.base); // Its text comes first.
        self.numbers.insert(address(expression), self.found.len());
        self.found.push(expression.await_token.span);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        let hidden = count_tokens(call.tokens.clone());
        self.found.extend(std::iter::repeat_n(call.path.span(), hidden));
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
