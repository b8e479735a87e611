//! `#[workflow]` and `#[subflow]`: an async function becomes a durable workflow, or a scope of one, with a flow graph.
//! The order is parse, check, lower, rewrite, emit; each has a file. It knows nothing of how runs are stored.

mod allow;
mod attribute;
mod awaits;
mod branches;
mod checks;
mod conditions;
mod conform;
mod constants;
mod determinism;
#[cfg(feature = "doc-diagrams")]
mod drawing;
#[cfg(not(feature = "doc-diagrams"))]
#[path = "workflow/undrawn.rs"]
mod drawing;
mod dropped;
mod editor;
mod emit;
mod endless;
mod ends;
mod expressions;
mod fingerprints;
mod forbidden;
mod graph;
mod imports;
mod iteration;
mod language;
mod lock;
mod loops;
mod lower;
mod many;
mod matches;
mod merges;
mod operations;
mod outcomes;
mod overrides;
mod parallel;
mod patterns;
mod phrases;
mod policies;
mod race;
mod regions;
mod rewrite;
mod schedule;
mod signature;
mod source_file;
mod statics;
mod swallowed;
#[cfg(test)]
mod tests;
mod thrown;
mod timeouts;

use proc_macro2::TokenStream;

use allow::{Allows, Rule};
use awaits::Body;
use iteration::Places;
use lower::Lowered;
use statics::Static;

use crate::docs;
use crate::errors::Errors;
use crate::signature::RawFn;

pub(crate) use emit::Kind;
pub(crate) use lower::line_of;
pub(crate) use phrases::source_text;

pub(crate) fn expand(kind: Kind, attribute: TokenStream, item: TokenStream) -> TokenStream {
    let function = match RawFn::read(item) {
        Ok(function) => function,
        Err(item_and_error) => return item_and_error,
    };
    let mut errors = Errors::default();
    let options = attribute::parse(kind, attribute, &mut errors);
    let parameters = signature::check(&function, kind, &mut errors);
    signature::check_trigger(&function, options.on.as_ref(), &mut errors);
    if let Some(schedule) = &options.schedule {
        schedule.check_parameters(&parameters, &mut errors);
    }
    let docs = docs::split(&function.attrs);
    let model = options.model.as_ref().and_then(|named| {
        let name = options.name.clone().unwrap_or_else(|| function.sig.ident.to_string());
        let label = options.label.as_deref().or(docs.label.as_deref()).unwrap_or_default();
        conform::read(named, &[&name, label], &mut errors)
    });
    let checked = match awaits::parse_body(&function) {
        Ok(body) => check(kind, &function, &body, &mut errors),
        // rustc reports what is wrong with the body itself, and better than we could.
        Err(_) => Checked::default(),
    };
    let Checked { lowered, allows, statics, places } = checked;
    let rewritten = rewrite::rewrite(function.body.stream(), &places);
    if lowered.as_ref().is_some_and(|lowered| lowered.awaits != rewritten.awaits) {
        let why = "WF044: the awaits of this function cannot be told apart; see docs/errors/WF044.md";
        errors.at(function.sig.ident.span(), why);
    }
    let body = rewritten.body;
    let name = emit::name_of(&function, &options);
    let locked = match (kind, &lowered) {
        (Kind::Workflow, Some(_)) => {
            let place = function.sig.ident.span();
            lock::Locked::find(&name, options.version.unwrap_or(1), place, &mut errors)
        }
        _ => lock::Locked::default(),
    };
    emit::emit(emit::Source {
        kind,
        function: &function,
        options,
        parameters,
        docs,
        body,
        lowered,
        locked,
        allows,
        model,
        statics,
        errors,
    })
}

/// What a body is found to be.
#[derive(Default)]
struct Checked {
    lowered: Option<Lowered>,
    allows: Allows,
    statics: Vec<Static>,
    places: Places,
}

/// Everything that the text alone tells, and all that is wrong with it.
fn check(kind: Kind, function: &RawFn, body: &Body, errors: &mut Errors) -> Checked {
    let allows = Allows::of(body, errors);
    let foreign = determinism::check(function, body, &allows, errors);
    timeouts::check(body, errors);
    let lowered = lower::lower(kind, function, body, &foreign, errors);
    for &span in lowered.endless.iter().filter(|span| !allows.cover(Rule::UnboundedLoop, **span)) {
        let why = "WF043: this loop waits in every round and never ends, so that its journal grows for ever; begin \
                   anew after some rounds with `continue_as_new(..).await`, or end the loop; see docs/errors/WF043.md";
        errors.at(span, why);
    }
    let statics = statics::of(function, body, &allows);
    let places = Places::of(function, body, &allows, &foreign, &lowered.endless_waits);
    Checked { lowered: Some(lowered), allows, statics, places }
}
