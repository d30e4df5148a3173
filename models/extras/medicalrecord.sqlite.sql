ALTER TABLE medicalrecord ADD CONSTRAINT medicalrecord_psychotherapy CHECK ((kind = 'psychotherapy_note') = (sensitivity = 'psychotherapy'));
ALTER TABLE medicalrecord ADD CONSTRAINT medicalrecord_part2 CHECK (kind <> 'sud_counseling_note' OR sensitivity = 'part2');
ALTER TABLE medicalrecord ADD CONSTRAINT medicalrecord_signed CHECK ((signed_at IS NULL) = (signed_by IS NULL) AND (status <> 'draft' OR signed_at IS NULL) AND (status NOT IN ('final', 'amended') OR signed_at IS NOT NULL));
ALTER TABLE medicalrecord ADD CONSTRAINT medicalrecord_amendment CHECK ((supersedes_id IS NULL) = (amendment_reason IS NULL));
ALTER TABLE medicalrecord ADD CONSTRAINT medicalrecord_error CHECK (error_reason IS NULL OR status = 'entered-in-error');

-- What was signed stays as it is: it may be sealed under another key, and its status may go on. Only a purge removes it whose event is in the log
-- before the row goes. A time's last zeros say nothing. INSERT OR REPLACE would pass a BEFORE DELETE trigger by, so an existing row is refused before.

CREATE TRIGGER medicalrecord_frozen_insert BEFORE INSERT ON medicalrecord
    WHEN EXISTS (SELECT 1 FROM medicalrecord WHERE id = NEW.id OR supersedes_id = NEW.supersedes_id)
BEGIN
    SELECT RAISE(ABORT, 'medicalrecord: what was signed stays as it is');
END;
CREATE TRIGGER medicalrecord_frozen_steps BEFORE UPDATE ON medicalrecord
    WHEN NEW.version <> OLD.version AND (OLD.status, NEW.status) NOT IN (VALUES ('draft', 'draft'), ('draft', 'final'), ('draft', 'entered-in-error'), ('final', 'amended'), ('final', 'entered-in-error'), ('amended', 'entered-in-error'))
BEGIN
    SELECT RAISE(ABORT, 'medicalrecord: what was signed stays as it is');
END;
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
CREATE TRIGGER medicalrecord_frozen_delete BEFORE DELETE ON medicalrecord
    WHEN OLD.status <> 'draft' AND NOT EXISTS (
            SELECT 1 FROM auditsubject AS s JOIN auditlog AS e ON e.id = s.event_id
            WHERE s.entity_id = OLD.id AND s.row_digest = '-' AND s.row_version = OLD.version AND e.created_at >= OLD.created_at)
BEGIN
    SELECT RAISE(ABORT, 'medicalrecord: what was signed stays as it is');
END;

-- Other programs are refused.

CREATE TRIGGER medicalrecord_ours_insert BEFORE INSERT ON medicalrecord
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER medicalrecord_ours_update BEFORE UPDATE ON medicalrecord
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER medicalrecord_ours_delete BEFORE DELETE ON medicalrecord
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
