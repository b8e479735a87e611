//! What the engine itself costs: turns of the core without any store, and whole runs on the memory store.
//! It measures processor time and allocations; how fast an engine is on a disk is told by `engine`.
//!
//! `cargo bench --bench turns`, or `.. -- a 5` for one part (`core`, `a`, `b`, `c`, `f`) and a number of rounds.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::task::JoinSet;
use workflow_core::{
    Answer, AttemptOutcome, Command, Definition, Event, OpId, Payload, Record, Run, Workflow, WorkflowCall,
    WorkflowFn,
};
use workflow_runtime::Memory;
use workflow_runtime::prelude::*;

#[step(read_only)]
async fn add_one(n: u64) -> u64 {
    n + 1
}

#[workflow]
async fn five_steps(start: u64) -> u64 {
    let one = add_one(start).await;
    let two = add_one(one).await;
    let three = add_one(two).await;
    let four = add_one(three).await;
    add_one(four).await
}

#[workflow]
async fn in_a_row(count: u64) -> u64 {
    let mut sum = 0;
    for _ in 0..count {
        sum = add_one(sum).await;
    }
    sum
}

#[workflow]
async fn fan_out(count: u64) -> u64 {
    let answers = join_all((0..count).map(add_one)).await;
    answers.len() as u64
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let part = arguments.next();
    let rounds: usize = arguments.next().map_or(1, |rounds| rounds.parse().expect("a number of rounds"));
    let is_asked = |name: &str| part.as_deref().is_none_or(|part| part == name);
    for _ in 0..rounds {
        if is_asked("core") {
            core();
        }
        let executor = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads");
        if is_asked("a") {
            executor.block_on(many_runs());
        }
        if is_asked("b") {
            executor.block_on(lone_runs());
        }
        if is_asked("c") {
            executor.block_on(one_run("c: 1,000 steps at once", fan_out, 1_000, 20));
        }
        if is_asked("f") {
            executor.block_on(one_run("f: 2,000 steps in a row", in_a_row, 2_000, 5));
            executor.block_on(one_run("f: 10,000 steps in a row", in_a_row, 10_000, 2));
        }
    }
}

/// Turns without anything else: a step is answered as soon as it is asked for, so that a turn per step is left.
fn core() {
    let cases = [
        ("core: runs of five steps", five_steps.definition(), 1, 2_000),
        ("core: 10,000 in a row", in_a_row.definition(), 10_000, 2),
        ("core: 1,000 at once", fan_out.definition(), 1_000, 10),
    ];
    for (name, definition, input, runs) in cases {
        let journal = journal_of(definition, input);
        let turns = runs * journal.len();
        let mut allocations = 0;
        let driven = measured(|| {
            allocations = allocation_counter::measure(|| {
                (0..runs).for_each(|_| drop(journal_of(definition, input)));
            })
            .count_total;
        });
        let replayed = measured(|| {
            (0..runs)
                .for_each(|_| drop(Run::replay(definition, "run", &journal).expect("it is its own journal")));
        });
        println!(
            "{name}: {:.0} ns and {:.1} allocations per turn; replay {:.0} ns",
            driven.1.as_nanos() as f64 / turns as f64,
            allocations as f64 / turns as f64,
            replayed.1.as_nanos() as f64 / turns as f64,
        );
    }
}

/// Drives one run to its end.
fn journal_of(definition: Definition, input: u64) -> Vec<Record> {
    let mut run = Run::new(definition, "0199c0de-0000-7000-8000-000000000000");
    let mut journal = Vec::new();
    let mut asked: VecDeque<OpId> = VecDeque::new();
    let mut event = Event::started(Payload::of(&(input,)).expect("a number is JSON"));
    loop {
        let commands = run.feed(1, &event).expect("the code is in order");
        asked.extend(commands.iter().filter_map(|command| match command {
            Command::StartStep { op, .. } => Some(op.clone()),
            _ => None,
        }));
        journal.push(Record::new(1, event, commands));
        let Some(op) = asked.pop_front() else { return journal };
        let answer = Payload::of(&1_u64).expect("a number is JSON");
        event = run.judge(&op, AttemptOutcome::Answered(Answer::Done(answer)), 1).expect("it is open");
    }
}

/// The work of `throughput`, where nothing is written.
async fn many_runs() {
    const RUNS: u64 = 4_000;
    const IN_FLIGHT: u64 = 64;
    let (engine, _folder) = engine().await;
    let began = (Instant::now(), processor_time());
    let mut clients = JoinSet::new();
    for client in 0..IN_FLIGHT {
        let engine = engine.clone();
        clients.spawn(async move {
            for n in (client..RUNS).step_by(IN_FLIGHT as usize) {
                let run = engine.start(five_steps(n)).await.expect("it starts");
                assert_eq!(run.result().await.expect("it ends"), n + 5);
            }
        });
    }
    while let Some(client) = clients.join_next().await {
        client.expect("no client panics");
    }
    report("a: 4,000 runs of five steps, 64 at a time", 5 * RUNS, began);
    engine.shutdown().await;
}

async fn lone_runs() {
    const RUNS: u64 = 500;
    let (engine, _folder) = engine().await;
    let mut took = Vec::new();
    let began = (Instant::now(), processor_time());
    for _ in 0..RUNS {
        let began = Instant::now();
        engine.start(in_a_row(10)).await.expect("it starts").result().await.expect("it ends");
        took.push(began.elapsed());
    }
    report("b: lone runs of ten steps", 10 * RUNS, began);
    took.sort();
    println!("   p50 {:?}, p99 {:?}", took[took.len() / 2], took[took.len() * 99 / 100]);
    engine.shutdown().await;
}

/// One run at a time, of so many steps.
async fn one_run<W: Workflow<Output = u64>>(
    name: &str,
    call: fn(u64) -> WorkflowCall<W>,
    steps: u64,
    runs: u64,
) {
    let (engine, _folder) = engine().await;
    let began = (Instant::now(), processor_time());
    for _ in 0..runs {
        let sum = engine.start(call(steps)).await.expect("it starts").result().await.expect("it ends");
        assert_eq!(sum, steps);
    }
    report(name, steps * runs, began);
    engine.shutdown().await;
}

/// On the memory store, or on SQLite in a folder that `TURNS_FOLDER` names: one in memory shows what the store costs.
async fn engine() -> (Engine, Option<TempDir>) {
    let builder = Engine::builder().register(five_steps).register(in_a_row).register(fan_out);
    let (builder, folder) = match std::env::var_os("TURNS_FOLDER") {
        Some(folder) => {
            let folder = tempfile::tempdir_in(folder).expect("the folder is there");
            let store = Sqlite::open(folder.path().join("turns.db")).await.expect("it opens");
            (builder.store(store), Some(folder))
        }
        None => (builder.store(Memory::new()), None),
    };
    (builder.start().await.expect("it starts"), folder)
}

fn report(name: &str, steps: u64, began: (Instant, Duration)) {
    let (took, used) = (began.0.elapsed(), processor_time() - began.1);
    println!(
        "{name}: {:.2} us and {:.2} us of processor time per step; {:.1} ms in all",
        took.as_secs_f64() * 1e6 / steps as f64,
        used.as_secs_f64() * 1e6 / steps as f64,
        took.as_secs_f64() * 1e3,
    );
}

/// How long something took, and how much processor time that was.
fn measured(work: impl FnOnce()) -> (Duration, Duration) {
    let began = (Instant::now(), processor_time());
    work();
    (began.0.elapsed(), processor_time() - began.1)
}

/// What this process has used so far.
fn processor_time() -> Duration {
    cpu_time::ProcessTime::now().as_duration()
}
