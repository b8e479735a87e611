//! What must not stay in finished work: holes, traces of a search, tests that are switched off, hidden panics.
//! Knows tokens and words; must not know what the code around them is for.

use super::code::{Token, begins_with, tokens, without_tests};
use super::rule::{Finding, Rule};
use super::tree::Tree;

pub(crate) const UNFINISHED: Rule = Rule {
    demand: "nothing is left unfinished",
    remedy: "finish it, or take it out and write down what is missing where it is planned",
    find: |tree| {
        let mut findings = find_in_code(tree.rust(), |tokens| {
            let macros = ["todo", "unimplemented", "dbg"];
            macros.into_iter().find(|name| begins_with(tokens, &[name, "!"])).map(|name| format!("`{name}!`"))
        });
        findings.extend(notes(tree));
        findings
    },
};

pub(crate) const IGNORED: Rule = Rule {
    demand: "no test and no example in the documentation is ignored",
    remedy: "make it pass, or delete it; an example that shall fail is marked `compile_fail`, a picture `text`",
    find: |tree| {
        let mut findings = find_in_code(tree.rust(), |tokens| {
            begins_with(tokens, &["#", "[", "ignore"]).then(|| "the test is ignored".to_owned())
        });
        for (path, text) in tree.rust() {
            let ignored = (1..).zip(text.lines()).filter(|(_, line)| opens_ignored_example(line));
            findings.extend(ignored.map(|(line, _)| Finding::new(path, line, "the example is ignored")));
        }
        findings
    },
};

pub(crate) const UNWRAP: Rule = Rule {
    demand: "only tests unwrap",
    remedy: "hand the error on with `?`, or say with `expect(\"..\")` why this cannot happen",
    find: |tree| {
        let mut findings = Vec::new();
        for (path, text) in tree.rust().filter(|(path, _)| is_shipped(path) && !is_test(path)) {
            // What cannot be split into tokens is named by the rules above.
            let tokens = without_tests(&tokens(path, text).unwrap_or_default());
            let unwraps = tokens.windows(4).filter(|four| begins_with(four, &[".", "unwrap", "(", ")"]));
            findings
                .extend(unwraps.map(|four| Finding::new(path, four[1].line, "`unwrap()` outside of a test")));
        }
        findings
    },
};

/// Asks about the rest of a file's tokens from each of them on.
fn find_in_code<'tree>(
    files: impl Iterator<Item = (&'tree str, &'tree str)>,
    judge: fn(&[Token]) -> Option<String>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in files {
        match tokens(path, text) {
            Ok(tokens) => {
                for index in 0..tokens.len() {
                    if let Some(what) = judge(&tokens[index..]) {
                        findings.push(Finding::new(path, tokens[index].line, what));
                    }
                }
            }
            Err(finding) => findings.push(finding),
        }
    }
    findings
}

/// Marks that people leave for later, in any text but the ones that tools write.
fn notes(tree: &Tree) -> Vec<Finding> {
    const MARKS: [&str; 2] = ["TODO", "FIXME"];
    let mut findings = Vec::new();
    for (path, text) in tree.texts() {
        // This file names them to find them; the lock files hold check sums of any letters.
        if path == "tests/tidy/leftovers.rs" || path.ends_with(".lock") || path.ends_with("-lock.json") {
            continue;
        }
        for (line, text) in (1..).zip(text.lines()) {
            let mut words = text.split(|letter: char| !letter.is_alphanumeric());
            if let Some(mark) = words.find(|word| MARKS.contains(word)) {
                findings.push(Finding::new(path, line, format!("`{mark}`")));
            }
        }
    }
    findings
}

fn opens_ignored_example(line: &str) -> bool {
    let line = line.trim_start();
    let Some(doc) = line.strip_prefix("///").or_else(|| line.strip_prefix("//!")) else { return false };
    let Some(language) = doc.trim_start().strip_prefix("```") else { return false };
    language.split(',').any(|word| word.trim().starts_with("ignore"))
}

fn is_shipped(path: &str) -> bool {
    path.starts_with("examples/") || path.split('/').nth(1) == Some("src")
}

/// A module of tests in a file of its own is declared under `#[cfg(test)]` elsewhere; its name must tell.
fn is_test(path: &str) -> bool {
    path.split('/').skip(2).any(|name| matches!(name, "tests" | "tests.rs") || name.ends_with("_tests.rs"))
}

#[test]
fn holes_and_traces_are_found() {
    let files = [
        ("a.rs", "fn f() { todo!() }\nfn g() { std::dbg!(1); }"),
        ("b.rs", "// todo!()\nfn todo() { \"todo!\" }\n// TODO: more"),
        ("c.sql", "-- FIXME\nSELECT 1"),
        ("d.md", "METODO, TODOS"),
        ("package-lock.json", "+TODO+"),
    ];
    let expected = ["a.rs:1: `todo!`", "a.rs:2: `dbg!`", "b.rs:3: `TODO`", "c.sql:1: `FIXME`"];
    assert_eq!(UNFINISHED.finds(&files), expected);
}

#[test]
fn a_test_or_example_that_is_switched_off_is_found() {
    let files = [
        ("a.rs", "#[test]\n#[ignore = \"slow\"]\nfn f() {}"),
        ("b.rs", "#[test]\n#[ignore]\nfn f() {}"),
        ("c.rs", "//! ```rust,ignore\n//! ```\n/// ```text\n/// ```\nfn ignore() {}"),
    ];
    let expected =
        ["a.rs:2: the test is ignored", "b.rs:2: the test is ignored", "c.rs:1: the example is ignored"];
    assert_eq!(IGNORED.finds(&files), expected);
}

#[test]
fn an_unwrap_outside_of_tests_is_found() {
    let files = [
        ("workflow-core/src/a.rs", "fn f() { g().unwrap(); h().unwrap_or_default() }"),
        (
            "workflow-core/src/b.rs",
            "/// a.unwrap()\nfn f() {}\n#[cfg(test)]\nmod tests { fn f() { g().unwrap() } }",
        ),
        ("workflow-core/src/a/tests.rs", "fn f() { g().unwrap() }"),
        ("workflow-core/tests/a.rs", "fn f() { g().unwrap() }"),
        ("examples/order/main.rs", "fn main() {\n f().unwrap() }"),
    ];
    let expected = [
        "examples/order/main.rs:2: `unwrap()` outside of a test",
        "workflow-core/src/a.rs:1: `unwrap()` outside of a test",
    ];
    assert_eq!(UNWRAP.finds(&files), expected);
}
