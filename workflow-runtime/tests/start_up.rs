//! What cannot stand side by side in one engine, and names that nobody knows: refused with both places, and a guess.
//! Nothing of it runs.

use std::sync::Arc;

use workflow_runtime::prelude::*;
use workflow_runtime::{EngineBuilder, Memory};

#[derive(Clone, Debug, Serialize, Deserialize, Message)]
#[message(name = "NewCard", key = number)]
struct NewCard {
    number: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize, Message)]
#[message(name = "NewCrad", key = number)]
struct NewCrad {
    number: u32,
}

struct Gateway;

#[step(read_only)]
async fn charge(gateway: Resource<Gateway>, number: u32) -> u32 {
    let _ = gateway;
    number
}

#[workflow]
async fn pay(number: u32) -> u32 {
    charge(number).await
}

#[workflow]
async fn wait_for_card(number: u32) -> u32 {
    receive::<NewCard>(number).forever().await.number
}

/// Other functions under the same names.
mod billing {
    use super::*;

    #[step(read_only)]
    pub(super) async fn charge(number: u32) -> u32 {
        number
    }

    #[workflow(name = "bill")]
    pub(super) async fn pay(number: u32) -> u32 {
        charge(number).await
    }

    #[workflow(name = "pay")]
    pub(super) async fn pay_again(number: u32) -> u32 {
        number
    }

    #[workflow(name = "pay", version = 2)]
    pub(super) async fn pay_by_version(number: u32) -> u32 {
        charge(number).await
    }

    #[workflow]
    pub(super) async fn pya(number: u32) -> u32 {
        number
    }

    #[workflow]
    pub(super) async fn trip(number: u32) -> u32 {
        pay_again(number).await
    }
}

/// Steps that claim names which others have or had.
mod renamed {
    use super::*;

    #[step(read_only, was = "collect")]
    pub(super) async fn take(number: u32) -> u32 {
        number
    }

    #[step(read_only)]
    pub(super) async fn collect(number: u32) -> u32 {
        number
    }

    #[step(read_only, was = "collect")]
    pub(super) async fn gather(number: u32) -> u32 {
        number
    }

    #[workflow]
    pub(super) async fn harvest(number: u32) -> u32 {
        take(number).await + collect(number).await + gather(number).await
    }
}

fn builder() -> EngineBuilder {
    Engine::builder().store(Memory::new())
}

async fn refusal(builder: EngineBuilder) -> String {
    let error = builder.start().await.err().expect("it is set up wrongly");
    assert!(error.is_setup(), "{error}");
    let text = error.to_string();
    assert!(
        text.starts_with("the engine cannot start: ") && text.ends_with(" (WF070, docs/errors/WF070.md)"),
        "{text}"
    );
    text
}

#[track_caller]
fn assert_says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(&part.replace("HERE", file!())), "`{part}` is not in: {text}");
    }
}

#[tokio::test]
async fn two_workflows_of_one_name_and_version_are_refused_with_both_places() {
    let text = refusal(builder().resource(Gateway).register(pay).register(billing::pay_again)).await;
    assert_says(
        &text,
        &["there are two workflows `pay`, version 1: at HERE:30 and at HERE:54; runs find their code"],
    );
    assert_says(&text, &["`#[workflow(name = \"..\")]`, or another version"]);
    let text = refusal(builder().resource(Gateway).register(billing::trip).register(pay)).await;
    assert_says(&text, &["there are two workflows `pay`, version 1: at HERE:54 and at HERE:30"]);
    let text = refusal(builder().resource(Gateway).register(pay).register(pay)).await;
    assert_says(&text, &["the workflow `pay`, version 1, is registered twice (HERE:30)"]);
}

#[tokio::test]
async fn two_steps_of_one_name_are_refused_with_both_places_but_not_between_versions() {
    let text = refusal(builder().resource(Gateway).register(pay).register(billing::pay)).await;
    assert_says(
        &text,
        &["there are two steps `charge`: at HERE:", " (in the workflow `pay`)", " (in `bill`)"],
    );
    assert_says(&text, &["HERE:24", "HERE:44", "give one of them another, `#[step(name = \"..\")]`"]);
    let versions = builder().resource(Gateway).register(pay).register(billing::pay_by_version);
    versions.start().await.unwrap().shutdown().await;
}

#[tokio::test]
async fn a_former_name_that_another_step_has_or_had_is_refused() {
    let text = refusal(builder().register(renamed::harvest)).await;
    assert_says(
        &text,
        &[
            "the step `take` (HERE:79) was called `collect` before, and so is now another step of the workflow \
             `harvest` (HERE:84): journals from then cannot be told apart",
            "and so was `",
            "cannot tell which of them it means; drop one `was`",
        ],
    );
}

#[tokio::test]
async fn a_missing_resource_is_refused_with_what_was_meant() {
    let text = refusal(builder().register(pay).resource(Arc::new(Gateway))).await;
    let expected = "the step `charge` of the workflow `pay` needs a resource of type `start_up::Gateway` \
                    (HERE:24): hand \
                    one over with `.resource(..)`; handed over is a `alloc::sync::Arc<start_up::Gateway>`: did \
                    you mean that one?";
    assert_says(&text, &[expected]);
    let text = refusal(builder().register(pay)).await;
    assert!(!text.contains("did you mean"), "{text}");
}

#[tokio::test]
async fn whoever_starts_or_delivers_under_a_name_that_nobody_knows_hears_which_was_meant() {
    let engine = builder().resource(Gateway).register(pay).register(wait_for_card).start().await.unwrap();
    let error = engine.start(billing::pya(1)).await.err().unwrap();
    assert!(error.is_unknown_workflow());
    let expected = "the workflow `pya` (HERE:64) is not registered; did you mean `pay` (HERE:30)? (WF070, \
                    docs/errors/WF070.md)";
    assert_eq!(error.to_string(), expected.replace("HERE", file!()));
    let error = engine.start(billing::pay_by_version(1)).await.err().unwrap();
    let expected = "version 2 of the workflow `pay` (HERE:59) is not registered; registered is 1 (HERE:30) (WF070, \
                    docs/errors/WF070.md)";
    assert_eq!(error.to_string(), expected.replace("HERE", file!()));
    let error = engine.client().deliver(NewCrad { number: 1 }).await.unwrap_err();
    assert!(error.is_unknown_message());
    let expected = "no registered workflow waits for the message `NewCrad` or begins with it; did you mean \
                    `NewCard`? The workflow `wait_for_card` (HERE:35) knows that one (WF070, docs/errors/WF070.md)";
    assert_eq!(error.to_string(), expected.replace("HERE", file!()));
    engine.shutdown().await;
}

#[tokio::test]
async fn a_limit_for_another_step_of_the_same_name_is_told_apart() {
    let limit = workflow_runtime::Limit::concurrency(1);
    let text = refusal(builder().resource(Gateway).register(pay).limit(billing::charge, limit)).await;
    assert_says(
        &text,
        &["limit for the step `charge` (HERE:44)", "did you mean the step of that name at HERE:24?"],
    );
}
