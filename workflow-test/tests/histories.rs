//! Golden histories: written from an exploration on request, as few as take every way; replayed by every build, and a
//! divergence is told with the first event that differs. Journals of an engine go through the same function.

mod shop;
mod shop_mocks;
mod trip;

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use shop::{NewCard, Parcel, order, reserve_goods, retrieve_payment, ship};
use shop_mocks::all_goes_well;
use trip::{book, price, subscription};
use workflow_runtime::prelude::*;
use workflow_runtime::{Memory, RunFilter};
use workflow_test::{Exploration, Explore, replay_histories};

/// The folder for a test that another one of this file runs; it does nothing by itself.
const FOLDER: &str = "WORKFLOW_TEST_FOLDER";

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("histories").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn failure_of(test: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(test)).expect_err("the test should fail");
    *panic.downcast::<String>().unwrap()
}

fn explore() -> Exploration {
    let kit = Explore::named("explored");
    all_goes_well(&kit);
    let all = kit.workflow(|| shop::fulfil_order(order())).message(|| NewCard { order_id: 42 });
    all.each_step_fails().pairs().budget(20_000, Duration::from_secs(120))
}

/// Holds the folder of its environment to what it explores.
#[test]
fn explored() {
    if let Ok(folder) = std::env::var(FOLDER) {
        explore().histories(folder).run();
    }
}

/// The same for a run that continues as new.
#[test]
fn explored_generations() {
    if let Ok(folder) = std::env::var(FOLDER) {
        let kit = Explore::named("explored_generations");
        kit.on(book).returns(Ok(1));
        kit.on(price).returns(Ok(100));
        kit.workflow(|| subscription(1)).each_step_fails().histories(folder).run();
    }
}

fn explored_with(folder: &Path, mode: Option<&str>) -> String {
    explored_by("explored", folder, mode)
}

fn explored_by(test: &str, folder: &Path, mode: Option<&str>) -> String {
    let mut run = Command::new(std::env::current_exe().unwrap());
    run.args(["--exact", test, "--nocapture"]).env(FOLDER, folder).env("CARGO_MANIFEST_DIR", folder);
    let output = run.envs(mode.map(|mode| ("WORKFLOW_HISTORIES", mode))).output().unwrap();
    String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap()
}

fn files(folder: &Path) -> BTreeSet<String> {
    files_of("fulfil_order", folder)
}

fn files_of(workflow: &str, folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder.join(workflow).join("v1")).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn few_histories_take_every_way_and_are_written_on_request_only() {
    let folder = folder("written");
    let said = explored_with(&folder, None);
    assert!(
        said.contains("histories: no history in ") && said.contains("deadline of `new_card` ("),
        "{said}"
    );
    assert!(said.contains("\n  undoing `reserve_goods`") || said.contains("undoing: "), "{said}");
    assert!(
        said.contains("write what is missing with `WORKFLOW_HISTORIES=write cargo test explored`"),
        "{said}"
    );
    assert!(!folder.join("fulfil_order").exists());
    let said = explored_with(&folder, Some("write"));
    assert!(said.contains("1 passed"), "{said}");
    let written = files(&folder);
    assert!(written.contains("completed.json") && written.contains("failed-NoCard.json"), "{written:?}");
    assert!((5..=7).contains(&written.len()), "six ends, and each way in one of them: {written:?}");
    assert!(explored_with(&folder, None).contains("1 passed"));
    explored_with(&folder, Some("write"));
    assert_eq!(files(&folder), written, "nothing is written twice");
    // What is taken away is missing, and written again alone.
    fs::remove_file(folder.join("fulfil_order/v1/failed-NoCard.json")).unwrap();
    let said = explored_with(&folder, None);
    assert!(said.contains("deadline of `new_card`") && !said.contains("undoing"), "{said}");
    explored_with(&folder, Some("write"));
    assert_eq!(files(&folder), written);
    let replayed = replay_histories(shop::fulfil_order, &folder);
    assert_eq!(replayed.histories, written.len());
    assert!(replayed.rows > 3 * written.len());
}

/// The same workflow after somebody has changed it, as three people did.
mod changed {
    use super::*;
    use crate::shop::{Order, OrderError, PaymentError};

    #[workflow(name = "fulfil_order")]
    pub(crate) async fn pays_first(order: Order) -> Result<Parcel, OrderError> {
        let payment = retrieve_payment(&order).await?;
        reserve_goods(&order).await?;
        Ok(ship(&order, &payment).await?)
    }

    #[workflow(name = "fulfil_order")]
    pub(crate) async fn thanks_nobody(order: Order) -> Result<Parcel, OrderError> {
        reserve_goods(&order).await?;
        let payment = match retrieve_payment(&order).await {
            Ok(payment) => payment,
            Err(PaymentError::CardExpired) => {
                receive::<NewCard>(order.id).within(days(7)).await?;
                retrieve_payment(&order).await?
            }
            Err(error) => return Err(error.into()),
        };
        Ok(ship(&order, &payment).await?)
    }

    #[workflow(name = "fulfil_order")]
    pub(crate) async fn takes_a_number(order: u32) -> u32 {
        order
    }
}

#[test]
fn a_change_that_a_history_does_not_survive_is_told_with_its_event_and_its_class() {
    let folder = folder("diverged");
    explored_with(&folder, Some("write"));
    let path = folder.join("fulfil_order/v1/completed.json");
    let place = path.display();
    let said = failure_of(|| _ = replay_histories(changed::pays_first, &folder));
    assert!(said.contains("histories of `fulfil_order` do not go through with the code of today"), "{said}");
    let expected = format!("{place}: row 1 of ");
    assert!(said.contains(&expected) && said.contains(", the start, after 0s"), "{said}");
    assert!(
        said.contains(
            "the journal says the step `reserve_goods`, the code asks for the step `retrieve_payment`"
        ),
        "{said}"
    );
    assert!(said.contains("WF050: an operation was inserted, taken out, moved, or has another id"), "{said}");
    let said = failure_of(|| _ = replay_histories(changed::thanks_nobody, &folder));
    assert!(said.starts_with("1 of "), "only the one that got so far: {said}");
    assert!(said.contains(", the answer of `ship`, after 0s"), "{said}");
    let said = failure_of(|| _ = replay_histories(changed::takes_a_number, &folder));
    assert!(said.contains("WF102") && said.contains("WF050: other types of arguments or answers"), "{said}");
}

#[test]
fn no_history_at_all_is_no_success() {
    let said = failure_of(|| _ = replay_histories(shop::fulfil_order, folder("none")));
    assert!(said.starts_with("there is no history of `fulfil_order` version 1 in "), "{said}");
    let folder = folder("torn");
    fs::create_dir_all(folder.join("fulfil_order/v1")).unwrap();
    fs::write(folder.join("fulfil_order/v1/completed.json"), "{\"format\": 1,").unwrap();
    let said = failure_of(|| _ = replay_histories(shop::fulfil_order, &folder));
    assert!(said.contains("history 1 in ") && said.contains("completed.json cannot be read: "), "{said}");
}

#[test]
fn each_generation_is_a_history_of_its_own() {
    let folder = folder("generations");
    let said = explored_by("explored_generations", &folder, None);
    assert!(said.contains("the way from `sleep` to "), "{said}");
    explored_by("explored_generations", &folder, Some("write"));
    let written = files_of("subscription", &folder);
    assert!(written.contains("continued.json") && written.contains("completed.json"), "{written:?}");
    assert_eq!(replay_histories(subscription, &folder).histories, written.len());
}

/// What production did, replayed by the code of today.
#[tokio::test]
async fn journals_of_an_engine_go_through() {
    let engine = Engine::builder().store(Memory::new()).register(trip_of_two).start().await.unwrap();
    for number in 0..3 {
        let run = engine.start(trip_of_two(number)).id(format!("trip-{number}")).await.unwrap();
        assert_eq!(run.result().await.unwrap(), number + 2);
    }
    let mut lines = Vec::new();
    let all = RunFilter { limit: u32::MAX, ..RunFilter::default() };
    engine.client().export(&all, &mut lines).await.unwrap();
    let file = folder("exported").join("runs.jsonl");
    let mut text = String::from_utf8(lines).unwrap();
    let first: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    let mut other = first.clone();
    other["workflow"] = "another".into();
    text.push_str(&format!("{other}\n"));
    fs::write(&file, &text).unwrap();
    let replayed = replay_histories(trip_of_two, &file);
    assert_eq!((replayed.histories, replayed.others), (3, 1));
    // As if the code had changed since.
    fs::write(&file, text.replace("measure", "weigh")).unwrap();
    let said = failure_of(|| _ = replay_histories(trip_of_two, &file));
    assert!(said.contains("runs.jsonl, run trip-0: row 1 of "), "{said}");
}

#[step(read_only)]
async fn measure(number: u32) -> u32 {
    number + 1
}

#[workflow]
async fn trip_of_two(number: u32) -> u32 {
    let first = measure(number).await;
    measure(first).await
}
