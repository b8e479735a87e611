//! What a step knows about the call it serves.
//! It offers no way back into the workflow.

use std::sync::Arc;

/// What a running step knows about itself: ask for it with a parameter `cx: StepContext`.
///
/// ```
/// use workflow_core::StepContext;
/// let cx = StepContext::new("order-42", "retrieve_payment", 2);
/// assert_eq!(cx.idempotency_key(), "order-42/retrieve_payment");
/// assert_eq!(cx.attempt(), 2);
/// assert_eq!(StepContext::new("a/b", "c", 1).idempotency_key(), "a%2Fb/c");
/// ```
#[derive(Clone, Debug)]
pub struct StepContext {
    run_id: Arc<str>,
    idempotency_key: Arc<str>,
    attempt: u32,
}

impl StepContext {
    /// The context of one attempt; made by the engine and the test kit.
    pub fn new(run_id: &str, op: &str, attempt: u32) -> StepContext {
        // A slash in the id of a run must not make two calls share a key.
        let escaped = run_id.replace('%', "%25").replace('/', "%2F");
        StepContext { run_id: run_id.into(), idempotency_key: format!("{escaped}/{op}").into(), attempt }
    }

    /// The run that this call belongs to.
    pub fn run_id(&self) -> &str {
        &self.run_id
    }

    /// A key that is the same for all attempts of this call and for no other call: hand it to services that
    /// drop duplicates by such a key.
    pub fn idempotency_key(&self) -> &str {
        &self.idempotency_key
    }

    /// The number of this attempt, counted from 1.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }
}
