-- What was made by emergency access: it brings nobody into care.

CREATE TABLE breakglassentry (
    entry_id uuid CONSTRAINT breakglassentry_pkey PRIMARY KEY,
    patient_id uuid NOT NULL CONSTRAINT breakglassentry_patient_id_fkey REFERENCES patient (id) ON DELETE CASCADE,
    created_at timestamptz(6) NOT NULL DEFAULT now()
);
CREATE INDEX breakglassentry_patient_id_idx ON breakglassentry (patient_id);
