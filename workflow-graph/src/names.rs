//! Names for people and names for machines.
//! Pure text; which name is used where is decided by the callers.

/// Turns an identifier into words: `retrieve_payment` and `RetrievePayment` become `Retrieve payment`.
///
/// ```
/// use workflow_graph::humanise;
/// assert_eq!(humanise("retrieve_payment"), "Retrieve payment");
/// assert_eq!(humanise("CardExpired"), "Card expired");
/// assert_eq!(humanise("NoHTTPAnswer"), "No HTTP answer");
/// ```
pub fn humanise(identifier: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for part in identifier.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty()) {
        split_camel_case(part, &mut words);
    }
    let mut text = String::new();
    for (position, word) in words.iter().enumerate() {
        if position > 0 {
            text.push(' ');
        }
        let is_acronym = word.chars().count() > 1 && !word.chars().any(char::is_lowercase);
        if position == 0 {
            let mut chars = word.chars();
            text.extend(chars.next().into_iter().flat_map(char::to_uppercase));
            text.push_str(chars.as_str());
        } else if is_acronym {
            text.push_str(word);
        } else {
            text.push_str(&word.to_lowercase());
        }
    }
    text
}

fn split_camel_case(part: &str, words: &mut Vec<String>) {
    let chars: Vec<char> = part.chars().collect();
    let mut word = String::new();
    for (position, &c) in chars.iter().enumerate() {
        let after_lower = position > 0 && !chars[position - 1].is_uppercase();
        let before_lower = chars.get(position + 1).is_some_and(|next| next.is_lowercase());
        if c.is_uppercase() && !word.is_empty() && (after_lower || before_lower) {
            words.push(std::mem::take(&mut word));
        }
        word.push(c);
    }
    words.push(word);
}

/// Whether this text can be the id of a node: `[A-Za-z_][A-Za-z0-9_.-]*`, and none of the names that other
/// BPMN tools use for themselves (`Start`, `End`, `Root`).
pub fn is_node_id(id: &str) -> bool {
    let mut chars = id.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'))
        && !matches!(id, "Start" | "End" | "Root")
}
