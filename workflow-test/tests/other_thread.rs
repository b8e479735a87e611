//! What depends on the thread, on chance or on the clock: the second execution on another thread finds it.
//! All of it stands in helper functions, where the types of a workflow show nothing.

mod shop;

use std::cell::Cell;
use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use shop::{Order, order, thank};
use workflow_core::{Workflow, WorkflowCall};
use workflow_runtime::prelude::*;
use workflow_test::{Explore, Failure, Kit, Oracle, Report};

#[step(read_only)]
async fn pack(item: u32) -> u32 {
    item
}

fn try_explore<W: Workflow>(call: impl FnOnce() -> WorkflowCall<W>) -> Result<Report, Box<Failure>> {
    let kit = Explore::new();
    kit.on(thank).returns(());
    kit.on(pack).then(|item| *item);
    kit.workflow(call).try_run()
}

fn failure_of(test: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(test)).expect_err("the test should fail");
    panic.downcast_ref::<String>().cloned().expect("the kit panics with text")
}

thread_local! {
    static TENANT: Cell<u32> = const { Cell::new(0) };
    static HASHER: RandomState = RandomState::new();
    static CALLS: Cell<u32> = const { Cell::new(0) };
}

fn tenant() -> u32 {
    TENANT.get()
}

#[workflow]
async fn by_tenant(order: Order) -> u32 {
    if tenant() == 7 {
        pack(7).await
    } else {
        thank(&order).await;
        0
    }
}

#[test]
fn a_thread_local_is_caught_with_both_sides_and_their_lines() {
    TENANT.set(7);
    let failure = try_explore(|| by_tenant(order())).unwrap_err();
    assert_eq!(failure.violation.oracle, Oracle::OtherThread);
    let text = failure.to_string();
    let file = file!();
    let expected = format!(
        "other thread: after write 1 the code asked for attempt 1 of `pack` with [7] at 0 ms ({file}:50) the \
         first time, \
         and for attempt 1 of `thank` with [{{\"id\":42,\"total\":7}}] at 0 ms ({file}:52) when another thread \
         replayed it; another thread has other thread-locals, another name and id, another order of every \
         `HashMap` and \
         `HashSet`, other addresses; pass it in, let a step find it out, or take a `BTreeMap`\n  0s  start by_tenant"
    );
    assert!(text.starts_with(&expected), "{text}");
    assert!(text.contains("again: WORKFLOW_SCHEDULE=by_tenant:0"), "{text}");
}

#[test]
fn a_plain_test_catches_it_as_well_also_when_it_stops_half_way() {
    TENANT.set(7);
    let kit = Kit::new();
    kit.on(pack).returns(7);
    let run = kit.start(by_tenant(order()));
    let failure = failure_of(|| run.run_to_end());
    assert!(failure.starts_with("other thread: after write 1"), "{failure}");
    let half_way = kit.start(by_tenant(order()));
    let failure = failure_of(|| drop(half_way));
    assert!(failure.starts_with("other thread: after write 1"), "{failure}");
}

#[test]
fn it_is_turned_off_with_a_reason_that_the_report_repeats() {
    TENANT.set(7);
    let kit = Kit::new();
    kit.on(pack).returns(7);
    kit.on_one_thread("the test sets the tenant of its thread");
    assert_eq!(kit.start(by_tenant(order())).value(), 7);
    let kit = Explore::new();
    kit.on(pack).returns(7);
    kit.on(thank).returns(());
    let exploration = kit.workflow(|| by_tenant(order())).on_one_thread("the tenant is the thread's");
    let report = exploration.try_run().unwrap().to_string();
    assert!(report.ends_with("\n  NOT RUN ON ANOTHER THREAD: the tenant is the thread's"), "{report}");
    let failure = catch_unwind(|| Kit::new().on_one_thread(" ")).expect_err("a reason is demanded");
    assert_eq!(failure.downcast_ref::<&str>(), Some(&"say why the code may only run on one thread"));
}

/// A sum per customer, in whatever order the map has.
fn totals(of: u32) -> Vec<u32> {
    let customers: HashMap<u32, u32> = (0..of).map(|item| (item, item)).collect();
    customers.into_keys().collect()
}

#[workflow]
async fn by_customer(customers: u32) -> u32 {
    let mut packed = 0;
    for item in totals(customers) {
        packed += pack(item).await;
    }
    packed
}

#[workflow]
async fn by_customer_at_once(customers: u32) -> u32 {
    let packed = join_all(totals(customers).into_iter().map(pack)).await;
    packed.len().try_into().unwrap_or(0)
}

#[test]
fn the_order_of_a_hash_map_is_caught() {
    for failure in
        [try_explore(|| by_customer(40)).unwrap_err(), try_explore(|| by_customer_at_once(40)).unwrap_err()]
    {
        let violation = failure.violation;
        // Every map of the standard library has seeds of its own, so that one thread may suffice.
        assert!(matches!(violation.oracle, Oracle::Replay | Oracle::OtherThread), "{violation}");
        assert!(violation.text.contains("`pack"), "{violation}");
        assert!(violation.text.contains("a `BTreeMap`"), "{violation}");
    }
}

/// Fast, and the same for a whole thread: a second run on one thread shows nothing.
fn shard(of: u32) -> u64 {
    HASHER.with(|hasher| hasher.hash_one(of))
}

#[workflow]
async fn by_shard(number: u32) -> u64 {
    pack(u32::try_from(shard(number) % 1_000_000_007).unwrap_or(0)).await.into()
}

#[test]
fn hash_seeds_that_a_thread_keeps_are_caught_on_the_other() {
    let violation = try_explore(|| by_shard(1)).unwrap_err().violation;
    assert_eq!(violation.oracle, Oracle::OtherThread, "{violation}");
}

fn next_number() -> u32 {
    static NUMBERS: AtomicU32 = AtomicU32::new(0);
    NUMBERS.fetch_add(1, Ordering::Relaxed)
}

#[workflow]
async fn by_number(order: Order) -> u32 {
    let number = next_number();
    pack(number + order.id).await
}

#[test]
fn a_static_counter_is_caught() {
    let violation = try_explore(|| by_number(order())).unwrap_err().violation;
    assert!(violation.text.contains("no journal records a static, a clock"), "{violation}");
}

/// On two threads that are asked alike this counts alike; on one thread it does not.
fn next_on_this_thread() -> u32 {
    CALLS.replace(CALLS.get() + 1)
}

#[workflow]
async fn by_call(order: Order) -> u32 {
    let call = next_on_this_thread();
    pack(call + order.id).await
}

#[test]
fn a_counter_in_a_thread_local_is_caught() {
    let violation = try_explore(|| by_call(order())).unwrap_err().violation;
    assert_eq!(violation.oracle, Oracle::Replay, "{violation}");
}

fn address() -> usize {
    TENANT.with(|tenant| std::ptr::from_ref(tenant).addr())
}

#[workflow]
async fn by_address(order: Order) -> u32 {
    if address() % 4_294_967_291 != 0 {
        pack(u32::try_from(address() % 4_294_967_291).unwrap_or(0)).await
    } else {
        order.id
    }
}

#[test]
fn an_address_is_caught() {
    let violation = try_explore(|| by_address(order())).unwrap_err().violation;
    assert_eq!(violation.oracle, Oracle::OtherThread, "{violation}");
    assert!(violation.text.contains("other addresses"), "{violation}");
}

fn stopwatch() -> Duration {
    static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);
    BEGUN.elapsed()
}

#[workflow]
async fn by_stopwatch(order: Order) -> u32 {
    if stopwatch().is_zero() && order.id == 0 {
        return 0;
    }
    pack(stopwatch().subsec_nanos()).await
}

#[test]
fn a_clock_is_caught() {
    let violation = try_explore(|| by_stopwatch(order())).unwrap_err().violation;
    assert!(violation.text.contains("a clock") || violation.text.contains("another thread"), "{violation}");
}

fn thread_name() -> String {
    std::thread::current().name().unwrap_or_default().to_owned()
}

#[workflow]
async fn by_thread(order: Order) -> String {
    thank(&order).await;
    thread_name()
}

#[test]
fn the_thread_itself_is_caught_in_the_result() {
    let name = "a_worker_with_a_name".to_owned();
    let test = std::thread::Builder::new().name(name).spawn(|| try_explore(|| by_thread(order())).is_err());
    assert!(test.unwrap().join().unwrap());
}

#[workflow]
async fn by_parent(order: Order) -> u32 {
    by_tenant(order).await + 1
}

#[test]
fn a_child_is_run_on_another_thread_as_well() {
    TENANT.set(7);
    let failure = try_explore(|| by_parent(order())).unwrap_err();
    assert_eq!(failure.violation.oracle, Oracle::OtherThread);
    assert!(failure.violation.text.contains("`thank`"), "{failure}");
}

#[workflow]
async fn late(order: Order) -> u32 {
    let first = pack(order.id).await;
    if first == 42 {
        return first;
    }
    pack(tenant()).await
}

/// Among hundreds of executions that are run again together, the one that differs is the one that is told.
#[test]
fn only_the_schedule_that_differs_is_told() {
    TENANT.set(7);
    let kit = Explore::new();
    kit.on(pack).returns_once(42).then(|item| *item);
    assert!(kit.workflow(|| late(order())).try_run().is_ok(), "it never comes there");
    let kit = Explore::new();
    kit.on(pack).then(|item| *item);
    let failure = kit.workflow(|| late(Order { id: 1, total: 1 })).each_step_fails().try_run().unwrap_err();
    assert_eq!(failure.violation.oracle, Oracle::OtherThread);
    assert!(failure.violation.text.starts_with("after write 2"), "{failure}");
    assert_eq!(failure.schedule.as_deref(), Some("late:0"));
}
