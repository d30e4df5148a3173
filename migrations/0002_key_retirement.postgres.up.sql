-- A retired key seals nothing any more: the database refuses what names it, before the key is destroyed.
-- Adding a column with a constant default rewrites nothing on PostgreSQL 11 and newer.

ALTER TABLE keyset ADD COLUMN version bigint NOT NULL DEFAULT 1;

CREATE TABLE retiredkey (
    key_id text NOT NULL CONSTRAINT retiredkey_pkey PRIMARY KEY,
    created_at timestamptz(6) NOT NULL DEFAULT now(),
    destroyed_at timestamptz(6)
);

CREATE TABLE backup (
    id uuid CONSTRAINT backup_pkey PRIMARY KEY,
    created_at timestamptz(6) NOT NULL DEFAULT now(),
    updated_at timestamptz(6) NOT NULL DEFAULT now(),
    retained_until timestamptz(6) NOT NULL,
    key_ids jsonb NOT NULL
);

CREATE FUNCTION patient_key_not_retired() RETURNS trigger LANGUAGE plpgsql AS $$
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

CREATE FUNCTION blindindex_key_not_retired() RETURNS trigger LANGUAGE plpgsql AS $$
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
