//! Explores generated programs with the kit: those that were compiled twice, the second time without the compiler's
//! work, and with the engine on SQLite doing the same as the kit; the others only without having been compiled.
//! Prints one line of JSON with what was done; everything before it is what went wrong.

mod code;
mod explore;
mod interpret;
mod order;
mod play;
mod prepared;
mod programs;
mod saga_order;
mod steps;
mod watched;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use explore::{Explored, Program, Row, Search, interpret, keep_quiet_about_explored_panics};
use order::why_not;
use prepared::{Prepared, SLOTS};
use saga_order::make::make;
use saga_order::sound::{bounded, programs, seeds};
use tokio::sync::Semaphore;
use workflow_core::Event;
use workflow_graph::Graph;

/// What was done in all.
#[derive(Default, serde::Serialize)]
struct Sum {
    /// Programs that were compiled and explored.
    compiled: usize,
    /// Of those, how many do the same when they are not compiled.
    alike: usize,
    /// Programs that were explored without having been compiled.
    interpreted: usize,
    executions: usize,
    crashes: usize,
    played: usize,
    restarted: usize,
    rows: usize,
    /// Programs of which the engine has played something.
    programs_played: usize,
    /// By the kind of event, how often the engine did the same.
    events: BTreeMap<String, usize>,
    /// Why executions could not be played.
    left_out: BTreeMap<&'static str, usize>,
    /// Programs that the macros refuse.
    refused: usize,
    /// Everything that went wrong, in words.
    #[serde(skip)]
    failures: Vec<String>,
}

/// What is asked for.
#[derive(Clone, Copy)]
struct Demand {
    seed: u64,
    /// How many programs are explored that were not compiled.
    interpreted: usize,
    /// How many executions of each, in each of two ways.
    executions: usize,
    /// How many executions of each compiled program the engine plays.
    played: usize,
}

/// Executions of one program.
struct Found {
    program: &'static Program,
    number: u32,
    executions: Vec<Vec<Row>>,
}

/// How many engines are at work at once: most of the time, each waits for its disk.
const ENGINES: usize = 8;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u64>().expect("a number"));
    let mut argument =
        || arguments.next().expect("seed, programs, executions, and how many of them are played");
    let seed = argument();
    let mut count = || usize::try_from(argument()).expect("a small number");
    let demand = Demand { seed, interpreted: count(), executions: count(), played: count() };
    keep_quiet_about_explored_panics();
    let sum = Arc::new(Mutex::new(Sum::default()));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let (found, finds) = mpsc::channel();
    std::thread::scope(|scope| {
        let (sum, also_found) = (&sum, found.clone());
        scope.spawn(move || look_at_all::<0>(demand, sum, &also_found));
        scope.spawn(move || look_at_all::<1>(demand, sum, &found));
        let engines = Arc::new(Semaphore::new(ENGINES));
        let mut plays = tokio::task::JoinSet::new();
        for found in finds {
            play_some(found, demand.played, sum, &engines, &mut plays, &runtime);
        }
        while let Some(play) = runtime.block_on(plays.join_next()) {
            if let Err(broken) = play {
                let mut sum = sum.lock().unwrap_or_else(PoisonError::into_inner);
                sum.failures.push(format!("a play broke off: {broken}"));
            }
        }
    });
    let sum = sum.lock().unwrap_or_else(PoisonError::into_inner);
    sum.failures.iter().for_each(|failure| println!("{failure}\n"));
    println!("{}", serde_json::to_string(&*sum).expect("numbers and names"));
    if sum.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn look_at_all<const SLOT: usize>(demand: Demand, sum: &Mutex<Sum>, found: &mpsc::Sender<Found>) {
    let add =
        |change: &mut dyn FnMut(&mut Sum)| change(&mut sum.lock().unwrap_or_else(PoisonError::into_inner));
    for (place, program) in programs::PROGRAMS.iter().enumerate().skip(SLOT).step_by(SLOTS) {
        let number = number_at(place);
        let executions = explored(|search| (program.explore)(number, search), demand, program.name, sum)
            .unwrap_or_default();
        add(&mut |sum| sum.compiled += 1);
        match is_alike::<SLOT>(program, place, demand, &executions, sum) {
            Ok(()) => add(&mut |sum| sum.alike += 1),
            Err(why) => add(&mut |sum| sum.failures.push(format!("{}: {why}", program.name))),
        }
        let _ = found.send(Found { program, number, executions });
    }
    // Others than those that were compiled.
    let flows = programs(seeds(demand.seed + 1).skip(SLOT).step_by(SLOTS));
    for (place, (seed, flow)) in flows.take(demand.interpreted / SLOTS).enumerate() {
        match Prepared::of::<SLOT>(&flow, 0) {
            Ok(prepared) => {
                let number = number_at(place);
                let name = format!("the program of the seed {seed}");
                explored(|search| interpret::<SLOT>(prepared, number, search), demand, &name, sum);
                add(&mut |sum| sum.interpreted += 1);
            }
            Err(_) => add(&mut |sum| sum.refused += 1),
        }
    }
}

/// What the program at this place is started with.
fn number_at(place: usize) -> u32 {
    u32::try_from(place / SLOTS % 4).expect("a small number")
}

/// Explores a program in order and in other orders; `None` if something is wrong with it.
fn explored(
    explore: impl Fn(&Search) -> Explored,
    demand: Demand,
    name: &str,
    sum: &Mutex<Sum>,
) -> Option<Vec<Vec<Row>>> {
    let mut executions = Vec::new();
    for interleaves in [false, true] {
        let kept = Rc::default();
        let search = Search {
            executions: demand.executions,
            crashes: true,
            interleaves,
            kept: Some(Rc::clone(&kept)),
        };
        let outcome = explore(&search);
        let mut sum = sum.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Ok(report) => {
                sum.executions += report.executions;
                sum.crashes += report.crashes;
            }
            Err(failure) => {
                sum.failures.push(format!("{name}, interleaved {interleaves}: {failure}"));
                return None;
            }
        }
        executions.append(&mut kept.borrow_mut());
    }
    Some(executions)
}

/// Whether a program that was compiled has the same graph and does the same when it is not.
fn is_alike<const SLOT: usize>(
    program: &Program,
    place: usize,
    demand: Demand,
    executions: &[Vec<Row>],
    sum: &Mutex<Sum>,
) -> Result<(), String> {
    let prepared = Prepared::of::<SLOT>(&bounded(make(program.seed)), place)?;
    prepared.put_in::<SLOT>(); // Its graphs are looked up there.
    let (one, other) = (outline((program.graph)()), outline(prepared.graph()));
    if one != other {
        return Err(format!("the graphs differ:\n{one:?}\n{other:?}"));
    }
    let number = number_at(place);
    let again = explored(|search| interpret::<SLOT>(prepared, number, search), demand, "the same", sum);
    let again = again.unwrap_or_default();
    if executions.len() != again.len() {
        return Err(format!("{} executions, and {} without the compiler", executions.len(), again.len()));
    }
    match executions.iter().zip(&again).find(|(one, other)| one != other) {
        Some((one, other)) => {
            let differs = one.iter().zip(other).find(|(one, other)| one != other);
            Err(format!("without the compiler it does something else: {differs:?}\nin {one:?}"))
        }
        None => Ok(()),
    }
}

/// What both graphs should have in common: all but the names of functions.
fn outline(graph: &Graph) -> String {
    let nodes = graph.nodes.iter().map(|node| {
        let kind = format!("{:?}", node.kind);
        let kind = kind.split([' ', '(', '{']).next().unwrap_or_default().to_owned();
        format!("{} {kind} {:?} {:?}\n", node.id, node.scope, node.instances)
    });
    let flows = graph.flows.iter().map(|flow| format!("{flow:?}\n"));
    // How the compiler spaces the text of a condition is its own affair.
    nodes.chain(flows).collect::<String>().replace(' ', "")
}

/// Has so many of these played, as different as they can be had: at even distances among those that can be played.
fn play_some(
    found: Found,
    count: usize,
    sum: &Arc<Mutex<Sum>>,
    engines: &Arc<Semaphore>,
    plays: &mut tokio::task::JoinSet<()>,
    runtime: &tokio::runtime::Runtime,
) {
    let Found { program, number, executions } = found;
    let mut fit: Vec<Vec<Row>> = Vec::new();
    {
        let mut sum = sum.lock().unwrap_or_else(PoisonError::into_inner);
        for rows in executions {
            match why_not(&rows) {
                None => fit.push(rows),
                Some(why) => *sum.left_out.entry(why).or_default() += 1,
            }
        }
        sum.programs_played += usize::from(!fit.is_empty());
    }
    let distance = fit.len().div_ceil(count.max(1)).max(1);
    for (index, rows) in fit.into_iter().enumerate().filter(|(index, _)| index % distance == distance / 2) {
        // Every other one goes on with another engine half way.
        let restart = (index / distance % 2 == 1).then_some(rows.len() / 2).filter(|rows| *rows > 0);
        let (sum, engines) = (Arc::clone(sum), Arc::clone(engines));
        let play = async move {
            let _engine = engines.acquire_owned().await;
            let folder = tempfile::tempdir().expect("a folder");
            let outcome = play::play(program, number, &rows, restart, folder.path()).await;
            note(
                outcome,
                program,
                number,
                &rows,
                restart,
                &mut sum.lock().unwrap_or_else(PoisonError::into_inner),
            );
        };
        plays.spawn_on(play, runtime.handle());
    }
}

fn note(
    outcome: Result<(), String>,
    program: &Program,
    number: u32,
    rows: &[Row],
    restart: Option<usize>,
    sum: &mut Sum,
) {
    match outcome {
        Ok(()) => {
            sum.played += 1;
            sum.restarted += usize::from(restart.is_some());
            sum.rows += rows.len();
            for row in rows {
                *sum.events.entry(kind(&row.record.event)).or_default() += 1;
            }
        }
        Err(error) => {
            let events = rows.iter().enumerate().map(|(index, row)| {
                format!(
                    "  {index} {}+{} {:?} {:?}\n",
                    row.run_id, row.generation, row.record.at_ms, row.record
                )
            });
            sum.failures.push(format!(
                "{} with {number}, restarted {restart:?}: {error}\n{}",
                program.name,
                events.collect::<String>()
            ));
        }
    }
}

fn kind(event: &Event) -> String {
    let text = format!("{event:?}");
    text.split([' ', '{', '(']).next().unwrap_or_default().to_owned()
}
