-- With the id, which is an embedded field, so no tag can say it.
CREATE INDEX auditlog_user_id_idx ON auditlog (user_id, id);
CREATE INDEX auditlog_entity_id_idx ON auditlog (entity_id, id);
CREATE INDEX auditlog_action_idx ON auditlog (action, id) WHERE action NOT IN ('read', 'list', 'search', 'create', 'update');
CREATE INDEX auditlog_outcome_idx ON auditlog (outcome, id) WHERE outcome <> 'success';
CREATE INDEX auditlog_origin_idx ON auditlog (origin, id) WHERE origin <> 'api';

-- PostgreSQL's own knowledge of a change.
ALTER TABLE auditlog ALTER COLUMN transaction_id SET DEFAULT pg_current_xact_id()::text::bigint;
ALTER TABLE auditwitness
    ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY,
    ALTER COLUMN transaction_id SET DEFAULT pg_current_xact_id()::text::bigint,
    ALTER COLUMN fields SET DEFAULT '[]',
    ALTER COLUMN database_user SET DEFAULT session_user,
    ALTER COLUMN address SET DEFAULT host(inet_client_addr());

-- The envelopes of the log.
ALTER TABLE auditlog
    ADD CONSTRAINT auditlog_reason_sealed CHECK (reason IS NULL OR COALESCE(reason ~ '^phi1:[0-9a-f]{8}:[A-Za-z0-9_-]{38,}$', false)),
    ADD CONSTRAINT auditlog_diff_sealed CHECK (diff IS NULL OR COALESCE(
        diff = jsonb_build_object('phi', diff -> 'phi')
        AND diff ->> 'phi' ~ '^phi1:[0-9a-f]{8}:[A-Za-z0-9_-]{38,}$', false));

-- What is in the log stays as it is.

CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%: the audit log only grows', TG_TABLE_NAME USING ERRCODE = 'restrict_violation', CONSTRAINT = 'audit_append_only';
END
$$;
CREATE FUNCTION audit_tile_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.level = OLD.level AND NEW.tile_index = OLD.tile_index
        AND substring(NEW.hashes FOR octet_length(OLD.hashes)) = OLD.hashes THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'audittile: the audit log only grows' USING ERRCODE = 'restrict_violation', CONSTRAINT = 'audit_append_only';
END
$$;

CREATE TRIGGER auditlog_append_only BEFORE UPDATE OR DELETE ON auditlog FOR EACH ROW EXECUTE FUNCTION audit_append_only();
CREATE TRIGGER auditlog_append_only_truncate BEFORE TRUNCATE ON auditlog EXECUTE FUNCTION audit_append_only();
CREATE TRIGGER auditsubject_append_only BEFORE UPDATE OR DELETE ON auditsubject FOR EACH ROW EXECUTE FUNCTION audit_append_only();
CREATE TRIGGER auditsubject_append_only_truncate BEFORE TRUNCATE ON auditsubject EXECUTE FUNCTION audit_append_only();
CREATE TRIGGER auditleaf_append_only BEFORE UPDATE OR DELETE ON auditleaf FOR EACH ROW EXECUTE FUNCTION audit_append_only();
CREATE TRIGGER auditleaf_append_only_truncate BEFORE TRUNCATE ON auditleaf EXECUTE FUNCTION audit_append_only();
CREATE TRIGGER auditcheckpoint_append_only BEFORE UPDATE OR DELETE ON auditcheckpoint FOR EACH ROW EXECUTE FUNCTION audit_append_only();
CREATE TRIGGER auditcheckpoint_append_only_truncate BEFORE TRUNCATE ON auditcheckpoint EXECUTE FUNCTION audit_append_only();
CREATE TRIGGER audittile_append_only BEFORE DELETE ON audittile FOR EACH ROW EXECUTE FUNCTION audit_append_only();
CREATE TRIGGER audittile_append_only_truncate BEFORE TRUNCATE ON audittile EXECUTE FUNCTION audit_append_only();
CREATE TRIGGER audittile_grows BEFORE UPDATE ON audittile FOR EACH ROW EXECUTE FUNCTION audit_tile_grows();

-- Every event waits to become a leaf, whoever wrote it.

CREATE FUNCTION audit_enqueue() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO auditoutbox SELECT id FROM new_rows;
    RETURN NULL;
END
$$;
CREATE TRIGGER auditlog_enqueue AFTER INSERT ON auditlog REFERENCING NEW TABLE AS new_rows EXECUTE FUNCTION audit_enqueue();

-- The witness. Digests are those of models.RowDigest: SHA-256 over the columns that are not NULL, by name, in the order of their names.

CREATE FUNCTION audit_row_digest(columns jsonb) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT encode(sha256(convert_to(
        string_agg(key || ':' || octet_length(value) || ':' || value || ';', '' ORDER BY key COLLATE "C"), 'UTF8')), 'hex')
    FROM jsonb_each_text(columns) WHERE value IS NOT NULL
$$;

CREATE FUNCTION audit_witness_insert() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET timezone = 'UTC' AS $$
BEGIN
    INSERT INTO auditwitness (table_name, row_id, operation, row_digest)
        SELECT TG_TABLE_NAME, id, 'insert', audit_row_digest(to_jsonb(new_rows)) FROM new_rows;
    RETURN NULL;
END
$$;
CREATE FUNCTION audit_witness_update() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET timezone = 'UTC' AS $$
BEGIN
    INSERT INTO auditwitness (table_name, row_id, operation, row_digest, fields)
        SELECT TG_TABLE_NAME, COALESCE(n.id, o.id), 'update', COALESCE(audit_row_digest(to_jsonb(n)), '-'),
            COALESCE((SELECT jsonb_agg(key ORDER BY key) FROM jsonb_each(to_jsonb(o)) AS old_columns
                JOIN jsonb_each(to_jsonb(n)) AS new_columns USING (key) WHERE old_columns.value <> new_columns.value), '[]')
        FROM new_rows AS n FULL JOIN old_rows AS o ON n.id = o.id;
    RETURN NULL;
END
$$;
CREATE FUNCTION audit_witness_delete() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO auditwitness (table_name, row_id, operation, row_digest) SELECT TG_TABLE_NAME, id, 'delete', '-' FROM old_rows;
    RETURN NULL;
END
$$;
CREATE FUNCTION audit_witness_truncate() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO auditwitness (table_name, operation, row_digest) VALUES (TG_TABLE_NAME, 'truncate', '-');
    RETURN NULL;
END
$$;
-- The tokens of a patient count as one, and change with the patient.
CREATE FUNCTION audit_witness_tokens_insert() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO auditwitness (table_name, row_id, operation, row_digest)
        SELECT DISTINCT TG_TABLE_NAME, patient_id, lower(TG_OP), '*' FROM new_rows;
    RETURN NULL;
END
$$;
CREATE FUNCTION audit_witness_tokens_update() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO auditwitness (table_name, row_id, operation, row_digest)
        SELECT DISTINCT TG_TABLE_NAME, patient_id, lower(TG_OP), '*' FROM (SELECT patient_id FROM new_rows UNION SELECT patient_id FROM old_rows) AS touched;
    RETURN NULL;
END
$$;
CREATE FUNCTION audit_witness_tokens_delete() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO auditwitness (table_name, row_id, operation, row_digest)
        SELECT DISTINCT TG_TABLE_NAME, patient_id, lower(TG_OP), '*' FROM old_rows;
    RETURN NULL;
END
$$;

CREATE TRIGGER patient_witness_insert AFTER INSERT ON patient
    REFERENCING NEW TABLE AS new_rows EXECUTE FUNCTION audit_witness_insert();
CREATE TRIGGER patient_witness_update AFTER UPDATE ON patient
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows EXECUTE FUNCTION audit_witness_update();
CREATE TRIGGER patient_witness_delete AFTER DELETE ON patient
    REFERENCING OLD TABLE AS old_rows EXECUTE FUNCTION audit_witness_delete();
CREATE TRIGGER patient_witness_truncate AFTER TRUNCATE ON patient EXECUTE FUNCTION audit_witness_truncate();
CREATE TRIGGER blindindex_witness_insert AFTER INSERT ON blindindex
    REFERENCING NEW TABLE AS new_rows EXECUTE FUNCTION audit_witness_tokens_insert();
CREATE TRIGGER blindindex_witness_update AFTER UPDATE ON blindindex
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows EXECUTE FUNCTION audit_witness_tokens_update();
CREATE TRIGGER blindindex_witness_delete AFTER DELETE ON blindindex
    REFERENCING OLD TABLE AS old_rows EXECUTE FUNCTION audit_witness_tokens_delete();
CREATE TRIGGER blindindex_witness_truncate AFTER TRUNCATE ON blindindex EXECUTE FUNCTION audit_witness_truncate();

DO $$
DECLARE
    name text;
    guard record;
BEGIN
    -- A temporary table of the same name must not catch what these write.
    FOREACH name IN ARRAY ARRAY['audit_enqueue', 'audit_witness_insert', 'audit_witness_update', 'audit_witness_delete', 'audit_witness_truncate',
        'audit_witness_tokens_insert', 'audit_witness_tokens_update', 'audit_witness_tokens_delete'] LOOP
        EXECUTE format('ALTER FUNCTION %I() SET search_path = pg_catalog, %I, pg_temp', name, current_schema());
    END LOOP;
    -- Nor does a session that calls itself a replica (session_replication_role) get past them.
    FOR guard IN SELECT tgrelid::regclass AS table_name, tgname FROM pg_trigger
        WHERE NOT tgisinternal AND (tgname LIKE '%\_append\_only%' OR tgname LIKE '%\_witness\_%' OR tgname IN ('audittile_grows', 'auditlog_enqueue'))
            AND tgrelid IN ('auditlog'::regclass, 'auditsubject'::regclass, 'auditleaf'::regclass, 'auditcheckpoint'::regclass,
                'audittile'::regclass, 'patient'::regclass, 'blindindex'::regclass) LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', guard.table_name, guard.tgname);
    END LOOP;
END
$$;
