-- The rows that are left have no appointment or record that could be the latest.

ALTER TABLE carerelationship
    DROP CONSTRAINT carerelationship_kind,
    ADD CONSTRAINT carerelationship_kind CHECK (kind IN ('registered', 'assigned')), -- lint:allow check-not-valid a clinic has few of these rows
    DROP COLUMN last_at;
