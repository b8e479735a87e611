//! The folder of diagrams, what two versions draw differently, and pictures as pixels.
//! Files are written to folders of their own and read back.

use std::fs;

use workflow_bpmn::{Diff, Export, Gallery, PngError, Stale};
use workflow_graph::Graph;

use crate::samples;
use crate::sketch::{graph, run, sleep};

fn version(number: u32, steps: &[&str]) -> Graph {
    let body = steps.iter().map(|step| run(step)).collect();
    Graph { version: number, ..graph("sell", body) }
}

fn names(gallery: &Gallery<'_>) -> Vec<String> {
    gallery.files().into_iter().map(|file| file.name).collect()
}

#[test]
fn a_folder_holds_every_view_of_every_version_and_a_page() {
    let (old, new, claim) = (version(1, &["pay"]), version(2, &["check", "pay"]), samples::insurance_claim());
    let gallery = Gallery::of([&new, &claim, &old]).title("Shop & claims");
    let expected = [
        "insurance_claim.bpmn",
        "insurance_claim.business.svg",
        "insurance_claim.svg",
        "insurance_claim.parties.svg",
        "sell@1.bpmn",
        "sell@1.business.svg",
        "sell@1.svg",
        "sell@2.bpmn",
        "sell@2.business.svg",
        "sell@2.svg",
        "sell@2.diff.svg",
        "index.html",
    ];
    assert_eq!(names(&gallery), expected);
    let files = gallery.files();
    let page = &files[files.len() - 1].text;
    assert!(page.contains("<h1>Shop &amp; claims</h1>") && page.contains("Sell, version 2"));
    assert_eq!(page.matches("src=\"data:image/svg+xml,").count(), 8, "the page needs no other file");
    assert!(!page.contains("src=\"http") && !page.contains("<script"));
    assert_eq!(gallery.files(), files, "the same bytes again");
}

#[test]
fn who_takes_part_is_shown_where_somebody_does_also_inside_of_a_subflow() {
    let has_parties = |name: &str| {
        let (_, graph) = samples::all().into_iter().find(|(other, _)| *other == name).unwrap();
        names(&Gallery::of([&graph])).iter().any(|file| file.ends_with(".parties.svg"))
    };
    assert!(has_parties("large_subflow") && has_parties("messages") && !has_parties("sequence"));
}

#[test]
fn what_is_stale_is_named_and_written_and_what_is_gone_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("diagrams");
    let (sell, claim) = (version(1, &["pay"]), samples::insurance_claim());
    let both = Gallery::of([&sell, &claim]);
    assert_eq!(both.stale(&folder).unwrap().len(), both.files().len());
    both.write(&folder).unwrap();
    assert_eq!(both.stale(&folder).unwrap(), []);
    assert!(both.write(&folder).unwrap().is_empty(), "what is right is not touched");
    both.keep(&folder);

    let changed = version(1, &["check", "pay"]);
    let stale = Gallery::of([&changed, &claim]).stale(&folder).unwrap();
    assert!(stale.contains(&Stale::Changed(folder.join("sell.svg"))), "{stale:?}");
    fs::remove_file(folder.join("sell.bpmn")).unwrap();
    fs::write(folder.join("mine.svg"), "<svg/>").unwrap();
    let alone = Gallery::of([&sell]);
    let stale = alone.stale(&folder).unwrap();
    assert!(stale.contains(&Stale::Missing(folder.join("sell.bpmn"))));
    assert!(stale.contains(&Stale::LeftOver(folder.join("insurance_claim.parties.svg"))));
    alone.write(&folder).unwrap();
    assert_eq!(alone.stale(&folder).unwrap(), []);
    assert!(!folder.join("insurance_claim.svg").exists() && folder.join("mine.svg").exists());
    // A checkout on another system ends its lines otherwise.
    let text = fs::read_to_string(folder.join("sell.bpmn")).unwrap();
    fs::write(folder.join("sell.bpmn"), text.replace('\n', "\r\n")).unwrap();
    assert_eq!(alone.stale(&folder).unwrap(), []);
}

#[test]
#[should_panic(expected = "sell.svg is not what the code draws")]
fn a_stale_folder_fails_the_test_that_keeps_it() {
    let folder = tempfile::tempdir().unwrap();
    Gallery::of([&version(1, &["pay"])]).write(folder.path()).unwrap();
    Gallery::of([&version(1, &["check", "pay"])]).keep(folder.path());
}

#[test]
fn names_that_other_letters_make_alike_keep_files_of_their_own() {
    let named = |name: &str| Graph { workflow: name.to_owned().into(), ..version(1, &["pay"]) };
    let (one, two) = (named("sell it"), named("sell/it"));
    let files = names(&Gallery::of([&one, &two]));
    assert!(
        files.contains(&"sell_it.bpmn".to_owned()) && files.contains(&"sell_it_2.bpmn".to_owned()),
        "{files:?}"
    );
}

#[test]
fn two_versions_are_compared_by_what_they_say() {
    let old = graph("sell", vec![run("pay"), run("pack"), sleep("wait", "P1D", "1 day"), run("send")]);
    let new = graph("sell", vec![run("check"), run("pay"), sleep("wait", "P2D", "2 days"), run("send")]);
    let diff = Diff::between(&old, &new);
    assert_eq!(diff.added, ["check", "flow_started_to_check", "flow_check_to_pay", "flow_pay_to_wait"]);
    assert_eq!(diff.removed, ["pack", "flow_started_to_pay", "flow_pay_to_pack", "flow_pack_to_wait"]);
    assert_eq!(diff.changed, ["wait"]);
    let svg = diff.svg();
    for (id, class) in [
        ("check", "service-task check mark-added"),
        ("before.pack", "service-task pack mark-removed"),
        ("wait", "catch-event wait mark-changed"),
        ("before.wait", "catch-event wait mark-changed"),
        ("pay", "service-task pay"),
    ] {
        assert!(svg.contains(&format!(r#"<g id="{id}" class="{class}">"#)), "{id}");
    }
    for (_, sample) in samples::all() {
        assert!(Diff::between(&sample, &sample).is_empty());
    }
}

#[test]
fn a_picture_is_as_large_as_it_is_asked_for() {
    let order = samples::fulfil_order();
    let export = Export::of(&order);
    let diagram = export.diagram();
    let png = export.png(2.0).unwrap();
    assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
    let number = |at: usize| i32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    assert_eq!((number(16), number(20)), (2 * diagram.width, 2 * diagram.height));
    // Words are most of what is dark on it: without fonts there would be much less.
    assert!(png.len() > 30_000, "{} bytes", png.len());
    for scale in [0.0, -1.0, f32::NAN, 1e9] {
        assert!(matches!(export.png(scale), Err(PngError::Scale(_))), "{scale}");
    }
}
