//! What a replay would do or answer differently, as far as names tell: calls of the clock, of chance and of the world
//! outside (WF010), what runs beside the journal (WF004), statics of the body (WF013), and `unsafe` (WF015).
//! It must not know types: what those tell is found in `iteration` and `statics`.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, Ident, LineColumn, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::visit::Visit;
use syn::{ItemStatic, ItemUse, Macro, Signature, StaticMutability};

use super::allow::{Allows, Rule};
use super::awaits::Body;
use super::forbidden::{self, Kind};
use super::regions::Word;
use super::source_file::{self, Names, import};
use crate::built_in;
use crate::errors::Errors;
use crate::signature::RawFn;

/// The calls that were refused because they run beside the journal: what they are given is nobody's flow.
#[derive(Default)]
pub(crate) struct Foreign {
    /// Where their parentheses open.
    calls: BTreeSet<LineColumn>,
    /// The `await` keywords behind them.
    awaits: BTreeSet<LineColumn>,
}

impl Foreign {
    /// Whether these are the parentheses of such a call.
    pub(crate) fn is_call(&self, parentheses: Span) -> bool {
        !self.calls.is_empty() && self.calls.contains(&parentheses.start())
    }

    /// Where their parentheses open.
    pub(crate) fn calls(&self) -> impl Iterator<Item = LineColumn> {
        self.calls.iter().copied()
    }

    /// Where the results of such calls are awaited.
    pub(crate) fn awaits(&self) -> impl Iterator<Item = LineColumn> {
        self.awaits.iter().copied()
    }
}

/// Refuses what is not the same in each replay.
pub(crate) fn check(function: &RawFn, body: &Body, allows: &Allows, errors: &mut Errors) -> Foreign {
    let mut items = Items { errors: &mut *errors, allows, names: Names::new() };
    items.visit_block(&body.block);
    let names = items.names;
    let name = &function.sig.ident;
    let mut scan = Scan { errors, allows, name, names, of_file: None, foreign: Foreign::default() };
    scan.tokens(function.body.stream());
    scan.foreign
}

/// What types keep, and a body must not: what is shared by all runs.
const SHARED: &[&str] = &["Mutex", "RwLock", "OnceLock", "LazyLock", "Lazy", "Cell", "RefCell", "OnceCell"];

/// Items of the body, and the names that its imports give.
struct Items<'a> {
    errors: &'a mut Errors,
    allows: &'a Allows,
    names: Names,
}

impl Items<'_> {
    fn shared(&mut self, span: Span) {
        if !self.allows.cover(Rule::SharedStatic, span) {
            let why = "WF013: this is shared by all runs, and a replay finds another value in it; pass the value as an \
                       argument of the workflow, or keep it where a `#[step]` reads it; see docs/errors/WF013.md";
            self.errors.at(span, why);
        }
    }
}

impl<'ast> Visit<'ast> for Items<'_> {
    fn visit_signature(&mut self, signature: &'ast Signature) {
        if signature.asyncness.is_some() {
            let why = "WF015: an async function inside a workflow belongs to no flow; move it out and make it a \
                       `#[step]` or a `#[subflow]`; see docs/errors/WF015.md";
            self.errors.at(signature.ident.span(), why);
        }
    }

    fn visit_item_static(&mut self, item: &'ast ItemStatic) {
        if let StaticMutability::Mut(token) = &item.mutability {
            let why = "WF015: a `static mut` is shared by all runs and forgotten by all replays; keep the value in a \
                       variable of the workflow; see docs/errors/WF015.md";
            self.errors.at(token.span, why);
        } else if names_shared(item.ty.to_token_stream()) {
            self.shared(item.ident.span());
        }
        syn::visit::visit_item_static(self, item);
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        import(&item.tree, &mut Vec::new(), &mut self.names);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        let Some(name) = call.path.segments.last() else { return };
        if name.ident == "thread_local" || name.ident == "lazy_static" {
            self.shared(name.ident.span());
        }
    }
}

fn names_shared(ty: TokenStream) -> bool {
    ty.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => {
            let name = ident.to_string();
            SHARED.contains(&&*name) || name.starts_with("Atomic")
        }
        TokenTree::Group(group) => names_shared(group.stream()),
        _ => false,
    })
}

/// A look at all tokens of the body, also at those that a macro is given.
struct Scan<'a> {
    errors: &'a mut Errors,
    allows: &'a Allows,
    /// The name of the function.
    name: &'a Ident,
    /// What the imports of the body call things.
    names: Names,
    /// What those at the head of the file do, once somebody has asked.
    of_file: Option<Names>,
    foreign: Foreign,
}

/// A path as it is written.
struct Path {
    segments: Vec<Ident>,
    /// How many tokens it has, up to the last of its type arguments.
    length: usize,
}

impl Scan<'_> {
    fn tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            let rest = &tokens[at..];
            at += match &rest[0] {
                TokenTree::Group(group) => {
                    self.tokens(group.stream());
                    1
                }
                TokenTree::Punct(hash) if hash.as_char() == '#' && is_attribute(rest) => 2,
                TokenTree::Ident(word) if word == "use" && !is_punct(rest.get(1), '<') => {
                    rest.iter().take_while(|token| !is_punct(Some(token), ';')).count()
                }
                TokenTree::Ident(word) if word == "unsafe" && is_group(rest.get(1), Delimiter::Brace) => {
                    let why = "WF015: a workflow holds no `unsafe` code, whose effects no replay repeats; move it into \
                               a `#[step]`; see docs/errors/WF015.md";
                    self.errors.at(word.span(), why);
                    1
                }
                TokenTree::Ident(_) => {
                    let before = at.checked_sub(1).map(|before| &tokens[before]);
                    self.path(before, rest)
                }
                _ => 1,
            };
        }
    }

    /// Looks at the path that begins here; gives how many tokens it has.
    fn path(&mut self, before: Option<&TokenTree>, rest: &[TokenTree]) -> usize {
        let path = path_of(rest);
        let after = &rest[path.length..];
        let Some(last) = path.segments.last() else { return 1 };
        let is_definition = matches!(before, Some(TokenTree::Ident(word)) if word == "fn");
        let found = if is_definition {
            None
        } else if is_punct(before, '.') {
            // A field, unless it is called.
            forbidden::method(&last.to_string()).filter(|_| is_group(after.first(), Delimiter::Parenthesis))
        } else if is_punct(after.first(), '!') && matches!(after.get(1), Some(TokenTree::Group(_))) {
            self.macro_call(&path);
            None
        } else {
            let meaning = self.meaning(&path.segments);
            let is_called = is_group(after.first(), Delimiter::Parenthesis);
            if is_called {
                self.refuse_alias(&path, &meaning);
            }
            let mut by_file = || is_called.then(|| self.meaning_by_file(meaning.clone())).flatten();
            forbidden::function(&meaning).or_else(|| forbidden::function(&by_file()?))
        };
        if let Some(kind) = found {
            self.call(kind, &path, is_punct(before, '.'), after);
        }
        path.length
    }

    /// An import must not give anything else the name of an operation: where it is awaited, it would be taken for that.
    fn refuse_alias(&mut self, path: &Path, meaning: &[String]) {
        let [name] = &path.segments[..] else { return };
        let written = name.unraw().to_string();
        if !built_in::is_operation(&written) {
            return;
        }
        let by_file = || source_file::alias(self.name, &written);
        let meant = if *meaning == [written.as_str()] { by_file() } else { Some(meaning.to_vec()) };
        let Some(meant) = meant.filter(|meant| meant.last() != Some(&written)) else { return };
        let why = format!(
            "WF044: `{written}` is imported here as another name of `{}`, and would be taken for the operation of the \
             language; import it under another name; see docs/errors/WF044.md",
            meant.join("::")
        );
        self.errors.at(name.span(), why);
    }

    fn call(&mut self, kind: Kind, path: &Path, is_method: bool, after: &[TokenTree]) {
        let awaited = match after {
            [TokenTree::Group(_), TokenTree::Punct(dot), TokenTree::Ident(word), ..]
                if dot.as_char() == '.' && word == "await" =>
            {
                Some(word.span())
            }
            _ => None,
        };
        let span = path.segments[0].span();
        if !kind.is_foreign() {
            // What is awaited and not durable is told by its type (WF001), and that should be the only error.
            if awaited.is_none() && !self.allows.cover(Rule::NondeterministicCall, span) {
                self.refuse(kind, path, "");
            }
            return;
        }
        self.refuse(kind, path, if is_method { "." } else { "" });
        if let Some(TokenTree::Group(group)) = after.first() {
            self.foreign.calls.insert(group.span_open().start());
        }
        self.foreign.awaits.extend(awaited.map(|span| span.start()));
    }

    fn macro_call(&mut self, path: &Path) {
        let Some(name) = path.segments.last() else { return };
        match forbidden::macro_(&name.to_string()) {
            Some(kind)
                if !kind.is_foreign() && self.allows.cover(Rule::NondeterministicCall, name.span()) => {}
            Some(kind) => self.refuse(kind, path, "!"),
            None if Word::named(name).is_some() && path.segments.len() > 1 => {
                let written = written(path);
                let why = format!(
                    "WF004: `{written}!` is not recorded; write `{name}!`, which in a workflow is the language's own; \
                     see docs/errors/WF004.md"
                );
                self.errors.push(syn::Error::new_spanned(whole(path), why));
            }
            None => {}
        }
    }

    fn refuse(&mut self, kind: Kind, path: &Path, mark: &str) {
        let written = match mark {
            "." => format!(".{}", written(path)),
            mark => format!("{}{mark}", written(path)),
        };
        self.errors.push(syn::Error::new_spanned(whole(path), kind.text(&written)));
    }

    /// The path with what the imports at the head of the file make of its first name, where that may matter.
    fn meaning_by_file(&mut self, mut path: Vec<String>) -> Option<Vec<String>> {
        path.last().filter(|last| forbidden::may_be_imported(last))?;
        let name = self.name;
        let names = self.of_file.get_or_insert_with(|| {
            source_file::around(name.span()).map(|file| file.imported(name)).unwrap_or_default()
        });
        let meant = names.get(&path[0])?;
        path.splice(..1, meant.iter().cloned());
        Some(path)
    }

    /// The path with what the imports of the body make of its first name.
    fn meaning(&self, segments: &[Ident]) -> Vec<String> {
        let mut path: Vec<String> = segments.iter().map(|part| part.unraw().to_string()).collect();
        for _ in 0..4 {
            let Some(meant) = self.names.get(&path[0]).filter(|meant| meant[0] != path[0]) else { break };
            path.splice(..1, meant.iter().cloned());
        }
        path
    }
}

fn written(path: &Path) -> String {
    let names: Vec<String> = path.segments.iter().map(ToString::to_string).collect();
    names.join("::")
}

/// The first and the last name: between them, rustc underlines the whole.
fn whole(path: &Path) -> TokenStream {
    path.segments.iter().map(|part| TokenTree::Ident(part.clone())).collect()
}

fn path_of(tokens: &[TokenTree]) -> Path {
    let mut path = Path { segments: Vec::new(), length: 0 };
    let mut at = 0;
    loop {
        match tokens.get(at) {
            Some(TokenTree::Ident(name)) => {
                path.segments.push(name.clone());
                at += 1;
            }
            token if is_punct(token, '<') => at += angles(&tokens[at..]),
            _ => break,
        }
        path.length = at;
        if !(is_punct(tokens.get(at), ':') && is_punct(tokens.get(at + 1), ':')) {
            break;
        }
        at += 2;
    }
    path.length = path.length.max(1);
    path
}

/// How many tokens there are between these angle brackets, them included.
fn angles(tokens: &[TokenTree]) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match punct(Some(token)) {
            '<' => depth += 1,
            '>' if at > 0 && punct(tokens.get(at - 1)) != '-' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}

fn punct(token: Option<&TokenTree>) -> char {
    match token {
        Some(TokenTree::Punct(punct)) => punct.as_char(),
        _ => ' ',
    }
}

fn is_punct(token: Option<&TokenTree>, wanted: char) -> bool {
    punct(token) == wanted
}

fn is_group(token: Option<&TokenTree>, wanted: Delimiter) -> bool {
    matches!(token, Some(TokenTree::Group(group)) if group.delimiter() == wanted)
}

fn is_attribute(tokens: &[TokenTree]) -> bool {
    is_group(tokens.get(1), Delimiter::Bracket)
}

#[cfg(test)]
mod tests {
    use super::super::awaits::parse_body;
    use super::*;

    fn errors(body: &str) -> Vec<String> {
        let Ok(function) = RawFn::read(format!("async fn f() {{ {body} }}").parse().unwrap()) else {
            panic!()
        };
        let mut errors = Errors::default();
        let body = parse_body(&function).unwrap();
        let allows = Allows::of(&body, &mut errors);
        check(&function, &body, &allows, &mut errors);
        let short = |text: String| text.split(['`', ':']).take(3).collect::<Vec<_>>().concat();
        errors.texts().into_iter().map(short).collect()
    }

    #[test]
    fn calls_are_found_wherever_they_stand() {
        assert_eq!(errors("let t = std::time::SystemTime::now();"), ["WF010 std"]);
        assert_eq!(errors("let t = when.unwrap_or_else(Instant::now);"), ["WF010 Instant"]);
        assert_eq!(errors("let t = format!(\"{}\", rand::random::<u8>());"), ["WF010 rand"]);
        assert_eq!(errors("let f = || { thread_rng() }; dbg!(1);"), ["WF010 thread_rng", "WF010 dbg!"]);
        assert_eq!(errors("rt.block_on(work()); tokio::spawn(work()).await;").len(), 2);
    }

    #[test]
    fn names_that_the_body_imports_are_understood() {
        assert_eq!(errors("use std::time::Instant as Watch; Watch::now();"), ["WF010 Watch"]);
        assert_eq!(errors("use std::{env::{self, args}, thread}; args();"), ["WF010 args"]);
        assert_eq!(errors("use std::thread as t; t::sleep(x);"), ["WF010 t"]);
        assert_eq!(errors("use std::time::SystemTime; now().await;"), [] as [&str; 0]);
    }

    #[test]
    fn what_only_looks_alike_is_left_alone() {
        let fine = "calendar::now(); order.now(); self.spawn(x); x.block_on; fn block_on() {} env!(\"X\"); a < b::c; \
                    tracing::info!(\"x\"); let t: SystemTime = now().await; join!(a(), b());";
        assert_eq!(errors(fine), [] as [&str; 0]);
    }

    #[test]
    fn items_of_the_body_that_are_shared_or_unsafe() {
        assert_eq!(errors("static mut N: u8 = 0; unsafe { N += 1 }").len(), 2);
        let shared = errors(
            "static N: AtomicU8 = AtomicU8::new(0); static M: u8 = 1; thread_local! { static T: u8 = 2; }",
        );
        assert!(
            matches!(&shared[..], [first, second] if first.starts_with("WF013") && second.starts_with("WF013"))
        );
        assert_eq!(errors("async fn g() {} fn h() {}").len(), 1);
    }

    #[test]
    fn an_allowance_covers_its_statement() {
        let body =
            "#[allow_workflow(nondeterministic_call, reason = \"a log\")] println!(\"x\"); println!(\"y\");";
        assert_eq!(errors(body), ["WF010 println!"]);
    }
}
