//! Messages that come early, twice, or for a wait that ends otherwise: the kit and an engine give them to the same
//! waits.
//! What comes when is drawn; where both are free to choose, as between two messages of one race, nothing is compared.

mod trip;

use std::time::Duration;

use trip::*;
use workflow_core::{Record, Workflow, WorkflowCall};
use workflow_runtime::prelude::*;
use workflow_runtime::{Client, Clock, Engine, Memory, MessageFilter};
use workflow_test::{Kit, TestRun};

/// How long an engine may take to write a row; milliseconds are usual.
const PATIENCE: Duration = Duration::from_secs(30);

/// Four rates, each in time or not
#[workflow]
async fn four_rates() -> u32 {
    let mut sum = 0;
    for _rate in 0..4 {
        let rate = receive::<Paid>(7).within(hours(2)).await;
        sum = sum * 10 + rate.map_or(0, |paid| paid.amount);
    }
    sum
}

/// Races that a payment may lose
#[workflow]
async fn four_races() -> u32 {
    let mut sum = 0;
    for _race in 0..4 {
        sum *= 10;
        select! {
            paid = receive::<Paid>(7).forever() => sum += paid.amount,
            () = sleep(hours(1)) => {}
        }
        sleep(hours(1)).await;
    }
    sum
}

/// Two that wait for the same, and one behind them
#[workflow]
async fn side_by_side() -> u32 {
    let (one, other) = join!(receive::<Paid>(7).within(hours(3)), receive::<Paid>(7).within(hours(2)));
    let last = receive::<Paid>(7).within(hours(2)).await;
    let amount = |paid: Result<Paid, TimedOut>| paid.map_or(0, |paid| paid.amount);
    amount(one) * 100 + amount(other) * 10 + amount(last)
}

/// A payment in each generation
#[workflow]
async fn generations(so_far: u32) -> u32 {
    let paid = receive::<Paid>(7).within(hours(2)).await.map_or(0, |paid| paid.amount);
    if so_far < 100 {
        return continue_as_new(generations(so_far * 10 + paid + 1)).await;
    }
    so_far
}

/// A payment after some days
#[workflow]
async fn days_later(after: u32) -> u32 {
    sleep(days(after)).await;
    receive::<Paid>(7).within(hours(1)).await.map_or(0, |paid| paid.amount)
}

/// What happens outside.
#[derive(Clone, Debug)]
enum Act {
    Deliver { id: String, amount: u32 },
    Pass(Duration),
}

/// Numbers that are the same in every run of the test.
fn drawn(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    }
}

fn script(seed: u64) -> Vec<Act> {
    let mut draw = drawn(seed);
    let act = |number: u32| match draw(5) {
        0 | 1 => Act::Pass(hours(1)),
        // One that was there already, now and then.
        2 if number > 2 => Act::Deliver { id: format!("m-{}", draw(u64::from(number))), amount: 9 },
        _ => Act::Deliver { id: format!("m-{number}"), amount: number % 8 + 1 },
    };
    let acts: Vec<Act> = (0..12).map(act).collect();
    acts.into_iter().chain(std::iter::repeat_n(Act::Pass(hours(1)), 9)).collect()
}

/// What the kit has written after each act, and the payments that nobody took.
fn played<W: Workflow>(run: &TestRun<W>, script: &[Act]) -> (Vec<Vec<Record>>, Vec<u32>) {
    let journals = script.iter().map(|act| {
        match act.clone() {
            Act::Deliver { id, amount } => run.deliver_with_id(&id, Paid { trip: 7, amount }),
            Act::Pass(time) => run.advance(time),
        }
        run.advance(Duration::ZERO);
        run.journal()
    });
    let journals = journals.collect();
    (journals, run.unclaimed::<Paid>().into_iter().map(|paid| paid.amount).collect())
}

/// The same by an engine; each act waits for what the kit has written after the one before.
async fn repeated<W: Workflow>(call: WorkflowCall<W>, script: &[Act], kit: &[Vec<Record>]) -> Vec<u32> {
    let clock = Clock::manual(0);
    let builder = Engine::builder().store(Memory::new()).clock(clock.clone()).register(four_rates);
    let builder = builder.register(four_races).register(side_by_side).register(generations);
    let engine = builder.register(days_later).start().await.unwrap();
    let client = engine.client();
    engine.start(call).id("run").await.unwrap();
    for (act, expected) in script.iter().zip(kit) {
        match act.clone() {
            Act::Deliver { id, amount } => {
                client.deliver(Paid { trip: 7, amount }).message_id(&id).await.unwrap();
            }
            Act::Pass(time) => clock.advance(time),
        }
        let journal = written(&client, expected).await;
        assert_eq!(&journal, expected, "after {act:?} of {script:?}");
    }
    let waiting = MessageFilter { only_waiting: true, ..MessageFilter::default() };
    let waiting = client.messages(&waiting).await.unwrap();
    engine.shutdown().await;
    waiting.iter().map(|message| message.payload.read::<Paid>().unwrap().amount).collect()
}

/// The journal, once it is as long as the kit's.
async fn written(client: &Client, expected: &[Record]) -> Vec<Record> {
    let look = async {
        loop {
            let journal = client.journal("run").await.unwrap_or_default();
            let is_same_generation =
                journal.first().map(|row| &row.event) == expected.first().map(|row| &row.event);
            if is_same_generation && journal.len() >= expected.len() {
                return journal;
            }
            tokio::task::yield_now().await;
        }
    };
    match tokio::time::timeout(PATIENCE, look).await {
        Ok(journal) => journal,
        Err(_) => client.journal("run").await.unwrap_or_default(),
    }
}

async fn compare<W: Workflow>(call: impl Fn() -> WorkflowCall<W>, script: &[Act]) {
    let (journals, unclaimed) = {
        let run = Kit::new().start(call());
        played(&run, script)
    };
    let waiting = repeated(call(), script, &journals).await;
    assert_eq!(waiting, unclaimed, "what nobody took of {script:?}");
}

#[tokio::test]
async fn the_kit_gives_messages_to_the_waits_that_an_engine_gives_them_to() {
    for seed in 1..=12 {
        let script = script(seed);
        compare(four_rates, &script).await;
        compare(four_races, &script).await;
        compare(side_by_side, &script).await;
        compare(|| generations(0), &script).await;
    }
}

#[tokio::test]
async fn what_expires_with_an_engine_expires_with_the_kit() {
    let early = Act::Deliver { id: "early".into(), amount: 5 };
    for (after, value) in [(6, 5), (7, 0)] {
        let script = [early.clone(), Act::Pass(days(after)), Act::Pass(hours(1))];
        let run = Kit::new().start(days_later(after));
        let (journals, _) = played(&run, &script);
        assert_eq!(run.value(), value);
        drop(run);
        repeated(days_later(after), &script, &journals).await;
    }
}
