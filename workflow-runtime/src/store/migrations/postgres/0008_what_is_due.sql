-- What is due is found without looking at what is not.

-- Runs that nobody holds, in the order in which somebody has to look at them. The index of all unfinished runs begins
-- with the holder, and does not come in the order of time where that is null.
CREATE INDEX IF NOT EXISTS workflow_runs_due ON workflow_runs (workflow, version, wake_ms)
    WHERE ended_ms IS NULL AND holder IS NULL;

-- Messages that may leave: those that nobody has tried yet, in their order, and those that are tried again, by when.
CREATE INDEX IF NOT EXISTS workflow_outbox_due ON workflow_outbox (due_ms, number) WHERE NOT is_parked;
