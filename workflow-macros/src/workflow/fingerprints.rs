//! What decides how a flow goes on, as a fingerprint: the text of a condition, of patterns, of what a loop goes over,
//! and of the local code that gives the names in it their values. By names alone: types and calls are not looked into.
//! What an operation answers is left out, because a journal has it.

use std::collections::BTreeSet;

use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{BinOp, Block, Expr, ExprAwait, Item, Macro, Pat, Stmt};
use workflow_graph::{Node, NodeKind};

use super::awaits::{Body, count_tokens};
use super::language::is_value;
use super::patterns::bound_by;
use super::regions::{Word, parse};
use crate::recorded::words;

/// The text on which it depends how the flow goes on at a node.
#[derive(Clone, Debug, Default)]
pub(crate) struct Basis {
    words: Vec<String>,
    /// Line and column where it begins.
    place: (usize, usize),
}

impl Basis {
    pub(crate) fn of(part: &impl ToTokens) -> Basis {
        let tokens = part.to_token_stream();
        let place = tokens.clone().into_iter().next().map(|token| token.span().start());
        Basis { words: words(&tokens), place: place.map_or((0, 0), |place| (place.line, place.column)) }
    }

    /// An expression without the operations in it.
    pub(crate) fn of_expression(expression: &Expr) -> Basis {
        let mut operations = Operations::default();
        operations.visit_expr(expression);
        operations.found.iter().fold(Basis::of(expression), |basis, operation| basis.without(operation))
    }

    pub(crate) fn and(mut self, other: Basis) -> Basis {
        self.words.push(";".to_owned());
        self.words.extend(other.words);
        self
    }

    /// The same text without this part of it.
    pub(crate) fn without(mut self, part: &[String]) -> Basis {
        let found = |words: &[String]| words.windows(part.len().max(1)).position(|window| window == part);
        while let Some(begin) = found(&self.words) {
            self.words.splice(begin..begin + part.len(), ["await".to_owned()]);
        }
        self
    }

    fn is_empty(&self) -> bool {
        self.words.is_empty()
    }
}

/// Writes the fingerprints of all nodes at which something is decided, and of what calls are given; `parameters` are
/// the names of those of the function.
pub(crate) fn mark(body: &Body, parameters: &[String], nodes: &mut [Node], bases: &[Basis]) {
    let mut units = Units { body, units: Vec::new(), mutable: BTreeSet::new(), derived: Vec::new() };
    units.visit_block_first(&body.block);
    for (node, basis) in nodes.iter_mut().zip(bases) {
        // Whether a call is one of a subflow is known only once its function is.
        let is_decided = matches!(node.kind, NodeKind::Decision { .. } | NodeKind::Step(_));
        if (is_decided || node.instances.is_some()) && !basis.is_empty() {
            node.guard = units.fingerprint(basis, parameters);
        }
    }
}

/// Writes, at the start of a subflow, the fingerprint of what it makes of the answers of its operations: its own answer
/// is in no journal, and its caller may decide by it.
pub(crate) fn mark_results(body: &Body, parameters: &[String], nodes: &mut [Node]) {
    let mut units = Units { body, units: Vec::new(), mutable: BTreeSet::new(), derived: Vec::new() };
    units.visit_block_first(&body.block);
    let results = Results::of(&body.block);
    if let Some(start) = nodes.first_mut().filter(|_| !results.is_empty()) {
        start.guard = units.fingerprint(&results, parameters);
    }
}

/// A piece of local code that gives names their values.
struct Unit {
    basis: Basis,
    defines: Vec<String>,
}

struct Units<'a> {
    body: &'a Body,
    units: Vec<Unit>,
    /// Names that are bound with `mut` somewhere.
    mutable: BTreeSet<String>,
    /// Where values are derived from the run, each with its kind: the second `random()` is another one than the first.
    derived: Vec<(String, (usize, usize))>,
}

impl Units<'_> {
    fn visit_block_first(&mut self, block: &Block) {
        let mut names = Mutable { names: BTreeSet::new(), derived: Vec::new() };
        names.visit_block(block);
        (self.mutable, self.derived) = (names.names, names.derived);
        self.visit_block(block);
    }

    fn add(&mut self, basis: Basis, defines: Vec<String>) {
        if !defines.is_empty() {
            self.units.push(Unit { basis, defines });
        }
    }

    fn add_binding(&mut self, pattern: &Pat, value: &Expr) {
        let basis = Basis::of(pattern).and(Basis::of_expression(value));
        self.add(basis, bound_by(pattern));
    }

    /// A statement in which nothing is awaited that is drawn.
    fn leaf(&mut self, statement: &Stmt) {
        let mut defined = Defined { mutable: &self.mutable, names: Vec::new() };
        defined.visit_stmt(statement);
        let names = defined.names;
        self.add(Basis::of(statement), names);
    }

    fn fingerprint(&self, basis: &Basis, parameters: &[String]) -> u64 {
        let mut wanted: BTreeSet<&str> = basis.words.iter().map(String::as_str).collect();
        let mut taken = vec![false; self.units.len()];
        loop {
            let next = self.units.iter().zip(&taken).position(|(unit, is_taken)| {
                !is_taken && unit.defines.iter().any(|name| wanted.contains(name.as_str()))
            });
            let Some(next) = next else { break };
            taken[next] = true;
            wanted.extend(self.units[next].basis.words.iter().map(String::as_str));
        }
        let mut hash = Hash::default();
        self.add_to(&mut hash, basis, parameters);
        for unit in self.units.iter().zip(&taken).filter(|(_, is_taken)| **is_taken).map(|(unit, _)| unit) {
            // Before the decision, or after it and so for the next round.
            hash.add(if unit.basis.place <= basis.place { "before" } else { "after" });
            self.add_to(&mut hash, &unit.basis, parameters);
        }
        hash.value()
    }

    fn add_to(&self, hash: &mut Hash, basis: &Basis, parameters: &[String]) {
        for word in &basis.words {
            // Journals know what a run was given by its place.
            match parameters.iter().position(|parameter| parameter == word) {
                Some(place) => hash.add(&format!("parameter {place}")),
                None => hash.add(word),
            }
            if self.derived.iter().any(|(kind, _)| kind == word) {
                let earlier =
                    self.derived.iter().filter(|(kind, place)| kind == word && *place < basis.place).count();
                hash.add(&earlier.to_string());
            }
        }
    }
}

impl<'ast> Visit<'ast> for Units<'_> {
    fn visit_stmt(&mut self, statement: &'ast Stmt) {
        if let Stmt::Item(item) = statement {
            let name = match item {
                Item::Const(item) => &item.ident,
                Item::Static(item) => &item.ident,
                Item::Fn(item) => &item.sig.ident,
                _ => return,
            };
            return self.add(Basis::of(item), vec![name.to_string()]);
        }
        let mut operations = Operations::default();
        operations.visit_stmt(statement);
        if operations.found.is_empty() {
            return self.leaf(statement);
        }
        if let Stmt::Local(local) = statement
            && let Some(init) = &local.init
        {
            self.add_binding(&local.pat, &init.expr);
        }
        visit::visit_stmt(self, statement);
    }

    fn visit_expr_let(&mut self, let_: &'ast syn::ExprLet) {
        self.add_binding(&let_.pat, &let_.expr);
        visit::visit_expr_let(self, let_);
    }

    fn visit_expr_for_loop(&mut self, for_: &'ast syn::ExprForLoop) {
        self.add_binding(&for_.pat, &for_.expr);
        visit::visit_expr_for_loop(self, for_);
    }

    fn visit_expr_match(&mut self, match_: &'ast syn::ExprMatch) {
        for arm in &match_.arms {
            self.add_binding(&arm.pat, &match_.expr);
        }
        visit::visit_expr_match(self, match_);
    }

    fn visit_expr_assign(&mut self, assign: &'ast syn::ExprAssign) {
        let basis = Basis::of(&assign.left).and(Basis::of_expression(&assign.right));
        self.add(basis, root(&assign.left).into_iter().collect());
        visit::visit_expr_assign(self, assign);
    }

    fn visit_expr_binary(&mut self, binary: &'ast syn::ExprBinary) {
        if assigns(&binary.op) {
            let basis =
                Basis::of(&binary.left).and(Basis::of(&binary.op)).and(Basis::of_expression(&binary.right));
            self.add(basis, root(&binary.left).into_iter().collect());
        }
        visit::visit_expr_binary(self, binary);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        if let Some(name) = root(&call.receiver).filter(|name| self.mutable.contains(name)) {
            let mut operations = Operations::default();
            operations.visit_expr_method_call(call);
            let basis = Basis::of(call);
            let basis = operations.found.iter().fold(basis, |basis, operation| basis.without(operation));
            self.add(basis, vec![name]);
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        let body = self.body;
        let Some(Ok(region)) = body.region(call) else { return };
        for part in &region.parts {
            if let Some(block) = part.block() {
                // The tree of a region is kept beside the body and lives as long.
                self.nested(block);
            }
            if let Some(arm) = &part.arm {
                self.add(Basis::of(&arm.pattern.tree), bound_by(&arm.pattern.tree));
                let mut inner = Units {
                    body,
                    units: Vec::new(),
                    mutable: std::mem::take(&mut self.mutable),
                    derived: Vec::new(),
                };
                inner.visit_expr(&arm.body.tree);
                self.mutable = inner.mutable;
                self.units.extend(inner.units);
            }
        }
    }
}

impl Units<'_> {
    fn nested(&mut self, block: &Block) {
        let mut inner = Units {
            body: self.body,
            units: Vec::new(),
            mutable: std::mem::take(&mut self.mutable),
            derived: Vec::new(),
        };
        inner.visit_block(block);
        self.mutable = inner.mutable;
        self.units.extend(inner.units);
    }
}

/// The name that a place begins with: `order` of `order.lines[0]`.
fn root(place: &Expr) -> Option<String> {
    match place {
        Expr::Path(path) => path.path.get_ident().map(ToString::to_string),
        Expr::Field(field) => root(&field.base),
        Expr::Index(index) => root(&index.expr),
        Expr::Unary(unary) => root(&unary.expr),
        Expr::Paren(paren) => root(&paren.expr),
        Expr::Group(group) => root(&group.expr),
        Expr::Reference(reference) => root(&reference.expr),
        Expr::MethodCall(call) => root(&call.receiver),
        _ => None,
    }
}

fn assigns(op: &BinOp) -> bool {
    matches!(
        op,
        BinOp::AddAssign(_)
            | BinOp::SubAssign(_)
            | BinOp::MulAssign(_)
            | BinOp::DivAssign(_)
            | BinOp::RemAssign(_)
            | BinOp::BitXorAssign(_)
            | BinOp::BitAndAssign(_)
            | BinOp::BitOrAssign(_)
            | BinOp::ShlAssign(_)
            | BinOp::ShrAssign(_)
    )
}

/// The operations in a piece of code, each as the words that it is written with.
#[derive(Default)]
struct Operations {
    found: Vec<Vec<String>>,
}

impl<'ast> Visit<'ast> for Operations {
    fn visit_expr_await(&mut self, await_: &'ast ExprAwait) {
        if is_value(await_) {
            visit::visit_expr_await(self, await_);
        } else {
            self.found.push(words(&await_.to_token_stream()));
        }
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        let parts = Word::of(call).zip(call.path.segments.last());
        let parts = parts.map(|(word, last)| parse(word, &last.ident, call.tokens.clone()));
        let Some(Ok(parts)) = parts else {
            if parts.is_some() || count_tokens(call.tokens.clone()) > 0 {
                self.found.push(words(&call.to_token_stream()));
            }
            return;
        };
        for part in parts {
            // What is made of the outcomes decides; what the calls are given is recorded with them.
            let mut inner = Operations::default();
            match part.block() {
                Some(block) => inner.visit_block(block),
                None => inner.found.push(words(&part.operation.tokens)),
            }
            if let Some(arm) = &part.arm {
                inner.visit_expr(&arm.body.tree);
            }
            self.found.extend(inner.found);
        }
    }
}

/// The names that may have another value after a statement.
struct Defined<'a> {
    mutable: &'a BTreeSet<String>,
    names: Vec<String>,
}

impl<'ast> Visit<'ast> for Defined<'_> {
    fn visit_pat(&mut self, pattern: &'ast Pat) {
        self.names.extend(bound_by(pattern));
    }

    fn visit_expr_assign(&mut self, assign: &'ast syn::ExprAssign) {
        self.names.extend(root(&assign.left));
        if let Expr::Tuple(tuple) = &*assign.left {
            self.names.extend(tuple.elems.iter().filter_map(root));
        }
        visit::visit_expr_assign(self, assign);
    }

    fn visit_expr_binary(&mut self, binary: &'ast syn::ExprBinary) {
        if assigns(&binary.op) {
            self.names.extend(root(&binary.left));
        }
        visit::visit_expr_binary(self, binary);
    }

    fn visit_expr_reference(&mut self, reference: &'ast syn::ExprReference) {
        if reference.mutability.is_some() {
            self.names.extend(root(&reference.expr));
        }
        visit::visit_expr_reference(self, reference);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        self.names.extend(root(&call.receiver).filter(|name| self.mutable.contains(name)));
        visit::visit_expr_method_call(self, call);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        let words = words(&call.tokens);
        let lent = words.windows(3).filter(|window| window[0] == "&" && window[1] == "mut");
        self.names.extend(lent.map(|window| window[2].clone()));
    }
}

/// The names bound with `mut`, and where values are derived from the run.
struct Mutable {
    names: BTreeSet<String>,
    derived: Vec<(String, (usize, usize))>,
}

impl<'ast> Visit<'ast> for Mutable {
    fn visit_pat_ident(&mut self, pattern: &'ast syn::PatIdent) {
        if pattern.mutability.is_some() || pattern.by_ref.is_some() {
            self.names.insert(pattern.ident.to_string());
        }
        visit::visit_pat_ident(self, pattern);
    }

    fn visit_expr_await(&mut self, await_: &'ast ExprAwait) {
        if is_value(await_)
            && let Expr::Call(call) = &*await_.base
            && let Expr::Path(path) = &*call.func
            && let Some(last) = path.path.segments.last()
            && (last.ident == "random" || last.ident == "uuid")
        {
            let place = last.ident.span().start();
            self.derived.push((last.ident.to_string(), (place.line, place.column)));
        }
        visit::visit_expr_await(self, await_);
    }
}

/// FNV-1a over words.
struct Hash(u64);

impl Default for Hash {
    fn default() -> Hash {
        Hash(0xcbf2_9ce4_8422_2325)
    }
}

impl Hash {
    fn add(&mut self, word: &str) {
        for byte in word.bytes().chain([0xff]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    /// Never 0, which says that nothing is decided.
    fn value(self) -> u64 {
        self.0.max(1)
    }
}

mod results;
use results::Results;

#[cfg(test)]
mod tests;
