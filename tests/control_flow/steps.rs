//! The steps of all flows, and the judge: what the kit must find of each flow.

use std::collections::BTreeSet;
use std::time::Duration;

use workflow_core::{Workflow, WorkflowCall};
use workflow_runtime::prelude::*;
use workflow_test::{Exploration, Explore};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error, StepError)]
pub enum Trouble {
    #[error("gone")]
    Gone,
    #[error("code {0}")]
    Code(u32),
    #[error("at {at}, of {of}")]
    Lost { at: u32, of: u32 },
    #[error("nobody answered in time")]
    Late(#[from] TimedOut),
}

#[derive(Clone, Debug, Serialize, Deserialize, Message)]
#[message(key = number)]
pub struct Answer {
    pub number: u32,
}

#[step(read_only)]
pub async fn find(number: u32) -> Option<u32> {
    number.is_multiple_of(2).then_some(number)
}

#[step(read_only)]
pub async fn check(number: u32) -> Result<u32, Trouble> {
    match number {
        3 => Err(Trouble::Code(404)),
        4 => Err(Trouble::Gone),
        number => Ok(number),
    }
}

#[step(read_only)]
pub async fn count(number: u32) -> u32 {
    number
}

#[step(compensate = give_back(number))]
pub async fn take(number: u32) -> Result<u32, Trouble> {
    Ok(number)
}

#[step(retriable)]
pub async fn give_back(_number: &u32) {}

/// Explores a flow with the numbers from 0 to 5: two things may go wrong, and a crash may come after every write. What
/// is executed must be in the graph (a judge of the kit), and what is in the graph must be executed by one of them. The
/// exceptions are named: ways that the journal cannot tell from a shorter one, and questions whose answer is known.
#[track_caller]
pub fn explore<W: Workflow>(call: impl Fn(u32) -> WorkflowCall<W> + Copy + 'static, exceptions: &[&str]) {
    let graph = W::graph();
    assert_eq!(graph.defects(), [], "{graph}");
    crate::judge::the_export_conforms(graph);
    let mut gaps: Option<BTreeSet<String>> = None;
    for number in 0..6 {
        let found = exploration(call, number).pairs().budget(4_000, NO_LIMIT).run();
        exploration(call, number).each_step_fails().crash_at_every_write().budget(200, NO_LIMIT).run();
        let gaps_of_one = found.taken().gaps();
        let never = gaps_of_one.iter().filter_map(|gap| gap.strip_prefix("never taken: "));
        let never: BTreeSet<String> =
            never.map(|gap| gap.split(" (").next().unwrap_or(gap).to_owned()).collect();
        gaps = Some(gaps.map_or(never.clone(), |gaps| &gaps & &never));
    }
    let gaps: Vec<String> = gaps.unwrap_or_default().into_iter().collect();
    assert_eq!(gaps, exceptions, "{graph}");
}

/// The budget is a number of executions: the same ones on every machine.
const NO_LIMIT: Duration = Duration::from_secs(600);

fn exploration<W: Workflow>(call: impl Fn(u32) -> WorkflowCall<W> + 'static, number: u32) -> Exploration {
    let kit = Explore::new();
    kit.on(find).then(|number| number.is_multiple_of(2).then_some(*number));
    kit.on(check).then(|number| Ok(*number));
    kit.on(take).then(|number| Ok(*number));
    kit.on(count).then(|number| *number);
    kit.on(give_back).then(|_| ());
    let code = if number.is_multiple_of(2) { 404 } else { 500 + number };
    kit.workflow(move || call(number))
        .message(move || Answer { number })
        .sample(check, Err(Trouble::Code(code)))
        .sample(check, Err(Trouble::Lost { at: number, of: 3 }))
        .sample(take, Err(Trouble::Code(code)))
}

/// A test for each of these flows, with what of its graph is never taken.
macro_rules! explored {
    ($($flow:ident $([$($never:literal)*])?)*) => {
        mod explored {
            $(
                #[test]
                fn $flow() {
                    $crate::steps::explore(super::$flow, &[$($($never),*)?]);
                }
            )*
        }
    };
}
pub(crate) use explored;
