//! The lock of a workflow (WF050): the file is read while the macro expands, its version of the code is left behind as
//! constants, and the code of today is held against them. A hidden test keeps the file in step with the code.

use std::path::Path;

use proc_macro2::{Literal, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use workflow_graph::lock::files::{DIRECTORY, MODE, WRITE, file_name};
use workflow_graph::lock::{Act, Automaton, Lock, Move, Names, State, StepAct, UndoAct, VersionState};
use workflow_graph::{FlowKind, Outcome, Wire};

use super::constants::borrowed;
use super::emit::Source;
use super::lower::Lowered;
use crate::errors::Errors;

/// What is known of the lock of a workflow while it expands.
#[derive(Default)]
pub(crate) struct Locked {
    /// The file, from the manifest on; `None` when there is none.
    file: Option<String>,
    /// The locked version of the code, as a constant.
    automaton: Option<TokenStream>,
    /// Whether locks are being written.
    is_writing: bool,
}

impl Locked {
    /// The lock of this workflow, if there is one in the package that is being compiled.
    pub(crate) fn find(workflow: &str, version: u32, place: Span, errors: &mut Errors) -> Locked {
        let is_writing = std::env::var(MODE).is_ok_and(|mode| mode == WRITE);
        let file = format!("{DIRECTORY}/{}", file_name(workflow));
        let nothing = Locked { is_writing, ..Locked::default() };
        let Some(manifest) = std::env::var_os("CARGO_MANIFEST_DIR") else { return nothing };
        let text = match std::fs::read_to_string(Path::new(&manifest).join(&file)) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return nothing,
            Err(error) => {
                errors.at(place, format!("WF050: {file} cannot be read: {error}; see docs/errors/WF050.md"));
                return nothing;
            }
        };
        let automaton = match read(&text, workflow, version) {
            Ok(automaton) => automaton,
            Err(_) if is_writing => None,
            Err(why) => {
                errors.at(place, format!("WF050: {file}{why}; see docs/errors/WF050.md"));
                None
            }
        };
        Locked { file: Some(file), automaton, is_writing }
    }

    /// The check, behind the graph: one constant finds the first break, and the node it is about tells it.
    pub(super) fn check(&self, lowered: &Lowered) -> TokenStream {
        let included = self.included();
        let (Some(file), Some(locked)) = (&self.file, &self.automaton) else { return included };
        let checks = lowered.spans.iter().enumerate().map(|(node, &span)| {
            quote_spanned! {span=>
                const _: () = if __FOUND.node == #node { ::core::panic!("{}", __FOUND.notice.text()) };
            }
        });
        let mode = mode();
        quote! {
            #included
            const __LOCKED: __graph::lock::Automaton<'static> = #locked;
            const __SIZE: __graph::lock::Size = __graph::lock::Size::of(&__GRAPH);
            const __ROOM: usize = __graph::lock::check_room(__LOCKED, &__GRAPH);
            const __FOUND: __graph::lock::Found =
                __graph::lock::check::<{ __SIZE.states }, { __SIZE.moves }, __ROOM>(
                    __LOCKED,
                    &__GRAPH,
                    #file,
                    #mode,
                );
            #(#checks)*
        }
    }

    /// Lets the compiler look again when the file, or the mode, is another.
    pub(super) fn included(&self) -> TokenStream {
        let mode = mode();
        let file = self.file.as_ref().map(|file| {
            let file = format!("/{file}");
            quote! {
                const _: &[::core::primitive::u8] = ::core::include_bytes!(
                    ::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), #file)
                );
            }
        });
        quote! {
            let _ = #mode;
            #file
        }
    }

    /// The hidden test.
    pub(super) fn test(&self, source: &Source<'_>) -> TokenStream {
        if self.file.is_none() && !self.is_writing {
            return TokenStream::new();
        }
        let function = &source.function.sig.ident;
        let name = format_ident!("workflow_lock_{}", function.unraw(), span = Span::call_site());
        let hidden = format_ident!("__{}", function.unraw(), span = Span::call_site());
        quote! {
            #[cfg(test)]
            #[doc(hidden)]
            #[allow(unnameable_test_items)]
            #[test]
            fn #name() {
                let graph = <#hidden as ::workflow_runtime::__private::core::Workflow>::GRAPH.get();
                ::workflow_runtime::__private::graph::lock::files::test(
                    graph,
                    ::core::env!("CARGO_MANIFEST_DIR"),
                    ::core::file!(),
                );
            }
        }
    }
}

fn mode() -> TokenStream {
    quote!(::core::option_env!(#MODE))
}

/// The locked version as a constant; `None` when there is nothing to hold the code to.
fn read(text: &str, workflow: &str, version: u32) -> Result<Option<TokenStream>, String> {
    let told = |error: workflow_graph::lock::LockError| format!(":{}: {}", error.line, error.text);
    let lock = Lock::read(text).map_err(told)?;
    if lock.workflow != workflow {
        let other = lock.workflow;
        return Err(format!(
            " is the lock of `{other}`, not of `{workflow}`; lock it with `cargo workflow lock {workflow}`"
        ));
    }
    let Some(version) = lock.version(version).filter(|version| version.state != VersionState::Retired) else {
        return Ok(None);
    };
    let section = version.section().map_err(told)?;
    let parts = section.automaton(&version.retired).map_err(told)?;
    Ok(Some(automaton(parts.automaton())))
}

fn automaton(automaton: Automaton<'_>) -> TokenStream {
    let Automaton { states, moves, takes, has_deadline } = automaton;
    let (states, moves) = (states.iter().map(state), moves.iter().map(self::moves));
    quote! {
        __graph::lock::Automaton {
            states: &[#(#states),*],
            moves: &[#(#moves),*],
            takes: #takes,
            has_deadline: #has_deadline,
        }
    }
}

fn optional(value: Option<TokenStream>) -> TokenStream {
    match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    }
}

fn state(state: &State<'_>) -> TokenStream {
    let State { id, act, flow, node, scope, first, count, inner, guard, many, line } = state;
    let act = self::act(act);
    let scope = optional(scope.map(|scope| quote!(#scope)));
    let inner = optional(inner.map(|inner| quote!(#inner)));
    let many = optional(many.map(|many| {
        let (limit, fails_fast) = (many.limit, many.fails_fast);
        quote!(__graph::lock::Many { limit: #limit, fails_fast: #fails_fast })
    }));
    let guard = Literal::u64_unsuffixed(*guard);
    quote! {
        __graph::lock::State {
            id: #id,
            act: #act,
            flow: #flow,
            node: #node,
            scope: #scope,
            first: #first,
            count: #count,
            inner: #inner,
            guard: #guard,
            many: #many,
            line: #line,
        }
    }
}

fn act(act: &Act<'_>) -> TokenStream {
    let act = match act {
        Act::Start => quote!(Start),
        Act::Merge => quote!(Merge),
        Act::Step(step) => {
            let step = self::step(step);
            quote!(Step(#step))
        }
        Act::Timer => quote!(Timer),
        Act::Receive { message, is_forever } => {
            quote!(Receive { message: #message, is_forever: #is_forever })
        }
        Act::Send { message } => quote!(Send { message: #message }),
        Act::Child { workflow, detached, gives, errors } => {
            let errors = names(*errors);
            quote!(Child { workflow: #workflow, detached: #detached, gives: #gives, errors: #errors })
        }
        Act::Subflow { name } => quote!(Subflow { name: #name }),
        Act::Block => quote!(Block),
        Act::Fork => quote!(Fork),
        Act::Join => quote!(Join),
        Act::Race => quote!(Race),
        Act::Decision => quote!(Decision),
        Act::Switch { patch, is_retired } => quote!(Switch { patch: #patch, is_retired: #is_retired }),
        Act::Undo => quote!(Undo),
        Act::End(Outcome::Success) => quote!(End(__graph::Outcome::Success)),
        Act::End(Outcome::Failure) => quote!(End(__graph::Outcome::Failure)),
        Act::End(Outcome::Continued) => quote!(End(__graph::Outcome::Continued)),
    };
    quote!(__graph::lock::Act::#act)
}

fn step(step: &StepAct<'_>) -> TokenStream {
    let StepAct { name, was, takes, gives, errors, is_pivot, undo } = step;
    let (was, errors) = (names(*was), names(*errors));
    let undo = optional(undo.map(|UndoAct { name, was, takes, wiring }| {
        let was = names(was);
        let wiring = wiring.iter().map(|wire| match wire {
            Wire::Argument(position) => quote!(__graph::Wire::Argument(#position)),
            Wire::Output => quote!(__graph::Wire::Output),
        });
        quote! {
            __graph::lock::UndoAct { name: #name, was: #was, takes: #takes, wiring: &[#(#wiring),*] }
        }
    }));
    quote! {
        __graph::lock::StepAct {
            name: #name,
            was: #was,
            takes: #takes,
            gives: #gives,
            errors: #errors,
            is_pivot: #is_pivot,
            undo: #undo,
        }
    }
}

fn names(names: Names<'_>) -> TokenStream {
    let names = (0..names.len()).map(|index| names.get(index));
    quote!(__graph::lock::Names::Texts(&[#(::std::borrow::Cow::Borrowed(#names)),*]))
}

fn moves(leaving: &Move<'_>) -> TokenStream {
    let to = leaving.to;
    let when = match leaving.when {
        FlowKind::Next => quote!(Next),
        FlowKind::Timeout => quote!(Timeout),
        FlowKind::Error { variant, .. } => {
            let (variant, label) = (borrowed(&**variant), borrowed(""));
            quote!(Error { variant: #variant, label: #label })
        }
        FlowKind::Answer { condition, default, .. } => {
            let (condition, label) = (borrowed(&**condition), borrowed(""));
            quote!(Answer { label: #label, condition: #condition, default: #default })
        }
    };
    quote!(__graph::lock::Move { to: #to, when: &__graph::FlowKind::#when })
}
