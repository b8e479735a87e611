//! `#[allow_workflow(rule, reason = "..")]` above a statement: a check that a person has switched off there, and why.
//! It knows the names of the rules; what they check is decided elsewhere.

use proc_macro2::{LineColumn, Span, TokenTree};
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::visit::Visit;
use syn::{Attribute, LitStr, Macro, Meta, Stmt};

use super::awaits::Body;
use super::lower::attributes;
use crate::errors::Errors;
use crate::suggest::did_you_mean;
use crate::words::{self, Value};

/// A rule that a person can know better than the compiler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// What loses a race was for nothing, and nobody has to undo it.
    RaceEffect,
    /// A call whose answer may be another in a replay.
    NondeterministicCall,
    /// Iteration in an order that is another in each process.
    HashIteration,
    /// A static that others may change.
    SharedStatic,
    /// A compensation that nothing can lead to.
    UnusedCompensation,
    /// An effect that stays although the run may still fail.
    KeptEffect,
    /// An arm that takes errors nobody has thought of.
    SwallowedError,
    /// A loop whose journal grows for ever.
    UnboundedLoop,
    /// Something that the analyst's model does not show.
    ModelDeviation,
}

const RULES: &[(&str, Rule)] = &[
    ("race_effect", Rule::RaceEffect),
    ("nondeterministic_call", Rule::NondeterministicCall),
    ("hash_iteration", Rule::HashIteration),
    ("shared_static", Rule::SharedStatic),
    ("unused_compensation", Rule::UnusedCompensation),
    ("kept_effect", Rule::KeptEffect),
    ("swallowed_error", Rule::SwallowedError),
    ("unbounded_loop", Rule::UnboundedLoop),
    ("model_deviation", Rule::ModelDeviation),
];

/// The name of the attribute.
pub(crate) const NAME: &str = "allow_workflow";

/// A rule that is switched off for a statement.
pub(crate) struct Allow {
    pub(crate) rule: Rule,
    pub(crate) name: String,
    pub(crate) reason: String,
    pub(crate) line: usize,
    /// Where the statement begins and ends.
    from: LineColumn,
    to: LineColumn,
}

/// All rules that are switched off in a body, in the order of the text.
#[derive(Default)]
pub(crate) struct Allows(Vec<Allow>);

impl Allows {
    /// Reads them all; what is written wrongly is reported.
    pub(crate) fn of(body: &Body, errors: &mut Errors) -> Allows {
        let mut reader = Reader { body, errors, found: Vec::new(), read: 0, met: Vec::new() };
        reader.visit_block(&body.block);
        if reader.met.len() > reader.read {
            let why = format!("`#[{NAME}(..)]` stands above a whole statement; write it there");
            reader.met.into_iter().for_each(|(span, is_read)| {
                if !is_read {
                    reader.errors.at(span, &why);
                }
            });
        }
        Allows(reader.found)
    }

    /// Whether the rule is switched off where this stands.
    pub(crate) fn cover(&self, rule: Rule, place: Span) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let at = place.start();
        self.0.iter().any(|allow| allow.rule == rule && allow.from <= at && at < allow.to)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Allow> {
        self.0.iter()
    }
}

struct Reader<'a> {
    body: &'a Body,
    errors: &'a mut Errors,
    found: Vec<Allow>,
    /// How many attributes stood above statements.
    read: usize,
    /// All attributes, and whether they stood above a statement.
    met: Vec<(Span, bool)>,
}

impl Reader<'_> {
    fn statement(&mut self, statement: &Stmt, attributes: &[Attribute]) {
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident(NAME)) {
            self.read += 1;
            self.met.push((attribute.path().span(), true));
            let Some((rule, name, reason)) = read(attribute, self.errors) else { continue };
            let (from, to) = extent(statement);
            let line = attribute.path().span().start().line;
            self.found.push(Allow { rule, name, reason, line, from, to });
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_stmt(&mut self, statement: &'ast Stmt) {
        match statement {
            Stmt::Local(local) => self.statement(statement, &local.attrs),
            Stmt::Expr(expression, _) => self.statement(statement, attributes(expression)),
            Stmt::Macro(call) => self.statement(statement, &call.attrs),
            Stmt::Item(_) => return, // An item is no part of the flow.
        }
        syn::visit::visit_stmt(self, statement);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        let span = attribute.path().span();
        let is_known = self.met.iter().any(|(met, _)| met.start() == span.start());
        if attribute.path().is_ident(NAME) && !is_known {
            self.met.push((span, false));
        }
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        let Some(Ok(region)) = self.body.region(call) else { return };
        for part in &region.parts {
            self.visit_expr(&part.operation.tree);
            part.arm.iter().for_each(|arm| self.visit_expr(&arm.body.tree));
        }
    }
}

/// From the first to behind the last token.
fn extent(statement: &Stmt) -> (LineColumn, LineColumn) {
    let last = statement.to_token_stream().into_iter().last();
    let end = last.map_or(statement.span(), |last| match last {
        TokenTree::Group(group) => group.span_close(),
        other => other.span(),
    });
    (statement.span().start(), end.end())
}

fn read(attribute: &Attribute, errors: &mut Errors) -> Option<(Rule, String, String)> {
    const EXAMPLE: &str = "#[allow_workflow(hash_iteration, reason = \"summed: the order is irrelevant\")]";
    let Meta::List(list) = &attribute.meta else {
        errors.at(attribute.path().span(), format!("say which rule, and why: `{EXAMPLE}`"));
        return None;
    };
    let (mut rule, mut reason) = (None, None);
    for word in words::split(list.tokens.clone(), errors) {
        let name = word.name.to_string();
        match (name.as_str(), &word.value) {
            ("reason", _) => reason = word.value::<LitStr>("reason = \"..\"", errors),
            (known, Value::Nothing) => match RULES.iter().find(|(name, _)| *name == known) {
                Some(&(name, found)) if rule.is_none() => rule = Some((found, name.to_owned())),
                Some(_) => errors.at(word.name.span(), "one rule at a time, each with a reason of its own"),
                None => {
                    let names: Vec<&str> = RULES.iter().map(|(name, _)| *name).collect();
                    let hint = match did_you_mean(known, &names) {
                        hint if hint.is_empty() => format!("; those that can be are {}", names.join(", ")),
                        hint => hint,
                    };
                    errors
                        .at(word.name.span(), format!("`{known}` is no rule that can be switched off{hint}"));
                    return None;
                }
            },
            _ => errors.at(word.name.span(), format!("write `{EXAMPLE}`")),
        }
    }
    let given = reason.as_ref().map(LitStr::value).filter(|reason| !reason.trim().is_empty());
    match (rule, given) {
        (Some((rule, name)), Some(reason)) => Some((rule, name, reason)),
        (Some(_), None) => {
            errors.at(attribute.path().span(), format!("say why a person knows better: `{EXAMPLE}`"));
            None
        }
        (None, _) => {
            errors.at(attribute.path().span(), format!("say which rule is switched off: `{EXAMPLE}`"));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::awaits::parse_body;
    use super::*;
    use crate::signature::RawFn;

    fn read(text: &str) -> (Vec<(String, String, usize)>, Vec<String>) {
        let Ok(function) = RawFn::read(text.parse().unwrap()) else { panic!("{text}") };
        let mut errors = Errors::default();
        let allows = Allows::of(&parse_body(&function).unwrap(), &mut errors);
        let found = allows.iter().map(|allow| (allow.name.clone(), allow.reason.clone(), allow.line));
        (found.collect(), errors.texts())
    }

    #[test]
    fn a_rule_is_switched_off_with_a_reason() {
        let (found, errors) = read(
            "async fn f() {\n#[allow_workflow(hash_iteration, reason = \"summed\")]\nfor x in m {}\n\
             try_join!(a(), async {\n#[allow_workflow(kept_effect, reason = \"a mail\")]\nmail().await; })?; }",
        );
        assert_eq!(errors, Vec::<String>::new());
        let expected = [("hash_iteration", "summed", 2), ("kept_effect", "a mail", 5)];
        assert_eq!(found, expected.map(|(rule, reason, line)| (rule.to_owned(), reason.to_owned(), line)));
    }

    #[test]
    fn it_covers_its_statement_and_nothing_else() {
        let text = "async fn f() {\n#[allow_workflow(kept_effect, reason = \"a mail\")]\n{ a().await; }\nb().await; }";
        let Ok(function) = RawFn::read(text.parse().unwrap()) else { panic!("{text}") };
        let body = parse_body(&function).unwrap();
        let allows = Allows::of(&body, &mut Errors::default());
        let covers = |number: usize| allows.cover(Rule::KeptEffect, body.awaits()[number]);
        assert_eq!((covers(0), covers(1)), (true, false));
        assert!(!allows.cover(Rule::HashIteration, body.awaits()[0]));
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let (found, errors) = read(
            "async fn f() {\n#[allow_workflow]\na();\n#[allow_workflow(hash_iteration)]\nb();\n\
             #[allow_workflow(hash_iteraton, reason = \"x\")]\nc();\n\
             match x { #[allow_workflow(hash_iteration, reason = \"y\")] 1 => {} _ => {} } }",
        );
        assert_eq!(found, Vec::new());
        assert_eq!(errors.len(), 4, "{errors:#?}");
        assert!(errors[0].starts_with("say which rule, and why"));
        assert!(errors[1].starts_with("say why a person knows better"));
        assert!(errors[2].ends_with("did you mean `hash_iteration`?"));
        assert!(errors[3].ends_with("stands above a whole statement; write it there"));
    }
}
