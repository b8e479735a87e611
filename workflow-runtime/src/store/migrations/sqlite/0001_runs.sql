-- Runs, their journals, and what they wait for. Times are milliseconds since the Unix epoch, UTC.

CREATE TABLE workflow_runs (
    run_id        TEXT    NOT NULL PRIMARY KEY,
    workflow      TEXT    NOT NULL,
    version       INTEGER NOT NULL,
    -- Which holder of the run may write.
    epoch         INTEGER NOT NULL,
    started_ms    INTEGER NOT NULL,
    ended_ms      INTEGER,
    -- How it ended, as JSON.
    conclusion    TEXT,
    -- A cancel that was asked for and has not reached the run.
    cancel_reason TEXT
) WITHOUT ROWID;

CREATE INDEX workflow_runs_unfinished ON workflow_runs (run_id) WHERE ended_ms IS NULL;

-- The journal.
CREATE TABLE workflow_events (
    run_id TEXT    NOT NULL REFERENCES workflow_runs (run_id),
    seq    INTEGER NOT NULL,
    at_ms  INTEGER NOT NULL,
    record TEXT    NOT NULL,
    PRIMARY KEY (run_id, seq)
) WITHOUT ROWID;

-- When runs wake by themselves: sleeps, deadlines and delayed attempts.
CREATE TABLE workflow_timers (
    run_id TEXT    NOT NULL REFERENCES workflow_runs (run_id),
    op     TEXT    NOT NULL,
    due_ms INTEGER NOT NULL,
    PRIMARY KEY (run_id, op)
) WITHOUT ROWID;

CREATE INDEX workflow_timers_due ON workflow_timers (due_ms);

-- Which runs wait for which messages.
CREATE TABLE workflow_waits (
    run_id   TEXT    NOT NULL REFERENCES workflow_runs (run_id),
    op       TEXT    NOT NULL,
    message  TEXT    NOT NULL,
    key      TEXT    NOT NULL,
    since_ms INTEGER NOT NULL,
    PRIMARY KEY (run_id, op)
) WITHOUT ROWID;

CREATE INDEX workflow_waits_for ON workflow_waits (message, key);

-- All messages that came from outside. The row stays after the message was taken: duplicates are known by it.
CREATE TABLE workflow_messages (
    -- The order in which they came.
    number       INTEGER NOT NULL PRIMARY KEY,
    message_id   TEXT    NOT NULL UNIQUE,
    message      TEXT    NOT NULL,
    key          TEXT    NOT NULL,
    payload      TEXT    NOT NULL,
    delivered_ms INTEGER NOT NULL,
    expires_ms   INTEGER NOT NULL,
    -- The run and the operation that took it; empty for nobody yet. Never null, so that taking twice fails.
    run_id       TEXT    NOT NULL DEFAULT '',
    op           TEXT    NOT NULL DEFAULT ''
);

CREATE INDEX workflow_messages_kept ON workflow_messages (message, key, number) WHERE run_id = '';

-- What a person has to look at.
CREATE TABLE workflow_incidents (
    run_id   TEXT    NOT NULL REFERENCES workflow_runs (run_id),
    -- An operation; empty for the run as a whole; '*journal' when the code cannot go on with the journal.
    place    TEXT    NOT NULL,
    cause    TEXT    NOT NULL,
    since_ms INTEGER NOT NULL,
    PRIMARY KEY (run_id, place)
) WITHOUT ROWID;
