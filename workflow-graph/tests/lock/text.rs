//! The text of a lock: what is written is read again, says the same, and holds new code to the same.

use workflow_graph::lock::{self, Lock, Owned, Version, VersionState};
use workflow_graph::{Allowance, Effect, Graph, Instances, NodeKind, Signature, Wire};

use crate::sketch::{error, graph, known, undo, with_step, with_subflow};

/// A graph with one of everything.
fn everything() -> Graph {
    let inner = Graph { workflow: "deliver".into(), ..graph("ship: done\ndone ok:") };
    let mut graph = graph(
        "charge: fork, !Declined=ask, !=failed\nask receive:NewCard: head, ~=failed\nhead merge: if_p\n\
         if_p switch:p: ?patched(\"p\").await=sleep, else=tell\nsleep timer: tell_2\ntell send:Sold: again\n\
         tell_2 send:Sold: again\nagain again:\nfork fork: race, deliver\nrace race: a, b\na: both\n\
         b child:bring: both\nboth merge: join\ndeliver: join\njoin join: block\nblock block: if_large, !=failed\n\
         begin@block start: c\n\
         c@block: all, !=c_failed\nall@block ok:\nc_failed@block fail:\n\
         if_large if: ?total > 100=undo_all, else=wait\nundo_all compensate: failed\nwait forever:Paid: done\n\
         done ok:\nfailed fail:",
    );
    graph = with_step(graph, "charge", |step| {
        step.signature = Signature::of("Order, Vec<u8>", "Result<Payment>");
        step.errors = vec![error("Declined"), error("Lost")].into();
        step.compensation = Some(undo("refund"));
        step.compensation.as_mut().unwrap().wiring = vec![Wire::Argument(1), Wire::Output].into();
    });
    graph = with_step(graph, "c", |step| step.effect = Effect::Pivot);
    graph = with_subflow(graph, "deliver", known(inner));
    let large = graph.index_of("if_large").unwrap();
    graph.nodes.to_mut()[large].guard = 0xfeed;
    let many = graph.index_of("a").unwrap();
    graph.nodes.to_mut()[many].instances = Some(Instances { limit: "3".into(), fails_fast: true });
    let (rule, reason) = ("hash_iteration".into(), "summed: \"order\" is irrelevant".into());
    graph.allowances = vec![Allowance { rule, reason, line: 3 }].into();
    Graph { deadline_ms: Some(1), signature: Signature::of("Order", "Receipt"), ..graph }
}

fn round_trip(graph: &Graph) -> (Version, Version) {
    let written = Lock::named("sell").with(Version::of(graph));
    let text = written.text();
    let read = Lock::read(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(read.text(), text);
    (Version::of(graph), read.version(1).unwrap().clone())
}

#[test]
fn what_is_written_is_read_again() {
    let graph = everything();
    let (code, locked) = round_trip(&graph);
    assert!(code.says_the_same(&locked).unwrap(), "{:?}", locked.lines);
    assert_eq!((locked.state, locked.patches()), (VersionState::Active, vec!["p".to_owned()]));
    let section = locked.section().unwrap();
    let parts = section.automaton(&[]).unwrap();
    let owned = Owned::of(&graph);
    assert_eq!(lock::find_break(parts.automaton(), owned.automaton()), None);
    assert_eq!(lock::find_break(owned.automaton(), parts.automaton()), None);
}

#[test]
fn a_lock_reads_like_the_code() {
    let text = Lock::named("sell").with(Version::of(&everything())).text();
    for line in [
        "format 1",
        "version 1 active",
        "patch p open",
        "takes Order",
        "deadline",
        "allow hash_iteration \"summed: \\\"order\\\" is irrelevant\"",
        "flow sell",
        "  charge step name=charge takes=\"Order, Vec<u8>\" gives=\"Result<Payment>\" error=Declined error=Lost \
         undo=refund undo_takes=\"\" wire=1 wire=output -> fork -> ask error Declined -> failed error \"\"",
        "  if_large decision guard=000000000000feed -> undo_all if \"total > 100\" -> wait else \"\"",
        "  c step name=c takes=\"\" gives=\"\" in=block pivot -> all -> c_failed error \"\"",
        "flow deliver",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\nis not in\n{text}");
    }
}

#[test]
fn a_change_of_one_node_is_a_change_of_one_line() {
    let (before, after) = (everything(), with_step(everything(), "c", |step| step.effect = Effect::ReadOnly));
    let lines = |graph: &Graph| Version::of(graph).lines;
    let (before, after) = (lines(&before), lines(&after));
    assert_eq!(before.len(), after.len());
    assert_eq!(before.iter().zip(&after).filter(|(before, after)| before != after).count(), 1);
}

#[test]
fn hostile_names_stay_on_their_line() {
    for name in
        ["a b", "x\nversion 2 active", "\"", "\\", "-> done", "# no", "\u{202e}", "<<<<<<<", "größe", ""]
    {
        let mut graph = with_step(graph("charge: done\ndone ok:"), "charge", |step| {
            step.name = name.to_owned().into();
            step.errors = vec![error(name)].into();
            step.signature.takes = name.to_owned().into();
        });
        graph.nodes.to_mut()[2].kind = NodeKind::VersionSwitch { patch: name.to_owned().into() };
        let (code, locked) = round_trip(&graph);
        assert!(code.says_the_same(&locked).unwrap(), "{name:?}");
    }
}

#[test]
fn how_a_condition_is_spaced_makes_no_lock_stale() {
    let asks = |condition: &str, guard: u64| {
        let mut graph = graph(&format!("if_a if: ?{condition}=x, else=done\nx: done\ndone ok:"));
        graph.nodes.to_mut()[1].guard = guard;
        Version::of(&graph)
    };
    assert!(asks("a > 1", 7).says_the_same(&asks("a>1", 7)).unwrap());
    assert!(!asks("a > 1", 7).says_the_same(&asks("a > 1", 8)).unwrap());
    assert!(!asks("a > 1", 0).says_the_same(&asks("a > 2", 0)).unwrap());
}

#[test]
fn a_new_version_lets_the_old_one_drain() {
    let old = graph("charge: done\ndone ok:");
    let new = Graph { version: 2, ..graph("ship: done\ndone ok:") };
    let lock = Lock::named("sell").with(Version::of(&old)).with(Version::of(&new));
    let states: Vec<_> = lock.versions.iter().map(|version| (version.number, version.state)).collect();
    assert_eq!(states, [(1, VersionState::Draining), (2, VersionState::Active)]);
    let again = lock.clone().with(Version::of(&old));
    assert_eq!(again, lock);
}

#[test]
fn a_retired_change_may_lose_its_old_way_and_its_switch() {
    let switched = graph(
        "charge: if_p\nif_p switch:p: ?patched(\"p\").await=pack, else=ship\npack: done\nship: done\ndone ok:",
    );
    let (_, mut locked) = round_trip(&switched);
    locked.retired.push("p".to_owned());
    let read = Lock::read(&Lock { workflow: "sell".to_owned(), versions: vec![locked] }.text()).unwrap();
    let locked = read.version(1).unwrap();
    assert_eq!(locked.retired, ["p"]);
    let fits = |new: &Graph| {
        let section = locked.section().unwrap();
        let parts = section.automaton(&locked.retired).unwrap();
        lock::find_break(parts.automaton(), Owned::of(new).automaton()).is_none()
    };
    assert!(fits(&switched) && fits(&graph("charge: pack\npack: done\ndone ok:")));
    assert!(!fits(&graph("charge: ship\nship: done\ndone ok:")));
}

#[test]
fn what_cannot_be_read_is_told_with_its_line_and_what_to_do() {
    let head = "format 1\nworkflow sell\nversion 1 active\n";
    for (text, line, part) in [
        (String::new(), 1, "this is no lock file"),
        ("hello".to_owned(), 1, "this is no lock file"),
        ("format 2\nworkflow x\n".to_owned(), 1, "newer"),
        ("format x\n".to_owned(), 1, "no format"),
        (format!("{head}<<<<<<< HEAD\n"), 4, "merge"),
        (format!("{head}version 1 active\n"), 4, "twice"),
        (format!("{head}version 2 asleep\n"), 4, "active"),
        (format!("{head}takes \"Order\n"), 4, "not closed"),
    ] {
        let error = Lock::read(&text).unwrap_err();
        assert_eq!((error.line, error.text.contains(part)), (line, true), "{error}");
        assert!(error.text.contains("version control"), "{error}");
    }
    for (text, line, part) in [
        (format!("{head}flow sell\n  a walk\n"), 5, "`walk` is no kind"),
        (format!("{head}flow sell\n  a timer -> b\n"), 5, "no node `b`"),
        (format!("{head}flow sell\n  a timer\n  a timer\n"), 6, "one id"),
        (format!("{head}flow sell\n  a step wire=x\n"), 5, "a wire"),
        (format!("{head}flow sell\n  a decision guard=xyz\n"), 5, "hexadecimal"),
        (format!("{head}flow sell\n  a timer -> a maybe\n"), 5, "a way is taken"),
        (format!("{head}  a timer\n"), 4, "stands in a `flow`"),
        (format!("{head}what\n"), 4, "no line of a lock"),
    ] {
        let lock = Lock::read(&text).unwrap();
        let version = &lock.versions[0];
        let read = version.section().and_then(|section| section.automaton(&[]).map(|_| ()));
        let error = read.unwrap_err();
        assert_eq!((error.line, error.text.contains(part)), (line, true), "{error}");
    }
}
