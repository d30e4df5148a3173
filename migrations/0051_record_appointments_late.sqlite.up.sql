-- migrate:compatible

-- Nothing to do on this engine.
SELECT 1;
