-- record_error_reason

-- Nothing to do on this engine.
SELECT 1;
