//! Statements with their values, sent in one message: one round trip, whatever it holds.
//! It knows the message, not what the statements do.
//!
//! Only the simple protocol is spoken: a message is wholly handled by one session of the server. Behind a pooler that
//! gives each transaction another session (pgbouncer), the extended protocol would need two of them for a statement.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};

use super::literal::{self, Values};

/// Statements that are sent together.
#[derive(Default)]
pub(super) struct Script {
    statements: Vec<Statement>,
    /// They are a transaction of their own.
    is_transaction: bool,
    /// Statements that follow once the transaction is committed.
    after: Vec<Statement>,
}

struct Statement {
    sql: &'static str,
    /// Literals for `$1`, `$2`, ..
    arguments: Vec<String>,
    /// It comes so often that planning it each time would cost more than running it.
    is_frequent: bool,
}

/// What is said before the statements of a transaction, on every connection alike.
pub(super) struct Settings {
    /// The path on which tables are found.
    search_path: Option<String>,
    waits_for_the_disk: bool,
    /// A session was seen that would not wait for the disk by itself: somebody has set its role, its database or the
    /// server so.
    must_say_so: AtomicBool,
}

/// What a session does with commits unless it is told otherwise.
pub(super) const DURABILITY: &str = "SELECT current_setting('synchronous_commit')";

/// Frequent statements are planned once for each session, and may be planned when the tables are still empty: then a
/// scan of a whole table looks cheap, and would stay the plan until the tables are analysed. Where no other plan is
/// left, what is off counts as ten billion, and the server would compile the plan (`jit`), each time for tenths of a
/// second.
const FOR_FREQUENT: &str = "SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_seqscan = off; \
     SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL jit = off;\n";

impl Script {
    /// A statement; its `$1`, `$2`, .. are filled by the calls that follow.
    pub(super) fn push(&mut self, sql: &'static str) -> &mut Script {
        self.statements.push(Statement { sql, arguments: Vec::new(), is_frequent: false });
        self
    }

    pub(super) fn bind(&mut self, text: &str) -> &mut Script {
        self.argument(literal::text(text))
    }

    pub(super) fn bind_optional(&mut self, text: Option<&str>) -> &mut Script {
        self.argument(text.map_or_else(|| "NULL".to_owned(), literal::text))
    }

    pub(super) fn bind_bool(&mut self, value: bool) -> &mut Script {
        self.argument(format!("'{value}'"))
    }

    pub(super) fn bind_number(&mut self, number: i64) -> &mut Script {
        self.argument(format!("'{number}'"))
    }

    /// As many arguments as a row has columns: each an array.
    pub(super) fn bind_rows<R: Values>(&mut self, rows: &[R]) -> &mut Script {
        for column in literal::columns(rows) {
            self.argument(column);
        }
        self
    }

    /// A statement that takes rows, unless there are none.
    pub(super) fn push_rows<R: Values>(&mut self, sql: &'static str, rows: &[R]) {
        if !rows.is_empty() {
            self.push(sql).bind_rows(rows).often();
        }
    }

    /// Says that the last statement comes often.
    pub(super) fn often(&mut self) {
        if let Some(statement) = self.statements.last_mut() {
            statement.is_frequent = true;
        }
    }

    /// The statements as a transaction of their own.
    pub(super) fn in_one_transaction(mut self) -> Script {
        self.is_transaction = true;
        self
    }

    /// What these statements answer is asked once the transaction is committed, when it can see what others have
    /// committed meanwhile.
    pub(super) fn then(mut self, after: Script) -> Script {
        self.after.extend(after.statements);
        self
    }

    /// These statements and those.
    pub(super) fn with(mut self, other: Script) -> Script {
        self.statements.extend(other.statements);
        self
    }

    pub(super) fn is_transaction(&self) -> bool {
        self.is_transaction
    }

    pub(super) fn is_empty(&self) -> bool {
        self.statements.is_empty() && self.after.is_empty()
    }

    /// The message. Frequent statements are prepared where they are not `prepared` yet, by names that are made of their
    /// texts: whoever prepared one of that name on a shared session prepared the same statement.
    pub(super) fn message(&self, settings: &Settings, mut prepared: Option<&mut HashSet<u64>>) -> String {
        let mut message = String::with_capacity(1 << 10);
        if self.is_transaction {
            message.push_str("BEGIN;\n");
        }
        if self.is_transaction || !self.statements.is_empty() {
            settings.put(&mut message, self.is_transaction);
        }
        if prepared.is_some() && self.statements.iter().any(|statement| statement.is_frequent) {
            message.push_str(FOR_FREQUENT);
        }
        for statement in &self.statements {
            statement.put(&mut message, prepared.as_deref_mut());
        }
        if self.is_transaction {
            message.push_str("COMMIT;\n");
        }
        if !self.after.is_empty() {
            settings.put(&mut message, false);
            self.after.iter().for_each(|statement| statement.put(&mut message, None));
        }
        message
    }

    fn argument(&mut self, literal: String) -> &mut Script {
        let statement = self.statements.last_mut().expect("a statement was pushed before its arguments");
        statement.arguments.push(literal);
        self
    }
}

impl Statement {
    fn put(&self, message: &mut String, prepared: Option<&mut HashSet<u64>>) {
        match prepared.filter(|_| self.is_frequent) {
            Some(prepared) => self.put_prepared(message, prepared),
            None => self.put_whole(message),
        }
        message.push_str(";\n");
    }

    fn put_prepared(&self, message: &mut String, prepared: &mut HashSet<u64>) {
        let mut hasher = DefaultHasher::new();
        self.sql.hash(&mut hasher);
        let hash = hasher.finish();
        if prepared.insert(hash) {
            message.push_str(&format!("PREPARE workflow_{hash:016x} AS {};\n", self.sql));
        }
        message.push_str(&format!("EXECUTE workflow_{hash:016x}"));
        for (number, argument) in self.arguments.iter().enumerate() {
            message.push(if number == 0 { '(' } else { ',' });
            message.push_str(argument);
        }
        if !self.arguments.is_empty() {
            message.push(')');
        }
    }

    /// Our own statements have `$` in front of parameters and nowhere else.
    fn put_whole(&self, message: &mut String) {
        let mut pieces = self.sql.split('$');
        message.push_str(pieces.next().unwrap_or_default());
        for piece in pieces {
            let digits = piece.bytes().take_while(u8::is_ascii_digit).count();
            let number: usize = piece[..digits].parse().expect("a parameter has a number");
            message.push_str(&self.arguments[number - 1]);
            message.push_str(&piece[digits..]);
        }
    }
}

impl Settings {
    pub(super) fn new(schema: Option<&str>, waits_for_the_disk: bool) -> Settings {
        let search_path = schema.map(|schema| format!("{}, public", literal::identifier(schema)));
        Settings { search_path, waits_for_the_disk, must_say_so: AtomicBool::new(false) }
    }

    /// Takes what a new session answers to [`DURABILITY`].
    pub(super) fn note_durability(&self, answer: &str) {
        if answer == "off" && self.waits_for_the_disk && !self.must_say_so.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "this role does not wait for the disk (`synchronous_commit = off`): the engine does, unless \
                 `PostgresOptions::synchronous_commit_off` is said"
            );
        }
    }

    /// Valid until the end of the transaction, so that they stay where they belong behind a pooler, too.
    pub(super) fn put(&self, message: &mut String, writes: bool) {
        if let Some(path) = &self.search_path {
            message.push_str(&format!("SET LOCAL search_path = {path};\n"));
        }
        if writes && !self.waits_for_the_disk {
            message.push_str("SET LOCAL synchronous_commit = off;\n");
        } else if writes && self.must_say_so.load(Ordering::Relaxed) {
            message.push_str("SET LOCAL synchronous_commit = on;\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_prepared_once_and_then_executed() {
        let mut script = Script::default();
        script.push("SELECT $1, $2, $1").bind("a").bind_number(2).often();
        let (settings, mut prepared) = (Settings::new(None, true), HashSet::new());
        let first = script.message(&settings, Some(&mut prepared));
        let second = script.message(&settings, Some(&mut prepared));
        assert!(first.contains(" AS SELECT $1, $2, $1;\nEXECUTE workflow_"), "{first}");
        assert!(
            first.contains("SET LOCAL jit = off;") && second.contains("SET LOCAL jit = off;"),
            "{second}"
        );
        assert!(!second.contains("PREPARE") && second.ends_with("($w$a$w$,'2');\n"), "{second}");
        assert_eq!(script.message(&settings, None), "SELECT $w$a$w$, '2', $w$a$w$;\n");
    }

    #[test]
    fn settings_end_with_the_transaction() {
        let mut script = Script::default();
        script.push("DELETE FROM a");
        let mut after = Script::default();
        after.push("SELECT 1");
        let message = script.in_one_transaction().then(after).message(&Settings::new(Some("s"), false), None);
        let path = "SET LOCAL search_path = \"s\", public;\n";
        let expected = format!(
            "BEGIN;\n{path}SET LOCAL synchronous_commit = off;\nDELETE FROM a;\nCOMMIT;\n{path}SELECT 1;\n"
        );
        assert_eq!(message, expected);
    }
}
