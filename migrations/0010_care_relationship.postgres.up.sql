-- Who cares for whom: it decides which patients a clinician sees.

CREATE TABLE carerelationship (
    account_id uuid NOT NULL,
    patient_id uuid NOT NULL CONSTRAINT carerelationship_patient_id_fkey REFERENCES patient (id) ON DELETE CASCADE,
    kind text NOT NULL,
    created_at timestamptz(6) NOT NULL DEFAULT now(),
    last_at timestamptz(6) NOT NULL,
    CONSTRAINT carerelationship_pkey PRIMARY KEY (account_id, patient_id, kind),
    CONSTRAINT carerelationship_kind CHECK (kind IN ('registered', 'assigned', 'appointment', 'record'))
);
CREATE INDEX carerelationship_patient_id_idx ON carerelationship (patient_id);
