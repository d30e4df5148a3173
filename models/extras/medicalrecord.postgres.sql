ALTER TABLE medicalrecord ADD CONSTRAINT medicalrecord_psychotherapy CHECK ((kind = 'psychotherapy_note') = (sensitivity = 'psychotherapy'));
ALTER TABLE medicalrecord ADD CONSTRAINT medicalrecord_part2 CHECK (kind <> 'sud_counseling_note' OR sensitivity = 'part2');
ALTER TABLE medicalrecord ADD CONSTRAINT medicalrecord_signed CHECK ((signed_at IS NULL) = (signed_by IS NULL) AND (status <> 'draft' OR signed_at IS NULL) AND (status NOT IN ('final', 'amended') OR signed_at IS NOT NULL));
ALTER TABLE medicalrecord ADD CONSTRAINT medicalrecord_amendment CHECK ((supersedes_id IS NULL) = (amendment_reason IS NULL));
ALTER TABLE medicalrecord ADD CONSTRAINT medicalrecord_error CHECK (error_reason IS NULL OR status = 'entered-in-error');

-- What was signed stays as it is: it may be sealed under another key, and its status may go on. Only a purge removes it whose event is in the log
-- before the row goes.

CREATE FUNCTION medicalrecord_frozen() RETURNS trigger LANGUAGE plpgsql SET timezone = 'UTC' AS $$
DECLARE
    legal boolean := false;
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.status = 'draft' OR EXISTS (
            SELECT 1 FROM auditsubject AS s JOIN auditlog AS e ON e.id = s.event_id
            WHERE s.entity_id = OLD.id AND s.row_digest = '-' AND s.row_version = OLD.version AND e.created_at >= OLD.created_at) THEN
            RETURN OLD;
        END IF;
    ELSIF TG_OP = 'UPDATE' THEN
        IF NEW.version <> OLD.version THEN
            legal := (OLD.status, NEW.status) IN (('draft', 'draft'), ('draft', 'final'), ('draft', 'entered-in-error'), ('final', 'amended'), ('final', 'entered-in-error'), ('amended', 'entered-in-error'));
        ELSE
            legal := NEW.status = OLD.status AND NEW.updated_at = OLD.updated_at AND
                (substr(NEW.title, 6, 8), substr(NEW.content, 6, 8), substr(NEW.codes ->> 'phi', 6, 8), substr(NEW.questionnaire ->> 'phi', 6, 8), substr(NEW.amendment_reason, 6, 8), substr(NEW.error_reason, 6, 8))
                IS DISTINCT FROM
                (substr(OLD.title, 6, 8), substr(OLD.content, 6, 8), substr(OLD.codes ->> 'phi', 6, 8), substr(OLD.questionnaire ->> 'phi', 6, 8), substr(OLD.amendment_reason, 6, 8), substr(OLD.error_reason, 6, 8));
        END IF;
        IF legal AND (OLD.status = 'draft' OR (
            NEW.id IS NOT DISTINCT FROM OLD.id AND NEW.created_at IS NOT DISTINCT FROM OLD.created_at AND NEW.patient_id IS NOT DISTINCT FROM OLD.patient_id
            AND NEW.appointment_id IS NOT DISTINCT FROM OLD.appointment_id AND NEW.author_id IS NOT DISTINCT FROM OLD.author_id AND NEW.kind IS NOT DISTINCT FROM OLD.kind
            AND NEW.sensitivity IS NOT DISTINCT FROM OLD.sensitivity AND NEW.occurred_at IS NOT DISTINCT FROM OLD.occurred_at AND NEW.signed_at IS NOT DISTINCT FROM OLD.signed_at
            AND NEW.signed_by IS NOT DISTINCT FROM OLD.signed_by AND NEW.supersedes_id IS NOT DISTINCT FROM OLD.supersedes_id AND (NEW.codes IS NULL) = (OLD.codes IS NULL)
            AND (NEW.questionnaire IS NULL) = (OLD.questionnaire IS NULL) AND (NEW.amendment_reason IS NULL) = (OLD.amendment_reason IS NULL)
            AND ((NEW.error_reason IS NULL) = (OLD.error_reason IS NULL) OR OLD.status <> NEW.status))) THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'medicalrecord: what was signed stays as it is' USING ERRCODE = 'restrict_violation', CONSTRAINT = 'medicalrecord_frozen';
END
$$;
CREATE TRIGGER medicalrecord_frozen BEFORE UPDATE OR DELETE ON medicalrecord FOR EACH ROW EXECUTE FUNCTION medicalrecord_frozen();
CREATE TRIGGER medicalrecord_frozen_truncate BEFORE TRUNCATE ON medicalrecord EXECUTE FUNCTION medicalrecord_frozen();

CREATE TRIGGER medicalrecord_witness_insert AFTER INSERT ON medicalrecord
    REFERENCING NEW TABLE AS new_rows EXECUTE FUNCTION audit_witness_insert();
CREATE TRIGGER medicalrecord_witness_update AFTER UPDATE ON medicalrecord
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows EXECUTE FUNCTION audit_witness_update();
CREATE TRIGGER medicalrecord_witness_delete AFTER DELETE ON medicalrecord
    REFERENCING OLD TABLE AS old_rows EXECUTE FUNCTION audit_witness_delete();
CREATE TRIGGER medicalrecord_witness_truncate AFTER TRUNCATE ON medicalrecord EXECUTE FUNCTION audit_witness_truncate();

DO $$
DECLARE
    guard record;
BEGIN
    -- A temporary table of the same name must not catch what this reads.
    EXECUTE format('ALTER FUNCTION medicalrecord_frozen() SET search_path = pg_catalog, %I, pg_temp', current_schema());
    -- Nor does a session that calls itself a replica (session_replication_role) get past them.
    FOR guard IN SELECT tgrelid::regclass AS table_name, tgname FROM pg_trigger
        WHERE NOT tgisinternal AND tgrelid IN ('medicalrecord'::regclass) LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', guard.table_name, guard.tgname);
    END LOOP;
END
$$;
