-- Who may see whom is witnessed as patients are: what decides about access is not changed by direct SQL without an event.

-- Of rows that bring a patient into sight, the patient counts, whom the event of the same transaction names. That somebody was told of an emergency changes nothing.
CREATE FUNCTION audit_witness_sight_update() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO auditwitness (table_name, row_id, operation, row_digest)
        SELECT DISTINCT TG_TABLE_NAME, patient_id, lower(TG_OP), '*' FROM (
            (SELECT patient_id, to_jsonb(n) - 'told_at' FROM new_rows AS n EXCEPT SELECT patient_id, to_jsonb(o) - 'told_at' FROM old_rows AS o)
            UNION (SELECT patient_id, to_jsonb(o) - 'told_at' FROM old_rows AS o EXCEPT SELECT patient_id, to_jsonb(n) - 'told_at' FROM new_rows AS n)) AS touched;
    RETURN NULL;
END
$$;
-- models.RowDigest writes a list without spaces.
CREATE FUNCTION audit_witness_account_insert() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET timezone = 'UTC' AS $$
BEGIN
    INSERT INTO auditwitness (table_name, row_id, operation, row_digest)
        SELECT TG_TABLE_NAME, id, 'insert', audit_row_digest(to_jsonb(n) || jsonb_build_object('roles', replace(roles::text, ', ', ','))) FROM new_rows AS n;
    RETURN NULL;
END
$$;
CREATE FUNCTION audit_witness_account_update() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET timezone = 'UTC' AS $$
BEGIN
    INSERT INTO auditwitness (table_name, row_id, operation, row_digest, fields)
        SELECT TG_TABLE_NAME, COALESCE(n.id, o.id), 'update',
            COALESCE(audit_row_digest(to_jsonb(n) || jsonb_build_object('roles', replace(n.roles::text, ', ', ','))), '-'),
            COALESCE((SELECT jsonb_agg(key ORDER BY key) FROM jsonb_each(to_jsonb(o)) AS old_columns
                JOIN jsonb_each(to_jsonb(n)) AS new_columns USING (key) WHERE old_columns.value <> new_columns.value), '[]')
        FROM new_rows AS n FULL JOIN old_rows AS o ON n.id = o.id;
    RETURN NULL;
END
$$;

CREATE TRIGGER account_witness_insert AFTER INSERT ON account
    REFERENCING NEW TABLE AS new_rows EXECUTE FUNCTION audit_witness_account_insert();
CREATE TRIGGER account_witness_update AFTER UPDATE ON account
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows EXECUTE FUNCTION audit_witness_account_update();
CREATE TRIGGER account_witness_delete AFTER DELETE ON account
    REFERENCING OLD TABLE AS old_rows EXECUTE FUNCTION audit_witness_delete();
CREATE TRIGGER account_witness_truncate AFTER TRUNCATE ON account EXECUTE FUNCTION audit_witness_truncate();
CREATE TRIGGER carerelationship_witness_insert AFTER INSERT ON carerelationship
    REFERENCING NEW TABLE AS new_rows EXECUTE FUNCTION audit_witness_tokens_insert();
CREATE TRIGGER carerelationship_witness_update AFTER UPDATE ON carerelationship
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows EXECUTE FUNCTION audit_witness_sight_update();
CREATE TRIGGER carerelationship_witness_delete AFTER DELETE ON carerelationship
    REFERENCING OLD TABLE AS old_rows EXECUTE FUNCTION audit_witness_tokens_delete();
CREATE TRIGGER carerelationship_witness_truncate AFTER TRUNCATE ON carerelationship EXECUTE FUNCTION audit_witness_truncate();
CREATE TRIGGER breakglass_witness_insert AFTER INSERT ON breakglass
    REFERENCING NEW TABLE AS new_rows EXECUTE FUNCTION audit_witness_tokens_insert();
CREATE TRIGGER breakglass_witness_update AFTER UPDATE ON breakglass
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows EXECUTE FUNCTION audit_witness_sight_update();
CREATE TRIGGER breakglass_witness_delete AFTER DELETE ON breakglass
    REFERENCING OLD TABLE AS old_rows EXECUTE FUNCTION audit_witness_tokens_delete();
CREATE TRIGGER breakglass_witness_truncate AFTER TRUNCATE ON breakglass EXECUTE FUNCTION audit_witness_truncate();
CREATE TRIGGER breakglassentry_witness_insert AFTER INSERT ON breakglassentry
    REFERENCING NEW TABLE AS new_rows EXECUTE FUNCTION audit_witness_tokens_insert();
CREATE TRIGGER breakglassentry_witness_update AFTER UPDATE ON breakglassentry
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows EXECUTE FUNCTION audit_witness_sight_update();
CREATE TRIGGER breakglassentry_witness_delete AFTER DELETE ON breakglassentry
    REFERENCING OLD TABLE AS old_rows EXECUTE FUNCTION audit_witness_tokens_delete();
CREATE TRIGGER breakglassentry_witness_truncate AFTER TRUNCATE ON breakglassentry EXECUTE FUNCTION audit_witness_truncate();

-- lint:allow not-judged sets the search_path of the functions of this file
DO $$
DECLARE
    name text;
BEGIN
    -- A temporary table of the same name must not catch what these write.
    FOREACH name IN ARRAY ARRAY['audit_witness_sight_update', 'audit_witness_account_insert', 'audit_witness_account_update'] LOOP
        EXECUTE format('ALTER FUNCTION %I() SET search_path = pg_catalog, %I, pg_temp', name, current_schema());
    END LOOP;
END
$$;

-- Nor does a session that calls itself a replica (session_replication_role) get past them.
ALTER TABLE account
    ENABLE ALWAYS TRIGGER account_witness_insert,
    ENABLE ALWAYS TRIGGER account_witness_update,
    ENABLE ALWAYS TRIGGER account_witness_delete,
    ENABLE ALWAYS TRIGGER account_witness_truncate;
ALTER TABLE carerelationship
    ENABLE ALWAYS TRIGGER carerelationship_witness_insert,
    ENABLE ALWAYS TRIGGER carerelationship_witness_update,
    ENABLE ALWAYS TRIGGER carerelationship_witness_delete,
    ENABLE ALWAYS TRIGGER carerelationship_witness_truncate;
ALTER TABLE breakglass
    ENABLE ALWAYS TRIGGER breakglass_witness_insert,
    ENABLE ALWAYS TRIGGER breakglass_witness_update,
    ENABLE ALWAYS TRIGGER breakglass_witness_delete,
    ENABLE ALWAYS TRIGGER breakglass_witness_truncate;
ALTER TABLE breakglassentry
    ENABLE ALWAYS TRIGGER breakglassentry_witness_insert,
    ENABLE ALWAYS TRIGGER breakglassentry_witness_update,
    ENABLE ALWAYS TRIGGER breakglassentry_witness_delete,
    ENABLE ALWAYS TRIGGER breakglassentry_witness_truncate;
