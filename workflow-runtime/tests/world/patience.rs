//! Waiting until something is so that happens soon, at a time that is not up to the test.
//! It knows nothing of what it waits for.

use std::time::Duration;

/// Looks again and again, for at most ten seconds, until something is so.
pub async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let began = std::time::Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(10), "not so after ten seconds: {what}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
