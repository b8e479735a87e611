//! Lock files on disk: when they are written and when that is refused, also by two at once and after a crash.

use std::fs;
use std::path::PathBuf;

use workflow_graph::Graph;
use workflow_graph::lock::files::{Kept, Request, keep};

use crate::sketch::graph;

/// A directory that is gone when the test is over.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Place {
        let place = std::env::temp_dir().join(format!("workflow-graph-lock-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&place);
        fs::create_dir_all(&place).unwrap();
        Place(place)
    }

    fn lock(&self) -> PathBuf {
        self.0.join("workflows/sell.lock")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.lock()).unwrap()
    }

    fn keep(&self, graph: &Graph, request: &Request) -> Result<Kept, String> {
        keep(graph, &self.lock(), request)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn create() -> Request {
    Request { writes: true, creates: true, accept: None }
}

fn write() -> Request {
    Request { writes: true, ..Request::default() }
}

fn compare() -> Request {
    Request::default()
}

fn charges() -> Graph {
    graph("charge: done\ndone ok:")
}

fn charges_and_ships() -> Graph {
    graph("charge: ship\nship: done\ndone ok:")
}

#[test]
fn a_lock_is_written_on_purpose_and_compared_from_then_on() {
    let place = Place::new("purpose");
    assert_eq!(place.keep(&charges(), &compare()), Ok(Kept::Absent));
    assert_eq!(place.keep(&charges(), &write()), Ok(Kept::Absent));
    assert_eq!(place.keep(&charges(), &create()), Ok(Kept::Written));
    assert_eq!(place.keep(&charges(), &create()), Ok(Kept::Same));
    assert_eq!(place.keep(&charges(), &compare()), Ok(Kept::Same));
    let stale = place.keep(&charges_and_ships(), &compare()).unwrap_err();
    assert!(stale.contains("is stale") && stale.contains("cargo workflow lock"), "{stale}");
    assert_eq!(place.keep(&charges_and_ships(), &write()), Ok(Kept::Written));
    assert_eq!(place.keep(&charges_and_ships(), &compare()), Ok(Kept::Same));
}

#[test]
fn code_that_runs_cannot_go_on_with_is_locked_only_for_a_reason() {
    let place = Place::new("reason");
    place.keep(&charges_and_ships(), &create()).unwrap();
    let before = place.text();
    let refused = place.keep(&charges(), &write()).unwrap_err();
    assert!(refused.starts_with("WF050: ") && refused.contains("--accept-break"), "{refused}");
    assert_eq!(place.text(), before);
    let accept = |reason: &str| Request { accept: Some(reason.to_owned()), ..write() };
    assert_eq!(place.keep(&charges(), &accept("never was in production")), Ok(Kept::Written));
    assert_eq!(place.keep(&charges_and_ships(), &write()), Ok(Kept::Written));
    assert!(place.text().contains("accepted \"never was in production\"\n"), "{}", place.text());
}

#[test]
fn a_new_version_is_put_beside_the_old_one() {
    let place = Place::new("version");
    let second = Graph { version: 2, ..charges() };
    place.keep(&charges_and_ships(), &create()).unwrap();
    assert!(place.keep(&second, &compare()).unwrap_err().contains("version 2"));
    assert_eq!(place.keep(&second, &write()), Ok(Kept::Written));
    assert!(place.text().contains("version 1 draining") && place.text().contains("version 2 active"));
    assert_eq!(place.keep(&charges_and_ships(), &compare()), Ok(Kept::Same));
    // What is retired may change as it likes.
    let retired = place.text().replace("version 1 draining", "version 1 retired");
    fs::write(place.lock(), retired).unwrap();
    assert_eq!(place.keep(&charges(), &compare()), Ok(Kept::Same));
}

#[test]
fn versions_that_are_written_at_once_do_not_lose_each_other() {
    let place = Place::new("at-once");
    std::thread::scope(|scope| {
        for version in 1..=8 {
            let place = &place;
            scope.spawn(move || place.keep(&Graph { version, ..charges() }, &create()).unwrap());
        }
    });
    for version in 1..=8 {
        let state = if version == 8 { "active" } else { "draining" };
        assert!(place.text().contains(&format!("version {version} {state}")), "{}", place.text());
    }
}

#[test]
fn what_a_crash_left_behind_is_in_nobodys_way() {
    let place = Place::new("crash");
    place.keep(&charges(), &create()).unwrap();
    fs::write(place.0.join("workflows/.sell.lock.tmp"), "format 1\nworkf").unwrap();
    assert_eq!(place.keep(&charges_and_ships(), &write()), Ok(Kept::Written));
    let names = fs::read_dir(place.0.join("workflows")).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(names.collect::<Vec<_>>(), ["sell.lock"]);
}

#[test]
fn what_cannot_be_read_or_written_is_told_with_its_path() {
    let place = Place::new("told");
    fs::write(place.0.join("workflows"), "a file where the directory should be").unwrap();
    let error = place.keep(&charges(), &create()).unwrap_err();
    assert!(error.contains("sell.lock"), "{error}");
    fs::remove_file(place.0.join("workflows")).unwrap();
    place.keep(&charges(), &create()).unwrap();
    let other = place.keep(&Graph { workflow: "buy".into(), ..charges() }, &write()).unwrap_err();
    assert!(other.contains("of the workflow `sell`, not of `buy`"), "{other}");
    fs::write(place.lock(), "format 1\nworkflow sell\n<<<<<<< HEAD\n").unwrap();
    let broken = place.keep(&charges(), &write()).unwrap_err();
    assert!(broken.contains("sell.lock: line 3: "), "{broken}");
}
