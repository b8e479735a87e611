//! The codes of diagnostics: each one in the source has its page and, at compile time, its ui tests.
//! Knows the form `WFnnn`; must not know what a code means.

use std::collections::BTreeMap;

use super::rule::{Finding, Rule};
use super::tree::Tree;

pub(crate) const PAGES: Rule = Rule {
    demand: "every code in the source has a page in docs/errors, and every page a code in the source",
    remedy: "write docs/errors/<code>.md: a wrong example, a right one, the reason; or remove what is no longer said",
    find: |tree| {
        let codes = codes_in_source(tree);
        let mut findings = Vec::new();
        for (code, (path, line)) in &codes {
            if !tree.has(&page_of(code)) {
                findings.push(Finding::new(path, *line, format!("{code} has no page {}", page_of(code))));
            }
        }
        for page in tree.below("docs/errors/") {
            let name = page.trim_start_matches("docs/errors/").trim_end_matches(".md");
            if is_code(name) && !codes.contains_key(name) {
                findings.push(Finding::new(page, 1, format!("{name} is not in the source of any crate")));
            }
        }
        findings
    },
};

pub(crate) const UI_TESTS: Rule = Rule {
    demand: "every compile-time code has ui tests: programs that it refuses, and programs that it must not refuse",
    remedy: "add tests/ui/<code>/fail/*.rs and tests/ui/<code>/pass/*.rs, one idea each",
    find: |tree| {
        let codes = codes_in_source(tree);
        let mut findings = Vec::new();
        for (code, (path, line)) in codes.iter().filter(|(code, _)| is_told_by_the_compiler(code)) {
            for folder in ["fail", "pass"].map(|kind| format!("tests/ui/{code}/{kind}/")) {
                if !tree.below(&folder).any(|test| test.ends_with(".rs")) {
                    findings.push(Finding::new(path, *line, format!("{code} has no test in {folder}")));
                }
            }
        }
        for test in tree.below("tests/ui/") {
            let folder = test.split('/').nth(2).unwrap_or_default();
            if is_code(folder) && !codes.contains_key(folder) {
                findings.push(Finding::new(test, 1, format!("{folder} is not in the source of any crate")));
            }
        }
        findings
    },
};

/// Codes below WF100 are the compiler's, but for the check of the registry, which runs at start-up.
fn is_told_by_the_compiler(code: &str) -> bool {
    code.starts_with("WF0") && code != "WF070"
}

fn page_of(code: &str) -> String {
    format!("docs/errors/{code}.md")
}

/// Every code that is shipped, with the first place that names it.
fn codes_in_source(tree: &Tree) -> BTreeMap<&str, (&str, usize)> {
    let mut codes = BTreeMap::new();
    for (path, text) in tree.product() {
        for (line, text) in (1..).zip(text.lines()) {
            for code in text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| is_code(word)) {
                codes.entry(code).or_insert((path, line));
            }
        }
    }
    codes
}

fn is_code(word: &str) -> bool {
    word.strip_prefix("WF")
        .is_some_and(|digits| digits.len() == 3 && digits.bytes().all(|digit| digit.is_ascii_digit()))
}

#[test]
fn a_code_without_a_page_and_a_page_without_a_code_are_found() {
    let files = [
        (
            "workflow-macros/src/a.rs",
            "//! Checks.\n\"WF001: ..\"; \"see (WF002, docs)\"; \"WFnnn WF0001 XWF003\"",
        ),
        ("workflow-macros/tests/a.rs", "WF009"),
        ("docs/errors/WF001.md", ""),
        ("docs/errors/WF004.md", ""),
        ("docs/errors/README.md", ""),
    ];
    let expected = [
        "docs/errors/WF004.md:1: WF004 is not in the source of any crate",
        "workflow-macros/src/a.rs:2: WF002 has no page docs/errors/WF002.md",
    ];
    assert_eq!(PAGES.finds(&files), expected);
}

#[test]
fn a_code_without_ui_tests_is_found() {
    let files = [
        ("workflow-macros/src/a.rs", "WF001 WF002"),
        ("workflow-runtime/src/a.rs", "WF070 WF101"),
        ("tests/ui/WF001/fail/a.rs", ""),
        ("tests/ui/WF001/fail/a.stderr", ""),
        ("tests/ui/WF001/pass/a.rs", ""),
        ("tests/ui/WF002/fail/a.stderr", ""),
        ("tests/ui/WF003/pass/a.rs", ""),
    ];
    let expected = [
        "tests/ui/WF003/pass/a.rs:1: WF003 is not in the source of any crate",
        "workflow-macros/src/a.rs:1: WF002 has no test in tests/ui/WF002/fail/",
        "workflow-macros/src/a.rs:1: WF002 has no test in tests/ui/WF002/pass/",
    ];
    assert_eq!(UI_TESTS.finds(&files), expected);
}
