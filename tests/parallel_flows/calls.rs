//! What a call says beside its arguments, and children, inside and outside of branches.

use workflow_runtime::prelude::*;

use super::steps::{Told, Trouble, check, explored, fetch, look, look_twice, take, take_two};

#[workflow]
pub async fn overrides_in_branches(number: u32) -> Result<u32, Trouble> {
    let policy = RetryPolicy::attempts(3);
    let (one, two, three, four) = try_join!(
        take(number).timeout(minutes(1)).retry(policy.clone()).label("Once"),
        take(number).without_compensation(),
        take_two(number).label("Twice"),
        fetch(number).id(format!("child-{number}")).label("A child"),
    )?;
    let five = check(one + two).timeout(seconds(5)).retry(policy).label("Check").await?;
    Ok(three + four + five)
}

#[workflow]
pub async fn children_that_go_on(number: u32) -> Result<u32, Trouble> {
    let (id, child) = join!(
        fetch(number).id(format!("detached-{number}")).detached(),
        /// And one that is waited for
        fetch(number + 3),
    );
    let _ = fetch(7).detached().await;
    match child {
        Ok(child) => Ok(child + id.len() as u32),
        Err(Trouble::Gone) => Ok(0),
        Err(other) => Err(other),
    }
}

#[workflow]
pub async fn a_switch_around_branches(number: u32) -> Result<u32, Trouble> {
    let sum = if !patched("new-way").await {
        take(number).await?
    } else {
        let (one, other) = try_join!(take(number), take(number + 1))?;
        one + other
    };
    let (told, seen) = join!(
        async {
            for round in 0..number {
                if round == 2 {
                    break;
                }
                send(Told { number }).await;
            }
        },
        look_twice(&sum),
    );
    let () = told;
    Ok(seen)
}

#[workflow]
pub async fn undone_in_a_branch(number: u32) -> Result<u32, Trouble> {
    take(number).await?;
    let (one, other) = join!(
        async {
            match take_two(number).await {
                Ok(taken) => taken,
                Err(_) => look(1).await,
            }
        },
        async { if number > 1 { Err(Trouble::Gone) } else { fetch(number).await } },
    );
    if other.is_err() {
        compensate().await;
        return Ok(one);
    }
    Ok(one + look(number).await)
}

#[workflow]
pub async fn continues_behind_branches(number: u32) -> Result<u32, Trouble> {
    let (one, _) = try_join!(take(number), sleep_then_check(number))?;
    if one < 2 {
        /// Once more
        return continue_as_new(continues_behind_branches(number + 1)).await;
    }
    Ok(one)
}

#[subflow]
pub async fn sleep_then_check(number: u32) -> Result<u32, Trouble> {
    let seconds_left = select! {
        _ = sleep(seconds(number)) => return check(number).await,
        seen = look(number) => seen,
    };
    if seconds_left > 2 {
        return Err(Trouble::Gone);
    }
    Ok(seconds_left)
}

#[workflow]
pub async fn undone_while_others_go_on(number: u32) -> Result<u32, Trouble> {
    take(number).await?;
    let (one, other) = join!(
        async {
            take(number).await?;
            if number == 1 {
                compensate().await;
            }
            check(number).await
        },
        take_two(number),
    );
    Ok(one? + other?)
}

#[workflow]
pub async fn said_by_calls(number: u32) -> Result<u32, Trouble> {
    let (policy, limit) = (RetryPolicy::attempts(3), minutes(number.into()));
    let once = check(number).retry(RetryPolicy::attempts(2).initial_ms(1_500)).timeout(minutes(2)).await?;
    let often = check(once).retry(policy).timeout(limit).await?;
    check(often).await
}

/// What a call says counts, and what it computes is no number: in the documentation, for machines and for engines.
#[test]
fn a_diagram_tells_what_the_call_says() {
    use workflow_bpmn::{Export, Flavour};
    use workflow_runtime::WorkflowFn;
    let graph = said_by_calls.graph();
    let task = |flavour, id: &str| {
        let xml = Export::of(graph).flavour(flavour).xml();
        let (_, task) = xml.split_once(&format!("<bpmn:serviceTask id=\"{id}\"")).unwrap();
        task.split_once("</bpmn:serviceTask>").unwrap().0.to_owned()
    };
    for (id, told) in [
        (
            "check",
            [
                "Tried up to 2 times, waiting 1500 milliseconds",
                "may take 2 minutes",
                "attempts=\"2\" initialMs=\"1500\"",
            ],
        ),
        (
            "check_2",
            [
                "is tried is computed by the call: `policy`.",
                "may take is computed by the call: `limit`.",
                "retry=\"policy\" timeout=\"limit\"",
            ],
        ),
        ("check_3", ["Tried up to 5 times", "may take 1 minute", "attempts=\"5\""]),
    ] {
        let task = task(Flavour::Plain, id);
        told.iter().for_each(|told| assert!(task.contains(told), "{told} in {task}"));
    }
    assert!(!task(Flavour::Plain, "check_2").contains("attempts="));
    let [first, second, third] = ["check", "check_2", "check_3"].map(|id| task(Flavour::Camunda8, id));
    assert!(first.contains("retries=\"2\"") && third.contains("retries=\"5\""), "{first} {third}");
    assert!(second.contains("zeebe:taskDefinition") && !second.contains("retries="), "{second}");
    let [first, second, third] = ["check", "check_2", "check_3"].map(|id| task(Flavour::Camunda7, id));
    assert!(first.contains(">R2/PT1.5S<") && third.contains(">R5/PT1S<"), "{first} {third}");
    assert!(!second.contains("failedJobRetryTimeCycle"), "{second}");
}

explored! {
    said_by_calls
    undone_while_others_go_on
    overrides_in_branches
    children_that_go_on
    a_switch_around_branches
    undone_in_a_branch
    continues_behind_branches
}
