//! What a step logs carries the run and the node it belongs to, without the step's help.
//! It must not know how the engine makes its spans.
#![allow(missing_docs)]

use std::io::Write;
use std::sync::{Arc, Mutex};

use workflow_runtime::Memory;
use workflow_runtime::prelude::*;

#[step(read_only)]
async fn weigh(parcel: u32) -> u32 {
    tracing::info!("on the scales");
    parcel * 2
}

#[workflow]
async fn ship(parcel: u32) -> u32 {
    weigh(parcel).await
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
