-- Second factors, their recovery codes, sessions that end when they are not used, and the tallies of failed logins.
-- A nullable column changes no digest of the accounts that are there.

ALTER TABLE account ADD COLUMN mfa_since datetime;

-- SQLite adds no column whose default is the time: the table is made anew.
PRAGMA legacy_alter_table = on;
-- lint:allow plain-phi session.address staff's, where a session was last used
CREATE TABLE new_session (
    id text NOT NULL CONSTRAINT session_pkey PRIMARY KEY,
    created_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')),
    updated_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')),
    account_id text NOT NULL CONSTRAINT session_account_id_fkey REFERENCES account (id) ON DELETE CASCADE,
    token_hash text NOT NULL,
    expires_at datetime NOT NULL,
    last_seen_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')),
    address text
);
INSERT INTO new_session (id, created_at, updated_at, account_id, token_hash, expires_at)
    SELECT id, created_at, updated_at, account_id, token_hash, expires_at FROM session;
DROP TABLE session;
ALTER TABLE new_session RENAME TO session;
PRAGMA legacy_alter_table = off;
CREATE UNIQUE INDEX session_token_hash_key ON session (token_hash);
CREATE INDEX session_account_id_idx ON session (account_id);

CREATE TABLE secondfactor (
    id text NOT NULL CONSTRAINT secondfactor_pkey PRIMARY KEY,
    created_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')),
    updated_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')),
    version integer NOT NULL DEFAULT 1,
    account_id text NOT NULL CONSTRAINT secondfactor_account_id_fkey REFERENCES account (id) ON DELETE CASCADE,
    secret text NOT NULL,
    confirmed_at datetime,
    CONSTRAINT secondfactor_secret_sealed CHECK (COALESCE(
        typeof(secret) = 'text' AND length(CAST(secret AS BLOB)) = length(secret) AND length(secret) >= 52
        AND substr(secret, 1, 14) GLOB 'phi1:[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]:'
        AND substr(secret, 15) NOT GLOB '*[^A-Za-z0-9_-]*', false))
);
CREATE UNIQUE INDEX secondfactor_account_id_key ON secondfactor (account_id);

CREATE TRIGGER secondfactor_key_not_retired_insert BEFORE INSERT ON secondfactor
    WHEN EXISTS (SELECT 1 FROM retiredkey WHERE key_id = substr(NEW.secret, 6, 8))
BEGIN
    SELECT RAISE(ABORT, 'secondfactor: sealed under a retired key');
END;
CREATE TRIGGER secondfactor_key_not_retired_update BEFORE UPDATE ON secondfactor
    WHEN EXISTS (SELECT 1 FROM retiredkey WHERE key_id = substr(NEW.secret, 6, 8))
BEGIN
    SELECT RAISE(ABORT, 'secondfactor: sealed under a retired key');
END;
CREATE TRIGGER secondfactor_ours_insert BEFORE INSERT ON secondfactor
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER secondfactor_ours_update BEFORE UPDATE ON secondfactor
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER secondfactor_ours_delete BEFORE DELETE ON secondfactor
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;

CREATE TABLE totpuse (
    account_id text NOT NULL CONSTRAINT totpuse_pkey PRIMARY KEY CONSTRAINT totpuse_account_id_fkey REFERENCES account (id) ON DELETE CASCADE,
    step integer NOT NULL
);

-- lint:allow plain-phi recoverycode.code_hash a hash of what we made up
CREATE TABLE recoverycode (
    id text NOT NULL CONSTRAINT recoverycode_pkey PRIMARY KEY,
    created_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')),
    updated_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')),
    account_id text NOT NULL CONSTRAINT recoverycode_account_id_fkey REFERENCES account (id) ON DELETE CASCADE,
    code_hash text NOT NULL
);
CREATE UNIQUE INDEX recoverycode_account_id_code_hash_key ON recoverycode (account_id, code_hash);

CREATE TABLE logintally (
    key_hash text NOT NULL CONSTRAINT logintally_pkey PRIMARY KEY,
    failures integer NOT NULL,
    last_at datetime NOT NULL,
    blocked_until datetime,
    familiar_until datetime,
    expires_at datetime NOT NULL
);
CREATE INDEX logintally_expires_at_idx ON logintally (expires_at);
