//! The ways in which the core is broken, one after the other, and which oracle notices each.
//! They are texts: where they are put in is told elsewhere.

/// One way to break the core.
pub(crate) struct Mutant {
    pub(crate) name: &'static str,
    /// Below `workflow-core/src`.
    pub(crate) file: &'static str,
    /// What stands there once.
    pub(crate) original: &'static str,
    /// What stands there instead; `MUTANT` is whether this mutant is the chosen one.
    pub(crate) broken: &'static str,
    /// The oracles that may find it first.
    pub(crate) found_by: &'static [&'static str],
}

pub(crate) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "steps are undone in the order of completion",
        file: "saga.rs",
        original: r#"self.done.iter().rposition(|undo| undo.forward.is_within(prefix))"#,
        broken: r#"(if MUTANT {
            self.done.iter().position(|undo| undo.forward.is_within(prefix))
        } else {
            self.done.iter().rposition(|undo| undo.forward.is_within(prefix))
        })"#,
        found_by: &["saga"],
    },
    Mutant {
        name: "a step whose outcome is unknown is not undone",
        file: "saga.rs",
        original: r#"if needs_output {"#,
        broken: r#"if needs_output || MUTANT {"#,
        found_by: &["saga"],
    },
    Mutant {
        name: "what the code has dropped is kept",
        file: "saga.rs",
        original: r#"self.done.iter().rposition(|undo| undo.is_unwanted)?"#,
        broken: r#"self.done.iter().rposition(|undo| undo.is_unwanted && !MUTANT)?"#,
        found_by: &["saga"],
    },
    Mutant {
        name: "a compensation gets another argument",
        file: "saga.rs",
        original: r#"Wire::Output => output,"#,
        broken: r#"Wire::Output => if MUTANT { arguments.first().copied() } else { output },"#,
        found_by: &["saga", "code"],
    },
    Mutant {
        name: "a pivot leaves everything to be undone",
        file: "saga.rs",
        original: r#"self.done.retain(|undo| undo.is_unwanted);"#,
        broken: r#"self.done.retain(|undo| undo.is_unwanted || MUTANT);"#,
        found_by: &["saga"],
    },
    Mutant {
        name: "nothing is noted for the undoing",
        file: "saga.rs",
        original: r#"let args = wire(&facts.wiring, args, output)?;"#,
        broken: r#"let args = wire(&facts.wiring, args, output)?;
        if MUTANT { return Ok(()); }"#,
        found_by: &["saga"],
    },
    Mutant {
        name: "everything is undone twice",
        file: "saga.rs",
        original: r#"self.unwanted += usize::from(is_unwanted);"#,
        broken: r#"self.unwanted += usize::from(is_unwanted);
        if MUTANT {
            self.unwanted += usize::from(is_unwanted);
            self.done.push(Undo { forward: op.clone(), compensation, args: args.clone(), is_unwanted });
        }"#,
        found_by: &["saga"],
    },
    Mutant {
        name: "a subflow that fails keeps what it has done",
        file: "scope.rs",
        original: r#"S::is_failure(&output)"#,
        broken: r#"(S::is_failure(&output) && !MUTANT)"#,
        found_by: &["saga"],
    },
    Mutant {
        name: "a subflow that succeeds is undone",
        file: "scope.rs",
        original: r#"S::is_failure(&output)"#,
        broken: r#"(S::is_failure(&output) || MUTANT)"#,
        found_by: &["saga"],
    },
    Mutant {
        name: "a scope that is dropped is forgotten",
        file: "scope.rs",
        original: r#"if !self.is_over {
            self.cx.break_scope(&self.cx.frame.prefix);"#,
        broken: r#"if !self.is_over && !MUTANT {
            self.cx.break_scope(&self.cx.frame.prefix);"#,
        found_by: &["saga"],
    },
    Mutant {
        name: "an undoing does not wait for what is under way",
        file: "scope.rs",
        original: r#"state.is_settling(is_there)"#,
        broken: r#"(state.is_settling(is_there) && !MUTANT)"#,
        found_by: &["saga"],
    },
    Mutant {
        name: "several steps are undone at once",
        file: "scope.rs",
        original: r#"state.is_undoing(&this.prefix)"#,
        broken: r#"(state.is_undoing(&this.prefix) && !MUTANT)"#,
        found_by: &["saga"],
    },
    Mutant {
        name: "`compensate` undoes nothing",
        file: "scope.rs",
        original: r#"cx.undo(&cx.frame.prefix)
    }
}"#,
        broken: r#"cx.undo(&(if MUTANT { "nowhere.".into() } else { Arc::clone(&cx.frame.prefix) }))
    }
}"#,
        found_by: &["saga"],
    },
    Mutant {
        name: "a compensation that is done stays open",
        file: "settle.rs",
        original: r#"operation.is_withdrawn || op.undoes().is_some() {"#,
        broken: r#"operation.is_withdrawn || (op.undoes().is_some() && !MUTANT) {"#,
        found_by: &["deadlock"],
    },
    Mutant {
        name: "what was dropped and then failed is taken for not done",
        file: "settle.rs",
        original: r#"self.operations.remove(op);
            self.note(op, step, &args, None, true)?;"#,
        broken: r#"self.operations.remove(op);
            if MUTANT { return Ok(Ok(())); }
            self.note(op, step, &args, None, true)?;"#,
        found_by: &["saga"],
    },
    Mutant {
        name: "what is given up is taken for not done",
        file: "settle.rs",
        original: r#"self.note(op, step, &args, None, self.is_unwanted(op))?;"#,
        broken: r#"if !MUTANT { self.note(op, step, &args, None, self.is_unwanted(op))?; }"#,
        found_by: &["saga"],
    },
    Mutant {
        name: "what is withdrawn is taken for not done",
        file: "settle.rs",
        original: r#"self.note(&op, step, args, None, true)?;"#,
        broken: r#"if !MUTANT { self.note(&op, step, args, None, true)?; }"#,
        found_by: &["saga"],
    },
    Mutant {
        name: "an error is taken for an effect",
        file: "settle.rs",
        original: r#"let Some((step, args)) = self.open_step(op) else { return Ok(Err(NobodyWaits)) };
        self.note(op, step, &args, (!is_error)"#,
        broken: r#"let Some((step, args)) = self.open_step(op) else { return Ok(Err(NobodyWaits)) };
        self.note(op, step, &args, (!is_error || MUTANT)"#,
        found_by: &["code"],
    },
    Mutant {
        name: "a deadline that passes is taken for nothing",
        file: "settle.rs",
        original: r#"=> Value::TimedOut,"#,
        broken: r#"=> if MUTANT { Value::Nothing } else { Value::TimedOut },"#,
        found_by: &["code"],
    },
    Mutant {
        name: "attempts are counted to two",
        file: "settle.rs",
        original: r#"(op.clone(), op.clone(), attempt + 1);"#,
        broken: r#"(op.clone(), op.clone(), if MUTANT { 2 } else { attempt + 1 });"#,
        found_by: &["deadlock"],
    },
    Mutant {
        name: "what is unknown is forgotten with the next attempt",
        file: "settle.rs",
        original: r#"is_unknown: step.is_unknown || failure.kind.is_unknown_outcome(), ..step"#,
        broken: r#"is_unknown: !MUTANT && (step.is_unknown || failure.kind.is_unknown_outcome()), ..step"#,
        found_by: &["saga"],
    },
    Mutant {
        name: "a child that was cancelled counts as done",
        file: "settle.rs",
        original: r#"Conclusion::Cancelled { reason } if wanted => {"#,
        broken: r#"Conclusion::Cancelled { reason } if wanted && !MUTANT => {"#,
        found_by: &["code"],
    },
    Mutant {
        name: "a cancel is obeyed after the point of no return",
        file: "run/leaving.rs",
        original: r#"if let Some(pivot) = pivot {"#,
        broken: r#"if let Some(pivot) = pivot.filter(|_| !MUTANT) {"#,
        found_by: &["pivot"],
    },
    Mutant {
        name: "a cancel does not wait for the pivot under way",
        file: "run/leaving.rs",
        original: r#"if pivot_may_happen {"#,
        broken: r#"if pivot_may_happen && !MUTANT {"#,
        found_by: &["pivot"],
    },
    Mutant {
        name: "a run ends without waiting for what is under way",
        file: "run/leaving.rs",
        original: r#"state.operations.is_empty()"#,
        broken: r#"(state.operations.is_empty() || MUTANT)"#,
        found_by: &["leak"],
    },
    Mutant {
        name: "a run that fails undoes nothing",
        file: "run/leaving.rs",
        original: r#"let next = self.cx.state().begin_next_undo("");"#,
        broken: r#"let next = if MUTANT { None } else { self.cx.state().begin_next_undo("") };"#,
        found_by: &["saga"],
    },
    Mutant {
        name: "a run that succeeds keeps what the code has dropped",
        file: "run/leaving.rs",
        original: r#"state.begin_unwanted_undo()?;
                }"#,
        broken: r#"if !MUTANT { state.begin_unwanted_undo()?; }
                }"#,
        found_by: &["saga"],
    },
    Mutant {
        name: "a run that succeeds undoes everything",
        file: "run/leaving.rs",
        original: r#"Exit::End(Conclusion::Completed(_)) | Exit::Continue { .. } => self.end(exit),"#,
        broken: r#"Exit::End(Conclusion::Completed(_)) | Exit::Continue { .. } if !MUTANT => self.end(exit),
                    Exit::Continue { .. } => self.end(exit),"#,
        found_by: &["saga"],
    },
    Mutant {
        name: "an undoing never goes on",
        file: "run.rs",
        original: r#"*current = current.take().filter(|op| self.cx.state().operations.contains_key(op));"#,
        broken: r#"*current = current.take().filter(|op| MUTANT || self.cx.state().operations.contains_key(op));"#,
        found_by: &["deadlock"],
    },
    Mutant {
        name: "a cancel that waited is forgotten",
        file: "run.rs",
        original: r#"self.postponed_cancel.take()"#,
        broken: r#"self.postponed_cancel.take().filter(|_| !MUTANT)"#,
        found_by: &["saga"],
    },
    Mutant {
        name: "all generations count as the first",
        file: "run.rs",
        original: r#"state.generation = generation;"#,
        broken: r#"state.generation = if MUTANT { 1 } else { generation };"#,
        found_by: &["replay"],
    },
    Mutant {
        name: "an error goes on before its siblings are done",
        file: "parallel.rs",
        original: r#"if state.is_settling(is_there) {"#,
        broken: r#"if state.is_settling(is_there) && !MUTANT {"#,
        found_by: &["saga"],
    },
    Mutant {
        name: "siblings of an error go on",
        file: "parallel.rs",
        original: r#"$(*$branch = Branch::Gone;)*"#,
        broken: r#"$(if !MUTANT { *$branch = Branch::Gone; })*"#,
        found_by: &["saga"],
    },
    Mutant {
        name: "an error of many goes on before the others are done",
        file: "many.rs",
        original: r#"this.settling = Some(this.calls.cx.settled());"#,
        broken: r#"this.settling = if MUTANT { None } else { Some(this.calls.cx.settled()) };"#,
        found_by: &["saga"],
    },
    Mutant {
        name: "a timer that nobody waits for is not withdrawn",
        file: "state.rs",
        original: r#"if withdraw {
            self.commands"#,
        broken: r#"if withdraw && !MUTANT {
            self.commands"#,
        found_by: &["leak"],
    },
    Mutant {
        name: "what is under way is forgotten when it is dropped",
        file: "state.rs",
        original: r#"if operation.value.is_none() && operation.is_under_way(now_ms) {"#,
        broken: r#"if operation.value.is_none() && operation.is_under_way(now_ms) && !MUTANT {"#,
        found_by: &["saga"],
    },
    Mutant {
        name: "rounds of a loop share their names",
        file: "state.rs",
        original: r#"*occurrence += 1;
        *occurrence
    }

    /// Counts that a scope derives"#,
        broken: r#"*occurrence = if MUTANT { 1 } else { *occurrence + 1 };
        *occurrence
    }

    /// Counts that a scope derives"#,
        found_by: &["saga"],
    },
    Mutant {
        name: "a pivot in doubt is not asked again",
        file: "state.rs",
        original: r#"operation.is_pivot_in_doubt() && !operation.is_under_way(now_ms) {"#,
        broken: r#"operation.is_pivot_in_doubt() && !operation.is_under_way(now_ms) && !MUTANT {"#,
        found_by: &["saga"],
    },
    Mutant {
        name: "a subflow is no part of the region around it",
        file: "frame.rs",
        original: r#"region: self.region.clone(),
            depth"#,
        broken: r#"region: if MUTANT { None } else { self.region.clone() },
            depth"#,
        found_by: &["saga"],
    },
    Mutant {
        name: "operations go by the name of the first one",
        file: "durable.rs",
        original: r#"(self.frame.positions)()[position]"#,
        broken: r#"(self.frame.positions)()[if MUTANT { 0 } else { position }]"#,
        found_by: &["graph"],
    },
    Mutant {
        name: "the time is the machine's",
        file: "values.rs",
        original: r#"ready(system_time(cx.state().now_ms))"#,
        broken: r#"ready(if MUTANT { SystemTime::now() } else { system_time(cx.state().now_ms) })"#,
        found_by: &["other thread", "replay"],
    },
    Mutant {
        name: "an attempt is never repeated",
        file: "judge.rs",
        original: r#"retry.wait_after(number)"#,
        broken: r#"retry.wait_after(number).filter(|_| !MUTANT)"#,
        found_by: &["deadlock"],
    },
    Mutant {
        name: "a failed attempt is never the last one",
        file: "judge.rs",
        original: r#"retry.wait_after(number)"#,
        broken: r#"retry.wait_after(if MUTANT { 1 } else { number })"#,
        found_by: &["deadlock"],
    },
    Mutant {
        name: "a compensation goes by the name of its step",
        file: "op.rs",
        original: r#"format!("{}/undo", self.0)"#,
        broken: r#"(if MUTANT { format!("{}", self.0) } else { format!("{}/undo", self.0) })"#,
        found_by: &["deadlock"],
    },
];
