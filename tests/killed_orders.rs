//! The flagship example under attack: its process is killed with SIGKILL at random moments, over and over.
//! The judge is the simulated world's own database; the engine's word counts for nothing here.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};

const KILLS: u32 = 50;

/// How long the run after the last kill may take; a few seconds are usual.
const PATIENCE: Duration = Duration::from_secs(180);

/// A small generator of even numbers of chance; the seed is printed, so that a failure can be repeated.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// Builds the example, so that it is there and up to date whatever ran before, and says where it lies.
fn example() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own program");
    let profile = test.parent().and_then(Path::parent).expect("tests lie below a folder of their profile");
    let target = profile.parent().expect("a profile's folder lies in the target folder");
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--example", "order_fulfilment", "--target-dir"]).arg(target);
    if profile.ends_with("release") {
        build.arg("--release");
    }
    let built = build.current_dir(env!("CARGO_MANIFEST_DIR")).status().expect("cargo can be called");
    assert!(built.success(), "the example does not build");
    profile.join("examples").join(format!("order_fulfilment{}", std::env::consts::EXE_SUFFIX))
}

fn start(example: &Path, data: &Path) -> Child {
    let mut command = Command::new(example);
    command.arg("--data").arg(data).args(["--latency-ms", "20"]);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the example starts")
}

/// The last run, which nobody kills; but one that cannot end is a failure, not a reason to wait for ever.
fn finish(example: &Path, data: &Path) -> (bool, String) {
    let report = data.join("report.txt");
    let output = File::create(&report).expect("a file for the report");
    let errors = output.try_clone().expect("the same file for errors");
    let mut child = Command::new(example)
        .arg("--data")
        .arg(data)
        .stdout(output)
        .stderr(errors)
        .spawn()
        .expect("it starts");
    let began = Instant::now();
    let status = loop {
        match child.try_wait().expect("the example can be asked") {
            Some(status) => break Some(status),
            None if began.elapsed() > PATIENCE => {
                child.kill().expect("SIGKILL reaches the example");
                break None;
            }
            None => std::thread::sleep(Duration::from_millis(50)),
        }
    };
    let report = std::fs::read_to_string(report).expect("the report can be read");
    (status.is_some_and(|status| status.success()), report)
}

#[test]
fn fifty_kills_lose_no_order_and_charge_nobody_twice() {
    let seed = std::env::var("WORKFLOW_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| u64::from(std::process::id()));
    println!("again: WORKFLOW_SEED={seed} cargo test --test killed_orders");
    let mut chance = Chance(seed);
    let folder = tempfile::tempdir().expect("a folder for the databases");
    let example = example();
    let mut early_ends = 0;
    for _ in 0..KILLS {
        let mut child = start(&example, folder.path());
        std::thread::sleep(Duration::from_millis(20 + chance.below(230)));
        match child.try_wait().expect("the example can be asked") {
            Some(_) => early_ends += 1,
            None => child.kill().expect("SIGKILL reaches the example"),
        }
        child.wait().expect("the example ends");
    }
    let (is_consistent, report) = finish(&example, folder.path());
    println!("{early_ends} ended before the kill\n{report}");
    assert!(is_consistent, "{report}");
    assert!(early_ends < KILLS / 2, "most kills came too late to mean anything");
    assert!(report.contains("delivered     209"), "{report}");
    // Who waits for a person counts as waiting, too: a run that the kills broke would hide among the customers.
    assert!(report.contains("waiting         5   for another card"), "{report}");
    judge(folder.path());
}

/// Asks the world's database, with nothing of the example's own code.
#[tokio::main(flavor = "current_thread")]
async fn judge(folder: &Path) {
    let options = SqliteConnectOptions::new().filename(folder.join("world.db")).read_only(true);
    let world = SqlitePool::connect_with(options).await.expect("the world's database opens");
    for (what, query) in [
        (
            "orders charged twice without a refund",
            "SELECT order_id AS id FROM charges c WHERE NOT EXISTS (SELECT 1 FROM refunds r WHERE r.charge_id = c.id)
             GROUP BY order_id HAVING count(*) > 1",
        ),
        (
            "charges without a delivery and without a refund",
            "SELECT id FROM charges c WHERE NOT EXISTS (SELECT 1 FROM refunds r WHERE r.charge_id = c.id)
             AND NOT EXISTS (SELECT 1 FROM shipments s WHERE s.order_id = c.order_id)",
        ),
        (
            "refunds that differ from their charge, or come twice",
            "SELECT charge_id AS id FROM refunds r JOIN charges c ON c.id = r.charge_id
             GROUP BY charge_id HAVING count(*) > 1 OR sum(r.amount_cents) <> max(c.amount_cents)",
        ),
        (
            "goods of refused orders that nobody put back",
            "SELECT r.order_id AS id FROM reservations r JOIN refunds f ON f.charge_id IN
             (SELECT c.id FROM charges c WHERE c.order_id = r.order_id) WHERE r.state <> 'released'",
        ),
        (
            "orders shipped twice",
            "SELECT order_id AS id FROM shipments GROUP BY order_id HAVING count(*) > 1",
        ),
        (
            "orders shipped and yet refunded",
            "SELECT s.order_id AS id FROM shipments s JOIN charges c ON c.order_id = s.order_id
             JOIN refunds r ON r.charge_id = c.id",
        ),
    ] {
        let rows = sqlx::query(query).fetch_all(&world).await.expect("the world can be asked");
        let ids: Vec<String> = rows.iter().map(|row| row.get::<String, _>("id")).collect();
        assert!(ids.is_empty(), "{what}: {ids:?}");
    }
    let shipped: i64 = sqlx::query("SELECT count(*) AS n FROM shipments")
        .fetch_one(&world)
        .await
        .expect("it counts")
        .get("n");
    assert_eq!(shipped, 209, "an order was lost");
    let held: i64 = sqlx::query("SELECT count(*) AS n FROM reservations WHERE state = 'reserved'")
        .fetch_one(&world)
        .await
        .expect("it counts")
        .get("n");
    assert_eq!(held, 5, "only the goods of customers who are asked for another card are held back");
}
