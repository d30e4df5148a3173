-- Undoes: record_error_reason

ALTER TABLE "medicalrecord" DROP CONSTRAINT "medicalrecord_error";
ALTER TABLE "medicalrecord" DROP CONSTRAINT "medicalrecord_error_reason_sealed";
ALTER TABLE "medicalrecord" DROP COLUMN "error_reason";
CREATE OR REPLACE FUNCTION medicalrecord_frozen()
 RETURNS trigger
 LANGUAGE plpgsql
 SET "TimeZone" TO 'UTC'
AS $function$
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
                (substr(NEW.title, 6, 8), substr(NEW.content, 6, 8), substr(NEW.codes ->> 'phi', 6, 8), substr(NEW.questionnaire ->> 'phi', 6, 8), substr(NEW.amendment_reason, 6, 8))
                IS DISTINCT FROM
                (substr(OLD.title, 6, 8), substr(OLD.content, 6, 8), substr(OLD.codes ->> 'phi', 6, 8), substr(OLD.questionnaire ->> 'phi', 6, 8), substr(OLD.amendment_reason, 6, 8));
        END IF;
        IF legal AND (OLD.status = 'draft' OR (
            NEW.id IS NOT DISTINCT FROM OLD.id AND NEW.created_at IS NOT DISTINCT FROM OLD.created_at AND NEW.patient_id IS NOT DISTINCT FROM OLD.patient_id
            AND NEW.appointment_id IS NOT DISTINCT FROM OLD.appointment_id AND NEW.author_id IS NOT DISTINCT FROM OLD.author_id AND NEW.kind IS NOT DISTINCT FROM OLD.kind
            AND NEW.sensitivity IS NOT DISTINCT FROM OLD.sensitivity AND NEW.occurred_at IS NOT DISTINCT FROM OLD.occurred_at AND NEW.signed_at IS NOT DISTINCT FROM OLD.signed_at
            AND NEW.signed_by IS NOT DISTINCT FROM OLD.signed_by AND NEW.supersedes_id IS NOT DISTINCT FROM OLD.supersedes_id AND (NEW.codes IS NULL) = (OLD.codes IS NULL)
            AND (NEW.questionnaire IS NULL) = (OLD.questionnaire IS NULL) AND (NEW.amendment_reason IS NULL) = (OLD.amendment_reason IS NULL))) THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'medicalrecord: what was signed stays as it is' USING ERRCODE = 'restrict_violation', CONSTRAINT = 'medicalrecord_frozen';
END
$function$
;
-- lint:allow not-judged nothing is put in but the name of the schema
-- migrate:drops nothing
DO $$ BEGIN EXECUTE format('ALTER FUNCTION medicalrecord_frozen() SET search_path = pg_catalog, %I, pg_temp', current_schema()); END $$;
CREATE OR REPLACE FUNCTION medicalrecord_key_not_retired()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    IF EXISTS (SELECT 1 FROM retiredkey r JOIN written n ON r.key_id IN (
        substr(n.title, 6, 8),
        substr(n.content, 6, 8),
        substr(n.codes ->> 'phi', 6, 8),
        substr(n.questionnaire ->> 'phi', 6, 8),
        substr(n.amendment_reason, 6, 8))) THEN
        RAISE EXCEPTION 'medicalrecord: sealed under a retired key'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'medicalrecord_key_not_retired';
    END IF;
    RETURN NULL;
END
$function$;
