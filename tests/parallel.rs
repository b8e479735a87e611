//! Parallel code as it is compiled: what the graph says of it, and what the core asks for at each event.
//! How the engine runs it is tested in `workflow-runtime`.

#![allow(missing_docs)]

use workflow_core::{Command, Event, OpId, Payload, Run};
use workflow_runtime::graph::{Flow, FlowKind, NodeKind};
use workflow_runtime::prelude::*;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum Trouble {
    #[error("sold out")]
    SoldOut,
    #[error("late")]
    Late(#[from] TimedOut),
}

#[derive(Clone, Debug, Serialize, Deserialize, Message)]
#[message(key = order)]
pub struct Paid {
    order: String,
    cents: u64,
}

#[step(compensate = put_back(line))]
pub async fn pick(line: u64) -> Result<u64, Trouble> {
    if line == 0 { Err(Trouble::SoldOut) } else { Ok(line) }
}

#[step(retriable)]
pub async fn put_back(line: u64) {
    let _ = line;
}

#[step(read_only)]
pub async fn look(order: &str) -> u64 {
    order.len() as u64
}

#[subflow]
pub async fn pick_two(line: u64) -> Result<u64, Trouble> {
    let (a, b) = try_join!(pick(line), pick(line + 1))?;
    Ok(a + b)
}

/// Sell
#[workflow]
pub async fn sell(order: String, lines: Vec<u64>) -> Result<u64, Trouble> {
    use self::pick as take;
    let (seen, both) = join!(
        /// Look at the order
        look(&order),
        async {
            let first = take(look(&order).await).await?;
            if first > 3 {
                return Ok(0);
            }
            let two = pick_two(first).await;
            two.map(|two| two + first)
        },
    );
    let picked = match try_join_all(lines.iter().map(|line| take(*line))).limit(2).await {
        Ok(picked) => picked,
        Err(Trouble::SoldOut) => Vec::new(),
        Err(error) => return Err(error),
    };
    let cents = select! {
        paid = receive::<Paid>(&order).forever() => paid.cents,
        /// Nobody paid
        _ = sleep(days(7)) => return Err(Trouble::Late(TimedOut)),
        looked = look(&order).timeout(minutes(1)) => looked,
    };
    match try_join!(take(cents), pick_two(seen), async { Ok(look(&order).await) }) {
        Ok((a, b, c)) => Ok(a + b + c + both? + picked.len() as u64),
        Err(Trouble::SoldOut) => Ok(0),
        Err(other) => Err(other),
    }
}

#[test]
fn the_graph_shows_forks_blocks_races_and_what_is_done_for_each() {
    assert_eq!(sell.graph().defects(), []);
    insta::assert_snapshot!(sell.graph().to_string());
}

#[test]
fn what_is_done_for_each_value_knows_its_step_and_its_errors() {
    let graph = sell.graph();
    let many = graph.nodes.iter().position(|node| node.instances.is_some()).unwrap();
    let NodeKind::Step(step) = &graph.nodes[many].kind else { panic!("a step") };
    assert_eq!(step.name, "pick");
    let told_apart = |flow: &Flow| match &flow.kind {
        FlowKind::Error { variant, .. } => variant == "SoldOut",
        _ => false,
    };
    assert!(graph.outgoing(many).any(told_apart));
    let steps: Vec<_> = sell.definition().steps().iter().map(|step| step.facts.name.to_string()).collect();
    assert_eq!(steps, ["look", "pick", "put_back"]);
}

/// What the commands ask for, and at which operation.
fn asked(commands: &[Command]) -> Vec<String> {
    let name = |command: &Command| {
        let debug = format!("{command:?}");
        let kind = debug.split([' ', '(']).next().unwrap_or_default().to_owned();
        command.op().map_or(kind.clone(), |op| format!("{kind} {op}"))
    };
    commands.iter().map(name).collect()
}

fn done(op: &str, output: u64) -> Event {
    let output = match op {
        undo if undo.ends_with("/undo") => Payload::of(&()),
        look if look.starts_with("look") => Payload::of(&output),
        _ => Payload::of(&Ok::<_, Trouble>(output)),
    };
    Event::StepCompleted { op: OpId::from_text(op), output: output.unwrap(), error: None }
}

fn sold_out(op: &str) -> Event {
    let output = Payload::of(&Err::<u64, _>(Trouble::SoldOut)).unwrap();
    Event::StepCompleted { op: OpId::from_text(op), output, error: Some("SoldOut".to_owned()) }
}

#[test]
fn every_event_asks_for_what_its_branch_needs_next() {
    let mut run = Run::new(sell.definition(), "run");
    let args = Payload::of(&("order", [7, 8, 9])).unwrap();
    let mut transcript = String::new();
    let mut feed = |event: Event| {
        let commands = run.feed(0, &event).unwrap();
        let event = match &event {
            Event::Started { .. } => "started".to_owned(),
            Event::TimerFired { op } => format!("{op} fired"),
            Event::StepCompleted { op, error: None, .. } => format!("{op} done"),
            Event::StepCompleted { op, .. } => format!("{op} failed"),
            other => panic!("{other:?}"),
        };
        transcript.push_str(&format!("{event}: {}\n", asked(&commands).join(", ")));
    };
    feed(Event::started(args));
    feed(done("look_2", 1));
    feed(done("take", 1));
    feed(done("pick_two.pick_2", 5));
    feed(done("look", 4));
    feed(done("pick_two.pick", 6));
    feed(done("take_2[1]", 8));
    feed(done("take_2[0]", 7));
    feed(done("take_2[2]", 9));
    feed(done("look_3", 3));
    feed(done("pick_two_2.pick", 3));
    feed(sold_out("take_3"));
    feed(done("pick_two_2.pick_2", 3));
    feed(done("look_4", 3));
    feed(done("pick_two_2.pick_2/undo", 0));
    feed(done("pick_two_2.pick/undo", 0));
    insta::assert_snapshot!(transcript);
}
