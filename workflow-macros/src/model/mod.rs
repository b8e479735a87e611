//! An analyst's `.bpmn` file, read into the plain data that the compiler compares with the code.
//! It knows XML and BPMN, and nothing of Rust: what the file cannot give is said in words, for the macro to place.

mod elements;
mod order;
mod text;

use roxmltree::{Document, Node, ParsingOptions};
use workflow_graph::conform::{Element, Model, ROOM};

use text::{Lines, clean, decoded};

/// The namespace of BPMN 2.0, whatever prefix a file gives it.
const BPMN: &str = "http://www.omg.org/spec/BPMN/20100524/MODEL";

/// Largest file, in bytes, and most nodes of XML.
const LARGEST: usize = 16 << 20;
const MOST_NODES: u32 = 500_000;

/// Which process of which file.
pub(crate) struct Wanted<'a> {
    /// The file, as the author names it.
    pub(crate) file: &'a str,
    /// The id or name of the process, where the author says so.
    pub(crate) process: Option<&'a str>,
    /// What the workflow is called: a process of that name is meant when there are several.
    pub(crate) names: &'a [&'a str],
}

/// Reads one process of the file.
///
/// # Errors
/// What is wrong with the file, and what to do; to be told behind the code of the check.
pub(crate) fn read(bytes: &[u8], wanted: &Wanted<'_>) -> Result<Model, String> {
    let file = wanted.file;
    if bytes.len() > LARGEST {
        let most = LARGEST >> 20;
        return Err(format!("`{file}` is larger than {most} MiB; keep each process in a file of its own"));
    }
    let text = decoded(bytes).ok_or_else(|| format!("`{file}` is not UTF-8; save it as UTF-8"))?;
    let options = ParsingOptions { nodes_limit: MOST_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(&text, options).map_err(|error| match error {
        roxmltree::Error::DtdDetected => {
            format!("`{file}` has a document type declaration, which no BPMN file needs; remove the `<!DOCTYPE ..>`")
        }
        error => format!("`{file}` is not well-formed XML: {error}; save it anew with the modeller"),
    })?;
    let root = document.root_element();
    if !is(root, "definitions") {
        let found = root.tag_name().name();
        return Err(format!("`{file}` is not BPMN 2.0: it begins with `{found}`; export it as BPMN 2.0 XML"));
    }
    let lines = Lines::of(&text);
    let process = process(root, wanted, &lines)?;
    let drawing = elements::read(root, process, file, &lines)?;
    if drawing.elements.len() > ROOM {
        let count = drawing.elements.len();
        return Err(format!(
            "`{file}` draws {count} elements, more than the {ROOM} that can be compared; divide it into processes \
             that call each other"
        ));
    }
    let order = order::table(&drawing);
    let elements: Vec<Element> = drawing.elements.into_iter().map(|drawn| drawn.element).collect();
    Ok(Model {
        file: file.to_owned().into(),
        elements: elements.into(),
        order: order.into(),
        flows: drawing.flows.into(),
    })
}

/// Whether this is the element of BPMN with that name.
fn is(node: Node<'_, '_>, name: &str) -> bool {
    node.is_element() && node.tag_name().name() == name && node.tag_name().namespace() == Some(BPMN)
}

/// The elements of BPMN in this one, by their names.
fn children<'a, 'input>(
    node: Node<'a, 'input>,
) -> impl Iterator<Item = (&'input str, Node<'a, 'input>)> + use<'a, 'input> {
    let of_bpmn = |child: &Node<'a, 'input>| child.tag_name().namespace() == Some(BPMN);
    node.children().filter(Node::is_element).filter(of_bpmn).map(|child| (child.tag_name().name(), child))
}

/// A process that could be meant.
struct Candidate<'a, 'input> {
    node: Node<'a, 'input>,
    id: &'a str,
    /// Its own name, and that of its pool.
    names: Vec<String>,
}

impl Candidate<'_, '_> {
    fn is_called(&self, name: &str) -> bool {
        let letters = |text: &str| -> String {
            text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
        };
        self.id == name || self.names.iter().any(|other| letters(other) == letters(name))
    }
}

fn process<'a, 'input>(
    root: Node<'a, 'input>,
    wanted: &Wanted<'_>,
    lines: &Lines,
) -> Result<Node<'a, 'input>, String> {
    let file = wanted.file;
    let participants: Vec<(&str, &str)> = children(root)
        .filter(|(name, _)| *name == "collaboration")
        .flat_map(|(_, collaboration)| children(collaboration))
        .filter(|(name, _)| *name == "participant")
        .filter_map(|(_, pool)| Some((local(pool.attribute("processRef")?), pool.attribute("name")?)))
        .collect();
    let processes = children(root).filter(|(name, _)| *name == "process").map(|(_, process)| process);
    let mut candidates: Vec<Candidate<'_, '_>> = processes
        .map(|node| {
            let id = node.attribute("id").unwrap_or_default();
            let pools = participants.iter().filter(|(process, _)| *process == id).map(|(_, name)| *name);
            let names = node.attribute("name").into_iter().chain(pools).map(clean);
            Candidate { node, id, names: names.filter(|name| !name.is_empty()).collect() }
        })
        .collect();
    if candidates.is_empty() {
        return Err(format!("`{file}` has no process; name the file in which the process is drawn"));
    }
    // Tools write an empty process for the page itself, and for pools that nobody looks into.
    candidates.retain(|candidate| children(candidate.node).any(|(name, _)| elements::is_flow_node(name)));
    let listed: Vec<String> = candidates
        .iter()
        .map(|candidate| {
            let name = candidate.names.first().map_or_else(String::new, |name| format!(" (\"{name}\")"));
            format!("`{}`{name} in line {}", candidate.id, lines.of_node(candidate.node))
        })
        .collect();
    let listed = listed.join(", ");
    if let Some(process) = wanted.process {
        candidates.retain(|candidate| candidate.is_called(process));
        return match &candidates[..] {
            [one] => Ok(one.node),
            [] => Err(format!("`{file}` has no process `{process}`; it has {listed}")),
            _ => Err(format!("`{file}` has several processes `{process}`; name one by its id: {listed}")),
        };
    }
    if candidates.len() > 1 {
        let meant =
            |candidate: &&Candidate<'_, '_>| wanted.names.iter().any(|name| candidate.is_called(name));
        if let [one] = candidates.iter().filter(meant).collect::<Vec<_>>()[..] {
            return Ok(one.node);
        }
    }
    match &candidates[..] {
        [one] => Ok(one.node),
        [] => Err(format!(
            "nothing is drawn in the processes of `{file}`; name another file, or draw the process"
        )),
        _ => Err(format!("`{file}` has several processes; say which one with `process = \"..\"`: {listed}")),
    }
}

/// A reference without the prefix that some tools write before it.
fn local(reference: &str) -> &str {
    let reference = reference.trim();
    reference.rsplit_once(':').map_or(reference, |(_, local)| local)
}
