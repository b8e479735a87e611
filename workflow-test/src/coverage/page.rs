//! The coverage as a page: the picture with what was taken, the gaps with their lines, and all counts.
//! One file that needs no server, no script and nothing from elsewhere; it repeats in words what colours say.

use std::fmt::Write;

use workflow_bpmn::Export;

use super::marks::times;
use super::write::Sum;
use super::{Item, Kind};

const STYLE: &str = include_str!("page.css");

impl Sum {
    pub(super) fn page(&self) -> String {
        let graph = self.coverage.graphs[0];
        let mut page = String::new();
        self.write_page(&mut page, graph).expect("writing into memory cannot fail");
        page
    }

    fn write_page(&self, page: &mut String, graph: &workflow_graph::Graph) -> std::fmt::Result {
        let title = escape(&graph.label);
        let (workflow, version) = (escape(self.coverage.workflow), self.coverage.version);
        writeln!(page, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">")?;
        writeln!(page, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")?;
        writeln!(page, "<meta name=\"color-scheme\" content=\"light dark\">")?;
        writeln!(page, "<title>{title}: coverage</title>\n</head>\n<body>\n<main>")?;
        writeln!(page, "<h1>{title}</h1>")?;
        let source = escape(&graph.source.to_string());
        let (tests, executions, crashes) = (self.tests.len(), self.scale.executions, self.scale.crashes);
        writeln!(
            page,
            "<p class=\"sub\"><code>{workflow}</code>, version {version}, {source}<br>{}, {}, {}</p>",
            number(tests, "test"),
            number(executions, "execution"),
            if crashes == 1 { "1 crash".to_owned() } else { format!("{crashes} crashes") },
        )?;
        self.write_totals(page)?;
        let export = Export::of(graph);
        let highlights = self.coverage.highlights(&export.diagram());
        let svg = export.highlights(&highlights).svg();
        let svg = svg.split_once("?>").map_or(svg.as_str(), |(_, rest)| rest.trim_start());
        writeln!(page, "<h2>Diagram</h2>\n{}", legend())?;
        writeln!(page, "<div class=\"picture\" tabindex=\"0\">\n{svg}</div>")?;
        // Behind the style sheet of the picture, which it overrules.
        writeln!(page, "<style>\n{STYLE}</style>")?;
        self.write_gaps(page)?;
        self.write_counts(page)?;
        writeln!(page, "<h2>Tests</h2>\n<ul>")?;
        for test in &self.tests {
            writeln!(page, "<li><code>{}</code></li>", escape(test))?;
        }
        writeln!(page, "</ul>\n</main>\n</body>\n</html>")
    }

    fn write_totals(&self, page: &mut String) -> std::fmt::Result {
        writeln!(page, "<table class=\"totals\">")?;
        writeln!(
            page,
            "<tr><th scope=\"col\">Part</th><th scope=\"col\">Taken</th><th scope=\"col\">Share</th></tr>"
        )?;
        for kind in Kind::ALL {
            let items = self.coverage.items(kind);
            if items.is_empty() {
                continue;
            }
            let taken = items.iter().filter(|item| item.count > 0).count();
            let percent = taken * 100 / items.len();
            let (name, of) = (capital(kind.name()), items.len());
            let class = if taken == of { "all" } else { "some" };
            writeln!(
                page,
                "<tr class=\"{class}\"><th scope=\"row\">{name}</th><td>{taken} of {of}</td><td><span class=\"bar\">\
                 <span style=\"width: {percent}%\"></span></span> {percent}%</td></tr>"
            )?;
        }
        writeln!(page, "</table>")
    }

    fn write_gaps(&self, page: &mut String) -> std::fmt::Result {
        writeln!(page, "<h2>Gaps</h2>")?;
        if self.scale.crashes == 0 {
            writeln!(page, "<p>No run was crashed; <code>.crash_at_every_write()</code> does that.</p>")?;
        }
        // Errors and timers are flows, and would be named twice.
        let kinds = [Kind::Nodes, Kind::Flows, Kind::Compensations, Kind::CrashPoints];
        let is_told = |kind: &Kind| *kind != Kind::CrashPoints || self.scale.crashes > 0;
        let gaps: Vec<String> = kinds
            .into_iter()
            .filter(is_told)
            .flat_map(|kind| self.coverage.items(kind))
            .filter(|item| item.count == 0)
            .map(|item| self.coverage.gap(&item))
            .collect();
        if gaps.is_empty() {
            return writeln!(page, "<p>None: every part of the diagram was taken.</p>");
        }
        writeln!(page, "<ul class=\"gaps\">")?;
        for gap in gaps {
            writeln!(page, "<li>{}</li>", code(&gap))?;
        }
        writeln!(page, "</ul>")
    }

    fn write_counts(&self, page: &mut String) -> std::fmt::Result {
        writeln!(page, "<h2>Counts</h2>")?;
        for kind in Kind::ALL {
            let items = self.coverage.items(kind);
            if items.is_empty() {
                continue;
            }
            writeln!(page, "<details>\n<summary>{}</summary>\n<table>", capital(kind.name()))?;
            for item in &items {
                self.write_count(page, item)?;
            }
            writeln!(page, "</table>\n</details>")?;
        }
        Ok(())
    }

    fn write_count(&self, page: &mut String, item: &Item) -> std::fmt::Result {
        let place = self.coverage.place(item);
        let place = escape(place.trim().trim_start_matches('(').trim_end_matches(')'));
        let (class, count) =
            if item.count == 0 { ("never", "never".to_owned()) } else { ("", times(item.count)) };
        let name = code(&item.name);
        writeln!(page, "<tr class=\"{class}\"><td>{name}</td><td>{place}</td><td>{count}</td></tr>")
    }
}

fn legend() -> &'static str {
    "<p class=\"legend\"><span class=\"key taken-key\">✓</span> taken, with how often \
     <span class=\"key missed-key\">?</span> never taken: broken lines. Point at an element for its counts.</p>"
}

fn number(of: usize, what: &str) -> String {
    if of == 1 { format!("1 {what}") } else { format!("{of} {what}s") }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// What stands between backticks is code.
fn code(text: &str) -> String {
    let mut html = String::new();
    for (number, piece) in text.split('`').enumerate() {
        if number % 2 == 1 {
            html.push_str(&format!("<code>{}</code>", escape(piece)));
        } else {
            html.push_str(&escape(piece));
        }
    }
    html
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
