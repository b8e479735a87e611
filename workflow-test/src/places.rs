//! Where in the source text that stands which a complaint names.
//! It reads the complaint as people do: what stands between backquotes is an operation, or a step.

use workflow_core::{Definition, OpId};

use crate::annals::{Annals, Row};
use crate::violation::{Oracle, Violation};

/// What is wrong, with the places of what it names on a line of its own.
pub(crate) fn told(violation: &Violation, annals: &Annals) -> String {
    let mut places = match violation.oracle {
        Oracle::Saga | Oracle::Pivot | Oracle::Leak | Oracle::Deadlock | Oracle::Graph => {
            named(&violation.text, annals)
        }
        Oracle::Core => broken_off(annals).into_iter().collect(),
        // The others name the place themselves, or are about a value, or about what the test says.
        _ => Vec::new(),
    };
    places.retain(|place| !violation.text.contains(place.as_str()));
    if places.is_empty() {
        violation.to_string()
    } else {
        format!("{violation}\n  where: {}", places.join(", "))
    }
}

/// The operations and steps between backquotes, each with its place.
fn named(text: &str, annals: &Annals) -> Vec<String> {
    let mut places: Vec<String> = Vec::new();
    for name in text.split('`').skip(1).step_by(2) {
        let place = annals.journals.iter().find_map(|head| place_of(&head.definition, name));
        let place = place.map(|place| format!("`{name}` ({place})"));
        places.extend(place.filter(|place| !places.contains(place)));
    }
    places
}

fn place_of(definition: &Definition, name: &str) -> Option<String> {
    let op = OpId::from_text(name);
    let source = definition.source_of(&op.undoes().unwrap_or(op));
    if let Some(source) = source {
        return Some(source.to_string());
    }
    let step = definition.steps().into_iter().find(|step| step.facts.name == name)?;
    Some(step.facts.source.to_string())
}

/// Between which operations the code broke off.
fn broken_off(annals: &Annals) -> Option<String> {
    let Row { journal, record, .. } = annals.broke_off.as_ref()?;
    Some(annals.journals[*journal].definition.whereabouts(record.event.op()))
}
