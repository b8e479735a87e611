//! The page of a gallery: one file that needs no other, readable on light and dark screens.
//! It shows what it is given; which pictures there are is decided elsewhere.

use std::fmt::Write;

use super::Entry;
use crate::text;

const STYLE: &str = "
:root { color-scheme: light dark; --text: #22242a; --faint: #5d6470; --paper: #ffffff; --line: #d7dae0; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6e8ec; --faint: #a2a9b5; --paper: #16181d; --line: #363b45; }
}
body { font: 16px/1.5 Arial, 'Liberation Sans', Helvetica, sans-serif; color: var(--text); background: var(--paper);
  margin: 2rem auto; max-width: 1200px; padding: 0 1rem; }
nav ul { columns: 3 14rem; padding-left: 1.2rem; }
a { color: inherit; }
section { border-top: 1px solid var(--line); padding: 1rem 0 2rem; }
h2 { margin-bottom: 0; }
.facts { color: var(--faint); margin-top: .2rem; }
details > summary { cursor: pointer; padding: .4rem 0; }
.picture { overflow-x: auto; }
.picture img { max-width: none; border-radius: 8px; }
";

/// The page. What the names of the files are is kept in it, so that the next run can remove what is gone.
pub(super) fn write(title: &str, entries: &[Entry<'_>], files: &[&str]) -> String {
    let title = escaped(&text::one_line(title));
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"workflow-diagrams\" content=\"{}\">\n<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n\
         <body>\n<h1>{title}</h1>\n<nav><ul>\n",
        escaped(&files.join(" "))
    );
    for entry in entries {
        add(
            &mut page,
            format_args!("<li><a href=\"#{}\">{}</a></li>\n", escaped(&entry.stem), heading(entry)),
        );
    }
    page.push_str("</ul></nav>\n");
    for entry in entries {
        section(&mut page, entry);
    }
    page.push_str("</body>\n</html>\n");
    page
}

fn section(page: &mut String, entry: &Entry<'_>) {
    let graph = entry.graph;
    let stem = escaped(&entry.stem);
    add(page, format_args!("<section id=\"{stem}\">\n<h2>{}</h2>\n", heading(entry)));
    let mut facts = vec![format!("<code>{}</code>", escaped(&text::one_line(&graph.workflow)))];
    facts.push(format!("version {}", graph.version));
    if !graph.owner.is_empty() {
        facts.push(escaped(&text::one_line(&graph.owner)));
    }
    if graph.source != workflow_graph::Source::UNKNOWN {
        facts.push(escaped(&text::one_line(&graph.source.to_string())));
    }
    facts.push(format!("<a href=\"{stem}.bpmn\" download>BPMN file</a>"));
    add(page, format_args!("<p class=\"facts\">{}</p>\n", facts.join(" · ")));
    for paragraph in graph.documentation.split("\n\n").map(str::trim).filter(|text| !text.is_empty()) {
        add(page, format_args!("<p>{}</p>\n", escaped(&text::clean(paragraph))));
    }
    for (index, (title, ending, svg)) in entry.pictures.iter().enumerate() {
        let open = if index == 0 { " open" } else { "" };
        let alt = format!("{}: {}", text::one_line(&graph.label), title.to_lowercase());
        add(
            page,
            format_args!(
                "<details{open}><summary>{title} (<a href=\"{stem}.{ending}\">{ending}</a>)</summary>\n\
                 <div class=\"picture\"><img alt=\"{}\" src=\"data:image/svg+xml,{}\"></div></details>\n",
                escaped(&alt),
                encoded(svg)
            ),
        );
    }
    page.push_str("</section>\n");
}

fn heading(entry: &Entry<'_>) -> String {
    let label = text::one_line(&entry.graph.label);
    let name = if label.is_empty() { text::one_line(&entry.graph.workflow) } else { label };
    let is_lone = !entry.stem.contains('@');
    escaped(&if is_lone { name } else { format!("{name}, version {}", entry.graph.version) })
}

fn add(page: &mut String, text: std::fmt::Arguments<'_>) {
    page.write_fmt(text).expect("writing into memory cannot fail");
}

fn escaped(text: &str) -> String {
    let text = text::clean(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', "&#39;")
}

/// As an address holds it: what a browser would take for something else is written as its bytes.
fn encoded(svg: &str) -> String {
    let mut text = String::with_capacity(svg.len() * 5 / 4);
    for byte in svg.bytes() {
        match byte {
            b' ' | b'!' | b'(' | b')' | b'*' | b',' | b'-' | b'.' | b'/' | b':' | b';' | b'=' | b'_' => {
                text.push(byte.into());
            }
            byte if byte.is_ascii_alphanumeric() => text.push(byte.into()),
            byte => write!(text, "%{byte:02X}").expect("writing into memory cannot fail"),
        }
    }
    text
}
