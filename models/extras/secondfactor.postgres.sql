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
