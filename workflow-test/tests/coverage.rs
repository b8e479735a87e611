//! Coverage as files: the page with the picture, the JSON and the lcov; how tests add up; what thresholds say.
//! Written into the target folder, each test into a folder of its own.

mod shop;
mod shop_mocks;
mod trip;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use shop::*;
use shop_mocks::all_goes_well;
use trip::{Paid, TripError, book, city, hire_car, price};
use workflow_runtime::prelude::*;
use workflow_test::{
    Exploration, Explore, compensations, crash_points, edges, errors, messages, nodes, timers, workflow_test,
};

fn empty_folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("coverage").join(name);
    let _ = fs::remove_dir_all(&folder);
    folder
}

fn explore(test: &str) -> Exploration {
    let kit = Explore::named(test);
    all_goes_well(&kit);
    kit.workflow(|| fulfil_order(order())).message(|| NewCard { order_id: 42 })
}

fn read(folder: &Path, file: &str) -> String {
    fs::read_to_string(folder.join("fulfil_order/v1").join(file)).unwrap()
}

fn json(folder: &Path) -> Value {
    serde_json::from_str(&read(folder, "coverage.json")).unwrap()
}

#[test]
fn everything_is_drawn_as_taken_when_everything_was() {
    let folder = empty_folder("all");
    let report = explore("all").each_step_fails().pairs().crash_at_every_write();
    let report = report.budget(20_000, Duration::from_secs(60)).run();
    report
        .coverage(&folder)
        .assert(nodes(1.0))
        .assert(edges(1.0))
        .assert(errors(1.0))
        .assert(timers(1.0))
        .assert(messages(1.0))
        .assert(compensations(1.0))
        .assert(crash_points(1.0));
    assert_eq!(report.taken().gaps(), [""; 0]);
    let page = read(&folder, "index.html");
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("<svg xmlns="), "{page}");
    assert!(!page.contains("<?xml") && !page.contains("<script") && !page.contains("src="), "{page}");
    assert!(page.contains(r#"class="service-task reserve_goods mark-completed""#), "{page}");
    assert!(page.contains(r#"class="compensation-task undo-tint reserve_goods mark-completed""#), "{page}");
    assert!(page.contains("None: every part of the diagram was taken."), "{page}");
    assert!(!page.contains(r#" mark-missed">"#), "{page}");
    assert!(page.contains("prefers-color-scheme: dark"), "{page}");
    let json = json(&folder);
    for kind in ["nodes", "flows", "errors", "timers", "messages", "compensations", "crash_points"] {
        let total = &json["totals"][kind];
        assert!(total["of"].as_u64() > Some(0) && total["of"] == total["taken"], "{kind}: {total}");
    }
    assert_eq!(json["crashes"], report.crashes);
}

#[test]
fn what_was_never_taken_is_drawn_and_named_with_its_line() {
    let folder = empty_folder("gaps");
    explore("gaps").run().coverage(&folder);
    let page = read(&folder, "index.html");
    assert!(page.contains(r#"class="receive-task new_card mark-missed""#), "{page}");
    assert!(page.contains(r#"class="service-task ship mark-completed""#), "{page}");
    assert!(page.contains(r#"class="edge flow_ship_to_thank mark-completed""#), "{page}");
    assert!(
        page.contains("Receive new card\nmissed\nnever taken\nnever crashed while under way</title>"),
        "{page}"
    );
    let shop = "workflow-test/tests/shop/mod.rs:";
    assert!(page.contains(&format!("never taken: deadline of <code>new_card</code> ({shop}")), "{page}");
    let lcov = read(&folder, "lcov.info");
    assert!(lcov.contains("SF:workflow-test/tests/shop/mod.rs\nFN:"), "{lcov}");
    assert!(lcov.contains("FNDA:1,fulfil_order\nFNF:1\nFNH:1\n"), "{lcov}");
    let counts: Vec<&str> =
        lcov.lines().filter_map(|line| line.strip_prefix("DA:")?.split(',').nth(1)).collect();
    assert!(counts.contains(&"0") && counts.contains(&"1"), "{lcov}");
    assert!(lcov.lines().any(|line| line.starts_with("BRDA:") && line.ends_with(",-")), "{lcov}");
}

#[test]
fn what_several_tests_take_adds_up_and_what_another_graph_counted_is_dropped() {
    let folder = empty_folder("sum");
    explore("first").run().coverage(&folder);
    let failing = explore("second").each_step_fails().run();
    failing.coverage(&folder);
    let both = json(&folder);
    assert_eq!(both["executions"], 1 + failing.executions);
    assert_eq!(both["tests"].as_array().unwrap().len(), 2);
    // Two explorations of one test add up as well.
    explore("first").run().coverage(&folder);
    assert_eq!(json(&folder)["executions"], 2 + failing.executions);
    assert_eq!(json(&folder)["tests"].as_array().unwrap().len(), 2);
    // A test that ran before the code was changed.
    let parts = folder.join("fulfil_order/v1/parts");
    let first = fs::read_dir(&parts).unwrap().map(|part| part.unwrap().path()).min().unwrap();
    let changed = fs::read_to_string(&first).unwrap().replace("thank: step", "praise: step");
    fs::write(parts.join("of-older-code.json"), changed).unwrap();
    explore("third").run().coverage(&folder);
    assert!(!parts.join("of-older-code.json").exists());
    assert_eq!(json(&folder)["tests"].as_array().unwrap().len(), 3);
}

#[test]
fn a_threshold_that_is_not_met_names_what_is_missing() {
    let report = explore("thresholds").run();
    let said = |demand| {
        let assert = std::panic::AssertUnwindSafe(|| report.assert(demand).executions);
        *std::panic::catch_unwind(assert).unwrap_err().downcast::<String>().unwrap()
    };
    let shop = "(workflow-test/tests/shop/mod.rs:";
    for (demand, begin, named) in [
        (nodes(1.0), "nodes", "never come to: `new_card` "),
        (errors(0.5), "error events", "never taken: error `CardExpired` of `retrieve_payment` "),
        (timers(1.0), "timers", "never taken: deadline of `new_card` "),
        (messages(1.0), "messages", "never taken: the way from `new_card` to `retrieve_payment_2` "),
        (compensations(1.0), "compensations", "never undone: `reserve_goods` "),
        (crash_points(1.0), "crash points", "never crashed while under way: `ship` "),
    ] {
        let text = said(demand);
        assert!(text.contains(&format!(" {begin} of `fulfil_order` were taken\n")), "{text}");
        assert!(text.contains(&format!("\n  {named}{shop}")), "{text}");
    }
    assert!(said(crash_points(0.1)).ends_with("nothing was crashed: say `.crash_at_every_write()`"));
    report.assert(nodes(0.5)).assert(messages(0.0));
}

/// All constructs in one picture
#[workflow]
async fn all_at_once() -> Result<u32, TripError> {
    hire_car(9).await?;
    let (rome, others) = try_join!(city("Rome"), try_join_all(["Pisa", "Siena"].map(|name| city(name))))?;
    let paid = select! {
        paid = receive::<Paid>(7).within(days(1)) => paid?.amount,
        booked = book("hotel") => booked?,
    };
    if paid > 3 {
        sleep(hours(1)).await;
    }
    price("all").await?;
    Ok(rome + others.iter().sum::<u32>() + paid)
}

#[workflow_test(explore)]
fn blocks_races_and_subflows_have_counts_as_well(kit: Explore) {
    kit.on(book).returns(Ok(1));
    kit.on(hire_car).returns(Ok(7));
    kit.on(price).returns(Ok(100));
    let folder = empty_folder("blocks");
    let explore = |amount: u32| {
        let all = kit.workflow(all_at_once).message(move || Paid { trip: 7, amount }).each_step_fails();
        all.budget(700, Duration::from_secs(30)).run()
    };
    explore(4).coverage(&folder);
    let sum =
        kit.workflow(all_at_once).message(|| Paid { trip: 7, amount: 2 }).each_step_fails().interleave();
    sum.budget(700, Duration::from_secs(30)).run().coverage(&folder);
    let page = fs::read_to_string(folder.join("all_at_once/v1/index.html")).unwrap();
    let marked = page.lines().filter(|line| line.trim_start().starts_with("<g id="));
    let bare: Vec<&str> = marked
        .filter(|line| !line.ends_with(r#" mark-completed">"#) && !line.ends_with(r#" mark-missed">"#))
        .collect();
    assert_eq!(bare, [""; 0], "each element is marked");
    assert!(page.contains(r#"class="service-task city.book mark-completed""#), "{page}");
}

/// The classes that the style sheet of a page names inside of the picture.
fn styled(page: &str) -> BTreeSet<&str> {
    let rules = page.lines().filter_map(|line| line.strip_prefix(".picture svg ")?.split_once('{'));
    let selectors = rules.flat_map(|(selectors, _)| selectors.split([' ', ',', '>']));
    selectors.filter_map(|selector| selector.strip_prefix('.')).collect()
}

/// The classes of what is drawn.
fn drawn(page: &str) -> BTreeSet<&str> {
    let classes = page.split("class=\"").skip(1).filter_map(|rest| rest.split('"').next());
    classes.flat_map(str::split_whitespace).collect()
}

#[test]
fn every_class_that_the_page_colours_is_drawn() {
    let folder = empty_folder("styled");
    explore("styled").run().coverage(&folder);
    let page = read(&folder, "index.html");
    let (styled, drawn) = (styled(&page), drawn(&page));
    assert!(styled.contains("mark-missed") && styled.contains("mark-badge"), "{styled:?}");
    let never: Vec<_> = styled.difference(&drawn).copied().filter(|class| *class != "sub-process").collect();
    assert_eq!(never, [""; 0], "what nothing is drawn with has no colour");
}
