-- A retired key seals nothing any more: the database refuses what names it, before the key is destroyed.

ALTER TABLE keyset ADD COLUMN version integer NOT NULL DEFAULT 1;

CREATE TABLE retiredkey (
    key_id text NOT NULL CONSTRAINT retiredkey_pkey PRIMARY KEY,
    created_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')),
    destroyed_at datetime
);

CREATE TABLE backup (
    id text NOT NULL CONSTRAINT backup_pkey PRIMARY KEY,
    created_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')),
    updated_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')),
    retained_until datetime NOT NULL,
    key_ids json NOT NULL
);

CREATE TRIGGER patient_key_not_retired_insert BEFORE INSERT ON patient
    WHEN EXISTS (SELECT 1 FROM retiredkey WHERE key_id IN (
        substr(NEW.first_name, 6, 8),
        substr(NEW.last_name, 6, 8),
        substr(NEW.date_of_birth, 6, 8),
        substr(NEW.contact_info, 14, 8),
        substr(NEW.address, 14, 8),
        substr(NEW.insurance, 14, 8),
        substr(NEW.emergency_contact, 14, 8)))
BEGIN
    SELECT RAISE(ABORT, 'patient: sealed under a retired key');
END;
CREATE TRIGGER patient_key_not_retired_update BEFORE UPDATE ON patient
    WHEN EXISTS (SELECT 1 FROM retiredkey WHERE key_id IN (
        substr(NEW.first_name, 6, 8),
        substr(NEW.last_name, 6, 8),
        substr(NEW.date_of_birth, 6, 8),
        substr(NEW.contact_info, 14, 8),
        substr(NEW.address, 14, 8),
        substr(NEW.insurance, 14, 8),
        substr(NEW.emergency_contact, 14, 8)))
BEGIN
    SELECT RAISE(ABORT, 'patient: sealed under a retired key');
END;

CREATE TRIGGER blindindex_key_not_retired_insert BEFORE INSERT ON blindindex
    WHEN EXISTS (SELECT 1 FROM retiredkey WHERE key_id = substr(NEW.token, 5, 8))
BEGIN
    SELECT RAISE(ABORT, 'blindindex: token of a retired key');
END;
CREATE TRIGGER blindindex_key_not_retired_update BEFORE UPDATE ON blindindex
    WHEN EXISTS (SELECT 1 FROM retiredkey WHERE key_id = substr(NEW.token, 5, 8))
BEGIN
    SELECT RAISE(ABORT, 'blindindex: token of a retired key');
END;
