-- Second factors, their recovery codes, sessions that end when they are not used, and the tallies of failed logins.
-- A nullable column changes no digest of the accounts that are there.

ALTER TABLE account ADD COLUMN mfa_since timestamptz(6);

ALTER TABLE session
    ADD COLUMN last_seen_at timestamptz(6) NOT NULL DEFAULT now(),
    ADD COLUMN address text; -- lint:allow plain-phi staff's, where a session was last used

CREATE TABLE secondfactor (
    id uuid CONSTRAINT secondfactor_pkey PRIMARY KEY,
    created_at timestamptz(6) NOT NULL DEFAULT now(),
    updated_at timestamptz(6) NOT NULL DEFAULT now(),
    version bigint NOT NULL DEFAULT 1,
    account_id uuid NOT NULL CONSTRAINT secondfactor_account_id_fkey REFERENCES account (id) ON DELETE CASCADE,
    secret text NOT NULL,
    confirmed_at timestamptz(6),
    CONSTRAINT secondfactor_secret_sealed CHECK (COALESCE(
        secret ~ '^phi1:[0-9a-f]+:[A-Za-z0-9_-]+$' AND substr(secret, 14, 1) = ':' AND length(secret) >= 52, false))
);
CREATE UNIQUE INDEX secondfactor_account_id_key ON secondfactor (account_id);

CREATE FUNCTION secondfactor_key_not_retired() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM retiredkey r JOIN written n ON r.key_id = substr(n.secret, 6, 8)) THEN
        RAISE EXCEPTION 'secondfactor: sealed under a retired key'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'secondfactor_key_not_retired';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER secondfactor_key_not_retired_insert AFTER INSERT ON secondfactor REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION secondfactor_key_not_retired();
ALTER TABLE secondfactor ENABLE ALWAYS TRIGGER secondfactor_key_not_retired_insert;
CREATE TRIGGER secondfactor_key_not_retired_update AFTER UPDATE ON secondfactor REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION secondfactor_key_not_retired();
ALTER TABLE secondfactor ENABLE ALWAYS TRIGGER secondfactor_key_not_retired_update;

CREATE TRIGGER secondfactor_witness_insert AFTER INSERT ON secondfactor
    REFERENCING NEW TABLE AS new_rows EXECUTE FUNCTION audit_witness_insert();
CREATE TRIGGER secondfactor_witness_update AFTER UPDATE ON secondfactor
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows EXECUTE FUNCTION audit_witness_update();
CREATE TRIGGER secondfactor_witness_delete AFTER DELETE ON secondfactor
    REFERENCING OLD TABLE AS old_rows EXECUTE FUNCTION audit_witness_delete();
CREATE TRIGGER secondfactor_witness_truncate AFTER TRUNCATE ON secondfactor EXECUTE FUNCTION audit_witness_truncate();
ALTER TABLE secondfactor ENABLE ALWAYS TRIGGER secondfactor_witness_insert;
ALTER TABLE secondfactor ENABLE ALWAYS TRIGGER secondfactor_witness_update;
ALTER TABLE secondfactor ENABLE ALWAYS TRIGGER secondfactor_witness_delete;
ALTER TABLE secondfactor ENABLE ALWAYS TRIGGER secondfactor_witness_truncate;

CREATE TABLE totpuse (
    account_id uuid CONSTRAINT totpuse_pkey PRIMARY KEY CONSTRAINT totpuse_account_id_fkey REFERENCES account (id) ON DELETE CASCADE,
    step bigint NOT NULL
);

CREATE TABLE recoverycode (
    id uuid CONSTRAINT recoverycode_pkey PRIMARY KEY,
    created_at timestamptz(6) NOT NULL DEFAULT now(),
    updated_at timestamptz(6) NOT NULL DEFAULT now(),
    account_id uuid NOT NULL CONSTRAINT recoverycode_account_id_fkey REFERENCES account (id) ON DELETE CASCADE,
    code_hash text NOT NULL -- lint:allow plain-phi a hash of what we made up
);
CREATE UNIQUE INDEX recoverycode_account_id_code_hash_key ON recoverycode (account_id, code_hash);

CREATE TABLE logintally (
    key_hash text CONSTRAINT logintally_pkey PRIMARY KEY,
    failures bigint NOT NULL,
    last_at timestamptz(6) NOT NULL,
    blocked_until timestamptz(6),
    familiar_until timestamptz(6),
    expires_at timestamptz(6) NOT NULL
);
CREATE INDEX logintally_expires_at_idx ON logintally (expires_at);
