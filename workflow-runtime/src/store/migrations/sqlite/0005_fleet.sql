-- Who holds which run, when somebody has to look at a run that nobody holds, and what people ask of runs.

-- The engines that work on this file; those that are gone stay until somebody has taken what they held.
CREATE TABLE workflow_workers (
    worker     TEXT    NOT NULL PRIMARY KEY,
    -- The workflows that it has code for, as JSON: [["fulfil_order", 1]].
    code       TEXT    NOT NULL,
    is_gone    INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

-- The worker that holds the run; of a run that has ended, the last one.
ALTER TABLE workflow_runs ADD COLUMN holder TEXT;
-- When somebody has to look at the run: its holder, or whoever takes it. Zero is at once.
ALTER TABLE workflow_runs ADD COLUMN wake_ms INTEGER;
-- How many holders in a row were given up without the journal having grown, and how long it was then.
ALTER TABLE workflow_runs ADD COLUMN strikes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE workflow_runs ADD COLUMN strikes_seq INTEGER NOT NULL DEFAULT 0;

UPDATE workflow_runs SET wake_ms = 0 WHERE ended_ms IS NULL;

CREATE INDEX workflow_runs_held ON workflow_runs (holder) WHERE ended_ms IS NULL AND holder IS NOT NULL;
CREATE INDEX workflow_runs_news ON workflow_runs (holder)
    WHERE ended_ms IS NULL AND holder IS NOT NULL AND wake_ms IS NOT NULL;
CREATE INDEX workflow_runs_waiting ON workflow_runs (workflow, version, wake_ms)
    WHERE ended_ms IS NULL AND holder IS NULL;

CREATE TABLE workflow_requests (
    request_id TEXT    NOT NULL PRIMARY KEY,
    run_id     TEXT    NOT NULL,
    body       TEXT    NOT NULL,
    asked_ms   INTEGER NOT NULL,
    -- What the run answered, as JSON.
    answer     TEXT
) WITHOUT ROWID;

CREATE INDEX workflow_requests_open ON workflow_requests (run_id, asked_ms) WHERE answer IS NULL;
