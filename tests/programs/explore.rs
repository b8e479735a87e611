//! A generated program, compiled or not, and its exploration by the kit.
//! What is done with what was found is told elsewhere.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use workflow_core::{Record, Workflow, WorkflowCall};
use workflow_graph::Graph;
use workflow_runtime::{Engine, EngineBuilder};
use workflow_test::{Explore, Failure, Report};

use crate::prepared::{Interpreted, Prepared};
use crate::steps::{self, Answer};

/// One write of one journal, copied out of an exploration.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) run_id: String,
    pub(crate) generation: u32,
    pub(crate) record: Record,
}

type Starting = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// One workflow that was compiled, with all that names its type.
pub(crate) struct Program {
    pub(crate) name: &'static str,
    /// What it was made of.
    pub(crate) seed: u64,
    pub(crate) graph: fn() -> &'static Graph,
    pub(crate) explore: fn(u32, &Search) -> Explored,
    pub(crate) register: fn(EngineBuilder) -> EngineBuilder,
    pub(crate) start: fn(&Engine, u32) -> Starting,
}

/// The program of a workflow.
#[macro_export]
macro_rules! program {
    ($workflow:path, $seed:literal) => {
        $crate::explore::Program {
            name: stringify!($workflow),
            seed: $seed,
            graph: || workflow_core::WorkflowFn::graph(&$workflow),
            explore: |number, search| $crate::explore::explore($workflow(number), search),
            register: |builder| builder.register($workflow),
            start: |engine, number| {
                let start = engine.start($workflow(number)).id("run");
                Box::pin(async move { start.await.map(drop).map_err(|error| error.to_string()) })
            },
        }
    };
}

pub(crate) type Explored = Result<Report, Box<Failure>>;

/// How much is explored, and what is kept of it.
#[derive(Clone, Default)]
pub(crate) struct Search {
    pub(crate) executions: usize,
    pub(crate) crashes: bool,
    pub(crate) interleaves: bool,
    pub(crate) kept: Option<Rc<RefCell<Vec<Vec<Row>>>>>,
}

/// Explores a program that was not compiled, in this slot.
pub(crate) fn interpret<const SLOT: usize>(
    program: &'static Prepared,
    number: u32,
    search: &Search,
) -> Explored {
    program.put_in::<SLOT>();
    if program.is_fallible() {
        explore(WorkflowCall::<Interpreted<SLOT, true>>::new((number,)), search)
    } else {
        explore(WorkflowCall::<Interpreted<SLOT, false>>::new((number,)), search)
    }
}

/// Explores a workflow; none of its steps does anything.
pub(crate) fn explore<W: Workflow>(call: WorkflowCall<W>, search: &Search) -> Explored {
    let kit = Explore::named("programs");
    kit.on(steps::look).then(|number| number * 3 % 11);
    kit.on(steps::check).then(|number| Ok(number + 1));
    kit.on(steps::reserve).then(|number| Ok(number + 2));
    kit.on(steps::hold).then(|number| number + 3);
    kit.on(steps::charge).then(|number| Ok(number * 2));
    kit.on(steps::ship).then(|number| number + 5);
    kit.on(steps::tell).then(|number| number + 7);
    let mut exploration = kit.workflow(|| call).each_step_fails().pairs().cancel_at_every_write();
    for number in 0..8 {
        exploration = exploration.message(|| Answer { number });
    }
    if search.crashes {
        exploration = exploration.crash_at_every_write();
    }
    if search.interleaves {
        exploration = exploration.interleave();
    }
    if let Some(kept) = search.kept.clone() {
        exploration = exploration.always("it is kept", move |end| {
            let rows = end.writes().map(|write| Row {
                run_id: write.run_id.to_owned(),
                generation: write.generation,
                record: write.record.clone(),
            });
            kept.borrow_mut().push(rows.collect());
            true
        });
    }
    exploration.budget(search.executions, Duration::from_secs(600)).try_run()
}

/// Panics that were asked for are no news.
pub(crate) fn keep_quiet_about_explored_panics() {
    std::panic::set_hook(Box::new(|panic| {
        if !panic.to_string().ends_with("explored") {
            eprintln!("{panic}");
        }
    }));
}
