-- What becomes of messages: events for many, messages set aside with a reason, and what may be forgotten.

-- Published to all who wait, not sent to one.
ALTER TABLE workflow_messages ADD COLUMN is_event INTEGER NOT NULL DEFAULT 0;
-- Since when nobody can take it any more: it was taken, set aside or discarded, or its time was over.
ALTER TABLE workflow_messages ADD COLUMN settled_ms INTEGER;
-- Why it was set aside, as JSON.
ALTER TABLE workflow_messages ADD COLUMN reason TEXT;

UPDATE workflow_messages SET settled_ms = delivered_ms WHERE run_id <> '';

DROP INDEX workflow_messages_kept;
CREATE INDEX workflow_messages_kept ON workflow_messages (message, key, number) WHERE settled_ms IS NULL;
CREATE INDEX workflow_messages_expiring ON workflow_messages (expires_ms) WHERE settled_ms IS NULL;
CREATE INDEX workflow_messages_settled ON workflow_messages (settled_ms) WHERE settled_ms IS NOT NULL;

-- The runs that an event reached and the runs that a message started; each run once. A message that was sent to
-- one run names that run itself.
CREATE TABLE workflow_takes (
    message_id TEXT NOT NULL,
    run_id     TEXT NOT NULL,
    -- Empty when the run began with it.
    op         TEXT NOT NULL,
    -- Why the run could not take it, as JSON.
    reason     TEXT,
    PRIMARY KEY (message_id, run_id)
) WITHOUT ROWID;

CREATE INDEX workflow_takes_of ON workflow_takes (run_id);

-- For the retention of runs.
CREATE INDEX workflow_runs_ended ON workflow_runs (ended_ms) WHERE ended_ms IS NOT NULL;
