-- Sealed columns take an envelope and nothing else: every character is judged, and COALESCE makes the check refuse
-- where a comparison gives NULL. The comparison of lengths refuses a NUL byte, at which SQLite's text functions stop.

CREATE TABLE keyset (
    id text NOT NULL CONSTRAINT keyset_pkey PRIMARY KEY,
    created_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')),
    updated_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')),
    purpose text NOT NULL,
    wrapped text NOT NULL
);
CREATE UNIQUE INDEX keyset_purpose_key ON keyset (purpose);

CREATE TABLE account (
    id text NOT NULL CONSTRAINT account_pkey PRIMARY KEY,
    created_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')),
    updated_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')),
    version integer NOT NULL DEFAULT 1,
    email text NOT NULL,
    name text NOT NULL,
    roles json NOT NULL,
    password_hash text NOT NULL,
    must_change_password boolean NOT NULL,
    disabled boolean NOT NULL
);
CREATE UNIQUE INDEX account_email_key ON account (email);

CREATE TABLE session (
    id text NOT NULL CONSTRAINT session_pkey PRIMARY KEY,
    created_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')),
    updated_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')),
    account_id text NOT NULL CONSTRAINT session_account_id_fkey REFERENCES account (id) ON DELETE CASCADE,
    token_hash text NOT NULL,
    expires_at datetime NOT NULL
);
CREATE UNIQUE INDEX session_token_hash_key ON session (token_hash);
CREATE INDEX session_account_id_idx ON session (account_id);

CREATE TABLE idempotencykey (
    id text NOT NULL CONSTRAINT idempotencykey_pkey PRIMARY KEY,
    created_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')),
    updated_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')),
    account_id text NOT NULL,
    key_hash text NOT NULL,
    request_hash text NOT NULL,
    entity_id text NOT NULL,
    expires_at datetime NOT NULL
);
CREATE UNIQUE INDEX idempotencykey_account_id_key_hash_key ON idempotencykey (account_id, key_hash);
CREATE INDEX idempotencykey_expires_at_idx ON idempotencykey (expires_at);

CREATE TABLE patient (
    id text NOT NULL CONSTRAINT patient_pkey PRIMARY KEY,
    created_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')),
    updated_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')),
    version integer NOT NULL DEFAULT 1,
    first_name text NOT NULL,
    last_name text NOT NULL,
    date_of_birth text NOT NULL,
    active boolean NOT NULL DEFAULT true,
    contact_info json NOT NULL,
    address json,
    insurance json,
    emergency_contact json,
    CONSTRAINT patient_first_name_sealed CHECK (COALESCE(
        typeof(first_name) = 'text' AND length(CAST(first_name AS BLOB)) = length(first_name) AND length(first_name) >= 52
        AND substr(first_name, 1, 14) GLOB 'phi1:[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]:'
        AND substr(first_name, 15) NOT GLOB '*[^A-Za-z0-9_-]*', false)),
    CONSTRAINT patient_last_name_sealed CHECK (COALESCE(
        typeof(last_name) = 'text' AND length(CAST(last_name AS BLOB)) = length(last_name) AND length(last_name) >= 52
        AND substr(last_name, 1, 14) GLOB 'phi1:[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]:'
        AND substr(last_name, 15) NOT GLOB '*[^A-Za-z0-9_-]*', false)),
    CONSTRAINT patient_date_of_birth_sealed CHECK (COALESCE(
        typeof(date_of_birth) = 'text' AND length(CAST(date_of_birth AS BLOB)) = length(date_of_birth) AND length(date_of_birth) >= 52
        AND substr(date_of_birth, 1, 14) GLOB 'phi1:[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]:'
        AND substr(date_of_birth, 15) NOT GLOB '*[^A-Za-z0-9_-]*', false)),
    CONSTRAINT patient_contact_info_sealed CHECK (COALESCE(
        typeof(contact_info) = 'text' AND length(CAST(contact_info AS BLOB)) = length(contact_info) AND length(contact_info) >= 62
        AND substr(contact_info, 1, 22) GLOB '{"phi":"phi1:[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]:'
        AND substr(contact_info, -2) = '"}'
        AND substr(contact_info, 23, length(contact_info) - 24) NOT GLOB '*[^A-Za-z0-9_-]*', false)),
    CONSTRAINT patient_address_sealed CHECK (address IS NULL OR COALESCE(
        typeof(address) = 'text' AND length(CAST(address AS BLOB)) = length(address) AND length(address) >= 62
        AND substr(address, 1, 22) GLOB '{"phi":"phi1:[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]:'
        AND substr(address, -2) = '"}'
        AND substr(address, 23, length(address) - 24) NOT GLOB '*[^A-Za-z0-9_-]*', false)),
    CONSTRAINT patient_insurance_sealed CHECK (insurance IS NULL OR COALESCE(
        typeof(insurance) = 'text' AND length(CAST(insurance AS BLOB)) = length(insurance) AND length(insurance) >= 62
        AND substr(insurance, 1, 22) GLOB '{"phi":"phi1:[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]:'
        AND substr(insurance, -2) = '"}'
        AND substr(insurance, 23, length(insurance) - 24) NOT GLOB '*[^A-Za-z0-9_-]*', false)),
    CONSTRAINT patient_emergency_contact_sealed CHECK (emergency_contact IS NULL OR COALESCE(
        typeof(emergency_contact) = 'text' AND length(CAST(emergency_contact AS BLOB)) = length(emergency_contact) AND length(emergency_contact) >= 62
        AND substr(emergency_contact, 1, 22) GLOB '{"phi":"phi1:[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]:'
        AND substr(emergency_contact, -2) = '"}'
        AND substr(emergency_contact, 23, length(emergency_contact) - 24) NOT GLOB '*[^A-Za-z0-9_-]*', false))
);

CREATE TABLE blindindex (
    token text NOT NULL,
    patient_id text NOT NULL CONSTRAINT blindindex_patient_id_fkey REFERENCES patient (id) ON DELETE CASCADE,
    CONSTRAINT blindindex_pkey PRIMARY KEY (token, patient_id),
    CONSTRAINT blindindex_token_keyed CHECK (COALESCE(
        typeof(token) = 'text' AND length(CAST(token AS BLOB)) = length(token)
        AND substr(token, 1, 13) GLOB 'bi1:[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]:'
        AND instr(substr(token, 14), ':') BETWEEN 2 AND 33
        AND substr(token, 14, instr(substr(token, 14), ':') - 1) NOT GLOB '*[^a-z_]*'
        AND length(substr(token, 14 + instr(substr(token, 14), ':'))) BETWEEN 4 AND 64
        AND substr(token, 14 + instr(substr(token, 14), ':')) NOT GLOB '*[^0-9a-f]*', false))
) WITHOUT ROWID;
CREATE INDEX blindindex_patient_id_idx ON blindindex (patient_id);

CREATE TABLE auditlog (
    id text NOT NULL CONSTRAINT auditlog_pkey PRIMARY KEY,
    created_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')),
    updated_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')),
    occurred_at datetime NOT NULL,
    user_id text,
    action text NOT NULL,
    entity_type text NOT NULL,
    entity_id text,
    changes json,
    details text,
    reason text,
    outcome text NOT NULL,
    origin text NOT NULL,
    request_id text,
    CONSTRAINT auditlog_reason_sealed CHECK (reason IS NULL OR COALESCE(
        typeof(reason) = 'text' AND length(CAST(reason AS BLOB)) = length(reason) AND length(reason) >= 52
        AND substr(reason, 1, 14) GLOB 'phi1:[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]:'
        AND substr(reason, 15) NOT GLOB '*[^A-Za-z0-9_-]*', false))
);
CREATE INDEX auditlog_user_id_idx ON auditlog (user_id, id);
CREATE INDEX auditlog_entity_id_idx ON auditlog (entity_id, id);

-- No foreign key to the rows themselves: the log outlives them.
CREATE TABLE auditsubject (
    entity_id text NOT NULL,
    event_id text NOT NULL CONSTRAINT auditsubject_event_id_fkey REFERENCES auditlog (id),
    CONSTRAINT auditsubject_pkey PRIMARY KEY (entity_id, event_id)
) WITHOUT ROWID;
CREATE INDEX auditsubject_event_id_idx ON auditsubject (event_id);
