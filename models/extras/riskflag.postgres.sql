ALTER TABLE riskflag ADD CONSTRAINT riskflag_resolved CHECK ((resolved_at IS NULL) = (resolved_by IS NULL));

CREATE FUNCTION riskflag_key_not_retired() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM retiredkey r JOIN written n ON r.key_id IN (
        substr(n.reason, 6, 8),
        substr(n.resolution, 6, 8))) THEN
        RAISE EXCEPTION 'riskflag: sealed under a retired key'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'riskflag_key_not_retired';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER riskflag_key_not_retired_insert AFTER INSERT ON riskflag REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION riskflag_key_not_retired();
CREATE TRIGGER riskflag_key_not_retired_update AFTER UPDATE ON riskflag REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION riskflag_key_not_retired();

CREATE TRIGGER riskflag_witness_insert AFTER INSERT ON riskflag
    REFERENCING NEW TABLE AS new_rows EXECUTE FUNCTION audit_witness_insert();
CREATE TRIGGER riskflag_witness_update AFTER UPDATE ON riskflag
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows EXECUTE FUNCTION audit_witness_update();
CREATE TRIGGER riskflag_witness_delete AFTER DELETE ON riskflag
    REFERENCING OLD TABLE AS old_rows EXECUTE FUNCTION audit_witness_delete();
CREATE TRIGGER riskflag_witness_truncate AFTER TRUNCATE ON riskflag EXECUTE FUNCTION audit_witness_truncate();

DO $$
DECLARE
    guard record;
BEGIN
    -- A session that calls itself a replica (session_replication_role) does not get past these.
    FOR guard IN SELECT tgrelid::regclass AS table_name, tgname FROM pg_trigger
        WHERE NOT tgisinternal AND tgrelid IN ('riskflag'::regclass) LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', guard.table_name, guard.tgname);
    END LOOP;
END
$$;
