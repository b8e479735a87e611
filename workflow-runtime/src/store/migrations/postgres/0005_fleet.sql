-- The engines that work on this database, and what people ask of runs. (Who holds a run is a column of it.)

CREATE TABLE workflow_workers (
    worker     TEXT        COLLATE "C" NOT NULL PRIMARY KEY,
    -- The workflows that it has code for, as JSON: [["fulfil_order", 1]].
    code       TEXT        NOT NULL,
    started    TIMESTAMPTZ NOT NULL DEFAULT now(),
    -- By the clock of the database. Every batch of a worker locks its row (FOR KEY SHARE); giving it up locks it FOR
    -- UPDATE, so that a batch is wholly before or wholly after it.
    expires    TIMESTAMPTZ NOT NULL,
    -- It was given up. The row stays until somebody has taken what it held.
    is_gone    BOOLEAN     NOT NULL DEFAULT false
) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);

CREATE TABLE workflow_requests (
    request_id TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    run_id     TEXT   COLLATE "C" NOT NULL,
    body       TEXT   NOT NULL,
    asked_ms   BIGINT NOT NULL,
    -- What the run answered, as JSON.
    answer     TEXT
);

CREATE INDEX workflow_requests_open ON workflow_requests (run_id, asked_ms) WHERE answer IS NULL;
CREATE INDEX workflow_requests_old ON workflow_requests (asked_ms);
