//! The words of `#[step(..)]`: names, label, policy and effect.
//! The wiring of a compensation is read here and checked elsewhere, where the parameters are known.

use proc_macro2::{Ident, Span, TokenStream};
use syn::LitStr;
use syn::ext::IdentExt;
use workflow_graph::{Effect, Rate, RetryPolicy, Task, is_node_id};

use crate::duration;
use crate::errors::Errors;
use crate::suggest::unknown;
use crate::words::{self, Word};

use super::compensation::Undo;
use super::parameters::{Parameter, has_transaction};
use super::{limits, retry, was};

/// How long a transactional step may take unless it says otherwise.
const TRANSACTION_MS: u64 = 5_000;

/// What `#[step(..)]` says, with what it does not say filled in.
pub(crate) struct Attribute {
    /// The name in the journal.
    pub(crate) name: String,
    /// The names that journals from before a renaming know.
    pub(crate) was: Vec<String>,
    /// The label, when the attribute gives one.
    pub(crate) label: Option<String>,
    /// How failed attempts are repeated.
    pub(crate) retry: RetryPolicy,
    /// How long one attempt may take.
    pub(crate) timeout_ms: Option<u64>,
    /// How long one attempt may give no sign of life, and where that is said.
    pub(crate) heartbeat: Option<(u64, Span)>,
    /// How many attempts may be under way at a time.
    pub(crate) concurrency: Option<u32>,
    /// How many attempts may begin in a span of time.
    pub(crate) rate: Option<Rate>,
    /// Where it says how many attempts may begin.
    limited: Vec<Span>,
    /// What the step does to the world.
    pub(crate) effect: Effect,
    /// Where it says that it leaves nothing behind when it is cancelled.
    pub(crate) cancellable: Option<Span>,
    /// Who does it.
    pub(crate) task: Task,
    /// The other party that it turns to.
    pub(crate) participant: Option<String>,
    /// The compensation, as it was written.
    pub(crate) compensate: Option<Undo>,
}

const WORDS: [&str; 16] = [
    "name",
    "was",
    "label",
    "retry",
    "timeout",
    "heartbeat",
    "concurrency",
    "rate",
    "read_only",
    "compensate",
    "pivot",
    "retriable",
    "cancellable",
    "human",
    "rule",
    "participant",
];

impl Attribute {
    /// Reads the words. The result is usable whatever was wrong with them.
    pub(crate) fn read(tokens: TokenStream, function: &Ident, errors: &mut Errors) -> Attribute {
        let words = words::split(tokens, errors);
        words::refuse_repeated(&words, errors);
        let mut attribute = Attribute {
            name: function.unraw().to_string(),
            was: Vec::new(),
            label: None,
            retry: RetryPolicy::DEFAULT,
            timeout_ms: None,
            heartbeat: None,
            concurrency: None,
            rate: None,
            limited: Vec::new(),
            effect: Effect::Undeclared,
            cancellable: None,
            task: Task::Service,
            participant: None,
            compensate: None,
        };
        let mut name_span = function.span();
        let (mut retry, mut former) = (None, None);
        let mut effects = Vec::new();
        let mut task: Option<&Word> = None;
        for word in &words {
            match word.name.to_string().as_str() {
                "name" => {
                    if let Some(name) = word.value::<LitStr>("name = \"charge_card\"", errors) {
                        (attribute.name, name_span) = (name.value(), name.span());
                    }
                }
                "was" => former = Some(word),
                "label" => attribute.label = label(word, errors),
                "retry" => retry = Some(word),
                "timeout" => {
                    attribute.timeout_ms = word
                        .value::<LitStr>("timeout = \"30s\"", errors)
                        .and_then(|text| errors.ok(duration::positive_ms(&text)));
                }
                "heartbeat" => {
                    attribute.heartbeat = word
                        .value::<LitStr>("heartbeat = \"10s\"", errors)
                        .and_then(|text| Some((errors.ok(duration::positive_ms(&text))?, text.span())));
                }
                "concurrency" => {
                    attribute.concurrency = limits::concurrency(word, errors);
                    attribute.limited.push(word.name.span());
                }
                "rate" => {
                    attribute.rate = limits::rate(word, errors);
                    attribute.limited.push(word.name.span());
                }
                "read_only" | "pivot" | "retriable" => {
                    word.flag(errors);
                    effects.push(word);
                }
                "cancellable" => {
                    word.flag(errors);
                    attribute.cancellable = Some(word.name.span());
                }
                "human" | "rule" => {
                    word.flag(errors);
                    if task.replace(word).is_some_and(|other| other.name != word.name) {
                        let message = "a step is done by a person or decided by rules, not both; split the step, \
                                       or keep one of `human` and `rule`";
                        errors.at(word.name.span(), message);
                    }
                    attribute.task = if word.name == "human" { Task::User } else { Task::BusinessRule };
                }
                "participant" => attribute.participant = participant(word, errors),
                "compensate" => {
                    attribute.compensate = Undo::read(word, errors);
                    effects.push(word);
                }
                name => errors.at(word.name.span(), unknown("`#[step]`", name, &WORDS)),
            }
        }
        attribute.effect = the_effect(&effects, errors);
        attribute.retry = retry::policy(retry, attribute.effect, errors);
        check_name(&attribute.name, name_span, errors);
        attribute.was = former.map(|word| was::read(word, &attribute.name, errors)).unwrap_or_default();
        attribute
    }

    /// A transaction keeps all writes of the store waiting, so that it has a time limit whether the user gives one or
    /// not; and it is alone anyway.
    pub(super) fn limit_transaction(&mut self, parameters: &[Parameter], errors: &mut Errors) {
        if !has_transaction(parameters) {
            return;
        }
        self.timeout_ms.get_or_insert(TRANSACTION_MS);
        for span in &self.limited {
            let message = "a transactional step takes its turn at the store, one attempt at a time: \
                           drop this limit, or put it on the steps that use what it is to protect";
            errors.at(*span, message);
        }
    }

    /// That a step which promises to heed a cancel hears of it, and can keep the promise.
    pub(super) fn check_cancellable(&self, parameters: &[Parameter], errors: &mut Errors) {
        let Some(span) = self.cancellable else { return };
        if self.effect == Effect::Pivot {
            let message = "a point of no return cannot promise to leave nothing behind; \
                           drop `cancellable`, or `pivot`";
            errors.at(span, message);
        }
        if !parameters.iter().any(|parameter| matches!(parameter, Parameter::Context { .. })) {
            let message = "the step has no way to hear of a cancel: add a parameter `cx: StepContext`, \
                           and look at `cx.is_cancelled()` or wait for `cx.cancelled()`";
            errors.at(span, message);
        }
    }

    /// That a heartbeat can be given, and can be missed.
    pub(super) fn check_heartbeat(&self, parameters: &[Parameter], errors: &mut Errors) {
        let Some((heartbeat_ms, span)) = self.heartbeat else { return };
        if !parameters.iter().any(|parameter| matches!(parameter, Parameter::Context { .. })) {
            let message = "the step has no way to say that it is alive: add a parameter `cx: StepContext`, \
                           and call `cx.heartbeat()`";
            errors.at(span, message);
        }
        if self.timeout_ms.is_some_and(|timeout_ms| timeout_ms <= heartbeat_ms) {
            let message = "the attempt times out before it can miss a heartbeat; \
                           make the heartbeat shorter than the timeout";
            errors.at(span, message);
        }
    }
}

fn participant(word: &Word, errors: &mut Errors) -> Option<String> {
    let participant: LitStr = word.value("participant = \"Payment service\"", errors)?;
    if participant.value().trim().is_empty() {
        errors
            .at(participant.span(), "a participant needs a name; leave it out when the step turns to nobody");
        return None;
    }
    Some(participant.value())
}

fn label(word: &Word, errors: &mut Errors) -> Option<String> {
    let label: LitStr = word.value("label = \"Charge card\"", errors)?;
    if label.value().trim().is_empty() {
        errors.at(label.span(), "an empty label says nothing; leave it out to use the function's name");
        return None;
    }
    Some(label.value())
}

fn check_name(name: &str, span: Span, errors: &mut Errors) {
    if !is_node_id(name) {
        let message = format!(
            "`{name}` cannot name a step: the name begins with a letter of a-z or `_`, \
             then come letters, digits, `_`, `-` or `.`; give it one with `name = \"..\"`"
        );
        errors.at(span, message);
    }
}

fn the_effect(effects: &[&Word], errors: &mut Errors) -> Effect {
    let Some((first, others)) = effects.split_first() else { return Effect::Undeclared };
    for other in others.iter().filter(|other| other.name != first.name) {
        let message = format!(
            "a step has one effect, and this one is already `{}`; split the step, or keep one of the two",
            first.name
        );
        errors.at(other.name.span(), message);
    }
    match first.name.to_string().as_str() {
        "read_only" => Effect::ReadOnly,
        "pivot" => Effect::Pivot,
        "retriable" => Effect::Retriable,
        _ => Effect::Compensatable,
    }
}
