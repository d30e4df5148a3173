-- migrate:no-transaction
-- Undoes: Index what changed.

DROP INDEX CONCURRENTLY IF EXISTS "appointment_updated_at_idx";
DROP INDEX CONCURRENTLY IF EXISTS "medicalrecord_updated_at_idx";
DROP INDEX CONCURRENTLY IF EXISTS "patient_updated_at_idx";
