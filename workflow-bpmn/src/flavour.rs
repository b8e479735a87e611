//! What a file is for: tools that read BPMN as it is written down, or one engine with words of its own.
//! Names, attributes and expressions; what an element is, and where it stands, is decided elsewhere.

use workflow_graph::Task;

use crate::model::{Amount, Element, ElementKind, Ending, Job, MessageDefinition, Tries};

/// Whose words a file speaks beside those of BPMN. A file speaks one of them only: the vocabularies of the Camunda
/// engines do not stand side by side.
///
/// In every flavour a question is asked of one variable, which is named by the id of its gateway, and holds the
/// answer's name; so a file can be run with answers that are given from outside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Flavour {
    /// BPMN 2.0 and nothing else but our own facts.
    #[default]
    Plain,
    /// Camunda 7: steps are external tasks with the step's name as their topic.
    Camunda7,
    /// Camunda 8: steps are jobs with the step's name as their type; messages have subscriptions.
    Camunda8,
}

/// An extension element of an engine.
pub(crate) struct Extension {
    pub(crate) tag: &'static str,
    pub(crate) attributes: Vec<(&'static str, String)>,
    pub(crate) text: Option<String>,
}

impl Extension {
    fn new(tag: &'static str, attributes: Vec<(&'static str, String)>) -> Extension {
        Extension { tag, attributes, text: None }
    }
}

/// How often a job is tried when nothing limits it: engines count in 32 bits.
const WITHOUT_END: u32 = i32::MAX as u32;

/// How long Camunda 7 keeps the history of a run; it refuses a process that does not say.
const HISTORY: &str = "P180D";

impl Flavour {
    /// What stands on the root of the file.
    pub(crate) fn of_root(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Flavour::Plain => &[],
            Flavour::Camunda7 => &[
                ("xmlns:camunda", "http://camunda.org/schema/1.0/bpmn"),
                ("xmlns:modeler", "http://camunda.org/schema/modeler/1.0"),
                ("modeler:executionPlatform", "Camunda Platform"),
                ("modeler:executionPlatformVersion", "7.24.0"),
            ],
            Flavour::Camunda8 => &[
                ("xmlns:zeebe", "http://camunda.org/schema/zeebe/1.0"),
                ("xmlns:modeler", "http://camunda.org/schema/modeler/1.0"),
                ("modeler:executionPlatform", "Camunda Cloud"),
                ("modeler:executionPlatformVersion", "8.9.0"),
            ],
        }
    }

    pub(crate) fn of_process(self) -> Option<(&'static str, &'static str)> {
        (self == Flavour::Camunda7).then_some(("camunda:historyTimeToLive", HISTORY))
    }

    /// That the variable of a question holds this answer.
    pub(crate) fn condition(self, variable: &str, answer: &str) -> String {
        let double = answer.replace('\\', "\\\\").replace('"', "\\\"");
        match self {
            Flavour::Plain => format!("{variable} == \"{double}\""),
            Flavour::Camunda7 => {
                let single = answer.replace('\\', "\\\\").replace('\'', "\\'");
                format!("${{{variable} == '{single}'}}")
            }
            Flavour::Camunda8 => format!("= {variable} = \"{double}\""),
        }
    }

    /// The value of a variable.
    pub(crate) fn variable(self, name: &str) -> String {
        match self {
            Flavour::Plain => name.to_owned(),
            Flavour::Camunda7 => format!("${{{name}}}"),
            Flavour::Camunda8 => format!("={name}"),
        }
    }

    /// What is computed while the workflow runs is given to engines as a variable.
    pub(crate) fn amount(self, amount: &Amount) -> String {
        match amount {
            Amount::Literal(iso) => iso.clone(),
            Amount::Computed(variable) => self.variable(variable),
        }
    }

    /// A schedule of five fields.
    pub(crate) fn cycle(self, cron: &str) -> String {
        let fields: Vec<&str> = cron.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields[..] else { return cron.to_owned() };
        match self {
            Flavour::Plain => cron.to_owned(),
            Flavour::Camunda7 => {
                // Quartz wants exactly one of the two days, and counts weekdays from Sunday, the first.
                let (day, weekday) = match (day, weekday) {
                    (day, "*") => (day.to_owned(), "?".to_owned()),
                    ("*", weekday) => ("?".to_owned(), weekdays(weekday)),
                    (day, weekday) => (day.to_owned(), weekdays(weekday)),
                };
                format!("0 {minute} {hour} {day} {month} {weekday}")
            }
            Flavour::Camunda8 => format!("0 {minute} {hour} {day} {month} {}", weekdays(weekday)),
        }
    }

    /// What an engine has to know of an element, as attributes of its own.
    pub(crate) fn attributes(self, element: &Element) -> Vec<(&'static str, String)> {
        let Some(job) = element.job.as_ref().filter(|_| self == Flavour::Camunda7) else { return Vec::new() };
        if is_for_people(element) {
            return job.participant().map(|name| ("camunda:candidateGroups", name)).into_iter().collect();
        }
        // An event has it on its definition.
        if says(element) { Vec::new() } else { external(job) }
    }

    /// The same on the definition of an event.
    pub(crate) fn definition_attributes(self, element: &Element) -> Vec<(&'static str, String)> {
        let job = element.job.as_ref().filter(|_| self == Flavour::Camunda7 && says(element));
        job.map(external).unwrap_or_default()
    }

    /// What an engine has to know of an element, as elements of its own.
    pub(crate) fn extensions(self, element: &Element) -> Vec<Extension> {
        let job = element.job.as_ref();
        let mut extensions = Vec::new();
        match self {
            Flavour::Plain => {}
            Flavour::Camunda7 => extensions.extend(job.and_then(|job| retry_cycle(job.tries.as_ref()?))),
            Flavour::Camunda8 if is_for_people(element) => {
                extensions.push(Extension::new("zeebe:userTask", Vec::new()));
                let form = job.map(|job| vec![("externalReference", job.name.clone())]);
                extensions.extend(form.map(|form| Extension::new("zeebe:formDefinition", form)));
                let group = job.and_then(Job::participant).map(|name| vec![("candidateGroups", name)]);
                extensions.extend(group.map(|group| Extension::new("zeebe:assignmentDefinition", group)));
            }
            Flavour::Camunda8 => {
                extensions.extend(job.map(task_definition));
                if let ElementKind::CallActivity { called } = &element.kind {
                    let attributes = vec![
                        ("processId", called.clone()),
                        ("propagateAllChildVariables", "false".to_owned()),
                        ("propagateAllParentVariables", "false".to_owned()),
                    ];
                    extensions.push(Extension::new("zeebe:calledElement", attributes));
                }
            }
        }
        extensions
    }

    /// What an engine has to know to bring a message to the run that waits for it: the variable of the run that holds
    /// what the sender writes into the key of the message.
    pub(crate) fn subscription(self, message: &MessageDefinition) -> Option<Extension> {
        let key = ("correlationKey", self.variable(&key_of(message)));
        (self == Flavour::Camunda8).then(|| Extension::new("zeebe:subscription", vec![key]))
    }

    /// What happens for each of many values, where the engine wants the values and not their number.
    pub(crate) fn collection(self, instances: &str) -> Option<Extension> {
        let collection = ("inputCollection", self.variable(instances));
        let attributes = vec![collection, ("inputElement", "item".to_owned())];
        (self == Flavour::Camunda8).then(|| Extension::new("zeebe:loopCharacteristics", attributes))
    }

    /// Whether a reference on a call activity is the engine's own element instead.
    pub(crate) fn calls_by_extension(self) -> bool {
        self == Flavour::Camunda8
    }
}

/// Words of the expression language that are no names.
const RESERVED: [&str; 12] = [
    "and",
    "between",
    "every",
    "function",
    "instance",
    "not",
    "null",
    "of",
    "or",
    "satisfies",
    "some",
    "then",
];

/// The variable is called like the field, as people do who write these files by hand: messages of one conversation then
/// ask for the same one. A mere `id` does not say of what, so that two messages would mean different things by it.
fn key_of(message: &MessageDefinition) -> String {
    let key = message.key.as_str();
    let is_name = key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !RESERVED.contains(&key);
    if matches!(key, "" | "id" | "key") || !is_name {
        return message.variable.clone();
    }
    key.to_owned()
}

fn is_for_people(element: &Element) -> bool {
    matches!(element.kind, ElementKind::Task(Task::User) | ElementKind::CompensationHandler(Task::User))
}

/// Whether it is an event that publishes something, in the middle or at the end.
fn says(element: &Element) -> bool {
    matches!(
        element.kind,
        ElementKind::MessageThrowEvent { .. } | ElementKind::EndEvent { ending: Ending::Message { .. }, .. }
    )
}

fn external(job: &Job) -> Vec<(&'static str, String)> {
    vec![("camunda:type", "external".to_owned()), ("camunda:topic", job.name.clone())]
}

fn task_definition(job: &Job) -> Extension {
    let mut attributes = vec![("type", job.name.clone())];
    attributes.extend(job.tries.as_ref().map(|tries| ("retries", tries.count().to_string())));
    Extension::new("zeebe:taskDefinition", attributes)
}

fn retry_cycle(tries: &Tries) -> Option<Extension> {
    let repeats = tries.attempts.map_or("R".to_owned(), |attempts| format!("R{attempts}"));
    let text = format!("{repeats}/{}", iso(tries.wait_ms));
    let extension = Extension::new("camunda:failedJobRetryTimeCycle", Vec::new());
    (tries.count() > 1).then_some(Extension { text: Some(text), ..extension })
}

impl Tries {
    fn count(&self) -> u32 {
        self.attempts.unwrap_or(WITHOUT_END)
    }
}

impl Job {
    fn participant(&self) -> Option<String> {
        Some(self.participant.clone()).filter(|name| !name.is_empty())
    }
}

/// A length of time as ISO 8601 writes it.
fn iso(ms: u64) -> String {
    let (seconds, rest) = (ms / 1_000, ms % 1_000);
    if rest == 0 {
        return format!("PT{seconds}S");
    }
    let rest = format!("{rest:03}");
    format!("PT{seconds}.{}S", rest.trim_end_matches('0'))
}

/// Weekdays by name, which all engines count alike.
fn weekdays(field: &str) -> String {
    const NAMES: [&str; 8] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"];
    let mut text = String::new();
    let mut is_step = false;
    for c in field.chars() {
        match c.to_digit(10).and_then(|digit| NAMES.get(digit as usize)) {
            // What stands behind a slash is a number of days.
            Some(name) if !is_step => text.push_str(name),
            _ => text.push(c),
        }
        is_step = (is_step && c.is_ascii_digit()) || c == '/';
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::Variables;

    #[test]
    fn answers_survive_the_quotes_of_each_language() {
        let answer = r#"it's "7\8""#;
        assert_eq!(Flavour::Plain.condition("d", answer), r#"d == "it's \"7\\8\"""#);
        assert_eq!(Flavour::Camunda7.condition("d", answer), r#"${d == 'it\'s "7\\8"'}"#);
        assert_eq!(Flavour::Camunda8.condition("d", answer), r#"= d = "it's \"7\\8\"""#);
    }

    #[test]
    fn a_subscription_asks_for_the_field_that_is_the_key_where_its_name_says_enough() {
        let key = |name: &str, key: &str| {
            let (id, participant) = (format!("message_{name}"), String::new());
            let variable = Variables::reserving([].into_iter()).about("key", name);
            let (name, key) = (name.to_owned(), key.to_owned());
            key_of(&MessageDefinition { id, name, key, variable, participant })
        };
        assert_eq!(key("NewCard", "order_id"), "order_id");
        assert_eq!([key("NewCard", ""), key("NewCard", "id")], ["key_NewCard", "key_NewCard"]);
        assert_eq!([key("new card", "of"), key("new card", "größe")], ["key_new_card", "key_new_card"]);
    }

    #[test]
    fn schedules_become_those_of_the_engine() {
        assert_eq!(Flavour::Plain.cycle("0 6 * * 1-5"), "0 6 * * 1-5");
        assert_eq!(Flavour::Camunda7.cycle("0 6 * * 1-5"), "0 0 6 ? * MON-FRI");
        assert_eq!(Flavour::Camunda7.cycle("0 6 1 * *"), "0 0 6 1 * ?");
        assert_eq!(Flavour::Camunda8.cycle("*/5 * * * 0,6"), "0 */5 * * * SUN,SAT");
        assert_eq!(Flavour::Camunda8.cycle("0 6 * * */2"), "0 0 6 * * */2");
    }

    #[test]
    fn waits_are_iso_durations() {
        assert_eq!([1_000, 60_000, 200, 1_050].map(iso), ["PT1S", "PT60S", "PT0.2S", "PT1.05S"]);
    }
}
