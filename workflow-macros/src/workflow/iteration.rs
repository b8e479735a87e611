//! Where a body iterates, asks, or drops what a call gives: there the rewritten tokens ask for the type, and rustc
//! refuses what has another order in each process (WF012), what asks the clock or the disk (WF010), and a call that
//! never happens (WF003). Places only; nothing is written here, and nothing at all for an editor, whose completions
//! would meet tokens that nobody typed.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, LineColumn, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::visit::Visit;
use syn::{
    Block, Expr, ExprAssign, ExprCall, ExprConst, ExprForLoop, ExprMethodCall, ImplItemFn, Item, ItemFn,
    Local, Macro, Signature, Token,
};

use super::allow::{Allows, Rule};
use super::awaits::Body;
use super::determinism::Foreign;
use super::source_file::Names;
use super::{dropped, forbidden, source_file};
use crate::editor;
use crate::signature::RawFn;

/// Methods whose results are iterated.
const ITERATING: &[&str] = &[
    "iter",
    "iter_mut",
    "into_iter",
    "keys",
    "into_keys",
    "values",
    "values_mut",
    "into_values",
    "drain",
    "extract_if",
    "union",
    "intersection",
    "difference",
    "symmetric_difference",
];

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

/// Places in a body at which tokens are added or left as they are.
#[derive(Default)]
pub(crate) struct Places {
    /// The parentheses behind an iterating method, and where an error about it stands.
    calls: BTreeMap<LineColumn, Span>,
    /// The parentheses of a call whose value is dropped, and where an error about it stands.
    dropped: BTreeMap<LineColumn, Span>,
    /// The names of methods that may ask the clock or the disk.
    asked: BTreeSet<LineColumn>,
    /// The `in` of each `for`, and where an error about what it iterates stands.
    loops: BTreeMap<LineColumn, Span>,
    /// The braces of those loops.
    bodies: BTreeSet<LineColumn>,
    /// The parentheses of `.retain(..)`, and what asks for the type of its receiver.
    retained: BTreeMap<LineColumn, TokenStream>,
    /// The `await` keywords behind calls that run beside the journal.
    plain: BTreeSet<LineColumn>,
    /// The parentheses of waits that were refused, because nothing says when they end.
    waits: BTreeSet<LineColumn>,
    /// The bodies of functions inside of the body that await, and are refused.
    refused: BTreeSet<LineColumn>,
    /// The parentheses of calls that run beside the journal, and are refused.
    foreign: BTreeSet<LineColumn>,
}

/// What becomes of an expression that a loop iterates.
pub(crate) struct Iterated {
    /// Where an error about it stands.
    pub(crate) span: Span,
    /// What is written behind it, in parentheses.
    pub(crate) behind: TokenStream,
}

impl Places {
    /// Finds them.
    pub(crate) fn of(
        function: &RawFn,
        body: &Body,
        allows: &Allows,
        foreign: &Foreign,
        waits: &[LineColumn],
    ) -> Places {
        let mut finder = Finder { function, body, allows, places: Places::default() };
        if !editor::asks() {
            finder.visit_block(&body.block);
        }
        let mut places = finder.places;
        places.keep_unique(&body.block);
        places.waits.extend(waits);
        places.plain.extend(foreign.awaits());
        places.foreign.extend(foreign.calls());
        InItems(&mut places).visit_block(&body.block);
        places
    }

    /// What is written behind this group.
    pub(crate) fn behind(&self, group: Span) -> TokenStream {
        let in_order = at(&self.calls, group).map(|&span| in_order(span));
        let on_purpose = at(&self.dropped, group);
        let on_purpose = on_purpose.map(|&span| quote_spanned!(span=> .__dropped().__on_purpose()));
        // It is refused; that it cannot be repeated as it stands should not be a second error.
        let forever = is_at(&self.waits, group).then(|| quote_spanned!(group=> .forever()));
        in_order.into_iter().chain(on_purpose).chain(forever).collect()
    }

    /// What is written before the arguments in this group.
    pub(crate) fn within(&self, group: Span) -> Option<&TokenStream> {
        at(&self.retained, group)
    }

    /// What is written before this method and its dot.
    pub(crate) fn before(&self, method: Span) -> Option<TokenStream> {
        let is_asked = is_at(&self.asked, method);
        is_asked.then(|| quote_spanned!(method=> .__asked().__alike()))
    }

    /// What becomes of the expression that follows this `in`.
    pub(crate) fn iterated(&self, keyword: Span) -> Option<Iterated> {
        at(&self.loops, keyword).map(|&span| Iterated { span, behind: in_order(span) })
    }

    /// Whether these braces are the body of such a loop.
    pub(crate) fn is_body(&self, braces: Span) -> bool {
        is_at(&self.bodies, braces)
    }

    /// Whether this `await` is no operation, but one that has been refused.
    pub(crate) fn is_plain(&self, keyword: Span) -> bool {
        is_at(&self.plain, keyword)
    }

    /// Whether this is the body of a function that was refused, where everything else would be an error as well.
    pub(crate) fn is_refused(&self, braces: Span) -> bool {
        is_at(&self.refused, braces)
    }

    /// Whether these are the parentheses of a call that was refused because it runs beside the journal.
    pub(crate) fn is_foreign(&self, parentheses: Span) -> bool {
        is_at(&self.foreign, parentheses)
    }

    /// Text that another macro wrote may stand all in one place; there nobody can say what is what.
    fn keep_unique(&mut self, body: &Block) {
        let Places { calls, dropped, asked, loops, bodies, retained, .. } = self;
        let is_empty = calls.is_empty() && dropped.is_empty() && asked.is_empty() && retained.is_empty();
        if is_empty && loops.is_empty() && bodies.is_empty() {
            return;
        }
        let mut counts = BTreeMap::new();
        count(body.to_token_stream(), &mut counts);
        let is_unique = |place: &LineColumn| counts.get(place) == Some(&1);
        self.calls.retain(|place, _| is_unique(place));
        self.dropped.retain(|place, _| is_unique(place));
        self.asked.retain(is_unique);
        self.retained.retain(|place, _| is_unique(place));
        let all =
            self.loops.len() == self.bodies.len() && self.loops.keys().chain(&self.bodies).all(is_unique);
        if !all {
            self.loops.clear();
            self.bodies.clear();
        }
    }
}

/// What is kept for the place where this begins. To ask the compiler where that is takes longer than all else, and
/// most bodies have none of these places.
fn at<V>(places: &BTreeMap<LineColumn, V>, span: Span) -> Option<&V> {
    if places.is_empty() { None } else { places.get(&span.start()) }
}

/// Whether this begins at one of the places.
fn is_at(places: &BTreeSet<LineColumn>, span: Span) -> bool {
    !places.is_empty() && places.contains(&span.start())
}

fn in_order(span: Span) -> TokenStream {
    quote_spanned!(span=> .__iterated().__in_order())
}

fn count(tokens: TokenStream, counts: &mut BTreeMap<LineColumn, usize>) {
    for token in tokens {
        let span = match &token {
            TokenTree::Group(group) => {
                count(group.stream(), counts);
                if group.delimiter() == Delimiter::None {
                    continue;
                }
                group.span_open()
            }
            other => other.span(),
        };
        *counts.entry(span.start()).or_default() += 1;
    }
}

struct Finder<'a> {
    function: &'a RawFn,
    body: &'a Body,
    allows: &'a Allows,
    places: Places,
}

impl Finder<'_> {
    /// What the file and the body call things. Asked for where it matters only, since the file has to be read.
    fn names(&self) -> Names {
        source_file::names_of(&self.function.sig.ident, &self.body.block)
    }

    fn is_iterating(&self, call: &ExprMethodCall) -> bool {
        ITERATING.contains(&call.method.to_string().as_str())
    }

    /// Whether the type of what this loop iterates is known to have an order, or is asked for elsewhere.
    fn is_answered(&self, iterated: &Expr) -> bool {
        match iterated {
            Expr::Paren(paren) => self.is_answered(&paren.expr),
            Expr::Range(_) | Expr::Array(_) | Expr::Lit(_) | Expr::Await(_) => true,
            Expr::Macro(call) => call.mac.path.is_ident("vec"),
            Expr::MethodCall(call) => self.is_iterating(call),
            _ => false,
        }
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_local(&mut self, local: &'ast Local) {
        self.places.dropped.extend(dropped::by_let(local));
        syn::visit::visit_local(self, local);
    }

    fn visit_expr_assign(&mut self, assign: &'ast ExprAssign) {
        self.places.dropped.extend(dropped::by_assignment(assign));
        syn::visit::visit_expr_assign(self, assign);
    }

    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        let names = || self.names();
        self.places.dropped.extend(dropped::by_function(call, names));
        syn::visit::visit_expr_call(self, call);
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        let span = call.method.span();
        let parentheses = call.paren_token.span.open().start();
        if !self.allows.cover(Rule::HashIteration, span) {
            if self.is_iterating(call) {
                self.places.calls.insert(parentheses, span);
            } else if call.method == "retain" && call.args.len() == 1 && is_place(&call.receiver) {
                let receiver = &call.receiver;
                let asks = quote_spanned!(span=> let _ = || (&#receiver).__retains(););
                self.places.retained.insert(parentheses, asks);
            } else if call.method == "retain"
                && call.args.len() == 1
                && let Some(receiver) = called(&call.receiver)
            {
                self.places.calls.insert(receiver, span);
            }
        }
        let asks = forbidden::asks_outside(&call.method.to_string()) && call.args.is_empty();
        if asks && !self.allows.cover(Rule::NondeterministicCall, span) {
            self.places.asked.insert(span.start());
        }
        syn::visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_for_loop(&mut self, for_: &'ast ExprForLoop) {
        let last = for_.expr.to_token_stream().into_iter().last();
        let span = last.map_or_else(|| for_.in_token.span, |token| token.span());
        if !self.is_answered(&for_.expr) && !self.allows.cover(Rule::HashIteration, span) {
            self.places.loops.insert(for_.in_token.span.start(), span);
            self.places.bodies.insert(for_.body.brace_token.span.open().start());
        }
        syn::visit::visit_expr_for_loop(self, for_);
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
        } else if call.path.is_ident("matches")
            && let Ok(value) = call.parse_body_with(first_expression)
        {
            self.visit_expr(&value);
        }
    }

    fn visit_item(&mut self, _: &'ast Item) {}

    fn visit_expr_const(&mut self, _: &'ast ExprConst) {}
}

/// The expression before a comma, and whatever comes behind.
fn first_expression(input: ParseStream<'_>) -> syn::Result<Expr> {
    let value = input.parse()?;
    input.parse::<TokenStream>()?;
    Ok(value)
}

/// Where the parentheses of a call open.
fn called(receiver: &Expr) -> Option<LineColumn> {
    match receiver {
        Expr::Call(call) => Some(call.paren_token.span.open().start()),
        Expr::MethodCall(call) => Some(call.paren_token.span.open().start()),
        _ => None,
    }
}

/// Whether naming it once more does nothing.
fn is_place(receiver: &Expr) -> bool {
    match receiver {
        Expr::Path(path) => path.path.get_ident().is_some(),
        Expr::Field(field) => is_place(&field.base),
        Expr::Paren(paren) => is_place(&paren.expr),
        _ => false,
    }
}

/// The bodies of async functions inside of the body.
struct InItems<'a>(&'a mut Places);

impl InItems<'_> {
    fn function(&mut self, signature: &Signature, block: &Block) {
        if signature.asyncness.is_some() {
            self.0.refused.insert(block.brace_token.span.open().start());
        }
    }
}

impl<'ast> Visit<'ast> for InItems<'_> {
    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        self.function(&function.sig, &function.block);
        syn::visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        self.function(&function.sig, &function.block);
        syn::visit::visit_impl_item_fn(self, function);
    }
}
