//! `bpmn = "order.bpmn", conform = "order"`: the analyst's model beside the graph, and the constants that compare them.
//! The file is found and read here, as data; what is compared, and how, is decided by the graph crate.

use std::path::{Path, PathBuf};

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::LitStr;
use workflow_graph::conform::{Element, Level, Model};

use super::allow::{Allows, Rule};
use super::lower::Lowered;
use crate::errors::Errors;
use crate::model::{self, Wanted};
use crate::suggest::{closest, did_you_mean, listed};
use crate::words::Word;

const PAGE: &str = "see docs/errors/WF060.md";

/// How many things at most are told at the name of the file.
const TOLD_AT_FILE: usize = 12;

const LEVELS: [(&str, Level); 3] =
    [("names", Level::Names), ("order", Level::Order), ("strict", Level::Strict)];

/// A model, as the attribute names it.
pub(crate) struct Named {
    file: LitStr,
    process: Option<LitStr>,
    level: Level,
}

/// The words about a model, in whatever order they come.
#[derive(Default)]
pub(crate) struct ModelWords {
    file: Option<LitStr>,
    process: Option<LitStr>,
    level: Option<Level>,
    first: Option<Span>,
    is_wrong: bool,
}

impl ModelWords {
    pub(crate) fn add(&mut self, word: &Word, errors: &mut Errors) {
        self.first.get_or_insert(word.name.span());
        let example = match word.name.to_string().as_str() {
            "bpmn" => "bpmn = \"order.bpmn\"",
            "process" => "process = \"Process_order\"",
            _ => "conform = \"names\"",
        };
        let Some(text) = word.value::<LitStr>(example, errors) else {
            self.is_wrong = true;
            return;
        };
        if text.value().trim().is_empty() {
            errors.at(text.span(), format!("`{}` must not be empty", word.name));
            self.is_wrong = true;
            return;
        }
        if word.name == "bpmn" {
            self.file = Some(text);
        } else if word.name == "process" {
            self.process = Some(text);
        } else {
            self.level = level(&text, errors);
            self.is_wrong |= self.level.is_none();
        }
    }

    pub(crate) fn read(self, errors: &mut Errors) -> Option<Named> {
        match (self.file, self.first) {
            _ if self.is_wrong => None,
            (Some(file), _) => {
                Some(Named { file, process: self.process, level: self.level.unwrap_or(Level::Names) })
            }
            (None, Some(first)) => {
                let why = "this says how to compare with a model; name the file too: `bpmn = \"order.bpmn\"`";
                errors.at(first, format!("WF060: {why}; {PAGE}"));
                None
            }
            (None, None) => None,
        }
    }
}

fn level(text: &LitStr, errors: &mut Errors) -> Option<Level> {
    let value = text.value();
    let level = LEVELS.iter().find(|(name, _)| *name == value).map(|(_, level)| *level);
    if level.is_none() {
        let names = LEVELS.map(|(name, _)| name);
        let hint = did_you_mean(&value, &names);
        let known = listed(&names);
        errors.at(text.span(), format!("WF060: `conform` is one of {known}, not `{value}`{hint}; {PAGE}"));
    }
    level
}

/// What was drawn, and how much of it has to agree.
pub(crate) struct Conformity {
    file: LitStr,
    level: Level,
    path: PathBuf,
    /// Nothing when the file cannot be read, which has been told then.
    model: Option<Model>,
}

/// Reads the model; `names` are those of the workflow, by which its process is found among several.
pub(crate) fn read(named: &Named, names: &[&str], errors: &mut Errors) -> Option<Conformity> {
    let Named { file, process, level } = named;
    let written = file.value();
    let found = folders(file.span()).map(|folder| folder.join(&written)).find(|path| path.is_file());
    let Some(path) = found else {
        let hint = other_models(&written, file.span());
        let why = format!(
            "there is no file `{written}`: neither from the folder of Cargo.toml, nor beside this source file{hint}"
        );
        errors.at(file.span(), format!("WF060: {why}; {PAGE}"));
        return None;
    };
    let wanted_process = process.as_ref().map(LitStr::value);
    let wanted = Wanted { file: &written, process: wanted_process.as_deref(), names };
    let read = std::fs::read(&path).map_err(|error| format!("`{written}` cannot be read: {error}"));
    let model = read.and_then(|bytes| model::read(&bytes, &wanted)).map_err(|why| {
        let place = process.as_ref().filter(|_| why.contains("process")).unwrap_or(file);
        errors.at(place.span(), format!("WF060: {why}; {PAGE}"));
    });
    Some(Conformity { file: file.clone(), level: *level, path, model: model.ok() })
}

/// Where the path may begin: at the crate's root, or beside the source file.
fn folders(place: Span) -> impl Iterator<Item = PathBuf> {
    let root = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let source = place.local_file().and_then(|file| file.parent().map(Path::to_owned));
    // The compiler names source files from where it runs, which need not be where the macro runs.
    let absolute = source.map(|folder| std::path::absolute(&folder).unwrap_or(folder));
    root.into_iter().chain(absolute)
}

/// Models where this one should have been.
fn other_models(written: &str, place: Span) -> String {
    let is_model = |name: &String| name.to_lowercase().ends_with(".bpmn");
    let around = folders(place).filter_map(|folder| Some(folder.join(written).parent()?.to_owned()));
    let files = around.filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().flatten();
    let mut names: Vec<String> =
        files.map(|file| file.file_name().to_string_lossy().into_owned()).filter(is_model).collect();
    names.sort();
    names.dedup();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let name = Path::new(written).file_name().unwrap_or_default().to_string_lossy().into_owned();
    match closest(&name, &names) {
        Some(meant) => format!("; did you mean `{meant}`?"),
        None if names.is_empty() || names.len() > 4 => String::new(),
        None => format!("; there is {}", listed(&names)),
    }
}

/// The model as a constant, the comparison, and a constant at each place where something may be told.
pub(super) fn checks(conformity: &Conformity, lowered: &Lowered, allows: &Allows) -> TokenStream {
    // A change of the file builds anew, also when it could not be read.
    let path = conformity.path.to_string_lossy().into_owned();
    let tracked = quote!(
        const _: &[u8] = ::core::include_bytes!(#path);
    );
    let Some(model) = &conformity.model else { return tracked };
    let waived =
        (0..lowered.nodes.len()).filter(|&node| allows.cover(Rule::ModelDeviation, lowered.spans[node]));
    let level = variant(format!("{:?}", conformity.level));
    let (file, elements) = (&*model.file, model.elements.iter().map(element));
    let order = Literal::byte_string(&model.order);
    let flows = model.flows.iter().map(|(from, to)| quote!((#from, #to)));
    let at_file = (0..TOLD_AT_FILE).map(|number| {
        quote_spanned! {conformity.file.span()=>
            const _: () = if let ::core::option::Option::Some(text) = __CONFORMITY.of_model(#number) {
                ::core::panic!("{}", text)
            };
        }
    });
    let at_nodes = lowered.spans.iter().enumerate().map(|(node, span)| {
        quote_spanned! {*span=>
            const _: () = if let ::core::option::Option::Some(text) = __CONFORMITY.at(#node) {
                ::core::panic!("{}", text)
            };
        }
    });
    quote! {
        #tracked
        static __MODEL: __graph::conform::Model = __graph::conform::Model {
            file: ::std::borrow::Cow::Borrowed(#file),
            elements: ::std::borrow::Cow::Borrowed(&[#(#elements),*]),
            order: ::std::borrow::Cow::Borrowed(#order),
            flows: ::std::borrow::Cow::Borrowed(&[#(#flows),*]),
        };
        // Bounded by what fits in it; large models take a moment.
        #[allow(long_running_const_eval)]
        static __CONFORMITY: __graph::conform::Comparison = __graph::conform::Comparison::of(
            &__GRAPH,
            &__MODEL,
            __graph::conform::Level::#level,
            &[#(#waived),*],
        );
        #(#at_file)*
        #(#at_nodes)*
    }
}

/// The name of a variant.
fn variant(text: String) -> Ident {
    Ident::new(&text, Span::call_site())
}

fn element(element: &Element) -> TokenStream {
    let Element { id, name, kind, line, detail, parent, host, repeats } = element;
    let (id, name, detail) = (&**id, &**name, &**detail);
    let (kind, repeats) = (variant(format!("{kind:?}")), variant(format!("{repeats:?}")));
    let optional = |index: &Option<usize>| match index {
        Some(index) => quote!(::core::option::Option::Some(#index)),
        None => quote!(::core::option::Option::None),
    };
    let (parent, host) = (optional(parent), optional(host));
    quote! {
        __graph::conform::Element {
            id: ::std::borrow::Cow::Borrowed(#id),
            name: ::std::borrow::Cow::Borrowed(#name),
            kind: __graph::conform::ElementKind::#kind,
            line: #line,
            detail: ::std::borrow::Cow::Borrowed(#detail),
            parent: #parent,
            host: #host,
            repeats: __graph::conform::Repeats::#repeats,
        }
    }
}
