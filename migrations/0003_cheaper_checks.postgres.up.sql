-- The same checks, cheaper: PostgreSQL builds a new state of its automaton for each character that a bounded repetition counts, which made them the
-- dearest part of writing a row. Lengths and the place of the colon say the same.

ALTER TABLE patient
    DROP CONSTRAINT patient_first_name_sealed,
    DROP CONSTRAINT patient_last_name_sealed,
    DROP CONSTRAINT patient_date_of_birth_sealed,
    DROP CONSTRAINT patient_contact_info_sealed,
    DROP CONSTRAINT patient_address_sealed,
    DROP CONSTRAINT patient_insurance_sealed,
    DROP CONSTRAINT patient_emergency_contact_sealed,
    ADD CONSTRAINT patient_first_name_sealed CHECK (COALESCE(
        first_name ~ '^phi1:[0-9a-f]+:[A-Za-z0-9_-]+$' AND substr(first_name, 14, 1) = ':' AND length(first_name) >= 52, false)),
    ADD CONSTRAINT patient_last_name_sealed CHECK (COALESCE(
        last_name ~ '^phi1:[0-9a-f]+:[A-Za-z0-9_-]+$' AND substr(last_name, 14, 1) = ':' AND length(last_name) >= 52, false)),
    ADD CONSTRAINT patient_date_of_birth_sealed CHECK (COALESCE(
        date_of_birth ~ '^phi1:[0-9a-f]+:[A-Za-z0-9_-]+$' AND substr(date_of_birth, 14, 1) = ':' AND length(date_of_birth) >= 52, false)),
    ADD CONSTRAINT patient_contact_info_sealed CHECK (COALESCE(
        contact_info = jsonb_build_object('phi', contact_info -> 'phi')
        AND (contact_info ->> 'phi') ~ '^phi1:[0-9a-f]+:[A-Za-z0-9_-]+$' AND substr((contact_info ->> 'phi'), 14, 1) = ':' AND length((contact_info ->> 'phi')) >= 52, false)),
    ADD CONSTRAINT patient_address_sealed CHECK (address IS NULL OR COALESCE(
        address = jsonb_build_object('phi', address -> 'phi')
        AND (address ->> 'phi') ~ '^phi1:[0-9a-f]+:[A-Za-z0-9_-]+$' AND substr((address ->> 'phi'), 14, 1) = ':' AND length((address ->> 'phi')) >= 52, false)),
    ADD CONSTRAINT patient_insurance_sealed CHECK (insurance IS NULL OR COALESCE(
        insurance = jsonb_build_object('phi', insurance -> 'phi')
        AND (insurance ->> 'phi') ~ '^phi1:[0-9a-f]+:[A-Za-z0-9_-]+$' AND substr((insurance ->> 'phi'), 14, 1) = ':' AND length((insurance ->> 'phi')) >= 52, false)),
    ADD CONSTRAINT patient_emergency_contact_sealed CHECK (emergency_contact IS NULL OR COALESCE(
        emergency_contact = jsonb_build_object('phi', emergency_contact -> 'phi')
        AND (emergency_contact ->> 'phi') ~ '^phi1:[0-9a-f]+:[A-Za-z0-9_-]+$' AND substr((emergency_contact ->> 'phi'), 14, 1) = ':' AND length((emergency_contact ->> 'phi')) >= 52, false));

ALTER TABLE blindindex
    DROP CONSTRAINT blindindex_token_keyed,
    ADD CONSTRAINT blindindex_token_keyed CHECK (COALESCE(
        token ~ '^bi1:[0-9a-f]+:[a-z_]+:[0-9a-f]+$' AND substr(token, 13, 1) = ':'
        AND length(split_part(token, ':', 3)) <= 32 AND length(split_part(token, ':', 4)) BETWEEN 4 AND 64, false));

-- Once a statement instead of once a row. A trigger with a transition table is for one kind of statement only.
DROP TRIGGER patient_key_not_retired ON patient;
CREATE OR REPLACE FUNCTION patient_key_not_retired() RETURNS trigger LANGUAGE plpgsql AS $$
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
DROP TRIGGER blindindex_key_not_retired ON blindindex;
CREATE OR REPLACE FUNCTION blindindex_key_not_retired() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM retiredkey r JOIN written n ON r.key_id = substr(n.token, 5, 8)) THEN
        RAISE EXCEPTION 'blindindex: token of a retired key'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'blindindex_key_not_retired';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER blindindex_key_not_retired_insert AFTER INSERT ON blindindex REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION blindindex_key_not_retired();
ALTER TABLE blindindex ENABLE ALWAYS TRIGGER blindindex_key_not_retired_insert;
CREATE TRIGGER blindindex_key_not_retired_update AFTER UPDATE ON blindindex REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION blindindex_key_not_retired();
ALTER TABLE blindindex ENABLE ALWAYS TRIGGER blindindex_key_not_retired_update;
