//! Nodes and flows as one text each, which the compiler reads back while it evaluates a constant: a literal is one
//! token, where a call for each would be hundreds that are expanded, resolved and lowered again in every build.
//! What only types can tell stands beside the text. It must not know what the nodes mean.
//!
//! Each line is a node or a flow. A number ends with a space, a text follows its length: `0 1 a3:yes 5:large `.

use std::borrow::Cow;
use std::fmt::Write;
use std::mem;

use crate::{Flow, FlowKind, Instances, Node, NodeIndex, NodeKind, Outcome, Span, Text, Thrown};

/// The flows as text.
pub fn write_flows(flows: &[Flow]) -> String {
    let mut text = String::new();
    for flow in flows {
        number(&mut text, flow.from);
        number(&mut text, flow.to);
        match &flow.kind {
            FlowKind::Next => text.push('.'),
            FlowKind::Timeout => text.push('t'),
            FlowKind::Error { variant, label } => texts(&mut text, 'e', &[variant, label]),
            FlowKind::Answer { label, condition, default } => {
                texts(&mut text, if *default { 'o' } else { 'a' }, &[label, condition]);
            }
        }
        text.push('\n');
    }
    text
}

/// The nodes as text, all but the kinds of those that are given beside it.
pub fn write_nodes(nodes: &[Node], is_given: impl Fn(NodeIndex) -> bool) -> String {
    let mut text = String::new();
    for (index, node) in nodes.iter().enumerate() {
        match &node.kind {
            _ if is_given(index) => text.push('='),
            NodeKind::End(Outcome::Failure) => match &node.thrown {
                Thrown::Arriving => text.push('F'),
                Thrown::Variant(variant) => texts(&mut text, 'V', &[variant]),
                Thrown::Unknown => text.push('U'),
            },
            kind => write_kind(&mut text, kind),
        }
        texts(&mut text, ' ', &[&node.id, &node.label]);
        number(&mut text, node.line);
        number(&mut text, node.guard);
        number(&mut text, node.scope.map_or(0, |scope| scope + 1));
        match &node.instances {
            None => text.push('.'),
            Some(Instances { limit, fails_fast }) => {
                texts(&mut text, if *fails_fast { 'f' } else { 'a' }, &[limit]);
            }
        }
        text.push('\n');
    }
    text
}

fn write_kind(text: &mut String, kind: &NodeKind) {
    match kind {
        NodeKind::Timer(Span { iso, text: told }) => texts(text, 't', &[iso, told]),
        NodeKind::TimerAt { text: told } => texts(text, 'u', &[told]),
        NodeKind::Decision { question } => texts(text, 'd', &[question]),
        NodeKind::VersionSwitch { patch } => texts(text, 'v', &[patch]),
        NodeKind::Block => text.push('b'),
        NodeKind::Fork => text.push('f'),
        NodeKind::Join => text.push('j'),
        NodeKind::Race => text.push('r'),
        NodeKind::Compensate => text.push('c'),
        NodeKind::Merge => text.push('m'),
        NodeKind::End(Outcome::Success) => text.push('S'),
        NodeKind::End(Outcome::Continued) => text.push('C'),
        NodeKind::Start => text.push('s'),
        NodeKind::End(Outcome::Failure) => unreachable!("it is written with what it throws"),
        NodeKind::Step(_)
        | NodeKind::Receive { .. }
        | NodeKind::Send { .. }
        | NodeKind::Child(_)
        | NodeKind::Subflow(_) => unreachable!("only types tell what it is, so it is given"),
    }
}

fn number(text: &mut String, number: impl std::fmt::Display) {
    write!(text, "{number} ").expect("a string takes all that is written");
}

fn texts(text: &mut String, letter: char, all: &[&str]) {
    text.push(letter);
    for one in all {
        write!(text, "{}:{one} ", one.len()).expect("a string takes all that is written");
    }
}

/// The flows that [`write_flows`] has written.
pub const fn flows<const N: usize>(text: &'static str) -> [Flow; N] {
    let mut flows = [const { Flow::new(0, 0, FlowKind::Next) }; N];
    let mut reader = Reader::of(text);
    let mut index = 0;
    while index < N {
        let (from, to) = (reader.number(), reader.number());
        let kind = match reader.letter() {
            b'.' => FlowKind::Next,
            b't' => FlowKind::Timeout,
            b'e' => FlowKind::Error { variant: reader.text(), label: reader.text() },
            letter => {
                FlowKind::Answer { label: reader.text(), condition: reader.text(), default: letter == b'o' }
            }
        };
        reader.end_line();
        // A constant cannot drop what was there.
        mem::forget(mem::replace(&mut flows[index], Flow::new(from as usize, to as usize, kind)));
        index += 1;
    }
    flows
}

/// The nodes that [`write_nodes`] has written, with the kinds that are given, in their order.
pub const fn nodes<const N: usize, const GIVEN: usize>(
    text: &'static str,
    mut given: [NodeKind; GIVEN],
) -> [Node; N] {
    let mut nodes = [const { BLANK }; N];
    let mut reader = Reader::of(text);
    let (mut index, mut taken) = (0, 0);
    while index < N {
        let mut thrown = Thrown::Arriving;
        let kind = match reader.letter() {
            b'=' => {
                taken += 1;
                mem::replace(&mut given[taken - 1], NodeKind::Merge)
            }
            letter @ (b'V' | b'U') => {
                let told = if letter == b'V' { Thrown::Variant(reader.text()) } else { Thrown::Unknown };
                mem::forget(mem::replace(&mut thrown, told));
                NodeKind::End(Outcome::Failure)
            }
            letter => reader.kind(letter),
        };
        reader.letter();
        let id = reader.text();
        let label = reader.text();
        let (line, guard, scope) = (reader.number(), reader.number(), reader.number());
        let instances = match reader.letter() {
            b'.' => None,
            letter => Some(Instances { limit: reader.text(), fails_fast: letter == b'f' }),
        };
        reader.end_line();
        let scope = if scope == 0 { None } else { Some(scope as usize - 1) };
        let node = Node { id, kind, label, line: line as u32, scope, guard, instances, thrown };
        mem::forget(mem::replace(&mut nodes[index], node));
        index += 1;
    }
    mem::forget(given);
    nodes
}

const BLANK: Node = Node {
    id: Cow::Borrowed(""),
    kind: NodeKind::Merge,
    label: Cow::Borrowed(""),
    line: 0,
    scope: None,
    guard: 0,
    instances: None,
    thrown: Thrown::Arriving,
};

/// A place in the text. A constant pays for each call of a function, so that none is made for a letter of a number, nor
/// for a text that is empty, as most labels are.
struct Reader {
    text: &'static str,
    bytes: &'static [u8],
    at: usize,
}

impl Reader {
    const fn of(text: &'static str) -> Reader {
        Reader { text, bytes: text.as_bytes(), at: 0 }
    }

    const fn letter(&mut self) -> u8 {
        self.at += 1;
        self.bytes[self.at - 1]
    }

    /// A number and what ends it.
    const fn number(&mut self) -> u64 {
        let (mut number, mut at) = (0, self.at);
        while let digit @ b'0'..=b'9' = self.bytes[at] {
            number = 10 * number + (digit - b'0') as u64;
            at += 1;
        }
        self.at = at + 1;
        number
    }

    const fn text(&mut self) -> Text {
        let length = self.number() as usize;
        if length == 0 {
            self.at += 1;
            return Cow::Borrowed("");
        }
        let (text, _) = self.text.split_at(self.at).1.split_at(length);
        self.at += length + 1;
        Cow::Borrowed(text)
    }

    const fn kind(&mut self, letter: u8) -> NodeKind {
        match letter {
            b't' => NodeKind::Timer(Span { iso: self.text(), text: self.text() }),
            b'u' => NodeKind::TimerAt { text: self.text() },
            b'd' => NodeKind::Decision { question: self.text() },
            b'v' => NodeKind::VersionSwitch { patch: self.text() },
            b'b' => NodeKind::Block,
            b'f' => NodeKind::Fork,
            b'j' => NodeKind::Join,
            b'r' => NodeKind::Race,
            b'c' => NodeKind::Compensate,
            b'm' => NodeKind::Merge,
            b'S' => NodeKind::End(Outcome::Success),
            b'F' => NodeKind::End(Outcome::Failure),
            b'C' => NodeKind::End(Outcome::Continued),
            b's' => NodeKind::Start,
            _ => panic!("the text of the nodes was not written by `write_nodes`"),
        }
    }

    const fn end_line(&mut self) {
        assert!(
            self.letter() == b'\n',
            "the text of the graph was not written by this version of the macros"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_kind(kind: NodeKind) -> Node {
        Node { line: 12, ..Node::new("größe_2", kind) }
    }

    #[test]
    fn flows_are_read_as_they_were_written() {
        let texts = || ("größer als 5:\n\"x\" ".into(), Cow::Borrowed(""));
        let answer = |default| {
            let (condition, label) = texts();
            FlowKind::Answer { label, condition, default }
        };
        let (variant, label) = texts();
        let kinds = [
            FlowKind::Next,
            FlowKind::Timeout,
            FlowKind::Error { variant, label },
            answer(true),
            answer(false),
        ];
        let flows: Vec<Flow> = kinds.into_iter().map(|kind| Flow::new(3, 1_234, kind)).collect();
        let text: &'static str = write_flows(&flows).leak();
        assert_eq!(super::flows::<5>(text).to_vec(), flows);
    }

    #[test]
    fn nodes_are_read_as_they_were_written() {
        let text = || Text::from("In 5 Tagen:\n?");
        let mut nodes: Vec<Node> = [
            NodeKind::Start,
            NodeKind::Timer(Span { iso: "P5D".into(), text: text() }),
            NodeKind::TimerAt { text: text() },
            NodeKind::Decision { question: text() },
            NodeKind::VersionSwitch { patch: text() },
            NodeKind::Block,
            NodeKind::Fork,
            NodeKind::Join,
            NodeKind::Race,
            NodeKind::Compensate,
            NodeKind::Merge,
            NodeKind::Send { message: "given".into(), publishes: true },
            NodeKind::End(Outcome::Success),
            NodeKind::End(Outcome::Failure),
            NodeKind::End(Outcome::Continued),
            NodeKind::End(Outcome::Failure),
            NodeKind::End(Outcome::Failure),
        ]
        .map(of_kind)
        .to_vec();
        nodes[1].scope = Some(0);
        nodes[2].guard = u64::MAX;
        nodes[3].label = text();
        nodes[11].instances = Some(Instances { limit: "4".into(), fails_fast: true });
        nodes[12].instances = Some(Instances { limit: text(), fails_fast: false });
        nodes[15].thrown = Thrown::Variant(text());
        nodes[16].thrown = Thrown::Unknown;
        let text: &'static str = write_nodes(&nodes, |node| node == 11).leak();
        let given = [nodes[11].kind.clone()];
        assert_eq!(super::nodes::<17, 1>(text, given).to_vec(), nodes);
    }

    #[test]
    fn a_constant_can_read_them() {
        const FLOWS: [Flow; 2] = flows("0 1 .\n1 2 a3:yes 5:large \n");
        const NODES: [Node; 2] = nodes("s 5:begun 0: 1 0 0 .\n= 4:rest 0: 2 0 0 .\n", [NodeKind::Merge]);
        assert_eq!((FLOWS[1].to, NODES[1].line), (2, 2));
    }
}
