//! `cargo workflow`: writes the locks and the diagrams of a project's workflows, or compares them, and explains errors.
//! It runs the project's own tests and tells what they found; what fits, and how it is drawn, is decided elsewhere.

mod arguments;
mod diagrams;
mod explain;
mod lock;
mod report;
mod retire;

use std::process::ExitCode;

use arguments::Task;

fn main() -> ExitCode {
    let task = match Task::from_arguments(std::env::args().skip(1)) {
        Ok(task) => task,
        Err(error) => {
            eprintln!("error: {error}\n\n{}", arguments::USAGE);
            return ExitCode::from(2);
        }
    };
    let done = match task {
        Task::Help => {
            println!("{}", arguments::USAGE);
            Ok(true)
        }
        Task::Retire(what) => retire::retire(std::path::Path::new("."), &what).map(|told| {
            println!("{told}");
            true
        }),
        Task::Lock(request) => lock::lock(&request),
        Task::Diagrams(request) => diagrams::diagrams(&request),
        Task::Explain(code) => Ok(explain::explain(code.as_deref())),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
