-- record_error_reason

DROP TRIGGER medicalrecord_frozen_reseal;
DROP TRIGGER medicalrecord_frozen_update;
DROP TRIGGER medicalrecord_key_not_retired_insert;
DROP TRIGGER medicalrecord_key_not_retired_update;
ALTER TABLE `medicalrecord` ADD COLUMN `error_reason` text NULL
    CONSTRAINT "medicalrecord_error_reason_sealed" CHECK (error_reason IS NULL OR COALESCE(typeof(error_reason) = 'text' AND length(CAST(error_reason AS BLOB)) = length(error_reason) AND length(error_reason) >= 52 AND substr(error_reason, 1, 14) GLOB 'phi1:[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]:' AND substr(error_reason, 15) NOT GLOB '*[^A-Za-z0-9_-]*', false))
    CONSTRAINT "medicalrecord_error" CHECK (error_reason IS NULL OR status = 'entered-in-error');
CREATE TRIGGER medicalrecord_frozen_reseal BEFORE UPDATE ON medicalrecord
    WHEN NEW.version = OLD.version AND (NEW.status <> OLD.status OR NEW.updated_at <> OLD.updated_at
            OR substr(NEW.title, 6, 8) || substr(NEW.content, 6, 8) || COALESCE(substr(NEW.codes, 14, 8), '') || COALESCE(substr(NEW.questionnaire, 14, 8), '')
                || COALESCE(substr(NEW.amendment_reason, 6, 8), '') || COALESCE(substr(NEW.error_reason, 6, 8), '')
            = substr(OLD.title, 6, 8) || substr(OLD.content, 6, 8) || COALESCE(substr(OLD.codes, 14, 8), '') || COALESCE(substr(OLD.questionnaire, 14, 8), '')
                || COALESCE(substr(OLD.amendment_reason, 6, 8), '') || COALESCE(substr(OLD.error_reason, 6, 8), ''))
BEGIN
    SELECT RAISE(ABORT, 'medicalrecord: what was signed stays as it is');
END;
CREATE TRIGGER medicalrecord_frozen_update BEFORE UPDATE ON medicalrecord
    WHEN OLD.status <> 'draft' AND (
            NEW.id IS NOT OLD.id OR rtrim(substr(NEW.created_at, 1, length(NEW.created_at) - 6), '0.') IS NOT rtrim(substr(OLD.created_at, 1, length(OLD.created_at) - 6), '0.') OR NEW.patient_id IS NOT OLD.patient_id OR NEW.appointment_id IS NOT OLD.appointment_id
            OR NEW.author_id IS NOT OLD.author_id OR NEW.kind IS NOT OLD.kind OR NEW.sensitivity IS NOT OLD.sensitivity OR NEW.occurred_at IS NOT OLD.occurred_at
            OR NEW.signed_at IS NOT OLD.signed_at OR NEW.signed_by IS NOT OLD.signed_by OR NEW.supersedes_id IS NOT OLD.supersedes_id OR (NEW.codes IS NULL) <> (OLD.codes IS NULL)
            OR (NEW.questionnaire IS NULL) <> (OLD.questionnaire IS NULL) OR (NEW.amendment_reason IS NULL) <> (OLD.amendment_reason IS NULL)
            OR (NEW.error_reason IS NULL) <> (OLD.error_reason IS NULL) AND NEW.status = OLD.status)
BEGIN
    SELECT RAISE(ABORT, 'medicalrecord: what was signed stays as it is');
END;
CREATE TRIGGER medicalrecord_key_not_retired_insert BEFORE INSERT ON medicalrecord
    WHEN EXISTS (SELECT 1 FROM retiredkey WHERE key_id IN (
        substr(NEW.title, 6, 8),
        substr(NEW.content, 6, 8),
        substr(NEW.codes, 14, 8),
        substr(NEW.questionnaire, 14, 8),
        substr(NEW.amendment_reason, 6, 8),
        substr(NEW.error_reason, 6, 8)))
BEGIN
    SELECT RAISE(ABORT, 'medicalrecord: sealed under a retired key');
END;
CREATE TRIGGER medicalrecord_key_not_retired_update BEFORE UPDATE ON medicalrecord
    WHEN EXISTS (SELECT 1 FROM retiredkey WHERE key_id IN (
        substr(NEW.title, 6, 8),
        substr(NEW.content, 6, 8),
        substr(NEW.codes, 14, 8),
        substr(NEW.questionnaire, 14, 8),
        substr(NEW.amendment_reason, 6, 8),
        substr(NEW.error_reason, 6, 8)))
BEGIN
    SELECT RAISE(ABORT, 'medicalrecord: sealed under a retired key');
END;
