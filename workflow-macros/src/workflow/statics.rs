//! The constants and statics that a body names: behind the body, rustc is asked whether others may change them (WF013).
//! Which of them is which only types tell; names of the body itself are unknown there, and looked for elsewhere.

use std::collections::BTreeSet;

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit::Visit;
use syn::{Block, Expr, ExprCall, ExprPath, ExprUnsafe, Item, ItemUse, Macro, PatIdent, Token};

use super::allow::{Allows, Rule};
use super::awaits::Body;
use super::constants::within;
use super::imports;
use super::lower::What;
use crate::editor;
use crate::signature::RawFn;

/// A constant or static, as the body names it.
pub(crate) struct Static {
    path: ExprPath,
    /// The `use` declarations inside the body that give its name its meaning, block by block.
    uses: Vec<Vec<ItemUse>>,
}

/// Macros whose arguments are expressions.
const TRANSPARENT: &[&str] = &[
    "vec",
    "format",
    "write",
    "writeln",
    "panic",
    "assert",
    "assert_eq",
    "assert_ne",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
];

/// Finds them all, in the order of the text.
pub(crate) fn of(function: &RawFn, body: &Body, allows: &Allows) -> Vec<Static> {
    if editor::asks() {
        return Vec::new();
    }
    let mut own = Own::default();
    for input in &function.sig.inputs {
        own.visit_fn_arg(input);
    }
    own.visit_block(&body.block);
    let mut finder = Finder { body, own: own.0, uses: Vec::new(), found: Vec::new() };
    finder.visit_block(&body.block);
    let is_refused = |found: &Static| !allows.cover(Rule::SharedStatic, found.path.span());
    finder.found.into_iter().filter(is_refused).collect()
}

/// The question, for rustc, whether a replay reads the same from each of them.
pub(crate) fn checks(statics: &[Static]) -> TokenStream {
    let asked = statics.iter().map(|Static { path, uses }| {
        let asks = quote_spanned! {path.span()=>
            ::workflow_runtime::__private::core::Named(&#path).__unchanging();
        };
        within(uses, asks)
    });
    if statics.is_empty() {
        return TokenStream::new();
    }
    quote! {
        #[allow(clippy::all, deprecated)]
        const _: fn() = || {
            #[allow(unused_imports)]
            use ::workflow_runtime::__private::core::Unchanging as _;
            #(#asked)*
        };
    }
}

/// The names that mean something of the body's own.
#[derive(Default)]
struct Own(BTreeSet<String>);

impl<'ast> Visit<'ast> for Own {
    fn visit_pat_ident(&mut self, pattern: &'ast PatIdent) {
        self.0.insert(pattern.ident.unraw().to_string());
        syn::visit::visit_pat_ident(self, pattern);
    }

    fn visit_item(&mut self, item: &'ast Item) {
        let name: Option<&Ident> = match item {
            Item::Const(item) => Some(&item.ident),
            Item::Enum(item) => Some(&item.ident),
            Item::Fn(item) => Some(&item.sig.ident),
            Item::Mod(item) => Some(&item.ident),
            Item::Static(item) => Some(&item.ident),
            Item::Struct(item) => Some(&item.ident),
            _ => None,
        };
        self.0.extend(name.map(|name| name.unraw().to_string()));
        syn::visit::visit_item(self, item);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        fn names(tokens: TokenStream, found: &mut BTreeSet<String>) {
            for token in tokens {
                match token {
                    TokenTree::Ident(ident) => drop(found.insert(ident.unraw().to_string())),
                    TokenTree::Group(group) => names(group.stream(), found),
                    _ => {}
                }
            }
        }
        // Another macro may declare whatever it is given.
        if !TRANSPARENT.iter().any(|name| call.path.is_ident(name)) && is_declaring(call) {
            names(call.tokens.clone(), &mut self.0);
        }
    }
}

/// Whether the tokens of the macro call hold a declaration.
fn is_declaring(call: &Macro) -> bool {
    fn declares(tokens: TokenStream) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(ident) => {
                ["static", "const", "let", "fn", "struct", "enum", "mod"].iter().any(|word| ident == *word)
            }
            TokenTree::Group(group) => declares(group.stream()),
            _ => false,
        })
    }
    declares(call.tokens.clone())
}

struct Finder<'a> {
    body: &'a Body,
    own: BTreeSet<String>,
    uses: Vec<Vec<ItemUse>>,
    found: Vec<Static>,
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_block(&mut self, block: &'ast Block) {
        self.uses.push(imports::of(block));
        syn::visit::visit_block(self, block);
        self.uses.pop();
    }

    fn visit_expr_path(&mut self, path: &'ast ExprPath) {
        let segments = &path.path.segments;
        let is_own =
            segments.first().is_some_and(|first| self.own.contains(&first.ident.unraw().to_string()));
        let (Some(last), false, None) = (segments.last(), is_own, &path.qself) else { return };
        // No static belongs to a type.
        let of_module = segments.iter().rev().skip(1).all(|part| is_module(&part.ident.to_string()));
        if of_module && is_name_of_static(&last.ident.unraw().to_string()) {
            let uses = imports::needed(path, &What::Timer, &self.uses);
            self.found.push(Static { path: path.clone(), uses });
        }
    }

    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        // What is called is a function or a variant.
        if !matches!(&*call.func, Expr::Path(_)) {
            self.visit_expr(&call.func);
        }
        call.args.iter().for_each(|argument| self.visit_expr(argument));
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        if let Some(Ok(region)) = self.body.region(call) {
            for part in &region.parts {
                self.visit_expr(&part.operation.tree);
                part.arm.iter().for_each(|arm| self.visit_expr(&arm.body.tree));
            }
        } else if TRANSPARENT.iter().any(|name| call.path.is_ident(name))
            && let Ok(arguments) = call.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated)
        {
            arguments.iter().for_each(|argument| self.visit_expr(argument));
        }
    }

    /// It is refused as a whole.
    fn visit_expr_unsafe(&mut self, _: &'ast ExprUnsafe) {}

    /// What it names may be its own.
    fn visit_item(&mut self, _: &'ast Item) {}
}

fn is_module(name: &str) -> bool {
    name.starts_with(|first: char| first.is_lowercase() || first == '_')
}

/// Whether the name is written as those of constants and statics are.
fn is_name_of_static(name: &str) -> bool {
    name.chars().all(|c| c.is_uppercase() || c.is_ascii_digit() || c == '_')
        && name.starts_with(char::is_uppercase)
}
