ALTER TABLE consent ADD CONSTRAINT consent_period CHECK (expires_at IS NULL OR expires_at > granted_at);

CREATE TRIGGER consent_witness_insert AFTER INSERT ON consent
    REFERENCING NEW TABLE AS new_rows EXECUTE FUNCTION audit_witness_insert();
CREATE TRIGGER consent_witness_update AFTER UPDATE ON consent
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows EXECUTE FUNCTION audit_witness_update();
CREATE TRIGGER consent_witness_delete AFTER DELETE ON consent
    REFERENCING OLD TABLE AS old_rows EXECUTE FUNCTION audit_witness_delete();
CREATE TRIGGER consent_witness_truncate AFTER TRUNCATE ON consent EXECUTE FUNCTION audit_witness_truncate();

DO $$
DECLARE
    guard record;
BEGIN
    -- A session that calls itself a replica (session_replication_role) does not get past these.
    FOR guard IN SELECT tgrelid::regclass AS table_name, tgname FROM pg_trigger
        WHERE NOT tgisinternal AND tgrelid IN ('consent'::regclass) LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', guard.table_name, guard.tgname);
    END LOOP;
END
$$;
