//! Scenarios for other BPMN engines: written by every exploration, when the environment asks for them.

mod trip;

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use serde_json::Value;
use trip::*;
use workflow_runtime::prelude::*;
use workflow_test::Explore;

/// See a city
#[subflow]
async fn city(name: &str, days: u32) -> Result<u32, TripError> {
    let hotel = book(name).await?;
    if days > 1 {
        hire_car(days).await?;
    }
    Ok(hotel)
}

/// See two cities
#[workflow]
async fn two_cities() -> Result<u32, TripError> {
    let rome = city("Rome", 2).await?;
    let pisa = city("Pisa", 1).await?;
    Ok(rome + pisa)
}

/// Run by the tests below with a folder in its environment, or without.
#[test]
fn explored() {
    let kit = Explore::new();
    kit.on(book).returns(Ok(1));
    kit.on(hire_car).returns(Ok(7));
    kit.workflow(two_cities).each_step_fails().run();
}

fn run(folder: Option<&std::path::Path>) {
    let mut tests = Command::new(std::env::current_exe().unwrap());
    tests.args(["--exact", "explored"]).env_remove("WORKFLOW_SCENARIOS");
    tests.envs(folder.map(|folder| ("WORKFLOW_SCENARIOS", folder)));
    assert!(tests.output().unwrap().status.success());
}

fn files(folder: &std::path::Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file());
    let named = entries
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap()));
    named.collect()
}

#[test]
fn each_way_is_written_once_beside_the_diagram() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("scenarios");
    let _ = fs::remove_dir_all(&folder);
    run(Some(&folder));
    let first = files(&folder);
    let names: Vec<&str> = first.keys().map(String::as_str).collect();
    let [diagram, scenarios] = names[..] else { panic!("{names:?}") };
    assert!(diagram.starts_with("two_cities-v1-") && diagram.ends_with(".bpmn"), "{diagram}");
    assert!(scenarios.starts_with(diagram.strip_suffix("bpmn").unwrap()), "{scenarios}");
    assert_eq!(first[diagram], workflow_bpmn::to_xml(two_cities.graph()));
    let judged = files(&folder.join("judged"));
    let kinds = ["business", "camunda7", "camunda8", "parties"];
    let expected = kinds.map(|kind| diagram.replace(".bpmn", &format!(".{kind}.bpmn")));
    assert_eq!(judged.keys().collect::<Vec<_>>(), expected.iter().collect::<Vec<_>>());

    let written: Value = serde_json::from_str(&first[scenarios]).unwrap();
    let all = written["scenarios"].as_array().unwrap();
    let distinct: std::collections::BTreeSet<String> = all.iter().map(Value::to_string).collect();
    assert_eq!(distinct.len(), all.len());
    let well = all.iter().find(|scenario| scenario["outcome"] == "completed").unwrap();
    let turns: Vec<String> = well["turns"].as_array().unwrap().iter().map(Value::to_string).collect();
    assert_eq!(
        turns,
        [
            r#"{"begun":["city.book"],"event":"started"}"#,
            r#"{"begun":["city.hire_car"],"event":"done","op":"city.book"}"#,
            r#"{"begun":["city_2.book"],"event":"done","op":"city.hire_car"}"#,
            r#"{"event":"done","op":"city_2.book"}"#,
        ]
    );
    assert_eq!(well["end"], serde_json::json!(["", "completed"]));
    let questions: Vec<&Value> = well["flows"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|flow| flow[1].to_string().contains("flow_if_days_1_to"))
        .collect();
    assert_eq!(questions.iter().map(|flow| &flow[0]).collect::<Vec<_>>(), ["city", "city_2"]);

    let undone =
        all.iter().find(|scenario| scenario["turns"].to_string().contains("city.book/undo")).unwrap();
    assert_eq!(undone["outcome"], "failed");

    run(Some(&folder));
    assert_eq!(files(&folder), first, "the same exploration writes the same files");
}

#[test]
fn nothing_is_written_unless_the_environment_asks_for_it() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("no-scenarios");
    fs::create_dir_all(&folder).unwrap();
    run(None);
    assert!(files(&folder).is_empty());
}
