//! What a rule is, and how it tells a person what to do.
//! Knows trees and findings; must not know any rule.

use std::fmt;

use super::tree::Tree;

pub(crate) struct Rule {
    /// What must be true, as a sentence.
    pub(crate) demand: &'static str,
    /// What to do about a finding.
    pub(crate) remedy: &'static str,
    pub(crate) find: fn(&Tree) -> Vec<Finding>,
}

/// One place that breaks a rule.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    path: String,
    line: usize,
    what: String,
}

impl Finding {
    /// Lines count from one.
    pub(crate) fn new(path: &str, line: usize, what: impl Into<String>) -> Finding {
        Finding { path: path.to_owned(), line, what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

impl Rule {
    /// Asserts that the project obeys the rule; the text of the failure lists every place.
    #[track_caller]
    pub(crate) fn holds(&self) {
        let findings = self.findings_in(Tree::project());
        assert!(findings.is_empty(), "{}", self.failure(&findings));
    }

    /// Every place of a tree that breaks the rule, sorted, as `path:line: what`.
    pub(crate) fn findings_in(&self, tree: &Tree) -> Vec<String> {
        let mut findings = (self.find)(tree);
        findings.sort();
        findings.iter().map(Finding::to_string).collect()
    }

    /// The same for a tree that is made up in a test.
    pub(crate) fn finds(&self, files: &[(&str, &str)]) -> Vec<String> {
        self.findings_in(&Tree::made_up(files))
    }

    fn failure(&self, findings: &[String]) -> String {
        format!("{}\n\n  {}\n\nremedy: {}\n", self.demand, findings.join("\n  "), self.remedy)
    }
}

#[test]
fn a_failure_names_the_demand_the_places_and_the_remedy() {
    let rule = Rule {
        demand: "nobody shouts",
        remedy: "speak softly",
        find: |tree| tree.texts().map(|(path, _)| Finding::new(path, 3, "a shout")).collect(),
    };
    let findings = rule.finds(&[("b.rs", ""), ("a.rs", "")]);
    assert_eq!(findings, ["a.rs:3: a shout", "b.rs:3: a shout"]);
    let failure = "nobody shouts\n\n  a.rs:3: a shout\n  b.rs:3: a shout\n\nremedy: speak softly\n";
    assert_eq!(rule.failure(&findings), failure);
}
