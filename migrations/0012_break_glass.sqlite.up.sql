-- Emergency access: an account sees a patient who is not in its care, for a time.

CREATE TABLE breakglass (
    id text NOT NULL CONSTRAINT breakglass_pkey PRIMARY KEY,
    created_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')),
    updated_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')),
    account_id text NOT NULL,
    patient_id text NOT NULL CONSTRAINT breakglass_patient_id_fkey REFERENCES patient (id) ON DELETE CASCADE,
    expires_at datetime NOT NULL,
    told_at datetime
);
CREATE INDEX breakglass_account_id_idx ON breakglass (account_id, expires_at);
CREATE INDEX breakglass_patient_id_idx ON breakglass (patient_id);
