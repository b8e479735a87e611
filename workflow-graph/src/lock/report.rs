//! What a break is called: what the lock says, what the code says now, and what to write instead.
//! The texts of WF050, put together by constants.

use super::automaton::{Act, Automaton, State};
use super::simulation::{Break, Why};
use crate::Notice;
use crate::reading::{is_same_text, text_of};

/// The text of a break. `file` is the lock file; where it is empty, old code is spoken of instead.
pub const fn notice(old: Automaton<'_>, new: Automaton<'_>, found: Break, file: &str) -> Notice {
    let (was, is) = (&old.states[found.old], &new.states[found.new]);
    let mut notice = Notice::new("WF050: runs in flight cannot go on with this: ");
    if file.is_empty() {
        notice = notice.with("the old code says ");
    } else {
        notice = notice.with(file);
        if was.line > 0 {
            notice = notice.with(":").with_number(was.line as u64);
        }
        notice = notice.with(" says ");
    }
    notice = explained(notice, old, new, was, is, found.why);
    notice = notice.with("; ").with(remedy(found.why, was, is));
    notice.with("; see docs/errors/WF050.md")
}

const fn explained(
    notice: Notice,
    old: Automaton<'_>,
    new: Automaton<'_>,
    was: &State<'_>,
    is: &State<'_>,
    why: Why,
) -> Notice {
    match why {
        Why::Arguments => notice
            .with("that it takes `")
            .with(old.takes)
            .with("`, the code now says `")
            .with(new.takes)
            .with("`"),
        Why::Deadline if old.has_deadline => notice.with("that it has a deadline, the code now has none"),
        Why::Deadline => notice.with("that it has no deadline, the code now has one"),
        Why::Operation | Why::Ending | Why::Id => {
            let notice = described(notice.with("that "), was).with(", the code now says that ");
            described(notice, is)
        }
        Why::Name => {
            let notice = quoted(notice, "that `", was.id).with("` is `").with(name(was));
            notice.with("`, the code now says `").with(name(is)).with("`")
        }
        Why::Takes => match (&was.act, &is.act) {
            (Act::Step(old), Act::Step(new)) => quoted(notice, "that `", was.id)
                .with("` takes `")
                .with(old.takes)
                .with("`, the code now says `")
                .with(new.takes)
                .with("`"),
            _ => notice,
        },
        Why::Gives => quoted(notice, "that `", was.id)
            .with("` gives `")
            .with(gives(was))
            .with("`, the code now says `")
            .with(gives(is))
            .with("`"),
        Why::Error { index } => quoted(notice, "that `", was.id)
            .with("` can fail with `")
            .with(match &was.act {
                Act::Step(step) => step.errors.get(index),
                Act::Child { errors, .. } => errors.get(index),
                _ => "",
            })
            .with("`, which the code no longer knows"),
        Why::Pivot => {
            let becomes = matches!(&is.act, Act::Step(step) if step.is_pivot);
            let notice = quoted(notice, "that `", was.id);
            if becomes {
                notice.with("` is no pivot, the code now says that it is one")
            } else {
                notice.with("` is the pivot, the code now says that it is none")
            }
        }
        Why::Compensation => {
            let notice = undone(quoted(notice, "that `", was.id).with("` is "), was);
            undone(notice.with(", the code now says that it is "), is)
        }
        Why::Detached => {
            quoted(notice, "that `", was.id).with("` is waited for otherwise than the code now does")
        }
        Why::Wait => {
            quoted(notice, "that `", was.id).with("` can end without a message, the code now waits for ever")
        }
        Why::Many => quoted(notice, "that `", was.id)
            .with("` is repeated otherwise: over other values, with another limit, or with other errors"),
        Why::Given => quoted(notice, "that `", was.id)
            .with("` is given something else: a run could go another way inside of it than it went"),
        Why::Result => quoted(notice, "that `", was.id)
            .with("` comes to something else: a run could go another way after it than it went"),
        Why::Branches => notice
            .with("that there are ")
            .with_number(was.count as u64)
            .with(" branches, the code now has ")
            .with_number(is.count as u64),
        Why::Guard => {
            let (before, now) = (condition(old, was), condition(new, is));
            let notice = notice.with("that this is decided by `").with(before);
            let notice = if is_same_text(before, now) {
                notice.with("`, and the code has changed what that depends on")
            } else {
                notice.with("`, the code now decides by `").with(now).with("`")
            };
            notice.with(": a run could go the other way than it went")
        }
        Why::Switch => {
            let patch = if let Act::Switch { patch, .. } = &was.act { *patch } else { "" };
            quoted(notice, "that runs may hold the answer of `patched(\"", patch)
                .with("\")`, which the code no longer asks for")
        }
        Why::Way => quoted(notice, "that the flow goes on after `", was.id)
            .with("`, the code no longer does on every way"),
    }
}

const fn quoted(notice: Notice, before: &str, id: &str) -> Notice {
    notice.with(before).with(id)
}

/// What happens at a state, after "that".
const fn described(notice: Notice, state: &State<'_>) -> Notice {
    match &state.act {
        Act::Step(step) => named(notice.with("the step `").with(step.name).with("`"), step.name, state.id),
        Act::Timer => notice.with("the timer `").with(state.id).with("`").with(" comes here"),
        Act::Receive { message, .. } => {
            named(notice.with("a wait for `").with(message).with("`"), "", state.id)
        }
        Act::Send { message } => named(notice.with("the message `").with(message).with("`"), "", state.id),
        Act::Child { workflow, .. } => {
            named(notice.with("the workflow `").with(workflow).with("`"), workflow, state.id)
        }
        Act::Subflow { .. } => notice.with("the subflow `").with(state.id).with("` comes here"),
        Act::Block => notice.with("a `try_join!` comes here"),
        Act::Fork => notice.with("branches begin here"),
        Act::Join => notice.with("branches have come to their end here"),
        Act::Race => notice.with("a `select!` comes here"),
        Act::Undo => notice.with("`compensate()` comes here"),
        Act::End(crate::Outcome::Failure) => notice.with("it ends here with an error"),
        Act::End(crate::Outcome::Continued) => notice.with("it continues as new here"),
        Act::End(crate::Outcome::Success) => notice.with("it ends here"),
        Act::Start | Act::Merge | Act::Decision | Act::Switch { .. } => {
            notice.with("something is decided here")
        }
    }
}

const fn named(notice: Notice, name: &str, id: &str) -> Notice {
    let notice = if is_same_text(name, id) { notice } else { notice.with(" at `").with(id).with("`") };
    notice.with(" comes here")
}

const fn name<'a>(state: &State<'a>) -> &'a str {
    match &state.act {
        Act::Step(step) => step.name,
        Act::Receive { message, .. } | Act::Send { message } => message,
        Act::Child { workflow, .. } => workflow,
        _ => state.id,
    }
}

const fn gives<'a>(state: &State<'a>) -> &'a str {
    match &state.act {
        Act::Step(step) => step.gives,
        Act::Child { gives, .. } => gives,
        _ => "",
    }
}

const fn undone(notice: Notice, state: &State<'_>) -> Notice {
    match &state.act {
        Act::Step(step) => match &step.undo {
            Some(undo) => {
                notice.with("undone by `").with(undo.name).with("` of `").with(undo.takes).with("`")
            }
            None => notice.with("not undone"),
        },
        _ => notice,
    }
}

const fn condition<'a>(automaton: Automaton<'a>, state: &State<'a>) -> &'a str {
    let mut index = state.first;
    while index < state.first + state.count {
        if let crate::FlowKind::Answer { condition, .. } = automaton.moves[index].when {
            let condition = text_of(condition);
            if !condition.is_empty() {
                return condition;
            }
        }
        index += 1;
    }
    "another value"
}

const fn remedy(why: Why, was: &State<'_>, is: &State<'_>) -> &'static str {
    match (why, &was.act, &is.act) {
        (Why::Switch, ..) => {
            "keep the switch, or retire the change when no run from before it is unfinished: \
             `cargo workflow lock --retire`"
        }
        (Why::Name, Act::Step(_), _) | (Why::Operation, Act::Step(_), Act::Step(_)) => {
            "keep both with `if patched(\"..\").await { new } else { old }`, or keep the old function beside the new \
             one under `version = 2`; for a step that only has another name now, say `was = \"..\"`"
        }
        (Why::Id, ..) => {
            "calls are numbered in the order of the text: write the old way first, \
             `if !patched(\"..\").await { old } else { new }`"
        }
        (Why::Arguments | Why::Deadline, ..) => {
            "keep the old function beside the new one under `version = 2`"
        }
        (Why::Takes | Why::Gives | Why::Error { .. } | Why::Pivot | Why::Compensation, ..) => {
            "make it a step of its own and keep both with `if patched(\"..\").await { new } else { old }`, or keep the \
             old function beside the new one under `version = 2`"
        }
        _ => {
            "keep both with `if patched(\"..\").await { new } else { old }`, or keep the old function beside the new \
             one under `version = 2`"
        }
    }
}
