-- Undoes: record_error_reason.
-- migrate:irreversible what was validated goes with its constraint

-- Nothing to do on this engine.
SELECT 1;
