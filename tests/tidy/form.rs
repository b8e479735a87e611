//! The form of files: what they begin with, how long and how wide they are, and how they are named.
//! Knows lines and paths; must not know what the lines mean.

use super::rule::{Finding, Rule};

const MOST_LINES: usize = 500;
const MOST_CHARACTERS: usize = 120;

pub(crate) const MODULE_DOC: Rule = Rule {
    demand: "every Rust file begins with a `//!` line that says what it is for",
    remedy: "write the idea of the file in one sentence; if that takes two, it is two files",
    find: |tree| {
        let begins_with_doc = |text: &str| text.lines().next().is_some_and(|line| line.starts_with("//! "));
        let bare = tree.rust().filter(|(_, text)| !begins_with_doc(text));
        bare.map(|(path, _)| Finding::new(path, 1, "does not begin with `//! ..`")).collect()
    },
};

pub(crate) const LENGTH: Rule = Rule {
    demand: "no Rust file has more than 500 lines",
    remedy: "find the second idea in it and give it a file of its own",
    find: |tree| {
        let long = tree.rust().filter(|(_, text)| text.lines().count() > MOST_LINES);
        long.map(|(path, text)| Finding::new(path, MOST_LINES + 1, format!("{} lines", text.lines().count())))
            .collect()
    },
};

pub(crate) const WIDTH: Rule = Rule {
    demand: "no line of a Rust file has more than 120 characters",
    remedy: "wrap the comment, or split the text with a `\\` at the end of the line",
    find: |tree| {
        let mut findings = Vec::new();
        for (path, text) in tree.rust() {
            for (line, characters) in (1..).zip(text.lines().map(|line| line.chars().count())) {
                if characters > MOST_CHARACTERS {
                    findings.push(Finding::new(path, line, format!("{characters} characters")));
                }
            }
        }
        findings
    },
};

/// Words that fit everything, and so say nothing.
const EMPTY_NAMES: [&str; 9] =
    ["util", "utils", "common", "helper", "helpers", "misc", "manager", "shared", "stuff"];

pub(crate) const NAMES: Rule = Rule {
    demand: "no Rust file is named after nothing",
    remedy: "name the file after the idea in it",
    find: |tree| {
        let is_empty_name =
            |path: &str| path.split(['/', '.', '_', '-']).any(|word| EMPTY_NAMES.contains(&word));
        let empty = tree.rust().filter(|(path, _)| is_empty_name(path));
        empty.map(|(path, _)| Finding::new(path, 1, "the name says nothing")).collect()
    },
};

/// Folders that exist on somebody's machine only.
const MACHINE_FOLDERS: [&str; 4] = ["/work/", "/root/", "/home/", "/Users/"];

pub(crate) const MACHINE_PATHS: Rule = Rule {
    demand: "no file names a path of one machine",
    remedy: "write the path from the project's folder, or take it from the environment",
    find: |tree| {
        let mut findings = Vec::new();
        // This file names them to find them.
        for (path, text) in tree.texts().filter(|(path, _)| *path != "tests/tidy/form.rs") {
            for (line, text) in (1..).zip(text.lines()) {
                for folder in MACHINE_FOLDERS {
                    if names_folder(text, folder) {
                        findings.push(Finding::new(path, line, format!("names `{folder}`")));
                    }
                }
            }
        }
        findings
    },
};

/// Whether the line holds the folder at the beginning of a path, not inside of one such as `docs/work/a.md`.
fn names_folder(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|before| before.is_alphanumeric() || "_-.~})]>*".contains(before))
    })
}

#[test]
fn a_file_without_a_beginning_is_found() {
    let files =
        [("a.rs", "//! Turns a into b.\n"), ("b.rs", "use c;\n//! Late.\n"), ("c.rs", ""), ("d.md", "")];
    let expected = ["b.rs:1: does not begin with `//! ..`", "c.rs:1: does not begin with `//! ..`"];
    assert_eq!(MODULE_DOC.finds(&files), expected);
}

#[test]
fn a_long_file_is_found() {
    let files = [("a.rs", "\n".repeat(500)), ("b.rs", "\n".repeat(501)), ("c.md", "\n".repeat(501))];
    let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
    assert_eq!(LENGTH.finds(&files), ["b.rs:501: 501 lines"]);
}

#[test]
fn a_wide_line_is_found_by_its_characters_not_its_bytes() {
    let files = [("a.rs", format!("ok\n{}", "x".repeat(121))), ("b.rs", "\u{fc}".repeat(120))];
    let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
    assert_eq!(WIDTH.finds(&files), ["a.rs:2: 121 characters"]);
}

#[test]
fn an_empty_name_is_found() {
    let files =
        ["src/util.rs", "src/common/mod.rs", "src/lease_manager.rs", "src/communal.rs", "docs/common.md"];
    let expected = [
        "src/common/mod.rs:1: the name says nothing",
        "src/lease_manager.rs:1: the name says nothing",
        "src/util.rs:1: the name says nothing",
    ];
    assert_eq!(NAMES.finds(&files.map(|path| (path, ""))), expected);
}

#[test]
fn a_path_of_a_machine_is_found() {
    let files = [
        ("a.stderr", "ok\n --> /root/a/b.rs:3:1\n"),
        ("b.sh", "cd '/home/me/project'"),
        ("c.md", "docs/work/a.md, $HOME/work/b, ~/work/c, https://example.org/home/, /workflow/"),
    ];
    assert_eq!(MACHINE_PATHS.finds(&files), ["a.stderr:2: names `/root/`", "b.sh:1: names `/home/`"]);
}
