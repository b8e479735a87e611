//! What an awaited call says beside its arguments: `.within(..)`, `.timeout(..)`, `.label("..")`, `.detached()`.
//! It reads the chain of methods; what the words mean is known where the operation is lowered.

use syn::{Expr, ExprCall, ExprLit, ExprMethodCall, Lit};

use super::lower::{Lowerer, span_of};
use super::phrases;
use super::regions::Word;

const WORDS: &[&str] =
    &["within", "forever", "timeout", "retry", "label", "without_compensation", "id", "detached", "limit"];

/// The words behind a call.
#[derive(Default)]
pub(crate) struct Overrides<'a> {
    /// `.within(..)`
    pub(crate) within: Option<&'a Expr>,
    /// `.timeout(..)`
    pub(crate) timeout: Option<&'a Expr>,
    /// `.retry(..)`
    pub(crate) retry: Option<&'a Expr>,
    /// `.limit(..)`
    pub(crate) limit: Option<&'a Expr>,
    /// `.label("..")`
    pub(crate) label: Option<String>,
    /// `.detached()`
    pub(crate) detached: bool,
    /// `.without_compensation()`
    pub(crate) without_compensation: bool,
    /// All arguments of the words, in the order of the text.
    pub(crate) arguments: Vec<&'a Expr>,
}

impl Lowerer<'_> {
    /// Finds the call behind its overrides; `None` after an error.
    pub(crate) fn callee<'e>(
        &mut self,
        base: &'e Expr,
        overrides: &mut Overrides<'e>,
    ) -> Option<&'e ExprCall> {
        match base {
            Expr::Paren(paren) => self.callee(&paren.expr, overrides),
            Expr::Group(group) => self.callee(&group.expr, overrides),
            Expr::Call(call) => Some(call),
            Expr::MethodCall(method) => {
                if !WORDS.contains(&method.method.to_string().as_str()) {
                    let why = "a method's result is awaited, but the macro cannot see which operation that is; \
                               call a `#[step]` by its function's name";
                    self.refuse(method.paren_token.span.join(), why);
                    return None;
                }
                let call = self.callee(&method.receiver, overrides)?;
                self.word(method, overrides).then_some(call)
            }
            Expr::Path(_) => {
                let why = "this call was made elsewhere; write the call itself here, `name(..)`, so that it can \
                           be drawn";
                self.refuse(span_of(base), why);
                None
            }
            Expr::Macro(call) if Word::of(&call.mac).is_some() => {
                let name = phrases::source_text(&call.mac.path);
                let why = format!(
                    "`{name}!` waits by itself: take out the `.await` behind it; as a branch, write \
                     `async {{ {name}!(..) }}`"
                );
                self.refuse(span_of(base), &why);
                None
            }
            other => {
                let why = "only calls of steps, subflows, workflows and the language's own operations can be awaited";
                self.refuse(span_of(other), why);
                None
            }
        }
    }

    fn word<'e>(&mut self, method: &'e ExprMethodCall, overrides: &mut Overrides<'e>) -> bool {
        match method.method.to_string().as_str() {
            "within" => overrides.within = method.args.first(),
            "limit" => overrides.limit = method.args.first(),
            "timeout" => overrides.timeout = method.args.first(),
            "retry" => overrides.retry = method.args.first(),
            "detached" => overrides.detached = true,
            "without_compensation" => overrides.without_compensation = true,
            "label" => match method.args.first() {
                Some(Expr::Lit(ExprLit { lit: Lit::Str(text), .. })) => overrides.label = Some(text.value()),
                _ => {
                    let why = "write `.label(\"..\")`: the diagram is drawn before anything runs";
                    self.refuse(method.paren_token.span.join(), why);
                    return false;
                }
            },
            _ => {}
        }
        overrides.arguments.extend(&method.args);
        true
    }
}
