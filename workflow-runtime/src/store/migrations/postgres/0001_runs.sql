-- Runs, their journals, and what they wait for. Times are milliseconds since the Unix epoch, UTC.
--
-- Migrations only add, so that a release that knows fewer of them goes on working beside one that has run them: a new
-- column has a default or may be null. One that an older release must not work with says so in `schema.rs`.
--
-- Ids and names compare by their bytes (COLLATE "C"): their order is the same on every server, and cheap. Rows do not
-- refer to each other by foreign keys: each new row would lock the row of its run.
--
-- Most updates here change an indexed column. The room left free in the pages and an autovacuum that comes early keep
-- tables and indexes from growing under a steady load.

CREATE TABLE workflow_runs (
    run_id            TEXT    COLLATE "C" NOT NULL PRIMARY KEY,
    workflow          TEXT    COLLATE "C" NOT NULL,
    version           INTEGER NOT NULL,
    -- Which holder of the run may write, and who that is; of a run that has ended, the last one.
    epoch             BIGINT  NOT NULL,
    holder            TEXT    COLLATE "C",
    -- When somebody has to look at the run: its holder, or whoever takes it. Zero is at once.
    wake_ms           BIGINT,
    started_ms        BIGINT  NOT NULL,
    ended_ms          BIGINT,
    -- How it ended, as JSON.
    conclusion        TEXT,
    -- A cancel that was asked for and has not reached the run.
    cancel_reason     TEXT,
    generation        INTEGER NOT NULL DEFAULT 1,
    -- The operation that started the run, if it is a child.
    parent_run        TEXT    COLLATE "C",
    parent_generation INTEGER,
    parent_op         TEXT    COLLATE "C",
    -- What the run last told about how far it is, as JSON.
    progress          TEXT,
    -- How many holders in a row were given up without the journal having grown, and how long it was then.
    strikes           INTEGER NOT NULL DEFAULT 0,
    strikes_seq       BIGINT  NOT NULL DEFAULT 0
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000,
        autovacuum_analyze_scale_factor = 0.05);

-- One index for all questions about unfinished runs: what a worker holds, what is due, what has news.
CREATE INDEX workflow_runs_unfinished ON workflow_runs (holder, workflow, version, wake_ms) WHERE ended_ms IS NULL;
CREATE INDEX workflow_runs_ended ON workflow_runs (ended_ms) WHERE ended_ms IS NOT NULL;
CREATE INDEX workflow_runs_children ON workflow_runs (parent_run, run_id) WHERE parent_run IS NOT NULL;

-- The journal.
CREATE TABLE workflow_events (
    run_id TEXT   COLLATE "C" NOT NULL,
    seq    BIGINT NOT NULL,
    at_ms  BIGINT NOT NULL,
    record TEXT   NOT NULL,
    PRIMARY KEY (run_id, seq)
) WITH (autovacuum_vacuum_scale_factor = 0.05);

-- When runs wake by themselves: sleeps, deadlines and delayed attempts.
CREATE TABLE workflow_timers (
    run_id TEXT   COLLATE "C" NOT NULL,
    op     TEXT   COLLATE "C" NOT NULL,
    due_ms BIGINT NOT NULL,
    PRIMARY KEY (run_id, op)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);

-- Which runs wait for which messages.
CREATE TABLE workflow_waits (
    run_id   TEXT   COLLATE "C" NOT NULL,
    op       TEXT   COLLATE "C" NOT NULL,
    message  TEXT   COLLATE "C" NOT NULL,
    key      TEXT   COLLATE "C" NOT NULL,
    since_ms BIGINT NOT NULL,
    PRIMARY KEY (run_id, op)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);

CREATE INDEX workflow_waits_for ON workflow_waits (message, key);

-- What a person has to look at.
CREATE TABLE workflow_incidents (
    run_id   TEXT   COLLATE "C" NOT NULL,
    -- An operation; empty for the run as a whole; '*journal' when the code cannot go on with the journal.
    place    TEXT   COLLATE "C" NOT NULL,
    cause    TEXT   NOT NULL,
    since_ms BIGINT NOT NULL,
    PRIMARY KEY (run_id, place)
);
