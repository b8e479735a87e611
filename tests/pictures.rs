//! The pictures of `docs/bpmn.md`: drawn from workflows that compile, and held against what is committed.
//! `cargo xtask diagrams` draws them; then look at them.

/// What the pictures are made of.
pub mod pictures {
    pub mod flows;
    pub mod shop;
}

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use pictures::flows;
use workflow_bpmn::{Detail, Diff, Export, Highlights, Mark, VARIABLE};
use workflow_runtime::graph::Graph;
use workflow_runtime::prelude::*;

const FOLDER: &str = "docs/pictures";
const PAGE: &str = "docs/bpmn.md";

/// All pictures by their names.
fn pictures() -> Vec<(String, String)> {
    let graphs: [&Graph; 24] = [
        flows::steps.graph(),
        flows::undo.graph(),
        flows::people.graph(),
        flows::question.graph(),
        flows::answers.graph(),
        flows::rounds.graph(),
        flows::articles.graph(),
        flows::errors.graph(),
        flows::timers.graph(),
        flows::messages.graph(),
        flows::deadline.graph(),
        flows::schedule.graph(),
        flows::first_event.graph(),
        flows::first_of.graph(),
        flows::side_by_side.graph(),
        flows::all_of.graph(),
        flows::for_each.graph(),
        flows::scope.graph(),
        flows::kept.graph(),
        flows::large_scope.graph(),
        flows::survey.graph(),
        flows::children.graph(),
        flows::undo_and_go_on.graph(),
        flows::changed.graph(),
    ];
    let mut pictures: Vec<(String, String)> =
        graphs.iter().map(|graph| (graph.workflow.to_string(), workflow_bpmn::to_svg(graph))).collect();
    let errors = flows::errors.graph();
    let business = Export::of(errors).detail(Detail::Business);
    pictures.push(("errors.business".to_owned(), business.svg()));
    pictures.push(("errors.parties".to_owned(), business.collaboration(true).svg()));
    pictures.push(("undo.run".to_owned(), Export::of(flows::undo.graph()).highlights(&failed_run()).svg()));
    pictures.push(("undo.heat".to_owned(), Export::of(flows::undo.graph()).highlights(&many_runs()).svg()));
    let diff = Diff::between(flows::ship.graph(), flows::ship_2.graph());
    pictures.push(("ship.diff".to_owned(), diff.svg()));
    pictures
}

/// No courier: the money has gone back, the goods are going back.
fn failed_run() -> Highlights {
    let completed = ["started", "reserve_goods", "flow_started_to_reserve_goods", "charge_card_undo"];
    let flows = ["flow_reserve_goods_to_charge_card", "flow_charge_card_to_book_courier"];
    completed
        .iter()
        .chain(&flows)
        .fold(Highlights::new(), |highlights, id| highlights.mark(*id, Mark::Completed))
        .mark("charge_card", Mark::Compensated)
        .mark("reserve_goods_undo", Mark::Active)
        .mark("book_courier", Mark::Failed)
        .note("book_courier", "no courier goes there")
}

/// Where the time goes.
fn many_runs() -> Highlights {
    [("reserve_goods", 0.1), ("charge_card", 0.35), ("book_courier", 1.0)]
        .into_iter()
        .fold(Highlights::new().count("order_shipped", 1_912), |highlights, (id, share)| {
            highlights.heat(id, share)
        })
}

#[test]
fn workflow_diagrams_of_the_guide() {
    let folder = Path::new(FOLDER);
    let pictures = pictures();
    let names: BTreeSet<String> = pictures.iter().map(|(name, _)| format!("{name}.svg")).collect();
    let here = fs::read_dir(folder).map(|entries| {
        entries
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect::<BTreeSet<_>>()
    });
    let left_over: Vec<String> = here.unwrap_or_default().difference(&names).cloned().collect();
    if std::env::var(VARIABLE).is_ok_and(|what| what == "write") {
        fs::create_dir_all(folder).unwrap();
        left_over.iter().for_each(|name| fs::remove_file(folder.join(name)).unwrap());
        pictures.iter().for_each(|(name, svg)| fs::write(folder.join(format!("{name}.svg")), svg).unwrap());
        return;
    }
    let committed = |name: &str| fs::read_to_string(folder.join(format!("{name}.svg"))).unwrap_or_default();
    let stale: Vec<&str> = pictures
        .iter()
        .filter(|(name, svg)| committed(name).replace("\r\n", "\n") != *svg)
        .map(|(name, _)| name.as_str())
        .collect();
    assert!(
        stale.is_empty() && left_over.is_empty(),
        "{FOLDER} is stale ({}; left over: {}): run `cargo xtask diagrams` and look at it",
        stale.join(", "),
        left_over.join(", "),
    );
}

#[test]
fn the_guide_shows_every_picture_and_code_that_compiles() {
    let page = fs::read_to_string(PAGE).unwrap();
    for (name, _) in pictures() {
        assert!(page.contains(&format!("](pictures/{name}.svg)")), "{PAGE} does not show {name}");
    }
    let code = fs::read_to_string("tests/pictures/flows.rs").unwrap()
        + &fs::read_to_string("tests/pictures/shop.rs").unwrap();
    let blocks = page.split("```rs\n").skip(1).filter_map(|rest| rest.split("```").next());
    let mut count = 0;
    for block in blocks {
        assert!(code.contains(block), "this stands in {PAGE}, and not in tests/pictures:\n{block}");
        count += 1;
    }
    assert!(count >= 20, "{count} pieces of code");
}

#[test]
fn the_gallery_shows_every_picture_of_every_example() {
    let page = fs::read_to_string("docs/gallery.md").unwrap();
    let folders = |path: &str| -> Vec<String> {
        let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap());
        let folders = entries.filter(|entry| entry.path().is_dir());
        folders.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    };
    for example in folders("examples") {
        let folder = format!("docs/gallery/{example}");
        let entries = fs::read_dir(&folder)
            .unwrap_or_else(|_| panic!("{folder} is missing: `cargo workflow diagrams`"));
        for entry in entries {
            let name = entry.unwrap().file_name().to_string_lossy().into_owned();
            let shown = format!("](gallery/{example}/{name})");
            assert!(
                !name.ends_with(".svg") || page.contains(&shown),
                "docs/gallery.md does not show {folder}/{name}"
            );
        }
    }
    assert_eq!(folders("docs/gallery").len(), folders("examples").len(), "a folder for each example");
}
