//! Which crate may depend on which, read from every Cargo.toml.
//! Knows the arrows of ARCHITECTURE.md; must not know what the crates do. Dependencies of tests are free.

use toml::{Table, Value};

use super::rule::{Finding, Rule};
use super::tree::Tree;

/// Each crate with those of ours that it may build on. A crate that is not listed may build on none.
const ALLOWED: [(&str, &[&str]); 7] = [
    ("workflow-graph", &[]),
    ("workflow-macros", &["workflow-graph", "workflow-bpmn"]),
    ("workflow-core", &["workflow-graph"]),
    ("workflow-runtime", &["workflow-graph", "workflow-core", "workflow-macros"]),
    ("workflow-bpmn", &["workflow-graph"]),
    ("workflow-test", &["workflow-graph", "workflow-core", "workflow-macros", "workflow-bpmn"]),
    ("cargo-workflow", &["workflow-graph"]),
];

pub(crate) const EDGES: Rule = Rule {
    demand: "imports go one way: graph <- macros, core, bpmn; graph, core, macros <- runtime and test; \
             bpmn <- macros and test",
    remedy: "move the shared part into the crate that both may see; a new arrow is a decision for ARCHITECTURE.md",
    find: |tree| {
        find_in_manifests(tree, |owner, dependency| {
            let allowed =
                ALLOWED.iter().find(|(name, _)| *name == owner).map_or(&[][..], |(_, allowed)| allowed);
            let ours = dependency.starts_with("workflow-");
            (ours && !allowed.contains(&dependency)).then(|| format!("`{owner}` depends on `{dependency}`"))
        })
    },
};

pub(crate) const GRAPH: Rule = Rule {
    demand: "workflow-graph has no dependencies",
    remedy: "write the few lines by hand, or put the feature into the crate that reads the graph",
    find: |tree| {
        find_in_manifests(tree, |owner, dependency| {
            (owner == "workflow-graph").then(|| format!("`workflow-graph` depends on `{dependency}`"))
        })
    },
};

/// Foreign crates with the only crates of ours that may build on them.
const FENCED: [(&str, &[&str]); 5] = [
    ("sqlx", &["workflow-runtime"]),
    ("rusqlite", &["workflow-runtime"]),
    ("tokio", &["workflow-runtime"]),
    ("rand", &["workflow-runtime"]),
    ("getrandom", &["workflow-runtime"]),
];

pub(crate) const FOREIGN: Rule = Rule {
    demand: "only workflow-runtime depends on the database, the async runtime and randomness",
    remedy: "take what you need as a value, or declare it under [dev-dependencies] when only tests need it",
    find: |tree| {
        find_in_manifests(tree, |owner, dependency| {
            let (_, owners) = FENCED.iter().find(|(fenced, _)| *fenced == dependency)?;
            (!owners.contains(&owner)).then(|| format!("`{owner}` depends on `{dependency}`"))
        })
    },
};

/// Asks about every dependency of every crate, except those of tests; `judge` says what is wrong with it.
fn find_in_manifests(tree: &Tree, judge: impl Fn(&str, &str) -> Option<String>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts().filter(|(path, _)| is_manifest(path)) {
        match text.parse::<Table>() {
            Ok(manifest) => {
                let owner =
                    manifest.get("package").and_then(|package| package.get("name")).and_then(Value::as_str);
                for (key, package) in dependencies(&manifest) {
                    if let Some(what) = judge(owner.unwrap_or_default(), package) {
                        findings.push(Finding::new(path, line_of(text, key), what));
                    }
                }
            }
            Err(error) => findings.push(Finding::new(path, 1, error.message())),
        }
    }
    findings
}

fn is_manifest(path: &str) -> bool {
    path == "Cargo.toml" || (path.ends_with("/Cargo.toml") && path.matches('/').count() == 1)
}

/// The key and the package of each dependency of the build, for every platform.
fn dependencies(manifest: &Table) -> Vec<(&str, &str)> {
    let mut tables = vec![manifest];
    if let Some(Value::Table(platforms)) = manifest.get("target") {
        tables.extend(platforms.values().filter_map(Value::as_table));
    }
    let mut found = Vec::new();
    for table in tables {
        for kind in ["dependencies", "build-dependencies"] {
            for (key, value) in table.get(kind).and_then(Value::as_table).into_iter().flatten() {
                found.push((key.as_str(), value.get("package").and_then(Value::as_str).unwrap_or(key)));
            }
        }
    }
    found
}

fn line_of(text: &str, key: &str) -> usize {
    let names_it = |line: &str| line.trim_start().starts_with(key) || line.ends_with(&format!(".{key}]"));
    text.lines().position(names_it).map_or(1, |index| index + 1)
}

#[cfg(test)]
fn manifest(name: &str, rest: &str) -> String {
    format!("[package]\nname = \"{name}\"\n{rest}")
}

#[test]
fn an_arrow_against_the_direction_is_found() {
    let graph = manifest("workflow-graph", "[dependencies]\nworkflow-core.workspace = true");
    let core = manifest("workflow-core", "[dependencies]\nworkflow-graph = \"0.1\"\nserde = \"1\"");
    let bpmn =
        manifest("workflow-bpmn", "[target.'cfg(unix)'.dependencies.core]\npackage = \"workflow-core\"");
    let test = manifest("workflow-test", "[dev-dependencies]\nworkflow-runtime = \"0.1\"");
    let files = [
        ("workflow-graph/Cargo.toml", graph.as_str()),
        ("workflow-core/Cargo.toml", &core),
        ("workflow-bpmn/Cargo.toml", &bpmn),
        ("workflow-test/Cargo.toml", &test),
    ];
    let expected = [
        "workflow-bpmn/Cargo.toml:3: `workflow-bpmn` depends on `workflow-core`",
        "workflow-graph/Cargo.toml:4: `workflow-graph` depends on `workflow-core`",
    ];
    assert_eq!(EDGES.finds(&files), expected);
}

#[test]
fn a_new_crate_of_ours_has_no_arrows_until_they_are_decided() {
    let server = manifest("workflow-server", "[dependencies]\nworkflow-runtime = \"0.1\"");
    let expected = ["workflow-server/Cargo.toml:4: `workflow-server` depends on `workflow-runtime`"];
    assert_eq!(EDGES.finds(&[("workflow-server/Cargo.toml", &server)]), expected);
}

#[test]
fn a_dependency_of_the_graph_is_found() {
    let graph =
        manifest("workflow-graph", "[build-dependencies]\ncc = \"1\"\n[dev-dependencies]\ninsta = \"1\"");
    let expected = ["workflow-graph/Cargo.toml:4: `workflow-graph` depends on `cc`"];
    assert_eq!(GRAPH.finds(&[("workflow-graph/Cargo.toml", &graph)]), expected);
}

#[test]
fn a_fenced_crate_elsewhere_is_found() {
    let core = manifest("workflow-core", "[dependencies]\nclock = { package = \"tokio\", version = \"1\" }");
    let runtime = manifest("workflow-runtime", "[dependencies]\nsqlx = \"0.9\"\ntokio = \"1\"");
    let files = [("workflow-core/Cargo.toml", core.as_str()), ("workflow-runtime/Cargo.toml", &runtime)];
    assert_eq!(FOREIGN.finds(&files), ["workflow-core/Cargo.toml:4: `workflow-core` depends on `tokio`"]);
}

#[test]
fn a_manifest_that_cannot_be_read_is_found() {
    assert_eq!(GRAPH.finds(&[("workflow-graph/Cargo.toml", "[package")]).len(), 1);
}
