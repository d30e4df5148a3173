-- The audit log as a Merkle tree: events say more, and rows wait in auditoutbox until they are leaves.
-- No other program may change patients or the log: the collation novamind exists in this program alone, so that every other one fails to
-- compile these triggers. (A function would have to be trusted by the whole schema.)

ALTER TABLE auditlog ADD COLUMN transaction_id integer;
ALTER TABLE auditlog ADD COLUMN actor_roles json;
ALTER TABLE auditlog ADD COLUMN on_behalf_of text;
ALTER TABLE auditlog ADD COLUMN session_id text;
ALTER TABLE auditlog ADD COLUMN api_key_id text;
ALTER TABLE auditlog ADD COLUMN address text;
ALTER TABLE auditlog ADD COLUMN route text;
ALTER TABLE auditlog ADD COLUMN purpose text;
ALTER TABLE auditlog ADD COLUMN data_category text;
ALTER TABLE auditlog ADD COLUMN diff json CONSTRAINT auditlog_diff_sealed CHECK (diff IS NULL OR COALESCE(
    typeof(diff) = 'text' AND length(CAST(diff AS BLOB)) = length(diff) AND length(diff) >= 62
    AND substr(diff, 1, 22) GLOB '{"phi":"phi1:[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]:'
    AND substr(diff, -2) = '"}'
    AND substr(diff, 23, length(diff) - 24) NOT GLOB '*[^A-Za-z0-9_-]*', false));
ALTER TABLE auditlog ADD COLUMN nonce text;
ALTER TABLE auditlog ADD COLUMN mac text;

ALTER TABLE auditsubject ADD COLUMN entity_type text;
ALTER TABLE auditsubject ADD COLUMN row_version integer;
ALTER TABLE auditsubject ADD COLUMN row_digest text;

CREATE TABLE auditoutbox (
    event_id text NOT NULL CONSTRAINT auditoutbox_pkey PRIMARY KEY
) WITHOUT ROWID;
INSERT INTO auditoutbox SELECT id FROM auditlog;

CREATE TABLE auditleaf (
    leaf_index integer NOT NULL CONSTRAINT auditleaf_pkey PRIMARY KEY,
    event_id text NOT NULL
);
CREATE UNIQUE INDEX auditleaf_event_id_key ON auditleaf (event_id);

CREATE TABLE audittile (
    level integer NOT NULL,
    tile_index integer NOT NULL,
    hashes blob NOT NULL,
    CONSTRAINT audittile_pkey PRIMARY KEY (level, tile_index)
);

CREATE TABLE auditcheckpoint (
    tree_size integer NOT NULL CONSTRAINT auditcheckpoint_pkey PRIMARY KEY,
    created_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')),
    epoch integer NOT NULL,
    note text NOT NULL
);

-- Nothing is noted here on this engine, where what another program changes is refused.
CREATE TABLE auditwitness (
    id integer NOT NULL CONSTRAINT auditwitness_pkey PRIMARY KEY,
    created_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')),
    transaction_id integer NOT NULL,
    table_name text NOT NULL,
    row_id text,
    operation text NOT NULL,
    row_digest text NOT NULL,
    fields json NOT NULL,
    database_user text NOT NULL,
    address text
);

-- What is in the log stays as it is. INSERT OR REPLACE would pass a BEFORE DELETE trigger by, so an existing row is refused before.

CREATE TRIGGER auditlog_append_only_insert BEFORE INSERT ON auditlog
    WHEN EXISTS (SELECT 1 FROM auditlog WHERE id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'auditlog: the audit log only grows');
END;
CREATE TRIGGER auditlog_append_only_update BEFORE UPDATE ON auditlog
BEGIN
    SELECT RAISE(ABORT, 'auditlog: the audit log only grows');
END;
CREATE TRIGGER auditlog_append_only_delete BEFORE DELETE ON auditlog
BEGIN
    SELECT RAISE(ABORT, 'auditlog: the audit log only grows');
END;
CREATE TRIGGER auditsubject_append_only_insert BEFORE INSERT ON auditsubject
    WHEN EXISTS (SELECT 1 FROM auditsubject WHERE entity_id = NEW.entity_id AND event_id = NEW.event_id)
BEGIN
    SELECT RAISE(ABORT, 'auditsubject: the audit log only grows');
END;
CREATE TRIGGER auditsubject_append_only_update BEFORE UPDATE ON auditsubject
BEGIN
    SELECT RAISE(ABORT, 'auditsubject: the audit log only grows');
END;
CREATE TRIGGER auditsubject_append_only_delete BEFORE DELETE ON auditsubject
BEGIN
    SELECT RAISE(ABORT, 'auditsubject: the audit log only grows');
END;
CREATE TRIGGER auditleaf_append_only_insert BEFORE INSERT ON auditleaf
    WHEN EXISTS (SELECT 1 FROM auditleaf WHERE leaf_index = NEW.leaf_index OR event_id = NEW.event_id)
BEGIN
    SELECT RAISE(ABORT, 'auditleaf: the audit log only grows');
END;
CREATE TRIGGER auditleaf_append_only_update BEFORE UPDATE ON auditleaf
BEGIN
    SELECT RAISE(ABORT, 'auditleaf: the audit log only grows');
END;
CREATE TRIGGER auditleaf_append_only_delete BEFORE DELETE ON auditleaf
BEGIN
    SELECT RAISE(ABORT, 'auditleaf: the audit log only grows');
END;
CREATE TRIGGER auditcheckpoint_append_only_insert BEFORE INSERT ON auditcheckpoint
    WHEN EXISTS (SELECT 1 FROM auditcheckpoint WHERE tree_size = NEW.tree_size)
BEGIN
    SELECT RAISE(ABORT, 'auditcheckpoint: the audit log only grows');
END;
CREATE TRIGGER auditcheckpoint_append_only_update BEFORE UPDATE ON auditcheckpoint
BEGIN
    SELECT RAISE(ABORT, 'auditcheckpoint: the audit log only grows');
END;
CREATE TRIGGER auditcheckpoint_append_only_delete BEFORE DELETE ON auditcheckpoint
BEGIN
    SELECT RAISE(ABORT, 'auditcheckpoint: the audit log only grows');
END;
CREATE TRIGGER audittile_append_only_delete BEFORE DELETE ON audittile
BEGIN
    SELECT RAISE(ABORT, 'audittile: the audit log only grows');
END;
CREATE TRIGGER audittile_grows_insert BEFORE INSERT ON audittile
    WHEN EXISTS (SELECT 1 FROM audittile WHERE level = NEW.level AND tile_index = NEW.tile_index
        AND substr(NEW.hashes, 1, length(hashes)) <> hashes)
BEGIN
    SELECT RAISE(ABORT, 'audittile: the audit log only grows');
END;
CREATE TRIGGER audittile_grows_update BEFORE UPDATE ON audittile
    WHEN NEW.level <> OLD.level OR NEW.tile_index <> OLD.tile_index
        OR substr(NEW.hashes, 1, length(OLD.hashes)) <> OLD.hashes
BEGIN
    SELECT RAISE(ABORT, 'audittile: the audit log only grows');
END;

-- Every event waits to become a leaf.

CREATE TRIGGER auditlog_enqueue AFTER INSERT ON auditlog
BEGIN
    INSERT INTO auditoutbox VALUES (NEW.id);
END;

-- Other programs are refused.

CREATE TRIGGER patient_ours_insert BEFORE INSERT ON patient
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER patient_ours_update BEFORE UPDATE ON patient
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER patient_ours_delete BEFORE DELETE ON patient
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER blindindex_ours_insert BEFORE INSERT ON blindindex
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER blindindex_ours_update BEFORE UPDATE ON blindindex
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER blindindex_ours_delete BEFORE DELETE ON blindindex
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER auditlog_ours_insert BEFORE INSERT ON auditlog
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER auditlog_ours_update BEFORE UPDATE ON auditlog
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER auditlog_ours_delete BEFORE DELETE ON auditlog
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER auditsubject_ours_insert BEFORE INSERT ON auditsubject
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER auditsubject_ours_update BEFORE UPDATE ON auditsubject
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER auditsubject_ours_delete BEFORE DELETE ON auditsubject
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER auditoutbox_ours_insert BEFORE INSERT ON auditoutbox
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER auditoutbox_ours_update BEFORE UPDATE ON auditoutbox
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER auditoutbox_ours_delete BEFORE DELETE ON auditoutbox
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER auditleaf_ours_insert BEFORE INSERT ON auditleaf
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER auditleaf_ours_update BEFORE UPDATE ON auditleaf
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER auditleaf_ours_delete BEFORE DELETE ON auditleaf
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER audittile_ours_insert BEFORE INSERT ON audittile
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER audittile_ours_update BEFORE UPDATE ON audittile
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER audittile_ours_delete BEFORE DELETE ON audittile
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER auditcheckpoint_ours_insert BEFORE INSERT ON auditcheckpoint
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER auditcheckpoint_ours_update BEFORE UPDATE ON auditcheckpoint
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER auditcheckpoint_ours_delete BEFORE DELETE ON auditcheckpoint
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
