ALTER TABLE disclosure ADD CONSTRAINT disclosure_recipient CHECK ((recipient_id IS NULL) <> (recipient IS NULL));

CREATE TRIGGER disclosure_witness_insert AFTER INSERT ON disclosure
    REFERENCING NEW TABLE AS new_rows EXECUTE FUNCTION audit_witness_insert();
CREATE TRIGGER disclosure_witness_update AFTER UPDATE ON disclosure
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows EXECUTE FUNCTION audit_witness_update();
CREATE TRIGGER disclosure_witness_delete AFTER DELETE ON disclosure
    REFERENCING OLD TABLE AS old_rows EXECUTE FUNCTION audit_witness_delete();
CREATE TRIGGER disclosure_witness_truncate AFTER TRUNCATE ON disclosure EXECUTE FUNCTION audit_witness_truncate();

DO $$
DECLARE
    guard record;
BEGIN
    -- A session that calls itself a replica (session_replication_role) does not get past these.
    FOR guard IN SELECT tgrelid::regclass AS table_name, tgname FROM pg_trigger
        WHERE NOT tgisinternal AND tgrelid IN ('disclosure'::regclass) LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', guard.table_name, guard.tgname);
    END LOOP;
END
$$;
