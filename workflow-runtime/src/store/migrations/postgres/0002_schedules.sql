-- How far each schedule has been kept. Times are milliseconds since the Unix epoch, UTC.

CREATE TABLE workflow_schedules (
    workflow      TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    -- By which it was kept; empty once the workflow has no schedule any more.
    cron          TEXT   NOT NULL,
    timezone      TEXT   NOT NULL,
    -- All ticks up to this time are dealt with.
    kept_until_ms BIGINT NOT NULL,
    -- The last tick for which a run was started.
    last_tick_ms  BIGINT
) WITH (fillfactor = 50);
