-- Undoes: record_appointments.
-- migrate:irreversible what was validated goes with its constraint

-- Nothing to do on this engine.
SELECT 1;
