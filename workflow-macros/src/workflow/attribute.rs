//! The words in `#[workflow(..)]`.
//! What they mean for a run is not known here.

use proc_macro2::TokenStream;
use syn::spanned::Spanned;
use syn::{LitInt, LitStr, Path};

use super::conform::{ModelWords, Named};
use super::emit::Kind;
use super::schedule::{Schedule, ScheduleWords};
use crate::duration;
use crate::errors::Errors;
use crate::suggest::did_you_mean;
use crate::words;

/// What an author can say about a workflow.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) name: Option<String>,
    pub(crate) label: Option<String>,
    pub(crate) version: Option<u32>,
    pub(crate) owner: Option<String>,
    pub(crate) deadline_ms: Option<u64>,
    /// Whose attempts go first: from -100 to 100.
    pub(crate) priority: Option<i8>,
    /// The message that runs begin with.
    pub(crate) on: Option<Path>,
    pub(crate) schedule: Option<Schedule>,
    pub(crate) model: Option<Named>,
}

const KNOWN: &[&str] = &[
    "name", "label", "version", "owner", "deadline", "priority", "on", "cron", "timezone", "catch_up",
    "bpmn", "conform", "process",
];

/// A subflow has no runs of its own: what is said about runs is said about the workflow.
const KNOWN_OF_SUBFLOW: &[&str] = &["name", "label"];

/// What is said about steps alone.
const OF_STEPS: &[&str] = &["retry", "timeout", "heartbeat", "read_only", "compensate", "pivot", "retriable"];

const OF_STEPS_HINT: &str = "; say this at each `#[step]` that it calls";

/// Reads the attribute.
pub(crate) fn parse(kind: Kind, attribute: TokenStream, errors: &mut Errors) -> Options {
    let mut options = Options::default();
    let mut schedule = ScheduleWords::default();
    let mut model = ModelWords::default();
    let words = words::split(attribute, errors);
    words::refuse_repeated(&words, errors);
    for word in &words {
        let name = word.name.to_string();
        match name.as_str() {
            name if kind == Kind::Subflow && !KNOWN_OF_SUBFLOW.contains(&name) => {
                let hint = match name {
                    name if KNOWN.contains(&name) => {
                        "; a subflow is a part of the run that calls it: say this at the `#[workflow]`"
                            .to_owned()
                    }
                    name if OF_STEPS.contains(&name) => OF_STEPS_HINT.to_owned(),
                    name => did_you_mean(name, KNOWN_OF_SUBFLOW),
                };
                errors.at(word.name.span(), format!("`#[subflow]` does not know `{name}`{hint}"));
            }
            "name" => options.name = text(word, "name = \"fulfil_order\"", errors),
            "label" => options.label = text(word, "label = \"Fulfil order\"", errors),
            "owner" => options.owner = text(word, "owner = \"order-team\"", errors),
            "deadline" => {
                let literal = word.value::<LitStr>("deadline = \"30d\"", errors);
                options.deadline_ms = literal.and_then(|text| errors.ok(duration::positive_ms(&text)));
            }
            "priority" => options.priority = priority(word, errors),
            "on" => options.on = word.value("on = OrderPlaced", errors),
            "version" => options.version = version(word, errors),
            "cron" | "timezone" | "catch_up" => schedule.add(word, errors),
            "bpmn" | "conform" | "process" => model.add(word, errors),
            name => {
                let hint = match name {
                    "timeout" => "; write `deadline = \"30d\"` for how long a run may take".to_owned(),
                    name if OF_STEPS.contains(&name) => OF_STEPS_HINT.to_owned(),
                    name => did_you_mean(name, KNOWN),
                };
                errors.at(word.name.span(), format!("`#[workflow]` does not know `{name}`{hint}"));
            }
        }
    }
    options.schedule = schedule.read(errors);
    options.model = model.read(errors);
    if let (Some(on), Some(_)) = (&options.on, &options.schedule) {
        let why = "a workflow begins with a message or by a schedule, not both; write a second workflow for the other";
        errors.at(on.span(), why);
        options.schedule = None;
    }
    options
}

fn text(word: &words::Word, example: &str, errors: &mut Errors) -> Option<String> {
    let literal: LitStr = word.value(example, errors)?;
    let text = literal.value();
    if text.trim().is_empty() {
        errors.at(literal.span(), format!("`{}` must not be empty", word.name));
        return None;
    }
    Some(text)
}

fn version(word: &words::Word, errors: &mut Errors) -> Option<u32> {
    let literal: LitInt = word.value("version = 2", errors)?;
    match literal.base10_parse::<u32>() {
        Ok(0) | Err(_) => {
            errors.at(literal.span(), "a version is a number from 1 on");
            None
        }
        Ok(version) => Some(version),
    }
}

fn priority(word: &words::Word, errors: &mut Errors) -> Option<i8> {
    let literal: LitInt = word.value("priority = 5", errors)?;
    let priority = literal.base10_parse::<i8>().ok().filter(|priority| (-100..=100).contains(priority));
    if priority.is_none() {
        errors.at(literal.span(), "a priority is a number from -100 to 100; the higher one goes first");
    }
    priority
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let mut errors = Errors::default();
        let options = parse(
            Kind::Workflow,
            "version = 0, ownr = \"a\", conform = \"names\", name = \"x\"".parse().unwrap(),
            &mut errors,
        );
        assert_eq!(options.name.as_deref(), Some("x"));
        assert_eq!(
            errors.texts(),
            [
                "a version is a number from 1 on",
                "`#[workflow]` does not know `ownr`; did you mean `owner`?",
                "WF060: this says how to compare with a model; name the file too: `bpmn = \"order.bpmn\"`; \
                 see docs/errors/WF060.md",
            ]
        );
    }

    #[test]
    fn a_priority_lies_between_two_bounds() {
        let read = |text: &str| {
            let mut errors = Errors::default();
            let options = parse(Kind::Workflow, text.parse().unwrap(), &mut errors);
            (options.priority, errors.texts().len())
        };
        assert_eq!(read(""), (None, 0));
        assert_eq!(read("priority = 100"), (Some(100), 0));
        assert_eq!(read("priority = -100"), (Some(-100), 0));
        for wrong in
            ["priority = 101", "priority = -101", "priority = 1000", "priority = \"high\"", "priority"]
        {
            assert_eq!(read(wrong), (None, 1), "{wrong}");
        }
    }

    #[test]
    fn a_workflow_begins_in_one_way() {
        let mut errors = Errors::default();
        parse(Kind::Workflow, "on = OrderPlaced, cron = \"0 6 * * *\"".parse().unwrap(), &mut errors);
        assert_eq!(errors.texts().len(), 1);
        assert!(errors.texts()[0].contains("not both"));
    }
}
