//! All orders: what is gone on from once is the same in all that can come of it, and each order is crashed everywhere.
//! What is found in one order only is told elsewhere.

use workflow_runtime::prelude::*;
use workflow_test::{Explore, complete, workflow_test};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
#[message(key = room)]
struct Ready {
    room: u32,
    number: u32,
}

/// Look at something
#[step(read_only, timeout = "1m")]
async fn look(at: &str) -> u32 {
    at.len().try_into().unwrap_or(0)
}

/// Greet the left one
#[step(read_only)]
async fn greet_left() {}

/// Greet the right one
#[step(read_only)]
async fn greet_right() {}

fn all_goes_well(kit: &Explore) {
    kit.on(look).returns(1);
    kit.on(greet_left).returns(());
    kit.on(greet_right).returns(());
}

/// Two that are ready, one after the other, and somebody who hears of the first only
#[workflow]
async fn who_was_first() -> u32 {
    join!(
        async {
            look("left").await;
            send(Ready { room: 7, number: 1 }).await;
        },
        async {
            look("right").await;
            send(Ready { room: 7, number: 2 }).await;
        }
    );
    join!(look("up"), look("down"));
    let first = receive::<Ready>(7).forever().await;
    if first.number == 1 {
        greet_left().await;
    } else {
        greet_right().await;
    }
    first.number
}

#[workflow_test(explore)]
fn which_of_two_messages_was_sent_first_is_part_of_the_state(kit: Explore) {
    all_goes_well(&kit);
    kit.workflow(who_was_first)
        .interleave()
        .crash_at_every_write()
        .sometimes("the left one is first", |end| end.ran(greet_left))
        .sometimes("the right one is first", |end| end.ran(greet_right))
        .run()
        .assert(complete());
}

/// Two who wait for one message, which comes when both of them have begun to wait
#[workflow]
async fn who_waits_longer() {
    join!(
        async {
            look("left").await;
            if receive::<Ready>(7).within(days(1)).await.is_ok() {
                greet_left().await;
            }
        },
        async {
            look("right").await;
            if receive::<Ready>(7).within(days(1)).await.is_ok() {
                greet_right().await;
            }
        },
        async {
            sleep(hours(1)).await;
            join!(look("up"), look("down"));
            send(Ready { room: 7, number: 1 }).await;
        }
    );
}

#[workflow_test(explore)]
fn which_of_two_began_to_wait_first_is_part_of_the_state(kit: Explore) {
    all_goes_well(&kit);
    kit.workflow(who_waits_longer)
        .interleave()
        .sometimes("the left one gets it", |end| end.ran(greet_left))
        .sometimes("the right one gets it", |end| end.ran(greet_right))
        .run()
        .assert(complete());
}

/// Two things at once, and then two more
#[workflow]
async fn two_and_two() {
    join!(look("left"), look("right"));
    join!(look("up"), look("down"));
}

#[workflow_test(explore)]
fn each_order_is_crashed_from_where_it_differs_to_where_another_one_goes_on(kit: Explore) {
    all_goes_well(&kit);
    let report = kit.workflow(two_and_two).interleave().crash_at_every_write().run();
    report.assert(complete());
    // The run begins, and four steps are done. The other order of the first two comes to a state that is known behind
    // its third write; the other order of the last two ends.
    assert_eq!((report.executions, report.crashes), (3, 4 + 3 + 4), "{report}");
}
