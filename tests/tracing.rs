//! What a step logs carries the run and the node it belongs to, without the step's help.
//! It must not know how the engine makes its spans.
#![allow(missing_docs)]

use std::io::Write;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use workflow_runtime::prelude::*;
use workflow_runtime::{Memory, TraceContext};

#[step(read_only)]
async fn weigh(parcel: u32) -> u32 {
    tracing::info!("on the scales");
    parcel * 2
}

#[workflow]
async fn ship(parcel: u32) -> u32 {
    weigh(parcel).await
}

/// Hangs in the first process.
#[derive(Clone, Default)]
struct Scales {
    calls: Arc<AtomicU32>,
}

#[step(read_only)]
async fn weigh_for_long(scales: Resource<Scales>, cx: StepContext, parcel: u32) -> u32 {
    tracing::info!(traceparent = cx.traceparent(), "called");
    if scales.calls.fetch_add(1, Ordering::SeqCst) == 0 {
        std::future::pending::<()>().await;
    }
    parcel * 2
}

#[workflow]
async fn ship_slowly(parcel: u32) -> u32 {
    weigh_for_long(parcel).await
}

#[workflow]
async fn ship_by_another(parcel: u32) -> u32 {
    ship(parcel).id("child-of-parcel-9").await
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("nobody panics with the log in hand").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_line_logged_in_a_step_names_its_run_and_its_node() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    // The test's runtime has one thread, so all that the engine does is seen here.
    let _guard = tracing::subscriber::set_default(subscriber);
    let engine = Engine::builder().store(Memory::new()).register(ship).start().await.unwrap();
    let run = engine.start(ship(21)).id("parcel-7").await.unwrap();
    assert_eq!(run.result().await.unwrap(), 42);
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let line = text.lines().find(|line| line.contains("on the scales")).expect("the step's line");
    for part in ["run_id=parcel-7", "workflow=\"ship\"", "node=\"weigh\"", "attempt=1"] {
        assert!(line.contains(part), "{part} is missing: {line}");
    }
}

impl Log {
    /// The lines with these words, once there are so many.
    async fn lines(&self, words: &str, count: usize) -> Vec<String> {
        loop {
            let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
            let lines: Vec<String> =
                text.lines().filter(|line| line.contains(words)).map(str::to_owned).collect();
            if lines.len() >= count {
                return lines;
            }
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn a_run_is_one_trace_before_and_after_a_restart() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let (store, scales) = (Arc::new(Memory::new()), Scales::default());
    let start = || {
        let builder = Engine::builder().store(Arc::clone(&store)).resource(scales.clone());
        builder.register(ship_slowly).start()
    };
    let first = start().await.unwrap();
    first.start(ship_slowly(21)).id("parcel-8").await.unwrap();
    log.lines("called", 1).await;
    drop(first);
    let second = start().await.unwrap();
    assert_eq!(second.client().result::<u32>("parcel-8").await.unwrap(), 42);
    let run = TraceContext::of_run("parcel-8");
    let lines = log.lines("called", 2).await;
    let attempt = StepContext::new("parcel-8", "weigh_for_long", 1);
    for line in &lines {
        for part in [
            format!("trace_id={}", run.trace_id()),
            format!(" span_id={}", run.span_id()),
            format!("parent_span_id={}", run.span_id()),
            format!(" span_id={}", attempt.trace().span_id()),
            format!("traceparent=\"00-{}-{}-01\"", run.trace_id(), attempt.trace().span_id()),
        ] {
            assert!(line.contains(&part), "{part} is missing: {line}");
        }
    }
}

#[tokio::test]
async fn the_span_of_a_child_names_its_parent() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let engine = Engine::builder().store(Memory::new()).register(ship_by_another).start().await.unwrap();
    let run = engine.start(ship_by_another(21)).id("parcel-9").await.unwrap();
    assert_eq!(run.result().await.unwrap(), 42);
    let line = log.lines("on the scales", 1).await.remove(0);
    for part in ["run_id=child-of-parcel-9", "parent_run_id=\"parcel-9\""] {
        assert!(line.contains(part), "{part} is missing: {line}");
    }
}
