-- Once a statement instead of once a row. A trigger with a transition table is for one kind of statement only.
CREATE FUNCTION patient_key_not_retired() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM retiredkey r JOIN written n ON r.key_id IN (
        substr(n.first_name, 6, 8),
        substr(n.last_name, 6, 8),
        substr(n.date_of_birth, 6, 8),
        substr(n.contact_info ->> 'phi', 6, 8),
        substr(n.address ->> 'phi', 6, 8),
        substr(n.insurance ->> 'phi', 6, 8),
        substr(n.emergency_contact ->> 'phi', 6, 8))) THEN
        RAISE EXCEPTION 'patient: sealed under a retired key'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'patient_key_not_retired';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER patient_key_not_retired_insert AFTER INSERT ON patient REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION patient_key_not_retired();
ALTER TABLE patient ENABLE ALWAYS TRIGGER patient_key_not_retired_insert;
CREATE TRIGGER patient_key_not_retired_update AFTER UPDATE ON patient REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION patient_key_not_retired();
ALTER TABLE patient ENABLE ALWAYS TRIGGER patient_key_not_retired_update;
