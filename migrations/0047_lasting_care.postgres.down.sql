ALTER TABLE carerelationship
    DROP CONSTRAINT carerelationship_kind,
    ADD CONSTRAINT carerelationship_kind CHECK (kind IN ('registered', 'assigned', 'appointment', 'record')),
    ADD COLUMN last_at timestamptz(6);
UPDATE carerelationship SET last_at = created_at;
ALTER TABLE carerelationship ALTER COLUMN last_at SET NOT NULL;
