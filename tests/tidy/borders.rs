//! Which crate's code may name what.
//! Knows the borders of ARCHITECTURE.md inside the code; the manifests are checked beside this.

use super::code::tokens;
use super::rule::{Finding, Rule};

pub(crate) const DATABASE: Rule = Rule {
    demand: "sqlx and rusqlite are named only under workflow-runtime/src/store/",
    remedy: "move the code into the store, or pass plain data or an error of ours across the border",
    find: |tree| {
        let outside = |path: &str| !path.starts_with("workflow-runtime/src/store/");
        named(tree.product().filter(|(path, _)| outside(path)), &["sqlx", "sqlx_core", "rusqlite"])
    },
};

/// What gives another answer when it is asked again, or waits for something outside.
const IMPURE: [&str; 8] =
    ["tokio", "tokio_util", "sqlx", "sqlx_core", "rusqlite", "Instant", "rand", "getrandom"];

/// The crates that take time, randomness and journals as values.
const PURE_CRATES: [&str; 3] = ["workflow-graph/", "workflow-core/", "workflow-bpmn/"];

/// Names what users may not ask, to refuse it by its type.
const REFUSES: &str = "workflow-core/src/outside.rs";

pub(crate) const PURE: Rule = Rule {
    demand: "the pure crates name no clock, no randomness and no runtime",
    remedy: "take the time, the random number or the result as a value; the caller in workflow-runtime has it",
    find: |tree| {
        let pure = |path: &str| PURE_CRATES.iter().any(|pure| path.starts_with(pure));
        let files = || tree.product().filter(|(path, _)| pure(path));
        let mut findings = named(files().filter(|(path, _)| *path != REFUSES), &IMPURE);
        findings.extend(clock_readings(files()));
        findings
    },
};

/// The address of a graph, which constants may hold where they may hold no reference; and the waker of a run, of which
/// only functions of its own see that it is cloned.
const UNSAFE: [&str; 2] = ["workflow-graph/src/subgraph.rs", "workflow-core/src/waker.rs"];

pub(crate) const SAFE: Rule = Rule {
    demand: "unsafe code stands in workflow-graph/src/subgraph.rs and workflow-core/src/waker.rs, and nowhere else",
    remedy: "find a safe way; if there is none, say in ARCHITECTURE.md why and name the file here",
    find: |tree| {
        // What the macro looks for in the user's code is no code of ours.
        let is_ours = |path: &str| !UNSAFE.contains(&path) && !path.starts_with("workflow-macros/");
        named(tree.product().filter(|(path, _)| is_ours(path)), &["unsafe", "unsafe_code"])
    },
};

/// A point in time is a value like any other; asking for the present one is not.
fn clock_readings<'tree>(files: impl Iterator<Item = (&'tree str, &'tree str)>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in files {
        // A file that is no Rust has been reported already.
        let Ok(tokens) = tokens(path, text) else { continue };
        let words: Vec<_> = tokens.iter().filter(|token| token.text != ":" && token.text != "::").collect();
        let readings = words.windows(2).filter(|pair| pair[0].text == "SystemTime" && pair[1].text == "now");
        findings
            .extend(readings.map(|pair| {
                Finding::new(path, pair[0].line, "asks `SystemTime` for the present".to_owned())
            }));
    }
    findings
}

fn named<'tree>(files: impl Iterator<Item = (&'tree str, &'tree str)>, names: &[&str]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in files {
        match tokens(path, text) {
            Ok(tokens) => {
                let named = tokens.iter().filter(|token| names.contains(&token.text.as_str()));
                findings.extend(
                    named.map(|token| Finding::new(path, token.line, format!("names `{}`", token.text))),
                );
            }
            Err(finding) => findings.push(finding),
        }
    }
    findings
}

#[test]
fn a_database_outside_of_the_store_is_found() {
    let findings = DATABASE.finds(&[
        ("workflow-runtime/src/error.rs", "//! Errors.\n\nimpl From<sqlx::Error> for Error {}"),
        ("workflow-runtime/src/store/sqlite.rs", "use rusqlite::Row;"),
        ("workflow-runtime/src/lib.rs", "use rusqlite::Row;"),
        ("workflow-core/src/lib.rs", "// sqlx\n/// sqlx\nconst A: &str = \"sqlx\";"),
        ("tests/store.rs", "use sqlx::Row;"),
    ]);
    let expected =
        ["workflow-runtime/src/error.rs:3: names `sqlx`", "workflow-runtime/src/lib.rs:1: names `rusqlite`"];
    assert_eq!(findings, expected);
}

#[test]
fn a_clock_or_a_runtime_in_the_pure_heart_is_found() {
    let findings = PURE.finds(&[
        (
            "workflow-core/src/a.rs",
            "use std::time::{Duration, Instant};\nasync fn f() { tokio::time::sleep(D).await }",
        ),
        ("workflow-core/src/b.rs", "/// Never `Instant`.\nfn instant(random: u64, brand: u64) {}"),
        ("workflow-bpmn/src/c.rs", "use rand::Rng;"),
        ("workflow-runtime/src/d.rs", "use std::time::SystemTime;"),
    ]);
    let expected = [
        "workflow-bpmn/src/c.rs:1: names `rand`",
        "workflow-core/src/a.rs:1: names `Instant`",
        "workflow-core/src/a.rs:2: names `tokio`",
    ];
    assert_eq!(findings, expected);
}

#[test]
fn unsafe_code_outside_of_its_two_places_is_found() {
    let findings = SAFE.finds(&[
        ("workflow-graph/src/subgraph.rs", "unsafe impl Sync for A {}"),
        ("workflow-core/src/waker.rs", "unsafe { Waker::new(data, table) }"),
        ("workflow-core/src/a.rs", "// unsafe\nfn f() { unsafe { g() } }"),
        ("workflow-macros/src/b.rs", "Expr::Unsafe(unsafe_) => {}"),
    ]);
    assert_eq!(findings, ["workflow-core/src/a.rs:2: names `unsafe`"]);
}
