-- What was made by emergency access: it brings nobody into care.

CREATE TABLE breakglassentry (
    entry_id text NOT NULL CONSTRAINT breakglassentry_pkey PRIMARY KEY,
    patient_id text NOT NULL CONSTRAINT breakglassentry_patient_id_fkey REFERENCES patient (id) ON DELETE CASCADE,
    created_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now'))
);
CREATE INDEX breakglassentry_patient_id_idx ON breakglassentry (patient_id);
