//! The names that a run has in traces: the same before and after a restart, because they are made of its id.
//! It records nothing and knows no tracing library.

use std::fmt;

use uuid::Uuid;

use crate::StepContext;

/// Where a run, or one attempt of a step, stands in a trace. One trace is one run, from its start to its end,
/// whatever processes it went through; generations and restarts do not change it.
///
/// Shown, it is the `traceparent` of W3C Trace Context, to hand to services: their spans then belong to the trace of
/// the run. See also [`StepContext::traceparent`].
///
/// ```
/// use workflow_core::{StepContext, TraceContext};
/// let run = TraceContext::of_run("order-42");
/// let attempt = StepContext::new("order-42", "charge", 1).trace();
/// assert_eq!(attempt.trace_id(), run.trace_id());
/// assert_ne!(attempt.span_id(), run.span_id());
/// assert_eq!(run.to_string(), format!("00-{}-{}-01", run.trace_id(), run.span_id()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceContext {
    trace: u128,
    span: u64,
}

impl TraceContext {
    /// The run as a whole: the root of its trace.
    pub fn of_run(run_id: &str) -> TraceContext {
        TraceContext { trace: trace_of(run_id), span: span_of("run", run_id) }
    }

    pub(crate) fn of_attempt(run_id: &str, idempotency_key: &str, attempt: u32) -> TraceContext {
        let span = span_of("attempt", &format!("{idempotency_key} {attempt}"));
        TraceContext { trace: trace_of(run_id), span }
    }

    /// The trace: 32 lower-case hexadecimal digits.
    pub fn trace_id(&self) -> String {
        format!("{:032x}", self.trace)
    }

    /// The span: 16 lower-case hexadecimal digits.
    pub fn span_id(&self) -> String {
        format!("{:016x}", self.span)
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Sampled: whether anybody keeps the trace is up to whoever receives it.
        write!(f, "00-{:032x}-{:016x}-01", self.trace, self.span)
    }
}

impl StepContext {
    /// Where this attempt stands in the trace of its run.
    pub fn trace(&self) -> TraceContext {
        TraceContext::of_attempt(self.run_id(), self.idempotency_key(), self.attempt())
    }

    /// The `traceparent` header for a call that this attempt makes, so that the trace of the run goes on there. It is
    /// the same when the attempt begins again after a crash, and another one for the next attempt.
    ///
    /// ```
    /// use workflow_core::StepContext;
    /// let cx = StepContext::new("order-42", "charge", 1);
    /// assert_eq!(cx.traceparent(), "00-6581d1a622da5464a62df60d5c31e1ef-b3522ad45f811efe-01");
    /// ```
    pub fn traceparent(&self) -> String {
        self.trace().to_string()
    }
}

/// A UUID is never zero, which the standard forbids.
fn trace_of(run_id: &str) -> u128 {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, run_id.as_bytes()).as_u128()
}

fn span_of(kind: &str, name: &str) -> u64 {
    let digest = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{kind} {name}").as_bytes()).as_u128();
    // The lower half has the bit of the variant, so it is not zero either.
    u64::try_from(digest & u128::from(u64::MAX)).expect("masked")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_attempt_of_each_call_has_a_span_of_its_own_in_the_trace_of_its_run() {
        let attempt = |op, attempt, generation| {
            StepContext::new("order-42", op, attempt).in_generation(generation).trace()
        };
        let all = [
            TraceContext::of_run("order-42"),
            attempt("charge", 1, 1),
            attempt("charge", 2, 1),
            attempt("charge", 1, 2),
            attempt("charge/undo", 1, 1),
        ];
        let spans: BTreeSet<String> = all.iter().map(TraceContext::span_id).collect();
        assert_eq!(spans.len(), all.len());
        assert!(all.iter().all(|context| context.trace_id() == all[0].trace_id()));
        assert_ne!(TraceContext::of_run("order-43").trace_id(), all[0].trace_id());
        assert_eq!(attempt("charge", 1, 1), all[1], "the same after a restart");
    }

    #[test]
    fn it_is_written_as_the_standard_says() {
        let text = TraceContext::of_run("order-42").to_string();
        let parts: Vec<&str> = text.split('-').collect();
        assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), [2, 32, 16, 2]);
        assert!(text.chars().all(|c| c == '-' || c.is_ascii_digit() || ('a'..='f').contains(&c)));
    }
}
