//! All diagrams of a project in one folder, with a page that shows them.
//! Which files there are and what they hold; `disk` writes and compares them, `page` is the page.

mod disk;
mod page;

use workflow_graph::Graph;

use crate::model::ids;
use crate::{Detail, Diff, Export, sound};

pub use disk::{Stale, VARIABLE};

/// The diagrams of several workflows, for a folder that is committed beside the code.
///
/// For each workflow there is a `.bpmn` and a `.svg` with everything, a `.business.svg` for people outside of the team,
/// and a `.parties.svg` where others take part; for the second and later versions of a workflow also what they draw
/// differently, `.diff.svg`. `index.html` shows all of them and needs nothing beside itself.
///
/// One test of the project keeps the folder in step with the code. `cargo test` then fails when a diagram is stale,
/// and `cargo workflow diagrams` writes them:
///
/// ```no_run
/// # use workflow_graph::Graph;
/// # fn graphs() -> Vec<Graph> { Vec::new() }
/// # let graphs = graphs();
/// // #[test]
/// fn workflow_diagrams() {
///     # let graphs = Vec::<Graph>::new();
///     // In your project: `Gallery::of([fulfil_order.graph(), renew.graph()])`
///     workflow_bpmn::Gallery::of(&graphs).keep("diagrams");
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Gallery<'a> {
    graphs: Vec<&'a Graph>,
    title: String,
    /// Workflows that have no diagram on purpose.
    left_out: Vec<String>,
}

/// One file of the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GalleryFile {
    /// Its name in the folder.
    pub name: String,
    /// What it holds.
    pub text: String,
}

/// The name of the page.
const INDEX: &str = "index.html";

impl<'a> Gallery<'a> {
    /// The diagrams of these workflows, ordered by name and version.
    ///
    /// # Panics
    ///
    /// If a graph, or that of a subflow, has [defects](Graph::defects), naming all of them.
    pub fn of(graphs: impl IntoIterator<Item = &'a Graph>) -> Gallery<'a> {
        let mut graphs: Vec<&Graph> = graphs.into_iter().map(sound).collect();
        graphs.sort_by(|a, b| (&a.workflow, a.version).cmp(&(&b.workflow, b.version)));
        graphs.dedup_by(|a, b| a.workflow == b.workflow && a.version == b.version);
        Gallery { graphs, title: "Workflows".to_owned(), left_out: Vec::new() }
    }

    /// What stands at the top of the page; "Workflows" unless told.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Gallery<'a> {
        self.title = title.into();
        self
    }

    /// Says that this workflow of the package has no diagram on purpose. `cargo workflow diagrams --check` fails when a
    /// workflow that has a lock is neither in a gallery nor left out of one.
    #[must_use]
    pub fn without(mut self, workflow: impl Into<String>) -> Gallery<'a> {
        self.left_out.push(workflow.into());
        self
    }

    /// All files, the page last.
    pub fn files(&self) -> Vec<GalleryFile> {
        let mut files = Vec::new();
        let mut entries = Vec::new();
        for (index, graph) in self.graphs.iter().enumerate() {
            let earlier = index.checked_sub(1).map(|earlier| self.graphs[earlier]);
            let earlier = earlier.filter(|earlier| earlier.workflow == graph.workflow);
            let entry = Entry::of(graph, earlier, self.stem(graph));
            files.extend(entry.files());
            entries.push(entry);
        }
        let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
        let text = page::write(&self.title, &entries, &names);
        files.push(GalleryFile { name: INDEX.to_owned(), text });
        files
    }

    /// The beginning of the names of its files. Other letters than those of ids may make two names alike.
    fn stem(&self, graph: &Graph) -> String {
        let slug = |graph: &Graph| ids::slug(&graph.workflow);
        let alike =
            self.graphs.iter().filter(|other| other.workflow < graph.workflow && slug(other) == slug(graph));
        let number = alike.map(|other| &other.workflow).collect::<std::collections::BTreeSet<_>>().len();
        let number = if number == 0 { String::new() } else { format!("_{}", number + 1) };
        let is_lone = self.graphs.iter().filter(|other| other.workflow == graph.workflow).count() == 1;
        let version = if is_lone { String::new() } else { format!("@{}", graph.version) };
        format!("{}{number}{version}", slug(graph))
    }
}

/// What the page shows of one version of a workflow.
struct Entry<'a> {
    graph: &'a Graph,
    stem: String,
    bpmn: String,
    /// Title, ending of the file, picture.
    pictures: Vec<(&'static str, &'static str, String)>,
}

impl<'a> Entry<'a> {
    fn of(graph: &'a Graph, earlier: Option<&Graph>, stem: String) -> Entry<'a> {
        let export = Export::of(graph);
        let mut pictures = vec![
            ("Overview", "business.svg", export.clone().detail(Detail::Business).svg()),
            ("Everything", "svg", export.svg()),
        ];
        let parties = export.clone().detail(Detail::Business).collaboration(true);
        if parties.has_parties() {
            pictures.push(("Who takes part", "parties.svg", parties.svg()));
        }
        let diff = earlier.map(|earlier| Diff::between(earlier, graph)).filter(|diff| !diff.is_empty());
        pictures.extend(diff.map(|diff| ("What this version changes", "diff.svg", diff.svg())));
        Entry { graph, stem, bpmn: export.xml(), pictures }
    }

    fn files(&self) -> Vec<GalleryFile> {
        let file = |ending: &str, text: &String| GalleryFile {
            name: format!("{}.{ending}", self.stem),
            text: text.clone(),
        };
        let pictures = self.pictures.iter().map(|(_, ending, svg)| file(ending, svg));
        std::iter::once(file("bpmn", &self.bpmn)).chain(pictures).collect()
    }
}
