//! The guide and the other pages: all are listed, and their links lead somewhere.
//! Knows Markdown's links; must not know what the pages say.

use std::collections::BTreeSet;

use super::rule::{Finding, Rule};
use super::tree::Tree;

const SUMMARY: &str = "docs/SUMMARY.md";

pub(crate) const LISTED: Rule = Rule {
    demand: "every page below docs/ is listed in docs/SUMMARY.md",
    remedy: "add the line that is named here to the part of docs/SUMMARY.md where it belongs",
    find: |tree| {
        let links = links(tree.text(SUMMARY).unwrap_or_default());
        let listed: BTreeSet<_> = links.into_iter().filter_map(|(_, link)| resolved(SUMMARY, link)).collect();
        let pages = tree.below("docs/").filter(|page| page.ends_with(".md") && *page != SUMMARY);
        let unlisted = pages.filter(|page| !listed.contains(*page));
        unlisted.map(|page| Finding::new(page, 1, format!("is not listed: {}", line_for(page)))).collect()
    },
};

pub(crate) const LINKS: Rule = Rule {
    demand: "relative links in pages lead to files of the project",
    remedy: "correct the path; it starts from the folder of the page",
    find: |tree| {
        let mut findings = Vec::new();
        for (page, text) in tree.texts().filter(|(path, _)| path.ends_with(".md")) {
            for (line, link) in links(text) {
                if !leads_somewhere(tree, page, link) {
                    findings.push(Finding::new(page, line, format!("`{link}` leads nowhere")));
                }
            }
        }
        findings
    },
};

fn line_for(page: &str) -> String {
    let page = page.trim_start_matches("docs/");
    let name = page.rsplit('/').next().unwrap_or(page).trim_end_matches(".md");
    format!("- [{name}]({page})")
}

fn leads_somewhere(tree: &Tree, page: &str, link: &str) -> bool {
    let elsewhere = link.starts_with('#') || link.starts_with("mailto:") || link.contains("://");
    elsewhere || resolved(page, link).is_some_and(|path| tree.has(&path))
}

/// The path from the root that a relative link of a page leads to; `None` when it leaves the project.
fn resolved(page: &str, link: &str) -> Option<String> {
    let link = link.split('#').next().unwrap_or(link).trim_end_matches('/');
    let mut parts: Vec<&str> = page.split('/').collect();
    // A link that was only a fragment stays on the page.
    if !link.is_empty() {
        parts.pop();
    }
    for part in link.split('/').filter(|part| !matches!(*part, "" | ".")) {
        if part == ".." {
            parts.pop()?;
        } else {
            parts.push(part);
        }
    }
    Some(parts.join("/"))
}

/// The targets of all links of a page with their lines, without those in code.
fn links(text: &str) -> Vec<(usize, &str)> {
    let mut links = Vec::new();
    let mut in_code = false;
    for (line, text) in (1..).zip(text.lines()) {
        if text.trim_start().starts_with("```") {
            in_code = !in_code;
        } else if !in_code {
            links.extend(targets(text).into_iter().map(|target| (line, target)));
        }
    }
    links
}

fn targets(line: &str) -> Vec<&str> {
    // `[name]: target`, the definition of a link that is used elsewhere.
    if let Some((name, target)) = line.strip_prefix('[').and_then(|rest| rest.split_once("]: ")) {
        return if name.contains(']') { Vec::new() } else { vec![target.trim()] };
    }
    let mut targets = Vec::new();
    for (at, opening) in line.match_indices("](") {
        let is_code = line[..at].matches('`').count() % 2 == 1;
        let after = &line[at + opening.len()..];
        if let Some((target, _)) = after.split_once(')').filter(|_| !is_code) {
            // A title may follow: `(page.md "Title")`.
            targets.extend(target.split_whitespace().next());
        }
    }
    targets
}

#[test]
fn a_page_that_is_not_listed_is_found() {
    let files = [
        ("docs/SUMMARY.md", "[Introduction](introduction.md)\n- [WF001](./errors/WF001.md)"),
        ("docs/introduction.md", ""),
        ("docs/errors/WF001.md", ""),
        ("docs/errors/WF002.md", ""),
        ("README.md", ""),
    ];
    assert_eq!(LISTED.finds(&files), ["docs/errors/WF002.md:1: is not listed: - [WF002](errors/WF002.md)"]);
}

#[test]
fn a_guide_without_a_summary_lists_nothing() {
    assert_eq!(LISTED.finds(&[("docs/a.md", "")]), ["docs/a.md:1: is not listed: - [a](a.md)"]);
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    let page = "\
[a](../README.md) [b](errors/) [c](https://example.org/x) [d](#part) [e](errors/WF001.md#right 'Title')
`[no](link.md)` but [f](gone.md) ![g](../pictures/gone.svg)
```rust
let a = b[c](d.md);
```
[h]: ../../outside.md
";
    let files = [("docs/a.md", page), ("README.md", ""), ("docs/errors/WF001.md", "")];
    let expected = [
        "docs/a.md:2: `../pictures/gone.svg` leads nowhere",
        "docs/a.md:2: `gone.md` leads nowhere",
        "docs/a.md:6: `../../outside.md` leads nowhere",
    ];
    assert_eq!(LINKS.finds(&files), expected);
}
