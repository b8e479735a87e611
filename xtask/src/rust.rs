//! The stages that cargo runs: form, lints, documentation and tests of the whole workspace.
//! Knows cargo's words; must not know what is counted or shown.

use std::path::Path;

use anyhow::{Result, ensure};

use crate::outcome::TestRun;
use crate::postgres::TestServer;
use crate::process;
use crate::workspace::Workspace;

/// Variables that make tests rewrite what they should compare, and what they are set to for a blessing.
const BLESSING: [(&str, &str); 3] =
    [("WORKFLOW_BLESS", "1"), ("TRYBUILD", "overwrite"), ("INSTA_UPDATE", "always")];

/// Unit, integration and example tests. Not `--all-targets`, which would run the benchmarks too.
const TESTS: [&str; 7] =
    ["test", "--workspace", "--no-fail-fast", "--lib", "--bins", "--tests", "--examples"];

pub(crate) fn formatting(workspace: &Workspace) -> Result<()> {
    install_component(workspace, "fmt", "rustfmt")?;
    process::run(workspace.cargo().args(["fmt", "--all", "--check"]))
}

pub(crate) fn clippy(workspace: &Workspace) -> Result<()> {
    install_component(workspace, "clippy", "clippy")?;
    process::run(workspace.cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}

pub(crate) fn documentation(workspace: &Workspace) -> Result<()> {
    process::run(workspace.cargo().env("RUSTDOCFLAGS", "-D warnings").args([
        "doc",
        "--workspace",
        "--no-deps",
    ]))
}

/// Explorations leave what they find in the folder `scenarios`.
pub(crate) fn tests(workspace: &Workspace, server: &TestServer, scenarios: &Path) -> Result<TestRun> {
    install_editor(workspace)?;
    let mut cargo = workspace.cargo();
    // What is left over from a blessing in somebody's shell would let every comparison pass.
    for (name, _) in BLESSING {
        cargo.env_remove(name);
    }
    cargo.env(postgres_server::VARIABLE, server.url());
    process::run_tests(cargo.env("INSTA_UPDATE", "no").env("WORKFLOW_SCENARIOS", scenarios).args(TESTS))
}

pub(crate) fn doc_tests(workspace: &Workspace) -> Result<TestRun> {
    process::run_tests(workspace.cargo().args(["test", "--workspace", "--no-fail-fast", "--doc"]))
}

/// The same tests, but they rewrite their snapshots instead of comparing.
pub(crate) fn blessing_tests(workspace: &Workspace, server: &TestServer) -> Result<TestRun> {
    install_editor(workspace)?;
    process::run_tests(
        workspace.cargo().env(postgres_server::VARIABLE, server.url()).envs(BLESSING).args(TESTS),
    )
}

/// What cargo is asked to bench, one call after the other. Without arguments: the engine, and then the test kit; with
/// `explore` as the first one: the test kit; else the engine, unless they name another benchmark themselves.
pub(crate) fn bench(arguments: &[String]) -> Vec<Vec<String>> {
    let names_one =
        arguments.iter().take_while(|argument| *argument != "--").any(|argument| argument == "--bench");
    let call = |words: &[&str], arguments: &[String]| -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).chain(arguments.iter().cloned()).collect()
    };
    let engine = |own: &[String]| call(&["bench", "--bench", "engine", "--"], own);
    // Tests run in debug builds, so that is what their authors feel.
    let kit = |own: &[String]| {
        let debug = ["bench", "--profile", "dev", "--bench", "explore", "--"];
        vec![call(&["bench", "--bench", "explore", "--"], own), call(&debug, own)]
    };
    match arguments {
        _ if names_one => vec![call(&["bench"], arguments)],
        [] => std::iter::once(engine(&[])).chain(kit(&[])).collect(),
        [first, own @ ..] if first == "explore" => kit(own),
        [first, own @ ..] if first == "--" => vec![engine(own)],
        own => vec![engine(own)],
    }
}

/// A toolchain of the minimal profile lacks rustfmt and clippy.
fn install_component(workspace: &Workspace, subcommand: &str, component: &str) -> Result<()> {
    if process::answers(workspace.cargo().args([subcommand, "--version"])) {
        return Ok(());
    }
    add_component(workspace, &format!("cargo {subcommand}"), component)
}

/// `tests/editors.rs` drives rust-analyzer, which knows nothing without the sources of the standard library. What the
/// compiler says in `tests/ui` quotes these sources, too, as soon as they are there.
fn install_editor(workspace: &Workspace) -> Result<()> {
    if !process::answers(workspace.command("rust-analyzer").arg("--version")) {
        add_component(workspace, "rust-analyzer", "rust-analyzer")?;
    }
    let sysroot = process::text_of(workspace.command("rustc").args(["--print", "sysroot"]))?;
    if !Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library").is_dir() {
        add_component(workspace, "the source of the standard library", "rust-src")?;
    }
    Ok(())
}

fn add_component(workspace: &Workspace, missing: &str, component: &str) -> Result<()> {
    let rustup_is_there = process::answers(workspace.command("rustup").arg("--version"));
    ensure!(rustup_is_there, "`{missing}` is missing, and without rustup it cannot be installed from here");
    process::run(workspace.command("rustup").args(["component", "add", component]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_of_a_bench_are_those_of_the_engine_unless_another_is_named() {
        assert_eq!(calls("A B --rounds 3"), ["bench --bench engine -- A B --rounds 3"]);
        assert_eq!(calls("-- A --peers"), ["bench --bench engine -- A --peers"]);
        assert_eq!(calls("--bench compile -- --rounds 1"), ["bench --bench compile -- --rounds 1"]);
    }

    #[test]
    fn the_test_kit_is_benched_as_it_is_shipped_and_as_it_is_used() {
        let (release, debug) = ("bench --bench explore --", "bench --profile dev --bench explore --");
        assert_eq!(calls(""), ["bench --bench engine --", release, debug]);
        assert_eq!(calls("explore saga"), [format!("{release} saga"), format!("{debug} saga")]);
    }

    fn calls(line: &str) -> Vec<String> {
        let arguments: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        bench(&arguments).iter().map(|words| words.join(" ")).collect()
    }

    #[test]
    fn benchmarks_are_not_run_as_tests() {
        assert!(!TESTS.contains(&"--all-targets"));
        assert!(!TESTS.contains(&"--benches"));
    }
}
