//! What a step knows about the call it serves, and how it hears of a cancel and says that it is alive.
//! It offers no way back into the workflow.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use crate::control::Signals;
use crate::{AttemptControl, OpId};

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
    call: Arc<Call>,
    attempt: u32,
    signals: Arc<Signals>,
}

/// What all attempts of a call have in common.
#[derive(Debug)]
struct Call {
    run_id: Arc<str>,
    op: OpId,
    generation: u32,
    /// Made when somebody asks for it: most steps do not.
    idempotency_key: OnceLock<String>,
}

impl Call {
    fn idempotency_key(&self) -> String {
        let Call { run_id, op, generation, .. } = self;
        // A slash in the id of a run must not make two calls share a key.
        let escaped: Cow<'_, str> = match run_id.contains(['%', '/']) {
            true => run_id.replace('%', "%25").replace('/', "%2F").into(),
            false => (&**run_id).into(),
        };
        match generation {
            // The first one keeps the keys that it had before there were others.
            1 => format!("{escaped}/{op}"),
            generation => format!("{escaped}/+{generation}/{op}"),
        }
    }
}

impl StepContext {
    /// The context of one attempt that nobody cancels.
    pub fn new(run_id: &str, op: &str, attempt: u32) -> StepContext {
        StepContext::of(run_id.into(), OpId::from_text(op), 1, attempt)
    }

    /// The context of one attempt of this operation.
    pub(crate) fn of(run_id: Arc<str>, op: OpId, generation: u32, attempt: u32) -> StepContext {
        let call = Call { run_id, op, generation, idempotency_key: OnceLock::new() };
        StepContext { call: Arc::new(call), attempt, signals: Arc::default() }
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
        let control = cx.control();
        (cx, control)
    }

    /// The other end.
    pub(crate) fn control(&self) -> AttemptControl {
        AttemptControl::new(Arc::clone(&self.signals))
    }

    /// The same call in a run that has begun for the `generation`-th time: what it did before is another call.
    ///
    /// ```
    /// use workflow_core::StepContext;
    /// let cx = StepContext::new("order-42", "charge", 1).in_generation(2);
    /// assert_eq!(cx.idempotency_key(), "order-42/+2/charge");
    /// ```
    #[must_use]
    pub fn in_generation(self, generation: u32) -> StepContext {
        let (run_id, op) = (Arc::clone(&self.call.run_id), self.call.op.clone());
        let call = Call { run_id, op, generation, idempotency_key: OnceLock::new() };
        StepContext { call: Arc::new(call), ..self }
    }

    /// The run that this call belongs to.
    pub fn run_id(&self) -> &str {
        &self.call.run_id
    }

    /// A key that is the same for all attempts of this call and for no other call: hand it to services that
    /// drop duplicates by such a key.
    pub fn idempotency_key(&self) -> &str {
        self.call.idempotency_key.get_or_init(|| self.call.idempotency_key())
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
