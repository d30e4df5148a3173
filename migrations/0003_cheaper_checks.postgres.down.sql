DROP TRIGGER blindindex_key_not_retired_update ON blindindex;
DROP TRIGGER blindindex_key_not_retired_insert ON blindindex;
DROP TRIGGER patient_key_not_retired_update ON patient;
DROP TRIGGER patient_key_not_retired_insert ON patient;

CREATE OR REPLACE FUNCTION patient_key_not_retired() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM retiredkey WHERE key_id IN (
        substr(NEW.first_name, 6, 8),
        substr(NEW.last_name, 6, 8),
        substr(NEW.date_of_birth, 6, 8),
        substr(NEW.contact_info ->> 'phi', 6, 8),
        substr(NEW.address ->> 'phi', 6, 8),
        substr(NEW.insurance ->> 'phi', 6, 8),
        substr(NEW.emergency_contact ->> 'phi', 6, 8))) THEN
        RAISE EXCEPTION 'patient: sealed under a retired key'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'patient_key_not_retired';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER patient_key_not_retired BEFORE INSERT OR UPDATE ON patient
    FOR EACH ROW EXECUTE FUNCTION patient_key_not_retired();
ALTER TABLE patient ENABLE ALWAYS TRIGGER patient_key_not_retired;

CREATE OR REPLACE FUNCTION blindindex_key_not_retired() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM retiredkey WHERE key_id = substr(NEW.token, 5, 8)) THEN
        RAISE EXCEPTION 'blindindex: token of a retired key'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'blindindex_key_not_retired';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER blindindex_key_not_retired BEFORE INSERT OR UPDATE ON blindindex
    FOR EACH ROW EXECUTE FUNCTION blindindex_key_not_retired();
ALTER TABLE blindindex ENABLE ALWAYS TRIGGER blindindex_key_not_retired;

ALTER TABLE patient
    DROP CONSTRAINT patient_first_name_sealed,
    DROP CONSTRAINT patient_last_name_sealed,
    DROP CONSTRAINT patient_date_of_birth_sealed,
    DROP CONSTRAINT patient_contact_info_sealed,
    DROP CONSTRAINT patient_address_sealed,
    DROP CONSTRAINT patient_insurance_sealed,
    DROP CONSTRAINT patient_emergency_contact_sealed,
    ADD CONSTRAINT patient_first_name_sealed CHECK (COALESCE(
        first_name ~ '^phi1:[0-9a-f]{8}:[A-Za-z0-9_-]{38,}$', false)),
    ADD CONSTRAINT patient_last_name_sealed CHECK (COALESCE(
        last_name ~ '^phi1:[0-9a-f]{8}:[A-Za-z0-9_-]{38,}$', false)),
    ADD CONSTRAINT patient_date_of_birth_sealed CHECK (COALESCE(
        date_of_birth ~ '^phi1:[0-9a-f]{8}:[A-Za-z0-9_-]{38,}$', false)),
    ADD CONSTRAINT patient_contact_info_sealed CHECK (COALESCE(
        contact_info = jsonb_build_object('phi', contact_info -> 'phi')
        AND contact_info ->> 'phi' ~ '^phi1:[0-9a-f]{8}:[A-Za-z0-9_-]{38,}$', false)),
    ADD CONSTRAINT patient_address_sealed CHECK (address IS NULL OR COALESCE(
        address = jsonb_build_object('phi', address -> 'phi')
        AND address ->> 'phi' ~ '^phi1:[0-9a-f]{8}:[A-Za-z0-9_-]{38,}$', false)),
    ADD CONSTRAINT patient_insurance_sealed CHECK (insurance IS NULL OR COALESCE(
        insurance = jsonb_build_object('phi', insurance -> 'phi')
        AND insurance ->> 'phi' ~ '^phi1:[0-9a-f]{8}:[A-Za-z0-9_-]{38,}$', false)),
    ADD CONSTRAINT patient_emergency_contact_sealed CHECK (emergency_contact IS NULL OR COALESCE(
        emergency_contact = jsonb_build_object('phi', emergency_contact -> 'phi')
        AND emergency_contact ->> 'phi' ~ '^phi1:[0-9a-f]{8}:[A-Za-z0-9_-]{38,}$', false));

ALTER TABLE blindindex
    DROP CONSTRAINT blindindex_token_keyed,
    ADD CONSTRAINT blindindex_token_keyed CHECK (COALESCE(token ~ '^bi1:[0-9a-f]{8}:[a-z_]{1,32}:[0-9a-f]{4,64}$', false));
