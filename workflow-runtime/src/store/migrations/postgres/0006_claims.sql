-- Claims whose answers are lost on their way.

-- The last claim in which its holder took the run, or, negative, was told that there is news of it. A worker that has
-- not heard the answer of a claim asks by its number what it holds and what it was told.
ALTER TABLE workflow_runs ADD COLUMN claim BIGINT;
