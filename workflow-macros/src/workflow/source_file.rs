//! The file around a workflow: what the imports at its head call things, and which of its own macros leave a function
//! or wait without showing it. By text alone; a file that cannot be read says nothing, and neither do other files.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::visit::Visit;
use syn::{Block, Ident, ItemUse, UseTree};

use crate::editor;

/// What each imported name stands for.
pub(crate) type Names = BTreeMap<String, Vec<String>>;

/// A file that was read; as plain text, because the compiler takes tokens back when a macro has been written out.
#[derive(Default)]
pub(crate) struct SourceFile {
    /// The functions of each module, and what its imports call things.
    modules: Vec<(BTreeSet<String>, Names)>,
    /// What macros of the file do unseen, by their names.
    hidden: BTreeMap<String, &'static str>,
}

thread_local! {
    /// The last one: most files have several workflows, and a compiler reads each file once.
    static LAST: RefCell<Option<(PathBuf, Option<Rc<SourceFile>>)>> = const { RefCell::new(None) };
    /// Its text, which is looked at more often than it has to be understood.
    static TEXT: RefCell<Option<(PathBuf, String)>> = const { RefCell::new(None) };
}

/// The file in which this stands. An editor would be told of the file as it was saved, so it is told nothing.
pub(crate) fn around(place: Span) -> Option<Rc<SourceFile>> {
    let path = place.local_file().filter(|_| !editor::asks())?;
    LAST.with_borrow_mut(|last| {
        if let Some((known, file)) = last
            && *known == path
        {
            return file.clone();
        }
        let file = with_text(&path, SourceFile::read).flatten();
        *last = Some((path, file.clone()));
        file
    })
}

/// The text of this file, if there is one.
fn with_text<T>(path: &Path, look: impl FnOnce(&str) -> T) -> Option<T> {
    TEXT.with_borrow_mut(|last| {
        if last.as_ref().is_none_or(|(known, _)| known != path) {
            *last = Some((path.to_owned(), std::fs::read_to_string(path).ok()?));
        }
        last.as_ref().map(|(_, text)| look(text))
    })
}

/// What the imports at the head of the file give this name to, if one of them gives it to something of another name.
pub(crate) fn alias(function: &Ident, name: &str) -> Option<Vec<String>> {
    let path = function.span().local_file().filter(|_| !editor::asks())?;
    // Reading a file costs little, understanding it some milliseconds.
    with_text(&path, |text| text.contains(&format!(" as {name}"))).filter(|may_be| *may_be)?;
    around(function.span())?.imported(function).remove(name)
}

/// What the file around this function and the imports of its body call things; a function of the module is its own.
pub(crate) fn names_of(function: &Ident, body: &Block) -> Names {
    struct Imports(Names);
    impl<'ast> Visit<'ast> for Imports {
        fn visit_item_use(&mut self, item: &'ast ItemUse) {
            import(&item.tree, &mut Vec::new(), &mut self.0);
        }
    }
    let mut imports = Imports(around(function.span()).map(|file| file.named(function)).unwrap_or_default());
    imports.visit_block(body);
    imports.0
}

impl SourceFile {
    fn read(text: &str) -> Option<Rc<SourceFile>> {
        let mut file = SourceFile::default();
        file.add(without_first_line_of_scripts(text).parse().ok()?);
        Some(Rc::new(file))
    }

    /// Adds a module and those in it. Its tokens are looked at, and no syntax tree is made of them: of a whole file
    /// that would take longer than all else that is done for a workflow.
    fn add(&mut self, items: TokenStream) {
        let (mut functions, mut names) = (BTreeSet::new(), Names::new());
        let mut tokens = items.into_iter().peekable();
        while let Some(token) = tokens.next() {
            let TokenTree::Ident(word) = token else { continue };
            match (word.to_string().as_str(), tokens.peek()) {
                ("fn", Some(TokenTree::Ident(name))) => drop(functions.insert(name.unraw().to_string())),
                // `use<..>` says what a type captures.
                ("use", Some(token)) if !is_punct(token, '<') => {
                    let declared = tokens.by_ref().take_while(|token| !is_punct(token, ';'));
                    // A `::` at the head says only that a crate follows.
                    let declared = declared.skip_while(|token| is_punct(token, ':')).collect();
                    if let Ok(tree) = syn::parse2(declared) {
                        import(&tree, &mut Vec::new(), &mut names);
                    }
                }
                ("mod", Some(TokenTree::Ident(_))) => {
                    if let Some(TokenTree::Group(module)) = tokens.nth(1) {
                        self.add(module.stream());
                    }
                }
                ("macro_rules", Some(bang)) if is_punct(bang, '!') => {
                    if let (Some(TokenTree::Ident(name)), Some(TokenTree::Group(rules))) =
                        (tokens.nth(1), tokens.next())
                    {
                        let found = transcribers(rules.stream()).find_map(hidden);
                        self.hidden.extend(found.map(|found| (name.unraw().to_string(), found)));
                    }
                }
                _ => {}
            }
        }
        self.modules.push((functions, names));
    }

    /// The names that are imported in the module of this function.
    pub(crate) fn imported(&self, function: &Ident) -> Names {
        let function = function.unraw().to_string();
        let module = self.modules.iter().find(|(functions, _)| functions.contains(&function));
        module.map(|(_, names)| names.clone()).unwrap_or_default()
    }

    /// The same with the functions of the module, which are its own.
    fn named(&self, function: &Ident) -> Names {
        let function = function.unraw().to_string();
        let Some((functions, names)) =
            self.modules.iter().find(|(functions, _)| functions.contains(&function))
        else {
            return Names::new();
        };
        let own = functions.iter().map(|name| (name.clone(), vec!["self".to_owned(), name.clone()]));
        own.chain(names.clone()).collect()
    }

    /// What a macro of this file does unseen, if it is one.
    pub(crate) fn hidden_in(&self, name: &str) -> Option<&'static str> {
        self.hidden.get(name).copied()
    }
}

/// A byte order mark and the `#!..` of a script are no tokens.
fn without_first_line_of_scripts(text: &str) -> &str {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let is_script = text.strip_prefix("#!").is_some_and(|rest| !rest.trim_start().starts_with('['));
    text.find('\n').filter(|_| is_script).map_or(text, |end| &text[end..])
}

fn is_punct(token: &TokenTree, wanted: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted)
}

/// What the arms of a `macro_rules!` are written out as.
fn transcribers(rules: TokenStream) -> impl Iterator<Item = TokenStream> {
    let mut rules = rules.into_iter();
    std::iter::from_fn(move || {
        rules.by_ref().find(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == '>'))?;
        match rules.next()? {
            TokenTree::Group(group) => Some(group.stream()),
            _ => Some(TokenStream::new()),
        }
    })
}

/// What these tokens do that nobody sees who only sees the call.
fn hidden(tokens: TokenStream) -> Option<&'static str> {
    let tokens = flat(tokens);
    let has = |words: &[&str]| tokens.iter().any(|token| words.contains(&token.as_str()));
    if tokens.windows(2).any(|pair| pair[0] == "." && pair[1] == "await") {
        return Some("waits");
    }
    // What leaves a closure, a function or a loop of the macro's own leaves nothing else.
    let has_function = has(&["|", "fn"]);
    let has_loop = has(&["loop", "while", "for"]);
    let leaves = (!has_function && has(&["return", "?"])) || (!has_loop && has(&["break", "continue"]));
    leaves.then_some("leaves the workflow")
}

/// All words and signs, in their order, without the signs of repetitions.
fn flat(tokens: TokenStream) -> Vec<String> {
    let mut words = Vec::new();
    // How many tokens ago a `$` came: behind the group that it repeats stands a sign.
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(dollar) if dollar.as_char() == '$' => {
                let repeats = matches!(tokens.peek(), Some(TokenTree::Group(_)));
                if let (true, Some(TokenTree::Group(group))) = (repeats, tokens.peek()) {
                    words.extend(flat(group.stream()));
                    tokens.next();
                    while tokens.next().is_some_and(|token| !is_sign(&token)) {}
                }
            }
            TokenTree::Group(group) => words.extend(flat(group.stream())),
            other => words.push(other.to_string()),
        }
    }
    words
}

/// Whether this says how often something is repeated.
fn is_sign(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(sign) if "?*+".contains(sign.as_char()))
}

/// Adds what an import calls things.
pub(crate) fn import(tree: &UseTree, path: &mut Vec<String>, names: &mut Names) {
    let mut name = |name: String, of: &Ident, path: &[String]| {
        let whole = path.iter().cloned().chain([of.unraw().to_string()]).filter(|part| part != "self");
        names.insert(name, whole.collect());
    };
    match tree {
        UseTree::Path(part) => {
            path.push(part.ident.unraw().to_string());
            import(&part.tree, path, names);
            path.pop();
        }
        UseTree::Name(last) if last.ident == "self" => {
            if let Some(last) = path.last() {
                names.insert(last.clone(), path.clone());
            }
        }
        UseTree::Name(last) => name(last.ident.unraw().to_string(), &last.ident, path),
        UseTree::Rename(rename) => name(rename.rename.unraw().to_string(), &rename.ident, path),
        UseTree::Group(group) => group.items.iter().for_each(|tree| import(tree, path, names)),
        UseTree::Glob(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_those_of_the_module() {
        let text = "use rand::random; fn other() {}
            mod inner { use std::thread::{self, sleep as nap}; async fn pay() {} }";
        let file = SourceFile::read(text).unwrap();
        let names = |function: &str| {
            let names = file.imported(&Ident::new(function, Span::call_site()));
            names.into_iter().map(|(name, path)| format!("{name} {}", path.join("::"))).collect::<Vec<_>>()
        };
        assert_eq!(names("pay"), ["nap std::thread::sleep", "thread std::thread"]);
        assert_eq!(names("other"), ["random rand::random"]);
        assert_eq!(names("nobody"), [] as [&str; 0]);
    }

    #[test]
    fn a_file_is_read_whatever_else_stands_in_it() {
        let text = "#!/usr/bin/env run\n//! About\n#![allow(x)]
            use ::rand::{random as chance, Rng};
            pub use std::time::Instant;
            const F: fn(u8) -> u8 = twice;
            fn all() -> impl Iterator<Item = u8> + use<'static> { use std::env; [].into_iter() }
            impl Shop { fn inner(&self) { fn deep() {} } }
            mod elsewhere;
            mod broken { fn pay() { let = ; } }
            pub(crate) async fn last() {}";
        let file = SourceFile::read(text).unwrap();
        let names = |function: &str| {
            let names = file.imported(&Ident::new(function, Span::call_site()));
            names.into_iter().map(|(name, path)| format!("{name} {}", path.join("::"))).collect::<Vec<_>>()
        };
        let head = ["Instant std::time::Instant", "Rng rand::Rng", "chance rand::random"];
        assert_eq!((names("all"), names("last")), (head.map(String::from).to_vec(), names("all")));
        assert_eq!((names("pay"), names("inner"), names("deep")), (vec![], vec![], vec![]));
    }

    #[test]
    fn macros_that_hide_a_way_out_are_told() {
        let text = "macro_rules! out { ($e:expr) => { return Err($e) }; }
            mod inner { macro_rules! ask { () => { 1 }; ($e:expr) => { $e? }; } }
            macro_rules! nap { () => { crate::nap().await }; }
            macro_rules! add { ($($e:expr),* $(,)?) => { 0 $(+ $e)? }; }
            macro_rules! stop { () => { { break } }; }
            macro_rules! first { ($e:expr) => { { let mut n = 0; for x in $e { n = x; break; } n } }; }
            macro_rules! parsed { ($e:expr) => { (|| Some($e.parse::<u32>().ok()? + 1))() }; }";
        let file = SourceFile::read(text).unwrap();
        let (leaves, waits) = (Some("leaves the workflow"), Some("waits"));
        for (name, expected) in [
            ("out", leaves),
            ("ask", leaves),
            ("nap", waits),
            ("add", None),
            ("stop", leaves),
            ("first", None),
        ] {
            assert_eq!(file.hidden_in(name), expected, "{name}");
        }
        assert_eq!((file.hidden_in("parsed"), file.hidden_in("vec")), (None, None));
    }
}
