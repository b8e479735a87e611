//! Runs as JSON lines: on request, and before they are removed.
//! It must not know how a store chooses what is old.

mod world;

use std::error::Error;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use workflow_runtime::prelude::*;
use workflow_runtime::{Conclusion, ExportedRun, JsonLines, Memory, RunFilter, RunSink};
use world::{Behaviour, Folder, World, builder, eventually, five_notes, fulfil, on_every_store, patient};

const HOUR: Duration = Duration::from_secs(3_600);

fn everything() -> RunFilter {
    RunFilter { limit: u32::MAX, ..RunFilter::default() }
}

fn read(lines: &[u8]) -> Vec<ExportedRun> {
    let lines = std::str::from_utf8(lines).unwrap().lines();
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Keeps runs in memory, once it is told to.
#[derive(Clone, Default)]
struct Archive {
    is_open: Arc<Mutex<bool>>,
    refused: Arc<Mutex<usize>>,
    kept: Arc<Mutex<Vec<ExportedRun>>>,
}

#[async_trait::async_trait]
impl RunSink for Archive {
    async fn keep(&self, runs: &[ExportedRun]) -> Result<(), Box<dyn Error + Send + Sync + 'static>> {
        if !*self.is_open.lock().unwrap() {
            *self.refused.lock().unwrap() += 1;
            assert!(*self.refused.lock().unwrap() > 1, "the first time it panics");
            return Err("the archive is closed".into());
        }
        self.kept.lock().unwrap().extend(runs.iter().cloned());
        Ok(())
    }
}

on_every_store! {
    async fn all_that_is_known_of_a_run_is_one_line(store, world, clock) {
        let engine = builder(store, &world, &clock).start().await.unwrap();
        let client = engine.client();
        engine.start(five_notes("a\n\"".into())).id("a").await.unwrap().result().await.unwrap();
        world.script("reserve", [Behaviour::Fail(world::ShopError::Declined)]);
        engine.start(fulfil("b".into())).id("b").await.unwrap().result().await.unwrap_err();
        engine.start(patient("c".into())).id("c").await.unwrap();
        let mut lines = Vec::new();
        assert_eq!(client.export(&everything(), &mut lines).await.unwrap(), 3);
        assert_eq!(lines.iter().filter(|byte| **byte == b'\n').count(), 3);
        let runs = read(&lines);
        let names: Vec<_> = runs.iter().map(|run| (&*run.run_id, &*run.workflow, run.format)).collect();
        assert_eq!(names, [("a", "five_notes", 1), ("b", "fulfil", 1), ("c", "patient", 1)]);
        assert!(matches!(runs[0].conclusion, Some(Conclusion::Completed(_))));
        assert!(matches!(runs[1].conclusion, Some(Conclusion::Failed { .. })));
        assert_eq!((&runs[2].conclusion, runs[2].ended_ms), (&None, None));
        for run in &runs {
            assert_eq!(run.journal, client.journal(&run.run_id).await.unwrap());
            assert_eq!(run.to_json_line(), String::from_utf8(serde_json::to_vec(run).unwrap()).unwrap() + "\n");
        }
    }

    async fn the_filter_and_its_limit_hold(store, world, clock) {
        let engine = builder(store, &world, &clock).start().await.unwrap();
        for n in 0..120 {
            engine.start(five_notes("a".into())).id(format!("run-{n:03}")).await.unwrap().result().await.unwrap();
        }
        engine.start(patient("a".into())).id("other").await.unwrap();
        let client = engine.client();
        let mut lines = Vec::new();
        assert_eq!(client.export(&RunFilter { limit: 110, ..everything() }, &mut lines).await.unwrap(), 110);
        let runs = read(&lines);
        let last = runs.last().unwrap().run_id.clone();
        let rest = RunFilter { after: Some(last), workflow: Some("five_notes".into()), ..everything() };
        let mut lines = Vec::new();
        assert_eq!(client.export(&rest, &mut lines).await.unwrap(), 11);
        assert_eq!(read(&lines).last().unwrap().run_id, "run-119");
    }

    async fn a_run_is_removed_only_once_it_was_exported(store, world, clock) {
        let archive = Archive::default();
        let builder = builder(store, &world, &clock).run_retention(HOUR).export_to(archive.clone());
        let engine = builder.start().await.unwrap();
        let client = engine.client();
        for id in ["a", "b"] {
            engine.start(five_notes("a".into())).id(id).await.unwrap().result().await.unwrap();
        }
        engine.start(patient("c".into())).id("unfinished").await.unwrap();
        let journal = client.journal("a").await.unwrap();
        clock.advance(2 * HOUR);
        eventually("it is refused, by a panic and by an error", async || {
            clock.advance(Duration::from_secs(60));
            (*archive.refused.lock().unwrap() >= 3).then_some(())
        })
        .await;
        assert_eq!(client.runs(&everything()).await.unwrap().len(), 3, "nothing was removed");
        *archive.is_open.lock().unwrap() = true;
        eventually("they are removed", async || {
            clock.advance(Duration::from_secs(60));
            (client.runs(&everything()).await.unwrap().len() == 1).then_some(())
        })
        .await;
        let kept = archive.kept.lock().unwrap().clone();
        assert_eq!(kept.iter().map(|run| &*run.run_id).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(kept[0].journal, journal);
        assert!(client.status("unfinished").await.is_ok());
    }
}

#[tokio::test]
async fn a_line_that_a_crash_cut_off_spoils_no_other() {
    let (world, clock, folder) = (World::new(), workflow_runtime::Clock::manual(1_000_000), Folder::new());
    let path = folder.database().with_extension("jsonl");
    std::fs::File::create(&path).unwrap().write_all(b"{\"format\":1,\"run_id\":\"cut").unwrap();
    let archive = JsonLines::append(&path).unwrap();
    let engine = builder(Memory::new(), &world, &clock).run_retention(HOUR).export_to(archive);
    let engine = engine.start().await.unwrap();
    engine.start(five_notes("a".into())).id("a").await.unwrap().result().await.unwrap();
    clock.advance(2 * HOUR);
    let text = eventually("it is in the file", async || {
        clock.advance(Duration::from_secs(60));
        let text = std::fs::read_to_string(&path).unwrap();
        text.ends_with("}\n").then_some(text)
    })
    .await;
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(serde_json::from_str::<ExportedRun>(lines[1]).unwrap().run_id, "a");
}

#[tokio::test]
async fn an_export_without_a_removal_is_refused_at_the_start() {
    let builder = Engine::builder().store(Memory::new()).export_to(Archive::default());
    let error = builder.start().await.err().expect("it does not start");
    assert!(error.is_setup() && error.to_string().contains("`.run_retention(..)`"), "{error}");
}
