-- A message goes to whoever has code for it, also if another worker takes it in.

-- The messages that the code of the worker waits for or begins with, as JSON:
-- [{"message": "OrderPlaced", "starts": ["fulfil_order", 1]}].
ALTER TABLE workflow_workers ADD COLUMN IF NOT EXISTS messages TEXT NOT NULL DEFAULT '[]';
