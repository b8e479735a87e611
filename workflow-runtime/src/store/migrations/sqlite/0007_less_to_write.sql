-- Less to write for each turn.

-- When a run wakes by itself is in its own row since somebody has to look at runs that nobody holds.
DROP INDEX workflow_timers_due;

-- Each row of a journal looked its run up. Only the engine writes here, and it does so behind a look at the run. A
-- change that leaves the rows as they are is made where SQLite keeps the text of tables.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, ' REFERENCES workflow_runs (run_id)', '')
    WHERE type = 'table' AND name IN ('workflow_events', 'workflow_timers', 'workflow_waits', 'workflow_incidents');
PRAGMA writable_schema = RESET;
