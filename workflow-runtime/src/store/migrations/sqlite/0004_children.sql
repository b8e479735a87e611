-- Runs that are children of others, runs that begin anew under their id, and what leaves.

ALTER TABLE workflow_runs ADD COLUMN generation INTEGER NOT NULL DEFAULT 1;

-- The operation that started the run, if it is a child.
ALTER TABLE workflow_runs ADD COLUMN parent_run TEXT;
ALTER TABLE workflow_runs ADD COLUMN parent_generation INTEGER;
ALTER TABLE workflow_runs ADD COLUMN parent_op TEXT;

CREATE INDEX workflow_runs_children ON workflow_runs (parent_run, run_id) WHERE parent_run IS NOT NULL;

-- What the run last told about how far it is, as JSON.
ALTER TABLE workflow_runs ADD COLUMN progress TEXT;

-- Messages that runs sent and that have not been handed over.
CREATE TABLE workflow_outbox (
    -- The order in which they were sent. Never used twice, so that a later message never gets before an earlier one.
    number     INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    message_id TEXT    NOT NULL UNIQUE,
    run_id     TEXT    NOT NULL,
    op         TEXT    NOT NULL,
    message    TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    payload    TEXT    NOT NULL,
    publishes  INTEGER NOT NULL,
    sent_ms    INTEGER NOT NULL,
    -- How often handing it over has failed, why it did the last time, and when it is tried again.
    attempts   INTEGER NOT NULL DEFAULT 0,
    cause      TEXT,
    due_ms     INTEGER NOT NULL,
    -- Nobody tries again until somebody asks for it.
    is_parked  INTEGER NOT NULL DEFAULT 0
);

CREATE INDEX workflow_outbox_of_run ON workflow_outbox (run_id, number);
