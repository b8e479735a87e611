//! Finds what somebody meant who wrote something else.
//! Pure text, shared by the macros, the engine and the test kit; it must not know what the words stand for.

/// The candidate that is close enough to `word` to be meant by it.
pub fn closest<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let distance_to = |candidate: &str| edit_distance(&word.to_lowercase(), &candidate.to_lowercase());
    let candidates = candidates.iter().copied();
    let (distance, candidate) = candidates
        .map(|candidate| (distance_to(candidate), candidate))
        .min_by_key(|(distance, _)| *distance)?;
    let longest_typo = (word.chars().count() / 3).max(1);
    (distance <= longest_typo).then_some(candidate)
}

/// The end of an error message: `` ; did you mean `retry`? ``, or nothing when nothing is close.
pub fn did_you_mean(word: &str, candidates: &[&str]) -> String {
    closest(word, candidates).map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"))
}

/// What to say about a word that `who` does not know.
pub fn unknown(who: &str, word: &str, known: &[&str]) -> String {
    let help = match closest(word, known) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("it knows {}", listed(known)),
    };
    format!("{who} does not know `{word}`; {help}")
}

/// A list for people: `` `a`, `b` and `c` ``.
pub fn listed(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{}`", word)).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}

/// How many letters must be inserted, removed, replaced or swapped with their neighbour.
fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_finds_the_word_and_another_word_does_not() {
        let words = ["retry", "timeout", "read_only", "retriable"];
        assert_eq!(closest("retyr", &words), Some("retry"));
        assert_eq!(closest("Timeout", &words), Some("timeout"));
        assert_eq!(closest("readonly", &words), Some("read_only"));
        assert_eq!(closest("deadline", &words), None);
        assert_eq!(closest("a", &[]), None);
    }

    #[test]
    fn an_error_message_ends_with_the_suggestion() {
        assert_eq!(did_you_mean("ordr", &["order", "output"]), "; did you mean `order`?");
        assert_eq!(did_you_mean("card", &["order", "output"]), "");
    }

    #[test]
    fn an_unknown_word_is_answered_with_the_known_ones() {
        assert_eq!(unknown("`x`", "retyr", &["retry"]), "`x` does not know `retyr`; did you mean `retry`?");
        assert_eq!(
            unknown("`x`", "deadline", &["a", "b"]),
            "`x` does not know `deadline`; it knows `a` and `b`"
        );
    }

    #[test]
    fn a_list_reads_like_a_sentence() {
        assert_eq!(listed(&["a", "b", "c"]), "`a`, `b` and `c`");
        assert_eq!(listed(&["a"]), "`a`");
        assert_eq!(listed(&[]), "");
    }
}
