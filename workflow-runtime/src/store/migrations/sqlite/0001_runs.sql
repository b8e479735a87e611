-- Runs, their journals, and what they wait for. Times are milliseconds since the Unix epoch, UTC.

CREATE TABLE runs (
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

CREATE INDEX runs_unfinished ON runs (run_id) WHERE ended_ms IS NULL;

-- The journal.
CREATE TABLE events (
    run_id TEXT    NOT NULL REFERENCES runs (run_id),
    seq    INTEGER NOT NULL,
    at_ms  INTEGER NOT NULL,
    record TEXT    NOT NULL,
    PRIMARY KEY (run_id, seq)
) WITHOUT ROWID;

-- When runs wake by themselves: sleeps, deadlines and delayed attempts.
CREATE TABLE timers (
    run_id TEXT    NOT NULL REFERENCES runs (run_id),
    op     TEXT    NOT NULL,
    due_ms INTEGER NOT NULL,
    PRIMARY KEY (run_id, op)
) WITHOUT ROWID;

CREATE INDEX timers_due ON timers (due_ms);

-- Which runs wait for which messages.
CREATE TABLE waits (
    run_id   TEXT    NOT NULL REFERENCES runs (run_id),
    op       TEXT    NOT NULL,
    message  TEXT    NOT NULL,
    key      TEXT    NOT NULL,
    since_ms INTEGER NOT NULL,
    PRIMARY KEY (run_id, op)
) WITHOUT ROWID;

CREATE INDEX waits_for ON waits (message, key);

-- All messages that came from outside. The row stays after the message was taken: duplicates are known by it.
CREATE TABLE messages (
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

CREATE INDEX messages_kept ON messages (message, key, number) WHERE run_id = '';

-- What a person has to look at.
CREATE TABLE incidents (
    run_id   TEXT    NOT NULL REFERENCES runs (run_id),
    -- An operation; empty for the run as a whole; '*journal' when the code cannot go on with the journal.
    place    TEXT    NOT NULL,
    cause    TEXT    NOT NULL,
    since_ms INTEGER NOT NULL,
    PRIMARY KEY (run_id, place)
) WITHOUT ROWID;
