//! From a name in a workflow to what it means, and everywhere it is used. Knows the places in the text of the shop and
//! what is right there; must not know how a server is asked.

use serde_json::{Value, json};

use super::project::{Editor, Side, editor};
use super::shop::finished;
use super::text::{Text, position};

/// A use (its last word), and the place of its definition (its last word, too).
const DEFINITIONS: [(&str, &str); 14] = [
    ("let taken = charge_card", "pub async fn charge_card"),
    ("grams += weigh_line", "pub async fn weigh_line"),
    ("try_join!(pack_line", "pub async fn pack_line"),
    ("pack_line(&order.lines[0]), weigh_line", "pub async fn weigh_line"),
    ("outcome = weigh_line", "pub async fn weigh_line"),
    ("map(|line| weigh_line", "pub async fn weigh_line"),
    ("compensate = refund_card", "pub async fn refund_card"),
    ("weigh_line(line, taken", "let taken"),
    ("Ok(number + packed", "let (packed"),
    ("3) => outcome", "outcome"),
    ("Ok(second) => second.number", "pub number"),
    ("Err(SaleError::CardExpired", "has expired\")]\n    CardExpired"),
    ("match charge_card(&order", "pub async fn sell(order"),
    ("if express", "sell(order: Order, express"),
];

/// Asks for the definition of each name: there is one, and it is the right one.
pub(crate) fn wrong_definitions() -> Vec<String> {
    let mut editor = editor();
    let text = finished();
    editor.show(Side::Durable, &text);
    let mut wrong = Vec::new();
    for (used, defined) in DEFINITIONS {
        let answer = editor.ask(Side::Durable, "definition", &Text::at(&text, used), json!({}));
        let found: Vec<&Value> = match &answer {
            Value::Array(found) => found.iter().collect(),
            Value::Null => Vec::new(),
            one => vec![one],
        };
        // The first of several: `outcome` is bound where it stands first.
        let end = text.find(defined).unwrap_or_else(|| panic!("`{defined}` does not stand in\n{text}"))
            + defined.len();
        let word = defined.rsplit(|letter: char| !is_of_name(letter)).next().unwrap_or_default();
        let (line, character) = position(&text, end - word.len());
        let wanted = json!({ "line": line, "character": character });
        let is_right = |place: &&Value| {
            let range = if place["targetSelectionRange"].is_null() {
                &place["range"]
            } else {
                &place["targetSelectionRange"]
            };
            let file = if place["targetUri"].is_null() { &place["uri"] } else { &place["targetUri"] };
            range["start"] == wanted && *file == editor.address(Side::Durable)
        };
        if found.len() != 1 || !found.iter().all(is_right) {
            wrong.push(format!("`{used}` leads to {answer}"));
        }
    }
    wrong
}

/// A name, and what is to be read when the mouse rests on it.
const HOVERS: [(&str, &[&str]); 8] = [
    ("let taken", &["taken: Charge"]),
    (
        "grams += weigh_line",
        &["fn weigh_line(line: &Line, factor: u64) -> ::workflow_runtime::StepCall<", "Weigh line"],
    ),
    ("let (packed", &["packed: u64"]),
    ("for line", &["line: &Line"]),
    ("let number", &["number: u64"]),
    ("let first", &["first: u64"]),
    ("let all", &["all: Vec<u64>"]),
    ("second.number", &["pub number: u64"]),
];

/// Reads what is shown over each name.
pub(crate) fn wrong_hovers() -> Vec<String> {
    let mut editor = editor();
    let text = finished();
    editor.show(Side::Durable, &text);
    let mut wrong = Vec::new();
    for (place, wanted) in HOVERS {
        let answer = editor.ask(Side::Durable, "hover", &Text::at(&text, place), json!({}));
        let shown = answer["contents"]["value"].as_str().unwrap_or_default();
        // The type of a step has no other name; the compiler's messages call it so as well.
        let is_internal = shown.replace("Call<__", "Call<").contains("__");
        if is_internal || !wanted.iter().all(|wanted| shown.contains(wanted)) {
            wrong.push(format!("`{place}` shows {shown:?}"));
        }
    }
    wrong
}

/// A place with a name that stands for one thing in the whole text, and what it is to be called.
const RENAMES: [(&str, &str); 7] = [
    ("let taken", "money"),
    ("grams += weigh_line", "put_on_scales"),
    ("pub async fn weigh_line", "put_on_scales"),
    ("compensate = refund_card", "give_back"),
    ("if express", "hurried"),
    ("self.cents", "pence"),
    ("line.pieces * factor", "times"),
];

/// Renames each of them: what comes out is the text with the word replaced wherever it stands.
pub(crate) fn wrong_renames() -> Vec<String> {
    let mut editor = editor();
    let text = finished();
    editor.show(Side::Durable, &text);
    let mut wrong = Vec::new();
    for (place, name) in RENAMES {
        let answer = editor.ask(Side::Durable, "rename", &Text::at(&text, place), json!({ "newName": name }));
        let old = place.rsplit(|letter: char| !is_of_name(letter)).next().unwrap_or_default();
        let renamed = apply(&text, edits(&answer, &editor));
        if renamed != text.replace(old, name) {
            wrong.push(format!("`{place}`: {answer} gives\n{renamed}"));
        }
    }
    wrong
}

/// The edits of this side's file.
fn edits(answer: &Value, editor: &Editor) -> Vec<Value> {
    let address = editor.address(Side::Durable);
    let changes = answer["changes"][&address].as_array().cloned().unwrap_or_default();
    let documents = answer["documentChanges"].as_array().cloned().unwrap_or_default();
    let of_file = documents.iter().filter(|document| document["textDocument"]["uri"] == address.as_str());
    let documents = of_file.flat_map(|document| document["edits"].as_array().cloned().unwrap_or_default());
    changes.into_iter().chain(documents).collect()
}

/// The text with these edits made; they are given by the positions in the text as it was.
fn apply(text: &str, edits: Vec<Value>) -> String {
    let place = |position: &Value| {
        let number =
            |name: &str| position[name].as_u64().map_or(0, |number| usize::try_from(number).unwrap_or(0));
        let line: usize = text.split_inclusive('\n').take(number("line")).map(str::len).sum();
        line + number("character") // The text of the shop is in ASCII.
    };
    let mut edits: Vec<(usize, usize, String)> = edits
        .iter()
        .map(|edit| {
            let range = &edit["range"];
            let new = edit["newText"].as_str().unwrap_or_default().to_owned();
            (place(&range["start"]), place(&range["end"]), new)
        })
        .collect();
    edits.sort();
    let mut renamed = text.to_owned();
    for (start, end, new) in edits.into_iter().rev() {
        renamed.replace_range(start..end, &new);
    }
    renamed
}

fn is_of_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}
