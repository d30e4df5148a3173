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
