//! Schedules that failed: kept beside the package, tried first, told when they no longer fit, never taken out.
//! Each test runs another one of this file in a process of its own, in a package that is made up.

mod shop;
mod shop_mocks;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use shop::*;
use shop_mocks::all_goes_well;
use workflow_test::{Exploration, Explore, Outcome, complete};

/// Set for the tests that the others run; they do nothing by themselves.
const ROLE: &str = "WORKFLOW_TEST_ROLE";

fn explore(test: &str) -> Exploration {
    let kit = Explore::named(test);
    all_goes_well(&kit);
    kit.workflow(|| fulfil_order(order())).message(|| NewCard { order_id: 42 })
}

/// The same with nothing in store: a run comes to fewer steps.
fn explore_sold_out(test: &str) -> Exploration {
    let kit = Explore::named(test);
    all_goes_well(&kit);
    kit.on(reserve_goods).returns(Err(StockError::OutOfStock));
    kit.workflow(|| fulfil_order(order())).message(|| NewCard { order_id: 42 })
}

/// Fails, passes, or is changed so that nothing can go wrong with it, as it is told.
#[test]
fn played() {
    match std::env::var(ROLE).as_deref() {
        Ok("fails") => {
            explore("inner::played")
                .each_step_fails()
                .always("no refund", |end| !end.ran(refund_payment))
                .run();
        }
        Ok("passes") => drop(explore("inner::played").each_step_fails().run()),
        Ok("changed") => drop(explore_sold_out("inner::played").each_step_fails().run()),
        Ok("fails in another one") => {
            drop(explore("inner::played").each_step_fails().run());
            explore("inner::played")
                .cancel_at_every_write()
                .always("no cancel", |end| end.outcome() != Outcome::Cancelled)
                .run();
        }
        Ok("passes twice") => {
            drop(explore("inner::played").run());
            drop(explore("inner::played").cancel_at_every_write().run());
        }
        // The harness gives each test a thread; here it may be the only one of the process.
        Ok("explores otherwise") => {
            let otherwise = || drop(explore("inner::played").cancel_at_every_write().run());
            std::thread::spawn(otherwise).join().unwrap();
        }
        Ok("explores otherwise and demands all") => {
            let package = std::env::var("CARGO_MANIFEST_DIR").unwrap();
            let kit = Explore::of_test("played", "regressions::inner", &package);
            all_goes_well(&kit);
            let order = || fulfil_order(order());
            let with_card = || kit.workflow(order).message(|| NewCard { order_id: 42 });
            with_card().run().assert(complete());
            with_card().cancel_at_every_write().run().assert(complete());
        }
        _ => {}
    }
}

struct Package(PathBuf);

impl Package {
    fn empty(name: &str) -> Package {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("regressions").join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Package(folder)
    }

    fn kept(&self) -> String {
        fs::read_to_string(self.0.join("workflow-regressions/inner-played.txt")).unwrap_or_default()
    }

    /// What the test says, in this package.
    fn play(&self, role: &str, schedule: Option<&str>) -> String {
        let mut test = Command::new(std::env::current_exe().unwrap());
        test.args(["--exact", "played", "--nocapture"]).env(ROLE, role).env("CARGO_MANIFEST_DIR", &self.0);
        test.env_remove("WORKFLOW_SCHEDULE").envs(schedule.map(|schedule| ("WORKFLOW_SCHEDULE", schedule)));
        let output = test.output().unwrap();
        String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap()
    }
}

#[test]
fn a_failing_schedule_is_kept_and_tried_first_until_it_passes() {
    let package = Package::empty("kept");
    let said = package.play("fails", None);
    assert!(
        said.contains("from now on it is tried first: it is kept in workflow-regressions/inner-played.txt"),
        "{said}"
    );
    let kept = package.kept();
    assert!(
        kept.contains(
            "\n\n# always: `no refund` does not hold at the end\nfulfil_order:002 # regressions: each_step_fails, val"
        ),
        "{kept}"
    );
    assert!(kept.starts_with("# Schedules that failed once."), "{kept}");
    let said = package.play("fails", None);
    assert!(said.contains("again: WORKFLOW_SCHEDULE=fulfil_order:002"), "{said}");
    assert!(said.contains("\n  it is kept in workflow-regressions/inner-played.txt"), "{said}");
    assert_eq!(package.kept(), kept, "it is kept once");
    let said = package.play("passes", None);
    assert!(said.contains("\n  1 schedule that failed once was tried first"), "{said}");
    assert!(!said.contains("STALE"), "{said}");
    assert_eq!(package.kept(), kept, "people take it out, not the kit");
}

#[test]
fn a_schedule_that_no_longer_fits_is_told_and_stays() {
    let package = Package::empty("stale");
    package.play("fails", None);
    let mut kept = package.kept();
    let said = package.play("changed", None);
    assert!(
        said.contains(
            "STALE: the schedule `fulfil_order:002` in workflow-regressions/inner-played.txt no longer fits the code"
        ),
        "{said}"
    );
    assert!(said.contains("1 passed"), "{said}");
    assert_eq!(package.kept(), kept);
    // Files of the first releases do not say which exploration it was.
    kept = kept.lines().map(|line| format!("{}\n", line.split(" # ").next().unwrap())).collect();
    fs::write(package.0.join("workflow-regressions/inner-played.txt"), &kept).unwrap();
    let said = package.play("changed", None);
    assert!(said.contains("STALE: the schedule `fulfil_order:002` in workflow-regressions/"), "{said}");
    assert!(said.contains("unless it is of another exploration of this test"), "{said}");
    kept.push_str("fulfil_order:?\nanother_workflow:?\n");
    fs::write(package.0.join("workflow-regressions/inner-played.txt"), &kept).unwrap();
    let said = package.play("passes", None);
    assert!(said.contains("STALE: `?` in workflow-regressions/inner-played.txt is no schedule"), "{said}");
    assert!(!said.contains("another_workflow"), "{said}");
}

#[test]
fn a_schedule_of_one_exploration_is_not_stale_in_another() {
    let package = Package::empty("two");
    let said = package.play("fails in another one", None);
    assert!(said.contains("always: `no cancel` does not hold"), "{said}");
    let said = package.play("passes twice", None);
    assert_eq!(said.matches("1 schedule that failed once was tried first").count(), 2, "{said}");
    assert!(!said.contains("STALE"), "{said}");
}

#[test]
fn a_schedule_that_no_exploration_is_the_one_of_any_more_is_told_when_the_test_ends() {
    let package = Package::empty("dead");
    package.play("fails", None);
    let kept = package.kept();
    let dead =
        "STALE: the schedule `fulfil_order:002` in workflow-regressions/inner-played.txt fits no exploration";
    let said = package.play("explores otherwise", None);
    assert!(said.contains(dead) && said.contains("1 passed"), "{said}");
    let said = package.play("explores otherwise and demands all", None);
    assert!(said.contains(dead) && said.contains("1 failed"), "{said}");
    assert_eq!(package.kept(), kept, "people take it out, not the kit");
    // Of another program that has a test of the same name, this one knows nothing.
    fs::write(
        package.0.join("workflow-regressions/inner-played.txt"),
        kept.replace("# regressions:", "# shops:"),
    )
    .unwrap();
    let said = package.play("explores otherwise and demands all", None);
    assert!(!said.contains("STALE") && said.contains("1 passed"), "{said}");
}

#[test]
fn a_schedule_from_the_environment_is_not_kept() {
    let package = Package::empty("environment");
    let said = package.play("fails", Some("fulfil_order:002"));
    assert!(said.contains("always: `no refund` does not hold") && !said.contains("kept"), "{said}");
    assert_eq!(package.kept(), "");
}
