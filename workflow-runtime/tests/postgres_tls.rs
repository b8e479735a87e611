//! Connections to a Postgres server that takes none without TLS.

mod world;

use std::time::Duration;

use postgres_server::Server;
use workflow_runtime::{Clock, Postgres};
use world::*;

#[tokio::test]
async fn runs_are_kept_by_a_server_that_asks_for_tls() {
    let server = Server::start().unwrap();
    let authority = server.require_tls().unwrap();
    let url = |mode: &str| format!("{}?sslmode={mode}", server.url());
    let refused = Postgres::connect(&url("disable")).await.err().unwrap().to_string();
    assert!(refused.contains("no encryption"), "{refused}");
    // Nobody known has signed its certificate.
    let unknown = Postgres::connect(&url("verify-full")).await.err().unwrap().to_string();
    assert!(unknown.contains("certificate"), "{unknown}");
    let verified = format!("{}&sslrootcert={}", url("verify-full"), authority.display());
    // It is the authority's, but of another name.
    let elsewhere = verified.replace("127.0.0.1", "localhost");
    let elsewhere = Postgres::connect(&elsewhere).await.err().unwrap().to_string();
    assert!(elsewhere.contains("certificate"), "{elsewhere}");
    Postgres::connect(&url("require")).await.unwrap();
    let connect = async || Postgres::connect(&verified).await.unwrap();
    let (store, world, clock) = (connect().await, World::new(), Clock::manual(1_000_000));
    let encrypted: Vec<bool> =
        store.query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", ()).await.unwrap();
    assert_eq!(encrypted, [true]);
    // Hints, too: neither looks by itself.
    let never = Duration::from_secs(3_600);
    let holder = builder(store, &world, &clock).poll_interval(never).park_idle_after(Duration::MAX);
    let holder = holder.start().await.unwrap();
    let other = builder(connect().await, &world, &clock).poll_interval(never).start().await.unwrap();
    holder.start(patient("o-1".into())).id("order-1").await.unwrap();
    other.client().deliver(Paid { order: "o-1".into(), amount: 7 }).await.unwrap();
    assert_eq!(other.client().result::<u64>("order-1").await.unwrap(), 7);
}
