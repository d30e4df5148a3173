-- The rows that are left have no appointment or record that could be the latest.

PRAGMA legacy_alter_table = on;
CREATE TABLE new_carerelationship (
    account_id text NOT NULL,
    patient_id text NOT NULL CONSTRAINT carerelationship_patient_id_fkey REFERENCES patient (id) ON DELETE CASCADE,
    kind text NOT NULL,
    created_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')),
    CONSTRAINT carerelationship_pkey PRIMARY KEY (account_id, patient_id, kind),
    CONSTRAINT carerelationship_kind CHECK (kind IN ('registered', 'assigned'))
) WITHOUT ROWID;
INSERT INTO new_carerelationship (account_id, patient_id, kind, created_at)
    SELECT account_id, patient_id, kind, created_at FROM carerelationship;
DROP TABLE carerelationship;
ALTER TABLE new_carerelationship RENAME TO carerelationship;
PRAGMA legacy_alter_table = off;
CREATE INDEX carerelationship_patient_id_idx ON carerelationship (patient_id);
