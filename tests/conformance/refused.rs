//! Files that cannot be compared: each is refused in words that say what to do, and none takes long or much.

use std::time::{Duration, Instant};

use super::judge::refusal;
use super::models::{drawn, file};

#[track_caller]
fn refused(file: &[u8], words: &str) {
    let why = refusal(file, None, &["order"]);
    assert!(why.contains(words), "{why}");
}

#[test]
fn what_is_no_bpmn_says_what_it_is() {
    refused(b"", "is not well-formed XML");
    refused(b"no xml at all", "is not well-formed XML");
    refused(b"<html></html>", "is not BPMN 2.0: it begins with `html`; export it as BPMN 2.0 XML");
    refused(b"<definitions/>", "is not BPMN 2.0");
    refused(b"<d:definitions xmlns:d=\"https://www.omg.org/spec/DMN/20191111/MODEL/\"/>", "is not BPMN 2.0");
    refused(b"<a>\xE4</a>", "is not UTF-8; save it as UTF-8");
    refused(&[0xFF; 64], "is not UTF-8");
    refused(&file("").as_bytes()[..150], "is not well-formed XML");
}

#[test]
fn entities_cannot_blow_up() {
    let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;\">]>\n<x>&b;</x>";
    refused(bomb.as_bytes(), "has a document type declaration, which no BPMN file needs");
    refused(b"<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><x/>", "document type declaration");
}

#[test]
fn a_huge_file_is_refused_at_once() {
    let begun = Instant::now();
    refused(&vec![b' '; 17 << 20], "is larger than 16 MiB");
    let many = format!("<a>{}</a>", "<b/>".repeat(600_000));
    refused(many.as_bytes(), "is not well-formed XML");
    let tasks: Vec<String> = (0..600).map(|number| format!("task:Do {number}")).collect();
    refused(
        drawn(&tasks.join(" -> ")).as_bytes(),
        "draws 600 elements, more than the 512 that can be compared",
    );
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[test]
fn deep_nesting_ends() {
    let open: String = (0..100).map(|number| format!("<bpmn:subProcess id=\"s{number}\">")).collect();
    refused(file(&format!("{open}{}", "</bpmn:subProcess>".repeat(100))).as_bytes(), "more than 50 deep");
    // Deeper than any stack: the parser of XML must say so, or read it.
    let deep = format!("{}{}", "<a>".repeat(200_000), "</a>".repeat(200_000));
    assert!(!refusal(deep.as_bytes(), None, &[]).is_empty());
}

#[test]
fn what_does_not_fit_together_is_told_with_its_line() {
    refused(
        file("<bpmn:task id=\"a\"/>\n<bpmn:sequenceFlow id=\"f\" sourceRef=\"a\" targetRef=\"gone\"/>")
            .as_bytes(),
        "model.bpmn:5: this flow is not connected at both ends (`targetRef`); draw it again",
    );
    refused(
        file("<bpmn:task id=\"a\"/>\n<bpmn:task id=\"a\"/>").as_bytes(),
        "model.bpmn:5: the id `a` is there twice",
    );
    refused(file("<bpmn:task/>").as_bytes(), "model.bpmn:4: this element has no id");
    refused(file("<bpmn:boundaryEvent id=\"b\"/>").as_bytes(), "model.bpmn:4: this event sits on nothing");
}

#[test]
fn the_process_is_named_when_there_are_several() {
    let file = |names: [&str; 2]| {
        let processes: String = names
            .iter()
            .enumerate()
            .map(|(number, name)| {
                format!("\n<process id=\"P{number}\" name=\"{name}\"><task id=\"t{number}\"/></process>")
            })
            .collect();
        format!(
            "<definitions xmlns=\"http://www.omg.org/spec/BPMN/20100524/MODEL\">{processes}</definitions>"
        )
    };
    let two = file(["Buy", "Sell"]);
    refused(
        two.as_bytes(),
        "has several processes; say which one with `process = \"..\"`: `P0` (\"Buy\") in line 2",
    );
    for name in ["P1", "Sell", "sell"] {
        assert_eq!(refusal(two.as_bytes(), Some(name), &[]), "");
    }
    assert_eq!(refusal(two.as_bytes(), None, &["buy"]), "");
    assert!(
        refusal(two.as_bytes(), Some("Lend"), &[]).contains("has no process `Lend`; it has `P0` (\"Buy\")")
    );
    let same = file(["Buy", "Buy"]);
    assert!(refusal(same.as_bytes(), Some("Buy"), &[]).contains("name one by its id"));
    refused(b"<definitions xmlns=\"http://www.omg.org/spec/BPMN/20100524/MODEL\"/>", "has no process");
    refused(
        b"<definitions xmlns=\"http://www.omg.org/spec/BPMN/20100524/MODEL\"><process id=\"p\"/></definitions>",
        "nothing is drawn in the processes of `model.bpmn`",
    );
}
