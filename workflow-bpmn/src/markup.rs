//! Writes elements, attributes and text as well-formed XML in memory.
//! It knows neither BPMN nor SVG; escaping is left to `quick-xml`.

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use crate::palette;
use crate::text::clean;

/// An XML document that is being written.
pub(crate) struct Markup {
    writer: Writer<Vec<u8>>,
    open: Vec<&'static str>,
    /// The id of the part of a page that this is; all ids and classes in it are its own.
    part: Option<String>,
}

/// What stands before the classes of a part of a page, whose style sheet has classes too.
pub(crate) const CLASSES: &str = "bpmn-";

/// Attributes in the order in which they are written.
pub(crate) type Attributes<'a> = &'a [(&'a str, &'a str)];

impl Markup {
    /// Starts a document.
    pub(crate) fn new() -> Markup {
        let writer = Writer::new_with_indent(Vec::new(), b' ', 2);
        let mut markup = Markup { writer, open: Vec::new(), part: None };
        markup.write(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)));
        markup
    }

    /// Starts a part of a page, on one line: no id and no class in it is that of something else there, and its colours
    /// are variables. An empty id is that of the whole part.
    pub(crate) fn part_of_page(id: &str) -> Markup {
        Markup { writer: Writer::new(Vec::new()), open: Vec::new(), part: Some(id.to_owned()) }
    }

    /// Begins an element; [`Markup::close`] ends it.
    pub(crate) fn open(&mut self, name: &'static str, attributes: Attributes<'_>) {
        self.write(Event::Start(self.start(name, attributes)));
        self.open.push(name);
    }

    /// Ends the element that was begun last.
    pub(crate) fn close(&mut self) {
        if let Some(name) = self.open.pop() {
            self.write(Event::End(BytesEnd::new(name)));
        }
    }

    /// An element without content.
    pub(crate) fn empty(&mut self, name: &'static str, attributes: Attributes<'_>) {
        self.write(Event::Empty(self.start(name, attributes)));
    }

    /// An element that contains text only.
    pub(crate) fn text(&mut self, name: &'static str, attributes: Attributes<'_>, text: &str) {
        self.write(Event::Start(self.start(name, attributes)));
        self.write(Event::Text(BytesText::new(&clean(text))));
        self.write(Event::End(BytesEnd::new(name)));
    }

    /// The whole document.
    pub(crate) fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.close();
        }
        let mut text = String::from_utf8(self.writer.into_inner()).expect("only text was written");
        text.push('\n');
        text
    }

    fn write(&mut self, event: Event<'_>) {
        self.writer.write_event(event).expect("writing into memory cannot fail");
    }

    fn start<'a>(&self, name: &'a str, attributes: Attributes<'_>) -> BytesStart<'a> {
        let mut start = BytesStart::new(name);
        for (key, value) in attributes {
            let value = match &self.part {
                None => clean(value),
                Some(part) => clean(&in_part(part, key, value)),
            };
            start.push_attribute((*key, value.as_str()));
        }
        start
    }
}

/// What an attribute says in a part of a page.
fn in_part(part: &str, key: &str, value: &str) -> String {
    match key {
        "id" if value.is_empty() => part.to_owned(),
        "id" => format!("{part}-{value}"),
        "class" => value.split(' ').map(|class| format!("{CLASSES}{class}")).collect::<Vec<_>>().join(" "),
        "marker-end" => value.replace("url(#", &format!("url(#{part}-")),
        "fill" | "stroke" => palette::as_variable(value),
        _ => value.to_owned(),
    }
}
