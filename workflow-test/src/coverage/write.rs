//! The files of the coverage: a part for each test, and the page, the JSON and the lcov made of all parts.
//! What they hold is told elsewhere; here is when they are written, and that nobody writes over another test's counts.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::Serialize;

use super::part::Part;
use super::{Coverage, Kind, Tally};

/// What the tests of this process have counted, by the files of their parts: explorations of one test add up.
static COUNTED: Mutex<BTreeMap<PathBuf, (Vec<Tally>, Scale)>> = Mutex::new(BTreeMap::new());

/// How much was explored.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Scale {
    pub(crate) executions: usize,
    pub(crate) crashes: usize,
}

/// What all tests have counted.
pub(super) struct Sum {
    pub(super) coverage: Coverage,
    pub(super) tests: Vec<String>,
    pub(super) scale: Scale,
}

impl Coverage {
    /// Adds what this test has counted to what others have, in a folder of this workflow below the given one. Gives
    /// the page.
    pub(crate) fn write(&self, folder: &Path, test: &str, scale: Scale) -> io::Result<PathBuf> {
        let folder = folder.join(file_name(self.workflow)).join(format!("v{}", self.version));
        let parts = folder.join("parts");
        fs::create_dir_all(&parts)?;
        // Tests run side by side, as threads and as processes: one after the other reads all parts and writes the page.
        let lock = File::create(folder.join(".lock"))?;
        lock.lock()?;
        let file = parts.join(format!("{}.json", file_name(test)));
        let (own, scale) = self.with_earlier(&file, scale);
        replace(&file, &Part::of(test, &own, scale).to_json())?;
        let sum = self.sum(&parts)?;
        replace(&folder.join("coverage.json"), &sum.to_json())?;
        replace(&folder.join("lcov.info"), &sum.coverage.lcov())?;
        let page = folder.join("index.html");
        replace(&page, &sum.page())?;
        Ok(page)
    }

    /// With what earlier explorations of the same test have counted.
    fn with_earlier(&self, file: &Path, scale: Scale) -> (Coverage, Scale) {
        let mut counted = COUNTED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut own = self.clone();
        let mut sum = scale;
        if let Some((tallies, earlier)) = counted.get(file) {
            own.add(tallies);
            sum.executions += earlier.executions;
            sum.crashes += earlier.crashes;
        }
        counted.insert(file.to_owned(), (own.tallies.clone(), sum));
        (own, sum)
    }

    /// Adds up all parts. Those that were counted in another graph are removed.
    fn sum(&self, parts: &Path) -> io::Result<Sum> {
        let mut coverage = self.clone();
        coverage.tallies = coverage.graphs.iter().map(|graph| Tally::of(graph)).collect();
        let mut sum = Sum { coverage, tests: Vec::new(), scale: Scale::default() };
        let files: Result<Vec<PathBuf>, io::Error> =
            fs::read_dir(parts)?.map(|entry| entry.map(|entry| entry.path())).collect();
        let mut files = files?;
        files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
        files.sort();
        for file in files {
            let Some((part, tallies)) = Part::read(&fs::read_to_string(&file)?, self) else {
                fs::remove_file(&file)?;
                continue;
            };
            sum.coverage.add(&tallies);
            sum.scale.executions += part.executions;
            sum.scale.crashes += part.crashes;
            sum.tests.push(part.test);
        }
        Ok(sum)
    }
}

#[derive(Serialize)]
struct Json<'a> {
    format: u32,
    workflow: &'a str,
    version: u32,
    tests: &'a [String],
    executions: usize,
    crashes: usize,
    totals: BTreeMap<&'static str, Total>,
    parts: Vec<JsonItem<'a>>,
}

#[derive(Serialize)]
struct Total {
    taken: usize,
    of: usize,
}

#[derive(Serialize)]
struct JsonItem<'a> {
    kind: &'static str,
    graph: &'a str,
    id: String,
    name: String,
    file: &'a str,
    line: u32,
    count: u64,
}

impl Sum {
    fn to_json(&self) -> String {
        let of_kind = |kind: Kind| self.coverage.items(kind);
        let total = |kind: Kind| {
            let items = of_kind(kind);
            Total { taken: items.iter().filter(|item| item.count > 0).count(), of: items.len() }
        };
        let json = Json {
            format: 1,
            workflow: self.coverage.workflow,
            version: self.coverage.version,
            tests: &self.tests,
            executions: self.scale.executions,
            crashes: self.scale.crashes,
            totals: Kind::ALL.into_iter().map(|kind| (kind.key(), total(kind))).collect(),
            parts: Kind::ALL
                .into_iter()
                .flat_map(of_kind)
                .map(|item| {
                    let graph = self.coverage.graphs[item.graph];
                    JsonItem {
                        kind: item.kind.key(),
                        graph: &graph.workflow,
                        id: item.id,
                        name: item.name,
                        file: &graph.source.file,
                        line: item.line,
                        count: item.count,
                    }
                })
                .collect(),
        };
        let mut text = serde_json::to_string_pretty(&json).expect("text and numbers are JSON");
        text.push('\n');
        text
    }
}

/// A name that every file system takes.
pub(crate) fn file_name(name: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' };
    let name = name.replace("::", "-").chars().map(plain).collect::<String>();
    if name.trim_matches('.').is_empty() { "unnamed".to_owned() } else { name }
}

/// Whoever reads the file meanwhile sees all of it, as it was or as it is.
pub(crate) fn replace(file: &Path, text: &str) -> io::Result<()> {
    let draft = file.with_extension(format!("{}.tmp", std::process::id()));
    fs::write(&draft, text)?;
    fs::rename(&draft, file)
}
