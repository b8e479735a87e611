//! Hostile values: names that are made to break out of statements, keys and paths, and answers of megabytes.
//! It must not know how the stores write any of them.

mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use workflow_runtime::prelude::*;
use workflow_runtime::store::Store;
use workflow_runtime::{Delivery, EngineBuilder, Memory, MessageFilter, RunFilter};
use world::*;

/// Names that a careless store or engine takes for something else, or for each other.
fn hostile_names() -> Vec<String> {
    let plain = [
        "'; DROP TABLE workflow_runs; --",
        "\" OR \"\"=\"",
        "') ON CONFLICT DO NOTHING; --",
        "$1",
        "?1",
        ":id",
        "%",
        "_",
        "a_c",
        "abc",
        "a%",
        "*",
        "*journal",
        "[a-z]*",
        "\\",
        "\\x00",
        "\\u0000",
        "{}",
        "{a,b}",
        "{\"a\",NULL}",
        "NULL",
        "null",
        "true",
        "0",
        "00",
        "1e3",
        "-1",
        " ",
        "a",
        "A",
        "a ",
        " a",
        "a/b",
        "a%2Fb",
        "a/+2/b",
        "a/charge",
        "a/charge/undo",
        "a#2",
        "a[3]",
        "a:b",
        "open_order:x",
        "..",
        "../../etc/passwd",
        "~",
        "a@2026-11-22T05:00:00Z",
        "<script>alert(1)</script>",
        "&amp;",
        "\u{e9}",
        "e\u{301}",
        "\u{df}",
        "ss",
        "i",
        "I",
        "\u{130}",
        "\u{131}",
        "\u{202e}gpj.exe",
        "\u{200b}",
        "\u{feff}a",
        "\u{a0}",
        "\u{1f469}\u{200d}\u{1f680}",
        "\u{10ffff}",
        "\u{fffd}",
        "\u{e000}",
    ];
    let longest = ["x".repeat(255), "\u{1f680}".repeat(63), format!("{}'", "/".repeat(254))];
    plain.into_iter().map(str::to_owned).chain(longest).collect()
}

/// Waits for a message for this name, then charges for it, under the name.
#[workflow]
async fn named(name: String) -> Result<u64, ShopError> {
    let paid = receive::<Paid>(&name).forever().await;
    charge(&name).await?;
    let amount = named_child(name, paid.amount).await;
    Ok(amount)
}

#[workflow]
async fn named_child(name: String, amount: u64) -> u64 {
    progress(&name).await;
    amount
}

/// On a shared store, an engine that was dropped keeps its runs for as long as its lease.
fn brief(builder: EngineBuilder) -> EngineBuilder {
    builder.lease(Duration::from_secs(3)).poll_interval(Duration::from_millis(50))
}

on_every_store! {
    async fn hostile_names_are_names_like_any_other(store, world, clock) {
        let store: Arc<dyn Store> = Arc::new(store);
        let names = hostile_names();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        let start = async || brief(builder(Arc::clone(&store), &world, &clock)).register(named).start().await.unwrap();
        let engine = start().await;
        for name in &names {
            engine.start(named(name.clone())).id(name).await.unwrap();
            // The id of a run that is there, for other input, is another run's.
            engine.start(named(format!("{name}!"))).id(name).await.unwrap_err();
        }
        // What was read from the store is not taken for something else, either.
        drop(engine);
        let engine = start().await;
        let client = engine.client();
        for (amount, name) in (0..).zip(&names) {
            let paid = Paid { order: name.clone(), amount };
            let delivery = client.deliver(paid.clone()).message_id(name).await.unwrap();
            assert_eq!(delivery, Delivery::Awaited, "{name:?}");
            assert_eq!(client.deliver(paid).message_id(name).await.unwrap(), Delivery::Duplicate, "{name:?}");
        }
        for (amount, name) in (0..).zip(&names) {
            let run = client.run(named, name).await.unwrap();
            assert_eq!(run.result().await.unwrap(), amount, "{name:?}");
            let children = RunFilter { parent: Some(name.clone()), ..RunFilter::default() };
            let children = client.runs(&children).await.unwrap();
            assert_eq!(children.len(), 1, "{name:?}");
            let told: Option<String> = client.progress(&children[0].run_id).await.unwrap();
            assert_eq!(told.as_ref(), Some(name));
            let message = MessageFilter { message_id: Some(name.clone()), ..MessageFilter::default() };
            assert_eq!(client.messages(&message).await.unwrap().len(), 1, "{name:?}");
        }
        let charged: BTreeSet<String> = world.calls().into_iter().collect();
        let expected = names.iter().map(|name| format!("charge {name}")).collect();
        assert_eq!((charged, world.count("charge")), (expected, names.len()));
        // Pages of any size show each run once, in the order of bytes, whatever a database thinks of languages.
        let of_names = async |limit| {
            let (mut listed, mut after) = (Vec::new(), None);
            loop {
                let page = RunFilter { workflow: Some("named".to_owned()), after, limit, ..RunFilter::default() };
                let page = client.runs(&page).await.unwrap();
                let Some(last) = page.last() else { return listed };
                after = Some(last.run_id.to_string());
                listed.extend(page.into_iter().map(|run| run.run_id.to_string()));
            }
        };
        let mut sorted = names.clone();
        sorted.sort();
        assert_eq!(of_names(7).await, sorted);
        assert_eq!(of_names(1_000).await, sorted);
    }

    async fn what_is_no_name_is_refused_and_leaves_no_trace(store, world, clock) {
        let engine = builder(store, &world, &clock).register(named).register(shouts).start().await.unwrap();
        let client = engine.client();
        for bad in ["", "\0", "a\0b", "a\nb", "\u{7f}", "\u{85}", &"x".repeat(256), &"\u{1f680}".repeat(64)] {
            assert!(engine.start(named("a".to_owned())).id(bad).await.unwrap_err().is_bad_input(), "{bad:?}");
            let paid = Paid { order: "a".to_owned(), amount: 1 };
            assert!(client.deliver(paid.clone()).message_id(bad).await.unwrap_err().is_bad_input(), "{bad:?}");
            let paid = Paid { order: bad.to_owned(), ..paid };
            assert!(client.deliver(paid).await.unwrap_err().is_bad_input(), "{bad:?}");
        }
        // Where no name is needed, a NUL is text like any other.
        let run = engine.start(shouts("a\0b \u{1f680} \u{fffe}".to_owned())).await.unwrap();
        assert_eq!(run.result().await.unwrap(), "a\0b \u{1f680} \u{fffe}");
        assert_eq!(client.runs(&RunFilter::default()).await.unwrap().len(), 1);
        assert_eq!(client.messages(&MessageFilter::default()).await.unwrap(), []);
    }

    async fn an_answer_of_five_mebibytes_is_an_incident_until_an_engine_takes_it(store, world, clock) {
        let store: Arc<dyn Store> = Arc::new(store);
        let written = Written::default();
        let start = async |limit: Option<usize>| {
            let builder = brief(builder(Arc::clone(&store), &world, &clock)).register(publishing);
            let builder = builder.resource(written.clone());
            match limit {
                Some(bytes) => builder.payload_limit(bytes),
                None => builder,
            }.start().await.unwrap()
        };
        let engine = start(None).await;
        engine.start(publishing(5 << 20)).id("large").await.unwrap();
        let client = engine.client();
        for order in 0..20 {
            let run = engine.start(fulfil(format!("o-{order}"))).await.unwrap();
            run.result().await.unwrap();
        }
        let status = until(&client, "large", "the incident", |status| !status.incidents.is_empty()).await;
        let told = &status.incidents[0].cause;
        assert!(told.contains("write_book") && told.contains(".payload_limit("), "{told}");
        assert!(store.journal("large").await.unwrap().iter().all(|record| format!("{record:?}").len() < 1 << 20));
        // Under a limit that is large enough it is stored, read back, and the same to the byte.
        drop((engine, client));
        let engine = start(Some(6 << 20)).await;
        engine.client().retry("large").await.unwrap();
        let run = engine.client().run(publishing, "large").await.unwrap();
        assert_eq!(run.result().await.unwrap(), 5 << 20);
        assert!(store.journal("large").await.unwrap().iter().any(|record| format!("{record:?}").len() > 5 << 20));
        drop(engine);
        // An engine with the usual limit replays what is there already.
        let engine = start(None).await;
        let run = engine.client().run(publishing, "large").await.unwrap();
        assert_eq!(run.result().await.unwrap(), 5 << 20);
    }
}

#[workflow]
async fn shouts(text: String) -> String {
    text
}

/// How often the book was written.
#[derive(Clone, Default)]
struct Written(Arc<AtomicUsize>);

#[step(retry(attempts = 1, initial = "1s", factor = 1.0, max = "1s"))]
async fn write_book(written: Resource<Written>, bytes: usize) -> String {
    written.0.fetch_add(1, Ordering::SeqCst);
    "b".repeat(bytes)
}

#[workflow]
async fn publishing(bytes: usize) -> usize {
    let book = write_book(bytes).await;
    note(&book[..10]).await.ok();
    book.len()
}

/// The list itself: names that are told apart by bytes alone.
#[test]
fn the_names_include_pairs_that_look_alike() {
    let folded = hostile_names().into_iter().map(|name| (name.trim().to_lowercase(), name));
    let mut alike: BTreeMap<String, usize> = BTreeMap::new();
    for (folded, _) in folded {
        *alike.entry(folded).or_default() += 1;
    }
    assert!(alike.values().filter(|count| **count > 1).count() >= 3);
}
