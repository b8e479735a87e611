//! Workflows that start others, send messages, and begin anew; they use the steps of the world.
//! It must not know what any test expects.

use super::*;

/// A child.
#[workflow]
pub async fn leg(name: String) -> Result<u64, ShopError> {
    reserve(&name).await?;
    note(&name).await
}

/// Two children, one after the other.
#[workflow]
pub async fn trip(name: String) -> Result<u64, ShopError> {
    let first = leg(format!("{name}-1")).await?;
    let second = leg(format!("{name}-2")).await?;
    Ok(first + second)
}

/// Reserves, then has a child collect the money.
#[workflow]
pub async fn supervise(name: String) -> Result<u64, ShopError> {
    reserve(&name).await?;
    let collected = collect(format!("{name}-c")).await?;
    Ok(collected)
}

/// A child that goes on by itself.
#[workflow]
pub async fn hire(name: String) -> Result<String, ShopError> {
    let hired = patient(name.clone()).detached().await;
    note(&name).await?;
    Ok(hired)
}

/// A child with an id of its own.
#[workflow]
pub async fn named(name: String, id: String) -> Result<u64, ShopError> {
    reserve(&name).await?;
    leg(name.clone()).id(id).await
}

/// Calls itself, deeper and deeper.
#[workflow]
pub async fn nested(depth: u64) -> u64 {
    if depth == 0 {
        return 0;
    }
    let inner = nested(depth - 1).await;
    inner + 1
}

/// Many children side by side; tells how many came to their end.
#[workflow]
pub async fn fleet(legs: u64) -> u64 {
    let ended = join_all((0..legs).map(|number| leg(format!("f-{number}")))).await;
    ended.into_iter().flatten().sum()
}

/// The money or a minute: who loses the race is cancelled.
#[workflow]
pub async fn race(name: String) -> Result<u64, ShopError> {
    #[allow_workflow(race_effect, reason = "the tests are about what becomes of the child that loses")]
    let won = select! {
        collected = collect(name.clone()) => collected?,
        _ = sleep(seconds(30)) => 0,
    };
    Ok(won)
}

/// Sends, does something, publishes.
#[workflow]
pub async fn announce(name: String) -> Result<u64, ShopError> {
    send(Paid { order: name.clone(), amount: 1 }).await;
    send(Paid { order: name.clone(), amount: 2 }).await;
    let noted = note(&name).await?;
    publish(Paid { order: name.clone(), amount: 3 }).await;
    Ok(noted)
}

/// Sends what it is told.
#[workflow]
pub async fn tell(key: String) {
    send(Paid { order: key, amount: 1 }).await;
}

/// Three months, each with a journal of its own.
#[workflow]
pub async fn monthly(name: String, month: u64) -> Result<u64, ShopError> {
    progress(&month).await;
    charge(&name).await?;
    if month == 3 {
        return Ok(month);
    }
    return continue_as_new(monthly(name, month + 1)).await;
}

/// Each round with a child, a child that goes on by itself and a message to that, and with a journal of its own.
#[workflow]
pub async fn season(name: String, round: u64) -> Result<u64, ShopError> {
    let key = format!("{name}-{round}");
    let ended = leg(key.clone()).await?;
    let _hired = patient(key.clone()).detached().await;
    send(Paid { order: key, amount: round }).await;
    if round == 3 {
        return Ok(ended + round);
    }
    return continue_as_new(season(name, round + 1)).await;
}

/// A child that begins anew.
#[workflow]
pub async fn subscribe(name: String) -> Result<u64, ShopError> {
    let months = monthly(name, 1).await?;
    Ok(months)
}

/// An hour at most.
#[workflow(deadline = "1h")]
pub async fn hurried(name: String) -> Result<u64, ShopError> {
    reserve(&name).await?;
    sleep(days(1)).await;
    note(&name).await
}

/// An engine with these workflows; their children come along.
pub fn family(store: impl Store, world: &World, clock: &Clock) -> EngineBuilder {
    Engine::builder()
        .store(store)
        .park_idle_after(idle())
        .clock(clock.clone())
        .resource(world.clone())
        .register(trip)
        .register(supervise)
        .register(hire)
        .register(named)
        .register(nested)
        .register(fleet)
        .register(race)
        .register(announce)
        .register(tell)
        .register(season)
        .register(subscribe)
        .register(hurried)
}
