//! What a step knows about the call it serves, and how it hears of a cancel and says that it is alive.
//! It offers no way back into the workflow.

use std::sync::Arc;

use crate::AttemptControl;
use crate::control::Signals;

/// What a running step knows about itself: ask for it with a parameter `cx: StepContext`. Clones are the same
/// attempt, so a part of the work that runs elsewhere can have one.
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
    signals: Arc<Signals>,
}

impl StepContext {
    /// The context of one attempt that nobody cancels.
    pub fn new(run_id: &str, op: &str, attempt: u32) -> StepContext {
        // A slash in the id of a run must not make two calls share a key.
        let escaped = run_id.replace('%', "%25").replace('/', "%2F");
        StepContext {
            run_id: run_id.into(),
            idempotency_key: format!("{escaped}/{op}").into(),
            attempt,
            signals: Arc::default(),
        }
    }

    /// The context of one attempt, and the end of it that its driver keeps. Made by the engine; in a test of a
    /// step's body, it shows how the body takes a cancel.
    ///
    /// ```
    /// use workflow_core::StepContext;
    /// let (cx, control) = StepContext::controlled("order-42", "render", 1);
    /// assert!(!cx.is_cancelled());
    /// cx.heartbeat();
    /// control.cancel();
    /// assert!(cx.is_cancelled() && control.heartbeats() == 1);
    /// ```
    pub fn controlled(run_id: &str, op: &str, attempt: u32) -> (StepContext, AttemptControl) {
        let cx = StepContext::new(run_id, op, attempt);
        let control = AttemptControl::new(Arc::clone(&cx.signals));
        (cx, control)
    }

    /// The same call in a run that has begun for the `generation`-th time: what it did before is another call.
    ///
    /// ```
    /// use workflow_core::StepContext;
    /// let cx = StepContext::new("order-42", "charge", 1).in_generation(2);
    /// assert_eq!(cx.idempotency_key(), "order-42/+2/charge");
    /// ```
    #[must_use]
    pub fn in_generation(mut self, generation: u32) -> StepContext {
        // The first one keeps the keys that it had before there were others.
        if generation > 1
            && let Some((run, op)) = self.idempotency_key.split_once('/')
        {
            self.idempotency_key = format!("{run}/+{generation}/{op}").into();
        }
        self
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

    /// Whether this attempt's answer is no longer wanted: the attempt has timed out, the run no longer waits for
    /// the step, or the engine has stopped. A long body looks from time to time, and comes back early: with an error
    /// if it took no effect, else with what it has done, so that it can be undone.
    pub fn is_cancelled(&self) -> bool {
        self.signals.is_cancelled()
    }

    /// Waits until this attempt's answer is no longer wanted; for ever if that never happens.
    pub async fn cancelled(&self) {
        self.signals.cancelled().await;
    }

    /// Says that the attempt is alive: under `#[step(heartbeat = "10s")]` an attempt that has not said so for ten
    /// seconds has timed out. Cheap, and without that attribute of no effect.
    pub fn heartbeat(&self) {
        self.signals.heartbeat();
    }
}
