//! Child workflows: runs of their own that a run starts and, unless detached, waits for.
//! Who starts and cancels them is the driver; here is only what the code asks for.

use serde::de::DeserializeOwned;
use workflow_graph::ChildFacts;

use crate::state::{Operation, Value, Wait, fits, read_recorded};
use crate::{
    Command, Conclusion, CoreError, Cx, Durable, OpId, Payload, PayloadError, Workflow, WorkflowCall,
};

/// The longest id that a child gets from its place alone; longer ones are shortened to a digest.
const LONGEST_ID: usize = 200;

/// A child of which nobody waits for the end.
#[must_use = "WF003: a child does nothing until it is awaited; see docs/errors/WF003.md"]
pub struct DetachedCall<W: Workflow> {
    call: WorkflowCall<W>,
}

impl<W: Workflow> WorkflowCall<W> {
    /// Gives the child's run an id of its own: 1 to 255 bytes without control characters. Without this it gets one
    /// from the parent's id and its place in the code.
    ///
    /// `engine.start(call).id(..)` does the same for a run that is started from outside.
    pub fn id(self, id: impl Into<String>) -> WorkflowCall<W> {
        WorkflowCall { id: Some(id.into()), ..self }
    }

    /// Waits only until the child has been started, and gives the id of its run. It goes on by itself, whatever becomes
    /// of this run.
    pub fn detached(self) -> DetachedCall<W> {
        DetachedCall { call: self }
    }

    /// What the diagram shows in place of the child's own name; only the text matters.
    pub fn label(self, _label: &'static str) -> WorkflowCall<W> {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<W: Workflow> Durable for WorkflowCall<W> {
    type Output = W::Output;
    type Running = Wait<W::Output>;

    fn start(self, cx: &Cx, position: usize) -> Wait<W::Output> {
        cx.start_child(position, self, false, |value| match value {
            Value::Concluded(conclusion) => W::read(conclusion),
            value => read_recorded(value),
        })
    }
}

#[diagnostic::do_not_recommend]
impl<W: Workflow> Durable for DetachedCall<W> {
    type Output = String;
    type Running = Wait<String>;

    fn start(self, cx: &Cx, position: usize) -> Wait<String> {
        cx.start_child(position, self.call, true, read_recorded)
    }
}

impl Cx {
    fn start_child<W: Workflow, T>(
        &self,
        position: usize,
        call: WorkflowCall<W>,
        detached: bool,
        read: fn(&Value) -> Result<T, PayloadError>,
    ) -> Wait<T>
    where
        T: DeserializeOwned,
    {
        let op = self.next_op(position);
        let input = Payload::of(&call.args);
        let mut state = self.state();
        let run_id = call.id.unwrap_or_else(|| child_id(&state.run_id, state.generation, &op));
        match input {
            Ok(input) => {
                let request = Command::StartChild {
                    op: op.clone(),
                    workflow: W::NAME.to_owned(),
                    version: W::VERSION,
                    run_id,
                    input,
                    detached,
                };
                let operation = Operation { fits: Some(fits::<T>), ..self.operation(request) };
                state.begin(op.clone(), operation);
            }
            Err(error) => state.fault = Some(CoreError::Unstorable { what: op.to_string(), error }),
        }
        self.wait(op, read)
    }
}

fn child_id(parent: &str, generation: u32, op: &OpId) -> String {
    let id = match generation {
        1 => format!("{parent}/{op}"),
        _ => format!("{parent}/+{generation}/{op}"),
    };
    if id.len() <= LONGEST_ID {
        return id;
    }
    let digest = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, id.as_bytes());
    format!("{}~{digest}", &id[..id.floor_char_boundary(LONGEST_ID - 40)])
}

/// The facts about a child.
pub(crate) const fn child_facts<W: Workflow>(detached: bool) -> ChildFacts {
    ChildFacts {
        workflow: std::borrow::Cow::Borrowed(W::NAME),
        label: std::borrow::Cow::Borrowed(W::LABEL),
        detached,
        errors: std::borrow::Cow::Borrowed(W::ERRORS),
        graph: W::GRAPH,
    }
}

/// Reads how a workflow that cannot fail has ended.
///
/// # Errors
/// When it did not end with a result, or the value does not fit.
pub fn read_completed<T: DeserializeOwned>(conclusion: &Conclusion) -> Result<T, PayloadError> {
    match conclusion {
        Conclusion::Completed(value) => value.read(),
        other => Err(PayloadError(format!("it ended otherwise: {other:?}"))),
    }
}

/// Why a child is cancelled that its parent has asked to be cancelled; in the engine and in tests alike, since it
/// stands in the child's journal.
///
/// ```
/// assert_eq!(workflow_core::reason_to_cancel_child("order-42"), "its parent `order-42` no longer waits for it");
/// ```
pub fn reason_to_cancel_child(parent: &str) -> String {
    format!("its parent `{parent}` no longer waits for it")
}

/// Reads how a workflow that returns a result has ended.
///
/// # Errors
/// When it was cancelled, or the value does not fit.
pub fn read_concluded<T: DeserializeOwned, E: DeserializeOwned>(
    conclusion: &Conclusion,
) -> Result<Result<T, E>, PayloadError> {
    match conclusion {
        Conclusion::Completed(value) => value.read().map(Ok),
        Conclusion::Failed { error, .. } => error.read().map(Err),
        other => Err(PayloadError(format!("it ended otherwise: {other:?}"))),
    }
}
