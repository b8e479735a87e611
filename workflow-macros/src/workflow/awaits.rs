//! Which `.await` of the text is which: they are counted in the order of the text, here in the syntax tree and in
//! `rewrite` in the tokens. Both must count alike, or an operation would be recorded under another's name.

use std::collections::BTreeMap;

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit::Visit;
use syn::{Block, Expr, ExprAwait, Macro, Token};

use super::iteration::Places;
use super::regions::{self, Region, Word};
use super::rewrite::rewrite;
use crate::signature::RawFn;

/// The body of a workflow as a syntax tree, with its awaits counted.
pub(crate) struct Body {
    pub(crate) block: Block,
    counted: Counter,
}

/// Parses the body.
pub(crate) fn parse_body(function: &RawFn) -> syn::Result<Box<Body>> {
    let tokens: TokenStream = TokenTree::from(function.body.clone()).into();
    let block = syn::parse2::<Block>(tokens)?;
    let mut body = Box::new(Body { block, counted: Counter::default() });
    let mut counter = Counter::default();
    counter.visit_block(&body.block);
    body.counted = counter;
    Ok(body)
}

impl Body {
    /// The number of this `.await`, counted from 0.
    pub(crate) fn number_of(&self, expression: &ExprAwait) -> usize {
        *self.counted.numbers.get(&address(expression)).expect("every await of the tree has been counted")
    }

    /// What this macro call is, if it is one of the language's; or why it cannot be.
    pub(crate) fn region(&self, call: &Macro) -> Option<&syn::Result<Region>> {
        self.counted.regions.get(&address(call))
    }

    /// What a `vec![..]` lists.
    pub(crate) fn list(&self, call: &Macro) -> Option<&[Expr]> {
        self.counted.lists.get(&address(call)).map(Vec::as_slice)
    }

    /// Where the awaits stand, in the order of the text; for those inside a foreign macro call, where the call does.
    pub(crate) fn awaits(&self) -> &[Span] {
        &self.counted.found
    }
}

fn address<T>(node: &T) -> usize {
    std::ptr::from_ref(node) as usize
}

/// Keyed by the addresses of the tree's nodes: the tree does not move while it is lowered.
#[derive(Default)]
struct Counter {
    numbers: BTreeMap<usize, usize>,
    regions: BTreeMap<usize, syn::Result<Region>>,
    lists: BTreeMap<usize, Vec<Expr>>,
    found: Vec<Span>,
}

impl Counter {
    fn count(&mut self, span: Span) -> usize {
        self.found.push(span);
        self.found.len() - 1
    }

    fn region(&mut self, word: Word, call: &Macro) -> syn::Result<Region> {
        let name = &call.path.segments[call.path.segments.len() - 1].ident;
        let parts = regions::parse(word, name, call.tokens.clone())?;
        let mut numbers = Vec::new();
        for part in &parts {
            self.visit_expr(&part.operation.tree);
            let span = part.operation.tree.span();
            numbers.push(part.block().is_none().then(|| self.count(span)));
            if let Some(arm) = &part.arm {
                self.visit_expr(&arm.body.tree);
            }
        }
        Ok(Region { span: name.span(), parts, numbers })
    }
}

impl<'ast> Visit<'ast> for Counter {
    fn visit_expr_await(&mut self, expression: &'ast ExprAwait) {
        self.visit_expr(&expression.base); // Its text comes first.
        let number = self.count(expression.await_token.span);
        self.numbers.insert(address(expression), number);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        let region = Word::of(call).map(|word| self.region(word, call));
        if !matches!(region, Some(Ok(_))) {
            let hidden = count_tokens(call.tokens.clone());
            self.found.extend(std::iter::repeat_n(call.path.span(), hidden));
        }
        if call.path.is_ident("vec")
            && let Ok(list) = call.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated)
        {
            self.lists.insert(address(call), list.into_iter().collect());
        }
        if let Some(region) = region {
            self.regions.insert(address(call), region);
        }
    }
}

/// How many `.await` these tokens hold.
pub(crate) fn count_tokens(tokens: TokenStream) -> usize {
    rewrite(tokens, &Places::default()).awaits
}
