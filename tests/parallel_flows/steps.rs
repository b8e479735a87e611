//! The steps, scopes and children of all flows, and the judge: what the kit must find of each flow.

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
    #[error("nobody answered in time")]
    Late(#[from] TimedOut),
}

#[derive(Clone, Debug, Serialize, Deserialize, Message)]
#[message(key = number)]
pub struct Answer {
    pub number: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize, Message)]
#[message(key = number)]
pub struct Told {
    pub number: u32,
}

#[step(read_only)]
pub async fn look(number: u32) -> u32 {
    number
}

#[step(read_only, timeout = "1m")]
pub async fn check(number: u32) -> Result<u32, Trouble> {
    Ok(number)
}

#[step(compensate = give_back(number))]
pub async fn take(number: u32) -> Result<u32, Trouble> {
    Ok(number)
}

#[step(retriable)]
pub async fn give_back(_number: &u32) {}

/// Take two at once
#[subflow]
pub async fn take_two(number: u32) -> Result<u32, Trouble> {
    let (one, other) = try_join!(take(number), take(number + 1))?;
    Ok(one + other)
}

/// Look twice
#[subflow]
pub async fn look_twice(number: &u32) -> u32 {
    look(*number).await + look(*number).await
}

/// Fetch
#[workflow]
pub async fn fetch(number: u32) -> Result<u32, Trouble> {
    check(number).await
}

pub mod shop {
    pub use super::{look as r#type, take as buy};

    pub mod inner {
        pub use super::super::check;
    }
}

/// Explores a flow with some numbers: what fails, in which order things end, and what is found after a crash, is tried
/// within the budget. What is executed must be in the graph, and the graph must be drawable.
#[track_caller]
pub fn explore<W: Workflow>(call: impl Fn(u32) -> WorkflowCall<W> + Copy + 'static) {
    let graph = W::graph();
    assert_eq!(graph.defects(), [], "{graph}");
    let xml = workflow_bpmn::to_xml(graph);
    assert!(xml.contains("</"), "{xml}");
    crate::judge::the_export_conforms(graph);
    assert!(workflow_bpmn::to_svg(graph).contains("<svg"));
    for number in 0..4 {
        exploration(call, number).each_step_fails().crash_at_every_write().budget(80, NO_LIMIT).run();
        exploration(call, number).pairs().interleave().budget(160, NO_LIMIT).run();
        exploration(call, number).cancel_at_every_write().interleave().budget(60, NO_LIMIT).run();
        let old = exploration(call, number).before_patch("new-way").each_step_fails();
        old.crash_at_every_write().budget(60, NO_LIMIT).run();
    }
}

/// The budget is a number of executions: the same ones on every machine.
const NO_LIMIT: Duration = Duration::from_secs(600);

fn exploration<W: Workflow>(call: impl Fn(u32) -> WorkflowCall<W> + 'static, number: u32) -> Exploration {
    let kit = Explore::new();
    kit.on(look).then(|number| *number);
    kit.on(check).then(|number| if *number == 7 { Err(Trouble::Gone) } else { Ok(*number) });
    kit.on(take).then(|number| Ok(*number));
    kit.on(give_back).then(|_| ());
    kit.on_child(fetch).then(|(number,)| if number == 2 { Err(Trouble::Gone) } else { Ok(number) });
    kit.workflow(move || call(number))
        .message(move || Answer { number })
        .message(move || Told { number })
        .sample(check, Err(Trouble::Code(404)))
        .sample(take, Err(Trouble::Code(500)))
}

/// A test for each of these flows.
macro_rules! explored {
    ($($flow:ident)*) => {
        mod explored {
            $(
                #[test]
                fn $flow() {
                    $crate::steps::explore(super::$flow);
                }
            )*
        }
    };
}
pub(crate) use explored;
