-- A message goes to whoever has code for it. (One engine works on this file, so nobody asks; the tables are the same.)

-- The messages that the code of the worker waits for or begins with, as JSON:
-- [{"message": "OrderPlaced", "starts": ["fulfil_order", 1]}].
ALTER TABLE workflow_workers ADD COLUMN messages TEXT NOT NULL DEFAULT '[]';
