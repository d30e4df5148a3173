-- Emergency access: an account sees a patient who is not in its care, for a time.

CREATE TABLE breakglass (
    id uuid CONSTRAINT breakglass_pkey PRIMARY KEY,
    created_at timestamptz(6) NOT NULL DEFAULT now(),
    updated_at timestamptz(6) NOT NULL DEFAULT now(),
    account_id uuid NOT NULL,
    patient_id uuid NOT NULL CONSTRAINT breakglass_patient_id_fkey REFERENCES patient (id) ON DELETE CASCADE,
    expires_at timestamptz(6) NOT NULL,
    told_at timestamptz(6)
);
CREATE INDEX breakglass_account_id_idx ON breakglass (account_id, expires_at);
CREATE INDEX breakglass_patient_id_idx ON breakglass (patient_id);
