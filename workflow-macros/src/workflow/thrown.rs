//! Which error leaves at an end, as far as the text tells: a variant that it names, the one that leads there, or one
//! of which nothing is known. Syntax only; what becomes of an error that `?` hands on is decided by types.

use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Expr, GenericArgument, Pat, Path, PathArguments, ReturnType, Stmt, Type};
use workflow_graph::Thrown;

use super::lower::Lowerer;
use super::patterns::is_constant;

impl Lowerer<'_> {
    /// What `Err(error)` throws.
    pub(crate) fn thrown_by(&self, error: &Expr) -> Thrown {
        let caught = |name: &str| self.caught(name);
        Reader { own: self.own_error.as_deref(), caught: &caught }.error(error)
    }

    /// What `?` throws where this is an error.
    pub(crate) fn passed_on(&self, outcome: &Expr) -> Thrown {
        let caught = |_: &str| None;
        Reader { own: self.own_error.as_deref(), caught: &caught }.outcome(outcome)
    }

    /// What is thrown with the error that has this name here, where it is one that an arm has caught as a whole.
    fn caught(&self, name: &str) -> Option<Thrown> {
        let place = self.locals.iter().rposition(|local| local == name)?;
        self.caught.iter().find(|(caught, _)| *caught == place).map(|(_, thrown)| thrown.clone())
    }
}

/// Reads expressions inside of one function.
struct Reader<'a> {
    /// The function's own type of errors, where its signature names it.
    own: Option<&'a str>,
    /// What is thrown with the error of this name.
    caught: &'a dyn Fn(&str) -> Option<Thrown>,
}

impl Reader<'_> {
    fn error(&self, error: &Expr) -> Thrown {
        match error {
            Expr::Paren(paren) => self.error(&paren.expr),
            Expr::Group(group) => self.error(&group.expr),
            Expr::Path(path) if is_variant(&path.path) => self.variant(&path.path),
            Expr::Path(path) => {
                let name = path.path.get_ident().map(|name| name.unraw().to_string());
                name.and_then(|name| (self.caught)(&name)).unwrap_or(Thrown::Unknown)
            }
            Expr::Struct(named) => self.variant(&named.path),
            Expr::Call(call) => match &*call.func {
                Expr::Path(path) if is_variant(&path.path) => self.variant(&path.path),
                Expr::Path(path) if converts(&path.path) => {
                    call.args.first().map_or(Thrown::Unknown, |inner| self.error(inner))
                }
                _ => Thrown::Unknown,
            },
            Expr::MethodCall(call) => match call.method.to_string().as_str() {
                "into" | "clone" | "to_owned" if call.args.is_empty() => self.error(&call.receiver),
                _ => Thrown::Unknown,
            },
            Expr::Block(block) => match block.block.stmts.split_last() {
                Some((Stmt::Expr(last, None), before)) if !before.iter().any(leaves_or_binds) => {
                    self.error(last)
                }
                _ => Thrown::Unknown,
            },
            _ => Thrown::Unknown,
        }
    }

    fn outcome(&self, outcome: &Expr) -> Thrown {
        let Expr::MethodCall(call) = outcome else {
            return match outcome {
                Expr::Paren(paren) => self.outcome(&paren.expr),
                Expr::Group(group) => self.outcome(&group.expr),
                _ => Thrown::Arriving,
            };
        };
        match (call.method.to_string().as_str(), call.args.first()) {
            ("map", _) => self.outcome(&call.receiver),
            ("map_err", Some(made)) => match self.made(made) {
                Thrown::Arriving => self.outcome(&call.receiver),
                other => other,
            },
            ("ok_or", Some(error)) => self.error(error),
            ("ok_or_else", Some(Expr::Closure(closure))) => self.error(&closure.body),
            _ => Thrown::Unknown,
        }
    }

    /// What `map_err` makes of an error.
    fn made(&self, function: &Expr) -> Thrown {
        match function {
            Expr::Paren(paren) => self.made(&paren.expr),
            Expr::Path(path) if is_variant(&path.path) => self.variant(&path.path),
            Expr::Path(path) if converts(&path.path) => Thrown::Arriving,
            Expr::Closure(closure) => {
                let names: Vec<String> = closure.inputs.first().map(whole).unwrap_or_default();
                let caught = |name: &str| names.iter().any(|one| one == name).then_some(Thrown::Arriving);
                Reader { own: self.own, caught: &caught }.error(&closure.body)
            }
            _ => Thrown::Unknown,
        }
    }

    /// A variant; one that is not of the function's own error, behind the name of its type.
    fn variant(&self, path: &Path) -> Thrown {
        let mut names = path.segments.iter().rev().map(|segment| segment.ident.unraw().to_string());
        let (name, of) = (names.next().unwrap_or_default(), names.next());
        match (of, self.own) {
            // A module before the name of a type, as in `errors::Refused`, tells nothing.
            (Some(of), Some(own)) if of.starts_with(char::is_uppercase) && of != own => {
                Thrown::Variant(format!("{of}::{name}").into())
            }
            _ => Thrown::Variant(name.into()),
        }
    }
}

/// The type of the errors in this `Result`, by its name; `None` where an alias hides it.
pub(crate) fn error_type(output: &ReturnType) -> Option<String> {
    let ReturnType::Type(_, ty) = output else { return None };
    let Type::Path(result) = &**ty else { return None };
    let PathArguments::AngleBracketed(arguments) = &result.path.segments.last()?.arguments else {
        return None;
    };
    match arguments.args.iter().nth(1)? {
        GenericArgument::Type(Type::Path(error)) => {
            Some(error.path.segments.last()?.ident.unraw().to_string())
        }
        _ => None,
    }
}

/// The names that an arm over an outcome gives to its error as a whole: `Err(error)`.
pub(crate) fn named_errors(pattern: &Pat) -> Vec<String> {
    match pattern {
        Pat::Or(or) => or.cases.iter().flat_map(named_errors).collect(),
        Pat::Paren(paren) => named_errors(&paren.pat),
        Pat::Reference(reference) => named_errors(&reference.pat),
        Pat::TupleStruct(tuple) if tuple.path.segments.last().is_some_and(|last| last.ident == "Err") => {
            tuple.elems.first().map(whole).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

/// The names for all of a value; what may be given another value is none.
fn whole(pattern: &Pat) -> Vec<String> {
    match pattern {
        Pat::Ident(ident) if ident.mutability.is_none() && !is_constant(&ident.ident) => {
            vec![ident.ident.unraw().to_string()]
        }
        Pat::Or(or) => or.cases.iter().flat_map(whole).collect(),
        Pat::Paren(paren) => whole(&paren.pat),
        Pat::Reference(reference) => whole(&reference.pat),
        Pat::Type(typed) => whole(&typed.pat),
        _ => Vec::new(),
    }
}

fn is_variant(path: &Path) -> bool {
    path.segments.last().is_some_and(|last| is_constant(&last.ident))
}

/// Whether this function does what `?` does: `Trouble::from`, `Into::into`.
fn converts(path: &Path) -> bool {
    path.segments.len() > 1
        && path.segments.last().is_some_and(|last| last.ident == "from" || last.ident == "into")
}

/// Whether a statement may end its function, or give a name another meaning.
fn leaves_or_binds(statement: &Stmt) -> bool {
    let text = statement.to_token_stream().to_string();
    let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    text.contains('?') || words.any(|word| matches!(word, "return" | "let" | "break"))
}

#[cfg(test)]
mod tests {
    use workflow_graph::{NodeKind, Outcome};

    use super::super::tests::lowered;

    /// The failing ends of a body that fails with `Trouble`, each with what it throws: `?` where nobody knows.
    #[track_caller]
    fn thrown(body: &str) -> Vec<String> {
        let (graph, errors) = lowered(body);
        assert_eq!(errors, [] as [String; 0]);
        let ends = graph.nodes.iter().filter(|node| node.kind == NodeKind::End(Outcome::Failure));
        let told = ends.map(|end| match &end.thrown {
            super::Thrown::Arriving => format!("{}: arriving", end.title()),
            super::Thrown::Variant(variant) => format!("{}: {variant}", end.title()),
            super::Thrown::Unknown => format!("{}: ?", end.title()),
        });
        told.collect()
    }

    #[test]
    fn what_a_question_mark_hands_on_is_what_leads_there_unless_it_is_mapped() {
        for (outcome, expected) in [
            ("pay(&order).await", "Pay failed: arriving"),
            ("pay(&order).await.map(|paid| paid + 1)", "Pay failed: arriving"),
            ("pay(&order).await.map_err(Trouble::from)", "Pay failed: arriving"),
            ("pay(&order).await.map_err(|error| error.into())", "Pay failed: arriving"),
            ("pay(&order).await.map_err(Trouble::Payment)", "Pay failed: Payment"),
            ("pay(&order).await.map_err(|error| Trouble::Payment(error))", "Pay failed: Payment"),
            ("pay(&order).await.map_err(|_| Trouble::Refused)", "Refused: Refused"),
            (
                "pay(&order).await.map_err(|_| { note(); errors::Trouble::Gone }).map(drop)",
                "Pay failed: Gone",
            ),
            ("pay(&order).await.map_err(|_| PaymentError::Refused)", "Refused: PaymentError::Refused"),
            (
                "pay(&order).await.map_err(|_| PaymentError::Refused).map_err(Trouble::from)",
                "Pay failed: PaymentError::Refused",
            ),
            ("pay(&order).await.map_err(translated)", "Pay failed: ?"),
            ("pay(&order).await.map_err(|error| translated(error))", "Pay failed: ?"),
            ("pay(&order).await.map_err(|error| { let error = other; error.into() })", "Pay failed: ?"),
            ("receive::<Card>(&order).within(days(1)).await.map_err(|_| Trouble::Late)", "Late: Late"),
            ("try_join!(pay(&order), ship(&order)).map_err(|_| Trouble::Refused)", "Refused: Refused"),
        ] {
            let ends = thrown(&format!("{outcome}?; Ok(1)"));
            assert_eq!(ends.last().map(String::as_str), Some(expected), "{outcome}");
            let ends = thrown(outcome);
            assert_eq!(ends.last().map(String::as_str), Some(expected), "{outcome} as the result");
        }
    }

    #[test]
    fn what_is_returned_is_the_variant_that_is_named_or_the_error_that_an_arm_has_caught() {
        for (returned, expected) in [
            ("error.into()", "arriving"),
            ("Trouble::from(error)", "arriving"),
            ("Trouble::Refused", "Refused"),
            ("Refused { why: 1 }", "Refused"),
            ("PaymentError::Refused.into()", "PaymentError::Refused"),
            ("translated(error)", "?"),
            ("other.into()", "?"),
        ] {
            let arms = "Ok(_) => Ok(1), Err(error @ P::Declined) => Ok(2), ";
            let ends =
                thrown(&format!("match pay(&order).await {{ {arms} Err(error) => return Err({returned}) }}"));
            assert_eq!(ends.len(), 1);
            assert!(ends[0].ends_with(&format!(": {expected}")), "{returned}: {ends:?}");
        }
        // A name that means something else there, or whose value may be another one.
        for arm in [
            "Err(error) => { let error = other; return Err(error.into()) }",
            "Err(mut error) => { error = other; return Err(error.into()) }",
            "Err(P::Declined(error)) => return Err(error.into())",
        ] {
            let ends = thrown(&format!("match pay(&order).await {{ Ok(_) => Ok(1), {arm} }}"));
            assert!(ends[0].ends_with(": ?"), "{arm}: {ends:?}");
        }
        let ends = thrown(
            "match pay(&order).await.map_err(|_| Trouble::Refused) { Ok(_) => {} Err(error) => return Err(error) }
             if let Err(error) = ship(&order).await { return Err(error.into()); }
             Err(Trouble::Gone)?",
        );
        assert_eq!(ends, ["Pay failed: Refused", "Ship failed: arriving", "Gone: Gone"]);
    }
}
