//! `cargo xtask`: sets the machine up and runs what the project checks, blesses, measures and draws.
//! Knows the tools and the order of the stages; must not know what a workflow is.

mod bpmn;
mod examples;
mod outcome;
mod postgres;
mod process;
mod report;
mod rust;
mod task;
mod tools;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;

use crate::outcome::Outcome;
use crate::report::Report;
use crate::task::Task;
use crate::workspace::Workspace;

fn main() -> ExitCode {
    let task = match Task::from_arguments(std::env::args().skip(1)) {
        Ok(task) => task,
        Err(error) => {
            eprintln!("error: {error}\n\n{}", task::USAGE);
            return ExitCode::from(2);
        }
    };
    match perform(task) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether everything the task did went well.
fn perform(task: Task) -> Result<bool> {
    let workspace = Workspace::of_this_run()?;
    match task {
        Task::Help => {
            println!("{}", task::USAGE);
            Ok(true)
        }
        Task::Test => Ok(finish(&test(&workspace))),
        Task::Bless => Ok(finish(&bless(&workspace))),
        Task::Diagrams => {
            let mut report = Report::default();
            report.stage("diagrams", || Outcome::of(examples::draw(&workspace)));
            Ok(finish(&report))
        }
        Task::Lock { arguments } => {
            // Workflows that can be run for long are those of the examples; a test that changes has no runs in flight.
            let examples = ["--", "--package", "workflow-rs", "--examples"];
            process::run(
                workspace
                    .cargo()
                    .args(["run", "--quiet", "--package", "cargo-workflow", "--", "workflow", "lock"])
                    .args(arguments)
                    .args(examples),
            )?;
            Ok(true)
        }
        Task::Bench { arguments } => {
            for words in rust::bench(&arguments) {
                process::run(workspace.cargo().args(words))?;
            }
            Ok(true)
        }
    }
}

/// Every stage runs, whatever happened to the ones before it: one run names all that is wrong.
fn test(workspace: &Workspace) -> Report {
    let mut report = Report::default();
    report.stage("formatting", || Outcome::of(rust::formatting(workspace)));
    report.stage("clippy", || Outcome::of(rust::clippy(workspace)));
    report.stage("documentation", || Outcome::of(rust::documentation(workspace)));
    report.stage("diagrams in the documentation", || Outcome::of(examples::document(workspace)));
    report.stage("tests", || {
        // A sample of an earlier run must not be judged in the place of one that is no longer written.
        Outcome::of_tests(bpmn::clear_samples(workspace).and_then(|()| {
            let server = postgres::server(workspace)?;
            rust::tests(workspace, &server, &bpmn::scenarios(workspace))
        }))
    });
    report.stage("doc tests", || Outcome::of_tests(rust::doc_tests(workspace)));
    report.stage("bpmn in python", || Outcome::of(bpmn::judge_in_python(workspace)));
    report.stage("bpmn in node", || Outcome::of(bpmn::judge_in_node(workspace)));
    report.stage("bpmn in SpiffWorkflow", || Outcome::of(bpmn::follow_in_spiff(workspace)));
    report.stage("bpmn in bpmn-engine", || Outcome::of(bpmn::follow_in_node(workspace)));
    report.stage("bpmn layout", || Outcome::of(bpmn::measure_layout(workspace)));
    report.stage("bpmn in a browser", || Outcome::of(bpmn::judge_in_browser(workspace)));
    report
}

/// Diagrams come first: the tests compare them with what the code says now.
fn bless(workspace: &Workspace) -> Report {
    let mut report = Report::default();
    report.stage("diagrams", || Outcome::of(examples::draw(workspace)));
    report.stage("blessed tests", || {
        let server = postgres::server(workspace);
        Outcome::of_tests(server.and_then(|server| rust::blessing_tests(workspace, &server)))
    });
    report
}

fn finish(report: &Report) -> bool {
    print!("{report}");
    report.all_passed()
}
