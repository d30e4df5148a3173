-- Sealed columns take an envelope and nothing else: the pattern is anchored on the whole text, and COALESCE makes the
-- check refuse where a comparison gives NULL.

CREATE TABLE keyset (
    id uuid CONSTRAINT keyset_pkey PRIMARY KEY,
    created_at timestamptz(6) NOT NULL DEFAULT now(),
    updated_at timestamptz(6) NOT NULL DEFAULT now(),
    purpose text NOT NULL,
    wrapped text NOT NULL
);
CREATE UNIQUE INDEX keyset_purpose_key ON keyset (purpose);

CREATE TABLE account (
    id uuid CONSTRAINT account_pkey PRIMARY KEY,
    created_at timestamptz(6) NOT NULL DEFAULT now(),
    updated_at timestamptz(6) NOT NULL DEFAULT now(),
    version bigint NOT NULL DEFAULT 1,
    email text NOT NULL,
    name text NOT NULL,
    roles jsonb NOT NULL,
    password_hash text NOT NULL,
    must_change_password boolean NOT NULL,
    disabled boolean NOT NULL
);
CREATE UNIQUE INDEX account_email_key ON account (email);

CREATE TABLE session (
    id uuid CONSTRAINT session_pkey PRIMARY KEY,
    created_at timestamptz(6) NOT NULL DEFAULT now(),
    updated_at timestamptz(6) NOT NULL DEFAULT now(),
    account_id uuid NOT NULL CONSTRAINT session_account_id_fkey REFERENCES account (id) ON DELETE CASCADE,
    token_hash text NOT NULL,
    expires_at timestamptz(6) NOT NULL
);
CREATE UNIQUE INDEX session_token_hash_key ON session (token_hash);
CREATE INDEX session_account_id_idx ON session (account_id);

CREATE TABLE idempotencykey (
    id uuid CONSTRAINT idempotencykey_pkey PRIMARY KEY,
    created_at timestamptz(6) NOT NULL DEFAULT now(),
    updated_at timestamptz(6) NOT NULL DEFAULT now(),
    account_id uuid NOT NULL,
    key_hash text NOT NULL,
    request_hash text NOT NULL,
    entity_id uuid NOT NULL,
    expires_at timestamptz(6) NOT NULL
);
CREATE UNIQUE INDEX idempotencykey_account_id_key_hash_key ON idempotencykey (account_id, key_hash);
CREATE INDEX idempotencykey_expires_at_idx ON idempotencykey (expires_at);

CREATE TABLE patient (
    id uuid CONSTRAINT patient_pkey PRIMARY KEY,
    created_at timestamptz(6) NOT NULL DEFAULT now(),
    updated_at timestamptz(6) NOT NULL DEFAULT now(),
    version bigint NOT NULL DEFAULT 1,
    first_name text NOT NULL,
    last_name text NOT NULL,
    date_of_birth text NOT NULL,
    active boolean NOT NULL DEFAULT true,
    contact_info jsonb NOT NULL,
    address jsonb,
    insurance jsonb,
    emergency_contact jsonb,
    CONSTRAINT patient_first_name_sealed CHECK (COALESCE(first_name ~ '^phi1:[0-9a-f]{8}:[A-Za-z0-9_-]{38,}$', false)),
    CONSTRAINT patient_last_name_sealed CHECK (COALESCE(last_name ~ '^phi1:[0-9a-f]{8}:[A-Za-z0-9_-]{38,}$', false)),
    CONSTRAINT patient_date_of_birth_sealed CHECK (COALESCE(date_of_birth ~ '^phi1:[0-9a-f]{8}:[A-Za-z0-9_-]{38,}$', false)),
    CONSTRAINT patient_contact_info_sealed CHECK (COALESCE(
        contact_info = jsonb_build_object('phi', contact_info -> 'phi')
        AND contact_info ->> 'phi' ~ '^phi1:[0-9a-f]{8}:[A-Za-z0-9_-]{38,}$', false)),
    CONSTRAINT patient_address_sealed CHECK (address IS NULL OR COALESCE(
        address = jsonb_build_object('phi', address -> 'phi')
        AND address ->> 'phi' ~ '^phi1:[0-9a-f]{8}:[A-Za-z0-9_-]{38,}$', false)),
    CONSTRAINT patient_insurance_sealed CHECK (insurance IS NULL OR COALESCE(
        insurance = jsonb_build_object('phi', insurance -> 'phi')
        AND insurance ->> 'phi' ~ '^phi1:[0-9a-f]{8}:[A-Za-z0-9_-]{38,}$', false)),
    CONSTRAINT patient_emergency_contact_sealed CHECK (emergency_contact IS NULL OR COALESCE(
        emergency_contact = jsonb_build_object('phi', emergency_contact -> 'phi')
        AND emergency_contact ->> 'phi' ~ '^phi1:[0-9a-f]{8}:[A-Za-z0-9_-]{38,}$', false))
);

CREATE TABLE blindindex (
    token text NOT NULL,
    patient_id uuid NOT NULL CONSTRAINT blindindex_patient_id_fkey REFERENCES patient (id) ON DELETE CASCADE,
    CONSTRAINT blindindex_pkey PRIMARY KEY (token, patient_id),
    CONSTRAINT blindindex_token_keyed CHECK (COALESCE(token ~ '^bi1:[0-9a-f]{8}:[a-z_]{1,32}:[0-9a-f]{4,64}$', false))
);
CREATE INDEX blindindex_patient_id_idx ON blindindex (patient_id);

CREATE TABLE auditlog (
    id uuid CONSTRAINT auditlog_pkey PRIMARY KEY,
    created_at timestamptz(6) NOT NULL DEFAULT now(),
    updated_at timestamptz(6) NOT NULL DEFAULT now(),
    occurred_at timestamptz(6) NOT NULL,
    user_id uuid,
    action text NOT NULL,
    entity_type text NOT NULL,
    entity_id uuid,
    changes jsonb,
    details text,
    reason text,
    outcome text NOT NULL,
    origin text NOT NULL,
    request_id text,
    CONSTRAINT auditlog_reason_sealed CHECK (reason IS NULL OR COALESCE(reason ~ '^phi1:[0-9a-f]{8}:[A-Za-z0-9_-]{38,}$', false))
);
CREATE INDEX auditlog_user_id_idx ON auditlog (user_id, id);
CREATE INDEX auditlog_entity_id_idx ON auditlog (entity_id, id);

-- No foreign key to the rows themselves: the log outlives them.
CREATE TABLE auditsubject (
    entity_id uuid NOT NULL,
    event_id uuid NOT NULL CONSTRAINT auditsubject_event_id_fkey REFERENCES auditlog (id),
    CONSTRAINT auditsubject_pkey PRIMARY KEY (entity_id, event_id)
);
CREATE INDEX auditsubject_event_id_idx ON auditsubject (event_id);
