//! A statement of a user, read as far as it takes to put values in the place of `$1` and to know what kind it is.
//! It knows where texts, names and comments of Postgres end, and leaves everything else to the database.

use super::literal::quoted;
use crate::store::{SqlError, SqlErrorKind, SqlValue};

/// A statement in pieces.
pub(super) struct Statement<'a> {
    sql: &'a str,
    /// Where parameters stand, and the number of each.
    parameters: Vec<(usize, usize, usize)>,
    /// The first words, in small letters: as many as it takes to know a command for transactions.
    words: Vec<String>,
    /// Something follows behind a `;`.
    is_several: bool,
}

/// What a statement does to the transaction that it runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It reads or writes.
    Ordinary,
    /// It sets, releases or returns to a savepoint.
    Savepoint,
    /// It begins, ends or prepares a transaction.
    Transaction,
}

impl<'a> Statement<'a> {
    pub(super) fn read(sql: &'a str) -> Statement<'a> {
        let mut statement = Statement { sql, parameters: Vec::new(), words: Vec::new(), is_several: false };
        let (bytes, mut place, mut is_over) = (sql.as_bytes(), 0, false);
        while let Some(&byte) = bytes.get(place) {
            let rest = &sql[place..];
            let (length, is_code) = match byte {
                b'\'' => (text(rest, false), true),
                b'"' => (quotes(rest, b'"', false), true),
                b'-' if rest.starts_with("--") => (rest.find('\n').map_or(rest.len(), |end| end + 1), false),
                b'/' if rest.starts_with("/*") => (comment(rest), false),
                b'$' => (statement.dollar(place), true),
                b';' => {
                    is_over = true;
                    (1, false)
                }
                _ if is_name(byte) => (statement.word(rest), true),
                _ => (1, !byte.is_ascii_whitespace()),
            };
            statement.is_several |= is_over && is_code;
            place += length;
        }
        statement
    }

    pub(super) fn kind(&self) -> Kind {
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["rollback" | "abort", "to", ..] | ["rollback", "work" | "transaction", "to", ..] => {
                Kind::Savepoint
            }
            ["savepoint" | "release", ..] => Kind::Savepoint,
            ["begin" | "start" | "commit" | "end" | "rollback" | "abort", ..] => Kind::Transaction,
            ["prepare", "transaction", ..] => Kind::Transaction,
            _ => Kind::Ordinary,
        }
    }

    /// Whether what it counts are rows that it reads.
    pub(super) fn only_reads(&self) -> bool {
        let first = self.words.first().map(String::as_str);
        matches!(first, Some("select" | "values" | "table" | "show" | "explain"))
    }

    /// The statement with these values in the place of its parameters.
    pub(super) fn with(&self, values: &[SqlValue]) -> Result<String, SqlError> {
        let mismatch = |message: String| Err(SqlError::new(SqlErrorKind::Mismatch, message));
        if self.is_several {
            let message = format!("one statement at a time, not several behind each other: {}", self.sql);
            return Err(SqlError::new(SqlErrorKind::Statement, message));
        }
        let wanted = self.parameters.iter().map(|(.., number)| *number).max().unwrap_or(0);
        if wanted != values.len() {
            let (sql, got) = (self.sql, values.len());
            return mismatch(format!("the statement asks for {wanted} parameters, but gets {got}: {sql}"));
        }
        if self.sql.contains('\0') {
            return mismatch("the statement has a NUL in it".to_owned());
        }
        let (mut whole, mut end) = (String::with_capacity(self.sql.len()), 0);
        for (start, length, number) in &self.parameters {
            whole.push_str(&self.sql[end..*start]);
            match number.checked_sub(1).and_then(|position| values.get(position)) {
                Some(value) => whole.push_str(&literal(value, *number)?),
                None => return mismatch("parameters are counted from $1".to_owned()),
            }
            end = start + length;
        }
        whole.push_str(&self.sql[end..]);
        Ok(whole)
    }

    /// A parameter, or a text between dollars; gives its length.
    fn dollar(&mut self, place: usize) -> usize {
        let rest = &self.sql[place..];
        let digits = rest[1..].bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 {
            let number = rest[1..=digits].parse().unwrap_or(usize::MAX);
            self.parameters.push((place, digits + 1, number));
            return digits + 1;
        }
        let name = rest[1..].bytes().take_while(|byte| is_name(*byte)).count();
        if rest.as_bytes().get(name + 1) != Some(&b'$') {
            return 1;
        }
        let tag = &rest[..name + 2];
        rest[tag.len()..].find(tag).map_or(rest.len(), |end| end + 2 * tag.len())
    }

    /// A word, also one that has a text right behind it (`E'\''`); gives the length.
    fn word(&mut self, rest: &str) -> usize {
        let length = rest.bytes().take_while(|byte| is_name(*byte) || *byte == b'$').count();
        let word = rest[..length].to_ascii_lowercase();
        if rest[length..].starts_with('\'') {
            return length + text(&rest[length..], word == "e");
        }
        if self.words.len() < 3 {
            self.words.push(word);
        }
        length
    }
}

/// A value as a literal. Postgres finds its type from where it stands, as it does for parameters.
fn literal(value: &SqlValue, number: usize) -> Result<String, SqlError> {
    Ok(match value {
        SqlValue::Null => "NULL".to_owned(),
        SqlValue::Integer(value) => format!(" '{value}'"),
        SqlValue::Real(value) => format!(" '{value:?}'"),
        SqlValue::Text(text) if text.contains('\0') => {
            let message = format!("parameter {number} has a NUL in it, which Postgres keeps in no text");
            return Err(SqlError::new(SqlErrorKind::Mismatch, message));
        }
        SqlValue::Text(text) => format!(" {}", quoted(text)),
        SqlValue::Blob(bytes) => {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!(" decode('{digits}', 'hex')")
        }
    })
}

/// A text in quotes; gives its length.
fn text(rest: &str, has_escapes: bool) -> usize {
    quotes(rest, b'\'', has_escapes)
}

fn quotes(rest: &str, quote: u8, has_escapes: bool) -> usize {
    let mut bytes = rest.bytes().enumerate().skip(1).peekable();
    while let Some((place, byte)) = bytes.next() {
        if byte == b'\\' && has_escapes {
            bytes.next();
        } else if byte == quote {
            if bytes.peek().is_some_and(|(_, next)| *next == quote) {
                bytes.next();
            } else {
                return place + 1;
            }
        }
    }
    rest.len()
}

/// A comment, which may hold others; gives its length.
fn comment(rest: &str) -> usize {
    let (bytes, mut place, mut depth) = (rest.as_bytes(), 2, 1);
    while place < bytes.len() {
        match &bytes[place..bytes.len().min(place + 2)] {
            b"/*" => (place, depth) = (place + 2, depth + 1),
            b"*/" => (place, depth) = (place + 2, depth - 1),
            _ => place += 1,
        }
        if depth == 0 {
            return place;
        }
    }
    rest.len()
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(sql: &str, values: &[SqlValue]) -> Result<String, String> {
        Statement::read(sql).with(values).map_err(|error| error.to_string())
    }

    #[test]
    fn values_take_the_place_of_parameters_and_of_nothing_else() {
        let seven = [SqlValue::Integer(7)];
        for (sql, expected) in [
            ("SELECT $1, a$1, $1", "SELECT  '7', a$1,  '7'"),
            (
                "SELECT '$1', '''$1', \"$1\", \"a\"\"$1\", $1",
                "SELECT '$1', '''$1', \"$1\", \"a\"\"$1\",  '7'",
            ),
            ("SELECT e'\\'$1', E'\\\\', $1", "SELECT e'\\'$1', E'\\\\',  '7'"),
            ("SELECT '\\', $1 -- '", "SELECT '\\',  '7' -- '"),
            ("SELECT $$ $1 $a$ $$, $a$ $1 $$ $a$, $1", "SELECT $$ $1 $a$ $$, $a$ $1 $$ $a$,  '7'"),
            ("SELECT /* $1 /* */ ' */ $1 -- $1\n;", "SELECT /* $1 /* */ ' */  '7' -- $1\n;"),
            ("SELECT ä$1, 'ä' || $1", "SELECT ä$1, 'ä' ||  '7'"),
        ] {
            assert_eq!(filled(sql, &seven).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn every_value_has_its_literal() {
        let values = [
            SqlValue::Null,
            SqlValue::Real(-0.5),
            SqlValue::Text("it's $w$".to_owned()),
            SqlValue::Blob(vec![0, 255]),
        ];
        let expected = "SELECT NULL,  '-0.5',  $ww$it's $w$$ww$,  decode('00ff', 'hex')";
        assert_eq!(filled("SELECT $1, $2, $3, $4", &values).as_deref(), Ok(expected));
        let nul = filled("SELECT $1", &[SqlValue::Text("\0".to_owned())]).unwrap_err();
        assert!(nul.contains("parameter 1 has a NUL"), "{nul}");
    }

    #[test]
    fn what_cannot_be_filled_is_told() {
        let missing = filled("SELECT $1, $2", &[SqlValue::Null]).unwrap_err();
        assert_eq!(missing, "the statement asks for 2 parameters, but gets 1: SELECT $1, $2");
        assert!(filled("SELECT $0, $1", &[SqlValue::Null]).unwrap_err().contains("counted from $1"));
        assert!(filled("SELECT 1; DELETE FROM a", &[]).unwrap_err().contains("one statement at a time"));
        assert_eq!(filled("SELECT ';'; -- done\n", &[]).as_deref(), Ok("SELECT ';'; -- done\n"));
    }

    #[test]
    fn commands_for_transactions_are_known() {
        for (sql, kind) in [
            ("UPDATE a SET b = 1", Kind::Ordinary),
            ("/* x */ COMMIT", Kind::Transaction),
            ("end", Kind::Transaction),
            ("Start Transaction", Kind::Transaction),
            ("ROLLBACK", Kind::Transaction),
            ("ROLLBACK TO part", Kind::Savepoint),
            ("rollback work to savepoint part", Kind::Savepoint),
            ("SAVEPOINT part", Kind::Savepoint),
            ("PREPARE TRANSACTION 'x'", Kind::Transaction),
            ("PREPARE x AS SELECT 1", Kind::Ordinary),
        ] {
            assert_eq!(Statement::read(sql).kind(), kind, "{sql}");
        }
        assert!(Statement::read("  select 1").only_reads() && !Statement::read("DELETE FROM a").only_reads());
    }
}
