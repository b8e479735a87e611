//! The source files of the package around a workflow, and what is found in them by its name.
//! It knows names and modules, as far as text tells; what it cannot tell for certain it does not find.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt;
use syn::{Attribute, Item, ItemUse, UseTree};

/// More files than that are not read.
const MOST_FILES: usize = 2_000;

/// Files with text that one of the macros may have to do with, by their paths.
type Texts = Rc<Vec<(PathBuf, String)>>;

/// The files around a workflow.
pub(super) struct Neighbours {
    texts: Texts,
    home: usize,
    parsed: RefCell<BTreeMap<usize, Rc<Module>>>,
}

/// A file, or a module that stands in one.
struct Module {
    /// The name by which others reach it.
    name: String,
    items: Vec<Item>,
    uses: Vec<ItemUse>,
    inner: Vec<Module>,
}

/// Something that was found, and the file it stands in.
pub(super) struct Found {
    pub(super) item: Item,
    pub(super) file: usize,
}

thread_local! {
    /// Texts, not tokens: those live no longer than one expansion.
    static READ: RefCell<BTreeMap<PathBuf, Texts>> = const { RefCell::new(BTreeMap::new()) };
}

impl Neighbours {
    /// The files of the package in which this stands.
    pub(super) fn around(place: Span) -> Neighbours {
        let home = place.local_file().map(|file| std::path::absolute(&file).unwrap_or(file));
        let root = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let beside = home.as_deref().and_then(Path::parent).map(Path::to_owned);
        let key = beside.clone().unwrap_or_default();
        let known = READ.with_borrow(|read| read.get(&key).cloned());
        let texts = known.unwrap_or_else(|| {
            let texts = Rc::new(read(root.as_deref(), beside.as_deref()));
            READ.with_borrow_mut(|read| read.insert(key, Rc::clone(&texts)));
            texts
        });
        let index = texts.iter().position(|(path, _)| Some(path) == home.as_ref());
        Neighbours { home: index.unwrap_or(usize::MAX), ..Neighbours::of(texts) }
    }

    fn of(texts: Texts) -> Neighbours {
        Neighbours { texts, home: 0, parsed: RefCell::default() }
    }

    /// For tests: these files, the first of which is the workflow's own.
    #[cfg(test)]
    pub(super) fn from_texts(texts: &[(&str, &str)]) -> Neighbours {
        let texts = texts.iter().map(|(path, text)| (PathBuf::from(path), (*text).to_owned()));
        Neighbours::of(Rc::new(texts.collect()))
    }

    /// The file of the workflow itself.
    pub(super) fn home(&self) -> usize {
        self.home
    }

    /// What this path means in that file, given the imports of the blocks around it; `None` where that is not certain.
    pub(super) fn find(
        &self,
        path: &syn::Path,
        uses: &[Vec<ItemUse>],
        file: usize,
        is_wanted: &dyn Fn(&Item) -> bool,
    ) -> Option<Found> {
        let names: Vec<String> =
            path.segments.iter().map(|segment| segment.ident.unraw().to_string()).collect();
        let (name, before) = names.split_last()?;
        let here = self.module(file);
        let mut hint = before.last().filter(|name| !is_keyword(name)).cloned();
        let mut name = name.clone();
        if before.first().is_some_and(|root| !self.is_own(root)) {
            return None;
        }
        if before.is_empty() {
            let imports = || uses.iter().flatten().chain(here.iter().flat_map(|here| here.all_uses()));
            if let Some((item, (original, module))) =
                imports().find_map(|item| Some((item, imported(&item.tree, None, &name)?)))
            {
                if root_of(&item.tree).is_some_and(|root| !self.is_own(&root)) {
                    return None;
                }
                (name, hint) = (original, module.filter(|module| !is_keyword(module)));
            } else {
                let found: Vec<&Item> = here
                    .iter()
                    .flat_map(|here| here.named(&name, None))
                    .filter(|item| is_wanted(item))
                    .collect();
                match found[..] {
                    [only] => return Some(Found { item: only.clone(), file }),
                    [] if imports().any(|item| has_glob(&item.tree) && self.is_own_tree(&item.tree)) => {}
                    _ => return None,
                }
            }
        }
        let mut found = Vec::new();
        for (index, _) in self.texts.iter().enumerate().filter(|(_, (_, text))| text.contains(&name)) {
            let Some(module) = self.module(index) else { continue };
            let named = module.named(&name, hint.as_deref());
            found.extend(
                named
                    .into_iter()
                    .filter(|item| is_wanted(item))
                    .map(|item| Found { item: item.clone(), file: index }),
            );
        }
        if found.len() == 1 { found.pop() } else { None }
    }

    /// Whether a path that begins with this leads into this package, as far as its texts tell.
    fn is_own(&self, root: &str) -> bool {
        let is_package = || std::env::var("CARGO_PKG_NAME").is_ok_and(|name| name.replace('-', "_") == root);
        let is_module = || {
            let mut modules = (0..self.texts.len()).filter_map(|file| self.module(file));
            modules.any(|module| module.contains(root))
        };
        is_keyword(root) || is_package() || is_module()
    }

    fn is_own_tree(&self, tree: &UseTree) -> bool {
        root_of(tree).is_none_or(|root| self.is_own(&root))
    }

    fn module(&self, file: usize) -> Option<Rc<Module>> {
        let (path, text) = self.texts.get(file)?;
        if let Some(module) = self.parsed.borrow().get(&file) {
            return Some(Rc::clone(module));
        }
        let parsed = syn::parse_file(text).ok()?;
        let module = Rc::new(Module::of(name_of(path), parsed.items));
        self.parsed.borrow_mut().insert(file, Rc::clone(&module));
        Some(module)
    }
}

impl Module {
    fn of(name: String, all: Vec<Item>) -> Module {
        let mut module = Module { name, items: Vec::new(), uses: Vec::new(), inner: Vec::new() };
        for item in all {
            match item {
                Item::Use(item) => module.uses.push(item),
                // The doubles of its tests.
                Item::Mod(inner) if inner.attrs.iter().any(is_test_only) => {}
                Item::Mod(inner) => {
                    let items = inner.content.map(|(_, items)| items).unwrap_or_default();
                    module.inner.push(Module::of(inner.ident.unraw().to_string(), items));
                }
                item => module.items.push(item),
            }
        }
        module
    }

    /// Whether it is the module of this name, or has it inside.
    fn contains(&self, name: &str) -> bool {
        self.name == name || self.inner.iter().any(|inner| inner.contains(name))
    }

    fn all_uses(&self) -> Vec<&ItemUse> {
        self.uses.iter().chain(self.inner.iter().flat_map(Module::all_uses)).collect()
    }

    /// Items of this name, in the modules of that name.
    fn named(&self, name: &str, module: Option<&str>) -> Vec<&Item> {
        let fits = module.is_none_or(|module| module == self.name);
        let own = self.items.iter().filter(|item| fits && name_of_item(item).as_deref() == Some(name));
        own.chain(self.inner.iter().flat_map(|inner| inner.named(name, module))).collect()
    }
}

fn name_of_item(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Fn(item) => &item.sig.ident,
        Item::Enum(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        _ => return None,
    };
    Some(ident.unraw().to_string())
}

/// `#[cfg(test)]`, also among other conditions.
fn is_test_only(attribute: &Attribute) -> bool {
    let says_test = |tokens: &TokenStream| {
        tokens.to_string().split(|c: char| !c.is_alphanumeric()).any(|word| word == "test")
    };
    attribute.path().is_ident("cfg")
        && attribute.meta.require_list().is_ok_and(|list| says_test(&list.tokens))
}

/// What the path of an import begins with; `None` for one that begins with a group.
fn root_of(tree: &UseTree) -> Option<String> {
    match tree {
        UseTree::Path(path) => Some(path.ident.unraw().to_string()),
        UseTree::Name(leaf) => Some(leaf.ident.unraw().to_string()),
        UseTree::Rename(leaf) => Some(leaf.ident.unraw().to_string()),
        UseTree::Glob(_) | UseTree::Group(_) => None,
    }
}

fn has_glob(tree: &UseTree) -> bool {
    match tree {
        UseTree::Path(path) => has_glob(&path.tree),
        UseTree::Glob(_) => true,
        UseTree::Group(group) => group.items.iter().any(has_glob),
        UseTree::Name(_) | UseTree::Rename(_) => false,
    }
}

/// The name and the module of what is imported under this name.
fn imported(tree: &UseTree, module: Option<&str>, name: &str) -> Option<(String, Option<String>)> {
    match tree {
        UseTree::Path(path) => imported(&path.tree, Some(&path.ident.unraw().to_string()), name),
        UseTree::Name(leaf) => {
            (leaf.ident.unraw() == name).then(|| (name.to_owned(), module.map(str::to_owned)))
        }
        UseTree::Rename(leaf) => {
            (leaf.rename.unraw() == name).then(|| (leaf.ident.unraw().to_string(), module.map(str::to_owned)))
        }
        UseTree::Glob(_) => None,
        UseTree::Group(group) => group.items.iter().find_map(|tree| imported(tree, module, name)),
    }
}

fn is_keyword(segment: &str) -> bool {
    matches!(segment, "crate" | "self" | "super" | "Self")
}

/// The name of a file's module: that of the folder for `mod.rs`, and none that anybody could write for a root.
fn name_of(path: &Path) -> String {
    let stem = |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    match stem(path).as_str() {
        "mod" => path.parent().map(stem).unwrap_or_default(),
        "lib" | "main" => String::new(),
        name => name.to_owned(),
    }
}

/// The files below `src`, and those below the folder of the workflow's own file: an example, a test.
fn read(root: Option<&Path>, beside: Option<&Path>) -> Vec<(PathBuf, String)> {
    let mut paths = Vec::new();
    let source = root.map(|root| root.join("src"));
    for folder in source.as_deref().into_iter().chain(beside.filter(|folder| Some(*folder) != root)) {
        collect(folder, &mut paths);
    }
    paths.sort();
    paths.dedup();
    let texts = paths.into_iter().filter_map(|path| fs::read_to_string(&path).ok().map(|text| (path, text)));
    let words = ["#[step", "#[subflow", "#[workflow", "StepError", "Message"];
    texts.filter(|(_, text)| words.iter().any(|word| text.contains(word))).collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    // In one order on every machine, and not through links, which may lead back.
    let mut entries: Vec<_> = entries.flatten().collect();
    entries.sort_by_key(|entry| entry.path());
    for entry in entries {
        let path = entry.path();
        let Ok(kind) = entry.file_type() else { continue };
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if paths.len() >= MOST_FILES || hidden {
            continue;
        }
        if kind.is_dir() {
            collect(&path, paths);
        } else if kind.is_file() && path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
}
