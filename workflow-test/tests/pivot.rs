//! A run that fails after the point of no return, which the compiler does not see: the kit does.

mod trip;

use trip::*;
use workflow_runtime::prelude::*;
use workflow_test::{Explore, Oracle, workflow_test};

/// Pay, and then fail all the same
#[workflow]
async fn too_far() -> Result<u32, TripError> {
    let paid = unseen::pay(1).await?;
    let late: Result<u32, TripError> = price("late").await;
    if paid == 1 { late } else { Ok(0) }
}

/// Pay
#[step(pivot)]
async fn pay(amount: u32) -> Result<u32, TripError> {
    Ok(amount)
}

/// The same step, of which the compiler does not see that it is a pivot: it refuses what it sees.
mod unseen {
    use workflow_core::{Step, StepCall, StepDef, def_of, facts_of};
    use workflow_graph::{Effect, StepFacts};

    use super::TripError;

    pub(super) fn pay(amount: u32) -> StepCall<Pay> {
        StepCall::new((amount,))
    }

    pub(super) struct Pay;

    impl Step for Pay {
        const NAME: &'static str = "pay";
        const LABEL: &'static str = "Pay";
        const FACTS: StepFacts = read_only(facts_of(super::pay));
        type Args = (u32,);
        type Output = Result<u32, TripError>;
        const DEF: &'static StepDef = def_of(super::pay);
    }

    const fn read_only(mut facts: StepFacts) -> StepFacts {
        facts.effect = Effect::ReadOnly;
        facts
    }
}

#[workflow_test(explore)]
fn a_failure_after_the_point_of_no_return_is_named(kit: Explore) {
    kit.on(pay).returns(Ok(1));
    kit.on(price).returns(Ok(1));
    let failure = kit.workflow(too_far).each_step_fails().try_run().unwrap_err();
    assert_eq!(failure.violation.oracle, Oracle::Pivot);
    assert_eq!(
        failure.violation.to_string(),
        "pivot: the run failed with `FullyBooked` though it had passed the point of no return `pay`"
    );
}
