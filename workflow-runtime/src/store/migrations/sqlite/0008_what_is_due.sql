-- What is due is found without looking at what is not. (Runs that nobody holds have had an index for that.)

-- Messages that may leave: those that nobody has tried yet, in their order, and those that are tried again, by when.
CREATE INDEX workflow_outbox_due ON workflow_outbox (due_ms, number) WHERE is_parked = 0;
