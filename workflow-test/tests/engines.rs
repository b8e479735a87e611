//! Workflows with what no other exploration has, so that other BPMN engines are led through every construct: each of
//! them is explored, and `cargo xtask test` has the engines follow what was found.
//! What an exploration finds is held against the oracles here; the comparison with the engines is no test of cargo.

mod trip;

use std::time::SystemTime;

use trip::*;
use workflow_runtime::prelude::*;
use workflow_test::{Exploration, Explore, complete, edges, workflow_test};

/// Somebody has decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
#[message(key = case)]
struct Decided {
    case: u32,
    yes: bool,
}

/// There is a letter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
#[message(key = case)]
struct LetterCame {
    case: u32,
}

/// Read the letter
#[step(human, read_only)]
async fn read_letter(case: u32) -> u32 {
    case
}

/// Rate the case
#[step(rule, read_only)]
async fn rate(words: u32) -> u32 {
    words
}

/// Pay the ticket
#[step(pivot)]
async fn pay(amount: u32) -> Result<u32, TripError> {
    Ok(amount)
}

/// Store the seat
#[step(compensate = forget_seat(seat))]
async fn store_seat(tx: &mut Tx, seat: u32) -> Result<u32, TripError> {
    tx.execute("INSERT INTO seats (seat) VALUES (?)", (seat,))
        .await
        .map_or(Err(TripError::Busy), |_| Ok(seat))
}

/// Forget the seat
#[step(retriable)]
async fn forget_seat(tx: &mut Tx, seat: u32) -> Result<(), SqlError> {
    tx.execute("DELETE FROM seats WHERE seat = ?", (seat,)).await.map(drop)
}

fn mocks() -> Explore {
    let kit = Explore::new();
    kit.on(book).returns(Ok(1));
    kit.on(hire_car).returns(Ok(7));
    kit.on(price).returns(Ok(100));
    kit.on(write_postcard).returns(());
    kit.on(pay).returns(Ok(1));
    kit.on(read_letter).returns(5);
    kit.on(rate).returns(2);
    kit.on(store_seat).returns(Ok(9));
    kit.on(forget_seat).returns(());
    kit
}

fn explored(exploration: Exploration) {
    let report = exploration.each_step_fails().budget(20_000, std::time::Duration::from_secs(30)).run();
    assert!(report.is_complete, "{report}");
}

/// Sort the mail
#[workflow(on = LetterCame)]
async fn sort_mail(letter: LetterCame) -> Result<u32, TripError> {
    let words = read_letter(letter.case).await;
    if words == 0 {
        return Ok(0);
    }
    let price = match rate(words).await {
        0 => price("postcard").await?,
        1..=9 => {
            hire_car(words).await?;
            price("letter").await?
        }
        _ => return Err(TripError::FullyBooked),
    };
    Ok(price)
}

#[test]
fn every_answer_of_a_question_is_explored() {
    for (words, rating) in [(0, 0), (5, 0), (5, 2), (5, 99)] {
        let kit = mocks();
        kit.on(read_letter).returns(words);
        kit.on(rate).returns(rating);
        explored(kit.workflow(|| sort_mail(LetterCame { case: 1 })));
    }
}

/// Clean up every night
#[workflow(cron = "0 3 * * *", timezone = "Europe/Berlin")]
async fn clean_up(time: SystemTime) -> Result<u64, TripError> {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    sleep_until(time + seconds(60)).await;
    write_postcard("the night shift").without_compensation().await;
    Ok(since)
}

#[workflow_test(explore)]
fn a_schedule_is_explored(kit: Explore) {
    kit.on(write_postcard).returns(());
    explored(kit.workflow(|| clean_up(SystemTime::UNIX_EPOCH + seconds(1_795_323_600))));
}

/// Search through all shelves
#[workflow]
async fn search(shelves: Vec<Vec<u32>>) -> Result<u32, TripError> {
    let mut found = 0;
    'shelves: for shelf in &shelves {
        for item in shelf {
            match *item {
                0 => continue 'shelves,
                7 => break 'shelves,
                _ => found += price("item").await?,
            }
            if found > 250 {
                hire_car(1).await?;
                break;
            }
        }
        write_postcard("the owner of the shelf").without_compensation().await;
    }
    while found > 100 {
        sleep(minutes(1)).await;
        found -= 100;
    }
    Ok(found)
}

#[test]
fn loops_in_loops_are_explored() {
    for shelves in
        [vec![], vec![vec![]], vec![vec![1, 0, 1], vec![1, 1, 1, 1], vec![7]], vec![vec![1], vec![2]]]
    {
        explored(mocks().workflow(|| search(shelves.clone())));
    }
}

/// Ask again and again
#[workflow]
async fn insist(case: u32) -> Result<u32, TripError> {
    let mut reminders = 0;
    loop {
        match receive::<Decided>(case).within(days(2)).await {
            Ok(decided) if decided.yes => break,
            Ok(_) => return Err(TripError::FullyBooked),
            Err(_) if reminders == 2 => return Err(TripError::Late(TimedOut)),
            Err(_) => reminders += 1,
        }
        write_postcard("somebody who decides").without_compensation().await;
    }
    book("what was decided").await?;
    publish(LetterCame { case }).await;
    Ok(reminders)
}

#[test]
fn reminders_are_explored() {
    for yes in [true, false] {
        explored(mocks().workflow(|| insist(3)).message(move || Decided { case: 3, yes }));
    }
}

/// Wait for whatever comes first
#[workflow]
async fn wait(case: u32) -> Result<u32, TripError> {
    hire_car(case).await?;
    let first = select! {
        decided = receive::<Decided>(case).within(days(2)) => match decided {
            Ok(decided) => u32::from(decided.yes),
            Err(_) => price("silence").await?,
        },
        _ = receive::<LetterCame>(case).forever() => 2,
        _ = sleep(days(3)) => return Err(TripError::Late(TimedOut)),
    };
    pay(first).await?;
    Ok(first)
}

#[workflow_test(explore)]
fn waits_beside_each_other_are_explored(kit: Explore) {
    let made = mocks();
    drop(kit);
    let all = made
        .workflow(|| wait(3))
        .message(|| Decided { case: 3, yes: true })
        .message(|| LetterCame { case: 3 });
    explored(all.interleave());
}

/// Book a seat in one go
#[workflow]
async fn seat(number: u32) -> Result<u32, TripError> {
    let seat = store_seat(number).await?;
    let car = hire_car(1).await?;
    let paid = pay(seat).await?;
    write_postcard("whoever has the seat").await;
    Ok(paid + car)
}

#[test]
fn a_transaction_and_a_pivot_are_explored() {
    let kit = mocks();
    let report = kit.workflow(|| seat(9)).each_step_fails().run();
    report.assert(edges(1.0));
}

/// Plan one day
#[subflow]
async fn day(city: &str, days: u32) -> Result<u32, TripError> {
    let hotel = book(city).await?;
    if days > 1 {
        hire_car(days).await?;
        Ok(hotel + price(city).await?)
    } else {
        Ok(hotel)
    }
}

/// Plan a week
#[subflow]
async fn week(city: &str) -> Result<u32, TripError> {
    let first = day(city, 1).await?;
    let second = day(city, 2).await?;
    Ok(first + second)
}

/// Plan a month
#[workflow]
async fn month(weeks: u32) -> Result<u32, TripError> {
    let mut cost = 0;
    for _ in 0..weeks {
        match week("Rome").await {
            Ok(week) => cost += week,
            Err(TripError::FullyBooked) => write_postcard("Rome").without_compensation().await,
            Err(other) => return Err(other),
        }
    }
    price("the month").await?;
    Ok(cost)
}

#[test]
fn scopes_in_scopes_are_explored() {
    for weeks in 0..3 {
        explored(mocks().workflow(|| month(weeks)));
    }
}

/// See many cities, some of them for longer
#[workflow]
async fn tour(days: Vec<u32>) -> Result<u32, TripError> {
    let seen = try_join_all(days.iter().map(|days| day("a city", *days))).await?;
    let prices = join_all(days.iter().map(|_| price("a card"))).limit(2).await;
    pay(prices.into_iter().flatten().sum()).await?;
    Ok(seen.into_iter().sum())
}

#[test]
fn many_scopes_at_once_are_explored() {
    for days in [vec![], vec![1], vec![2, 1], vec![1, 2, 2]] {
        explored(mocks().workflow(|| tour(days.clone())));
    }
}

/// Do what can be done at once
#[workflow]
async fn at_once(days: u32) -> Result<u32, TripError> {
    let (planned, asked, ()) = try_join!(
        day("Naples", days),
        async {
            let asked = price("Naples").await?;
            if asked > 50 {
                write_postcard("the bank").without_compensation().await;
            }
            Ok(asked)
        },
        async {
            sleep(hours(1)).await;
            Ok(())
        }
    )?;
    let (left, right) =
        join!(price("left"), async { if days > 1 { price("right").await.unwrap_or(0) } else { 0 } });
    pay(asked).await?;
    Ok(planned + left.unwrap_or(0) + right)
}

#[test]
fn branches_with_questions_are_explored() {
    for days in [1, 2] {
        explored(mocks().workflow(|| at_once(days)));
    }
}

/// Travel one day
#[workflow]
async fn travel_one_day(case: u32) -> Result<u32, TripError> {
    price("the day").await?;
    Ok(case)
}

/// Be quick
#[workflow]
async fn be_quick(case: u32) -> Result<u32, TripError> {
    let found = select! {
        child = travel_one_day(case) => child?,
        planned = book("Pisa") => planned?,
        _ = receive::<Decided>(case).forever() => 4,
    };
    let _sent = travel_one_day(found).detached().await;
    send(LetterCame { case }).await;
    Ok(found)
}

#[test]
fn a_race_of_a_child_a_step_and_a_message_is_explored() {
    let kit = mocks();
    let all = || kit.workflow(|| be_quick(3)).message(|| Decided { case: 3, yes: true });
    explored(all());
    all().interleave().budget(400, std::time::Duration::from_secs(60)).run().assert(complete());
}

/// Think twice inside of a scope
#[subflow]
async fn think_twice(city: &str) -> Result<u32, TripError> {
    book(city).await?;
    hire_car(1).await?;
    compensate().await;
    let hotel = book(city).await?;
    price(city).await?;
    Ok(hotel)
}

/// Change one's mind
#[workflow]
async fn change_mind(cities: u32) -> Result<u32, TripError> {
    for _ in 0..cities {
        book("a tower").await?;
    }
    let hotel = think_twice("Pisa").await?;
    price("all").await?;
    Ok(hotel)
}

#[test]
fn undoing_on_purpose_is_explored() {
    for cities in 0..3 {
        explored(mocks().workflow(|| change_mind(cities)));
    }
}

/// Month after month, in two ways
#[workflow]
async fn every_month(months: u32) -> Result<u32, TripError> {
    if patched("with-car").await {
        hire_car(months).await?;
    }
    write_postcard("home").without_compensation().await;
    if months > 0 {
        return continue_as_new(every_month(months - 1)).await;
    }
    Ok(months)
}

#[test]
fn beginning_anew_is_explored_before_and_after_a_change() {
    explored(mocks().workflow(|| every_month(1)));
    explored(mocks().workflow(|| every_month(1)).before_patch("with-car"));
}
