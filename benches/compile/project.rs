//! The crates on the disk, and cargo run over them.
//! Knows files and processes; must not know what the code in them says.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::source::{self, Code, Kind};
use crate::{Macros, Task};

/// How long something took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Duration {
    /// Seconds on the clock.
    pub(crate) wall: f64,
    /// Seconds of computing, of all processors together; `None` where the system does not tell.
    pub(crate) busy: Option<f64>,
}

/// A cargo workspace of the measured crates, with a target folder of its own.
pub(crate) struct Project {
    root: PathBuf,
}

impl Project {
    /// Writes the crates. They are left behind, so that the next measurement finds the dependencies built.
    pub(crate) fn write(sizes: &[usize], macros: Macros) -> Result<Project, String> {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
        let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| repository.join("target"), PathBuf::from);
        let (folder, profile) = match macros {
            Macros::AsIs => ("compile-time", ""),
            Macros::Optimized => {
                ("compile-time-optimized", "\n[profile.dev.build-override]\nopt-level = 3\n")
            }
        };
        let project = Project { root: target.join(folder) };
        let mut members = Vec::new();
        for code in sizes.iter().flat_map(|&size| Code::of_size(size)) {
            members.push(format!("{:?}", code.crate_name()));
            project.put(code, "Cargo.toml", &manifest(code, repository))?;
            project.put(code, "src/lib.rs", &code.root())?;
            for index in 0..code.workflows {
                let module = format!("src/{}.rs", source::module_name(index));
                project.put(code, &module, &code.module(index, 10))?;
            }
        }
        let manifest =
            format!("[workspace]\nresolver = \"3\"\nmembers = [{}]\n{profile}", members.join(", "));
        write(&project.root.join("Cargo.toml"), &manifest)?;
        // The versions that this repository is tested with, where they are on this machine already.
        let lock = fs::read_to_string(repository.join("Cargo.lock")).map_err(|error| error.to_string())?;
        write(&project.root.join("Cargo.lock"), &lock)?;
        Ok(project)
    }

    /// Builds the crates once, each by itself: cargo chooses the features of the dependencies for what it builds.
    pub(crate) fn prepare(&self, sizes: &[usize], tasks: &[Task]) -> Result<(), String> {
        for code in sizes.iter().flat_map(|&size| Code::of_size(size)) {
            for task in tasks.iter().filter(|task| matches!(task, Task::Check | Task::Build)) {
                self.cargo(&[task.command(), "-p", &code.crate_name()])?;
            }
        }
        Ok(())
    }

    /// How long it takes; `round` makes the change differ from the one before.
    pub(crate) fn time(&self, task: Task, code: Code, round: usize) -> Result<Duration, String> {
        let name = code.crate_name();
        match task {
            Task::Check | Task::Build => self.cargo(&["clean", "-p", &name])?,
            Task::CheckChange | Task::BuildChange => {
                let limit = 100 * round + usize::from(task == Task::BuildChange);
                let module = format!("src/{}.rs", source::module_name(0));
                self.put(code, &module, &code.module(0, limit))?;
            }
        }
        let (began, busy) = (Instant::now(), busy());
        self.cargo(&[task.command(), "-p", &name])?;
        let wall = began.elapsed().as_secs_f64();
        Ok(Duration { wall, busy: crate::project::busy().zip(busy).map(|(now, then)| now - then) })
    }

    fn put(&self, code: Code, file: &str, text: &str) -> Result<(), String> {
        write(&self.root.join(code.crate_name()).join(file), text)
    }

    fn cargo(&self, arguments: &[&str]) -> Result<(), String> {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        // What cargo told this program, and what was set for other builds, is not meant for these crates.
        for (name, _) in env::vars_os() {
            let is_setting =
                name.to_str().is_some_and(|name| name.starts_with("CARGO_") && name != "CARGO_HOME");
            if is_setting || name == "RUSTFLAGS" {
                cargo.env_remove(name);
            }
        }
        let output = cargo
            .args(arguments)
            .arg("--quiet")
            .current_dir(&self.root)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("cargo cannot be started: {error}"))?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!("cargo {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr)))
    }
}

fn manifest(code: Code, repository: &Path) -> String {
    let own = match code.kind {
        Kind::Plain => "tokio = { version = \"1\", features = [\"macros\"] }\n".to_owned(),
        Kind::Durable => {
            format!("workflow-runtime = {{ path = {:?} }}\n", repository.join("workflow-runtime"))
        }
    };
    format!(
        "[package]\nname = \"{}\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n[dependencies]\n{own}\
         serde = {{ version = \"1\", features = [\"derive\"] }}\nthiserror = \"2\"\n",
        code.crate_name()
    )
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    let folder = path.parent().expect("every file lies in the project's folder");
    let written = fs::create_dir_all(folder).and_then(|()| fs::write(path, text));
    written.map_err(|error| format!("cannot write {}: {error}", path.display()))
}

/// Seconds that the processes have computed which this one has waited for, and those they waited for.
fn busy() -> Option<f64> {
    const TICKS_PER_SECOND: f64 = 100.0; // Linux tells it in these units everywhere.
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // Behind the name, which may hold anything, the third field is the first one; 16 and 17 are the children's.
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    let ticks = |field: usize| fields.get(field).and_then(|text| text.parse::<f64>().ok());
    Some((ticks(13)? + ticks(14)?) / TICKS_PER_SECOND)
}
