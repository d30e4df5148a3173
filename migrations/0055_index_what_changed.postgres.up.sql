-- migrate:no-transaction
-- migrate:compatible
-- Index what changed: what would hold up others in one transaction.

CREATE INDEX CONCURRENTLY IF NOT EXISTS "appointment_updated_at_idx" ON "appointment" ("updated_at", "id");
CREATE INDEX CONCURRENTLY IF NOT EXISTS "medicalrecord_updated_at_idx" ON "medicalrecord" ("updated_at", "id");
CREATE INDEX CONCURRENTLY IF NOT EXISTS "patient_updated_at_idx" ON "patient" ("updated_at", "id");
