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

