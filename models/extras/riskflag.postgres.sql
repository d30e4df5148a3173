ALTER TABLE riskflag ADD CONSTRAINT riskflag_resolved CHECK ((resolved_at IS NULL) = (resolved_by IS NULL));

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
