-- Undoes: record_appointments

-- Nothing to do on this engine.
SELECT 1;
