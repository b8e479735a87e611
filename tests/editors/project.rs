//! A crate that uses the workflows, on the disk, and rust-analyzer looking at it: once for all tests of the process.
//! Knows cargo and the server's settings; must not know what is asked of it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use serde_json::{Value, json};

use super::client::{Client, uri};
use super::text::{Text, plain};

/// The two sides of the comparison, as modules of the crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The functions are steps, subflows and workflows.
    Durable,
    /// The very same text with ordinary async functions.
    Plain,
}

pub(crate) struct Editor {
    client: Client,
    folder: PathBuf,
}

/// The editor. One for all tests: the server takes longer to start than everything that is asked of it.
pub(crate) fn editor() -> MutexGuard<'static, Editor> {
    static EDITOR: OnceLock<Mutex<Editor>> = OnceLock::new();
    let editor = EDITOR.get_or_init(|| Mutex::new(Editor::open()));
    // A test that failed while it looked has left nothing half done.
    editor.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Editor {
    fn open() -> Editor {
        let server = server();
        // Not cargo's own target folder: the server's cargo would wait for the one that runs this test.
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("editors");
        let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
        let runtime = repository.join("workflow-runtime");
        let manifest = format!(
            r#"[package]
name = "shop"
version = "0.0.0"
edition = "2024"
publish = false

[workspace]

[dependencies]
workflow-runtime = {{ path = {runtime:?} }}
serde = {{ version = "1", features = ["derive"] }}
thiserror = "2"
tokio = {{ version = "1", features = ["macros"] }}
"#
        );
        write(&folder.join("Cargo.toml"), &manifest);
        // The versions that this repository is tested with, where they are on this machine already.
        fs::copy(repository.join("Cargo.lock"), folder.join("Cargo.lock")).expect("the lock file is there");
        write(&folder.join("src/lib.rs"), "//! Two sides of the same.\nmod durable;\nmod plain;\n");
        for side in [Side::Durable, Side::Plain] {
            write(&folder.join(side.file()), "");
        }
        let settings = json!({
            "procMacro": { "enable": true, "attributes": { "enable": true } },
            "cargo": {
                "buildScripts": { "enable": true },
                "targetDir": folder.join("target"),
                "sysrootSrc": env::var("WORKFLOW_RUST_SRC").ok(),
            },
            "checkOnSave": false,
            "cachePriming": { "enable": false },
        });
        let mut client = Client::start(server, &folder, &settings);
        client.wait_until_quiet();
        Editor { client, folder }
    }

    /// Shows the text on one side.
    pub(crate) fn show(&mut self, side: Side, text: &str) {
        let text = match side {
            Side::Durable => text.to_owned(),
            Side::Plain => plain(text),
        };
        self.client.show(&self.folder.join(side.file()), &text);
    }

    /// Shows the text with the cursor in it, and asks what could be typed there.
    pub(crate) fn completions(&mut self, side: Side, text: &Text) -> Vec<String> {
        self.show(side, &text.whole);
        let answer = self.ask(side, "completion", text, json!({}));
        let items = answer.get("items").unwrap_or(&answer).as_array().cloned().unwrap_or_default();
        items.iter().map(|item| item["label"].as_str().expect("an item has a label").to_owned()).collect()
    }

    /// Asks about the place of the cursor in a text that is shown on this side.
    pub(crate) fn ask(&mut self, side: Side, what: &str, text: &Text, mut more: Value) -> Value {
        let (line, character) = match side {
            Side::Durable => text.position(),
            Side::Plain => text.in_plain().position(),
        };
        more["position"] = json!({ "line": line, "character": character });
        self.client.ask(what, &self.folder.join(side.file()), more)
    }

    /// What the server itself finds wrong with what is shown on this side.
    pub(crate) fn diagnostics(&mut self, side: Side) -> Vec<Value> {
        let answer = self.client.ask("diagnostic", &self.folder.join(side.file()), json!({}));
        answer["items"].as_array().cloned().unwrap_or_default()
    }

    /// The address of one side's file.
    pub(crate) fn address(&self, side: Side) -> String {
        uri(&self.folder.join(side.file()))
    }
}

impl Side {
    fn file(self) -> &'static str {
        match self {
            Side::Durable => "src/durable.rs",
            Side::Plain => "src/plain.rs",
        }
    }
}

/// rust-analyzer of the toolchain that runs this test.
fn server() -> Command {
    let mut server = Command::new("rust-analyzer");
    // What cargo told this test is not meant for the cargo that the server runs.
    for (name, _) in env::vars_os() {
        let of_cargo = name.to_str().is_some_and(|name| name.starts_with("CARGO_") && name != "CARGO_HOME");
        if of_cargo || name == "RUSTFLAGS" {
            server.env_remove(name);
        }
    }
    let mut version = Command::new("rust-analyzer");
    let answers = version.arg("--version").output().is_ok_and(|output| output.status.success());
    assert!(
        answers,
        "rust-analyzer is missing, and without it nobody knows what editors make of a workflow: \
         run `rustup component add rust-analyzer rust-src`"
    );
    let has_sources = env::var_os("WORKFLOW_RUST_SRC").is_some() || standard_library().is_dir();
    assert!(
        has_sources,
        "the sources of the standard library are missing, and without them rust-analyzer knows no `Result`: \
         run `rustup component add rust-src`"
    );
    server
}

/// Where `rust-src` puts the standard library; `WORKFLOW_RUST_SRC` names another place, for toolchains without it.
fn standard_library() -> PathBuf {
    let output = Command::new("rustc").args(["--print", "sysroot"]).output().expect("rustc answers");
    let sysroot = String::from_utf8(output.stdout).expect("the toolchain's folder has a name in Unicode");
    Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library")
}

fn write(path: &Path, text: &str) {
    let folder = path.parent().expect("every file lies in the crate's folder");
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, text))
        .expect("the target folder can be written");
}
