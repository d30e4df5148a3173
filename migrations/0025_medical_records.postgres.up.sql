-- Medical records, what patients consent to, what was disclosed, and flags of risk. Sealed columns take an envelope and nothing else.

CREATE TABLE medicalrecord (
    id uuid CONSTRAINT medicalrecord_pkey PRIMARY KEY,
    created_at timestamptz(6) NOT NULL DEFAULT now(),
    updated_at timestamptz(6) NOT NULL DEFAULT now(),
    version bigint NOT NULL DEFAULT 1,
    patient_id uuid NOT NULL CONSTRAINT medicalrecord_patient_id_fkey REFERENCES patient (id) ON DELETE CASCADE,
    appointment_id uuid,
    author_id uuid NOT NULL CONSTRAINT medicalrecord_author_id_fkey REFERENCES account (id),
    kind text NOT NULL, -- lint:allow plain-phi which records a note stands among; the database keeps psychotherapy notes apart by it
    sensitivity text NOT NULL, -- lint:allow plain-phi who sees a record is a condition of every query
    status text NOT NULL, -- lint:allow plain-phi a constant of ours
    occurred_at timestamptz(6) NOT NULL,
    title text NOT NULL,
    content text NOT NULL,
    codes jsonb,
    questionnaire jsonb,
    signed_at timestamptz(6),
    signed_by uuid CONSTRAINT medicalrecord_signed_by_fkey REFERENCES account (id),
    supersedes_id uuid CONSTRAINT medicalrecord_supersedes_id_fkey REFERENCES medicalrecord (id),
    amendment_reason text,
    CONSTRAINT medicalrecord_kind CHECK (kind IN ('intake', 'progress_note', 'treatment_plan', 'assessment', 'diagnosis', 'medication', 'psychotherapy_note', 'sud_counseling_note', 'document')),
    CONSTRAINT medicalrecord_sensitivity CHECK (sensitivity IN ('normal', 'restricted', 'psychotherapy', 'part2')),
    CONSTRAINT medicalrecord_status CHECK (status IN ('draft', 'final', 'amended', 'entered-in-error')),
    CONSTRAINT medicalrecord_psychotherapy CHECK ((kind = 'psychotherapy_note') = (sensitivity = 'psychotherapy')),
    CONSTRAINT medicalrecord_part2 CHECK (kind <> 'sud_counseling_note' OR sensitivity = 'part2'),
    CONSTRAINT medicalrecord_signed CHECK ((signed_at IS NULL) = (signed_by IS NULL) AND (status <> 'draft' OR signed_at IS NULL) AND (status NOT IN ('final', 'amended') OR signed_at IS NOT NULL)),
    CONSTRAINT medicalrecord_amendment CHECK ((supersedes_id IS NULL) = (amendment_reason IS NULL)),
    CONSTRAINT medicalrecord_title_sealed CHECK (COALESCE(
        title ~ '^phi1:[0-9a-f]+:[A-Za-z0-9_-]+$' AND substr(title, 14, 1) = ':' AND length(title) >= 52, false)),
    CONSTRAINT medicalrecord_content_sealed CHECK (COALESCE(
        content ~ '^phi1:[0-9a-f]+:[A-Za-z0-9_-]+$' AND substr(content, 14, 1) = ':' AND length(content) >= 52, false)),
    CONSTRAINT medicalrecord_codes_sealed CHECK (codes IS NULL OR COALESCE(
        codes = jsonb_build_object('phi', codes -> 'phi')
        AND (codes ->> 'phi') ~ '^phi1:[0-9a-f]+:[A-Za-z0-9_-]+$' AND substr((codes ->> 'phi'), 14, 1) = ':' AND length((codes ->> 'phi')) >= 52, false)),
    CONSTRAINT medicalrecord_questionnaire_sealed CHECK (questionnaire IS NULL OR COALESCE(
        questionnaire = jsonb_build_object('phi', questionnaire -> 'phi')
        AND (questionnaire ->> 'phi') ~ '^phi1:[0-9a-f]+:[A-Za-z0-9_-]+$' AND substr((questionnaire ->> 'phi'), 14, 1) = ':' AND length((questionnaire ->> 'phi')) >= 52, false)),
    CONSTRAINT medicalrecord_amendment_reason_sealed CHECK (amendment_reason IS NULL OR COALESCE(
        amendment_reason ~ '^phi1:[0-9a-f]+:[A-Za-z0-9_-]+$' AND substr(amendment_reason, 14, 1) = ':' AND length(amendment_reason) >= 52, false))
);
CREATE INDEX medicalrecord_patient_id_idx ON medicalrecord (patient_id, occurred_at);
CREATE INDEX medicalrecord_occurred_at_idx ON medicalrecord (occurred_at);
CREATE INDEX medicalrecord_author_id_idx ON medicalrecord (author_id);
CREATE INDEX medicalrecord_appointment_id_idx ON medicalrecord (appointment_id);
CREATE UNIQUE INDEX medicalrecord_supersedes_id_key ON medicalrecord (supersedes_id);

CREATE FUNCTION medicalrecord_key_not_retired() RETURNS trigger LANGUAGE plpgsql AS $$
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
$$;
CREATE TRIGGER medicalrecord_key_not_retired_insert AFTER INSERT ON medicalrecord REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION medicalrecord_key_not_retired();
CREATE TRIGGER medicalrecord_key_not_retired_update AFTER UPDATE ON medicalrecord REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION medicalrecord_key_not_retired();

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

CREATE TABLE consent (
    id uuid CONSTRAINT consent_pkey PRIMARY KEY,
    created_at timestamptz(6) NOT NULL DEFAULT now(),
    updated_at timestamptz(6) NOT NULL DEFAULT now(),
    version bigint NOT NULL DEFAULT 1,
    patient_id uuid NOT NULL CONSTRAINT consent_patient_id_fkey REFERENCES patient (id) ON DELETE CASCADE,
    kind text NOT NULL, -- lint:allow plain-phi a constant of ours
    recipient_id uuid CONSTRAINT consent_recipient_id_fkey REFERENCES account (id),
    purpose text NOT NULL,
    granted_at timestamptz(6) NOT NULL,
    expires_at timestamptz(6),
    revoked_at timestamptz(6),
    recorded_by uuid NOT NULL CONSTRAINT consent_recorded_by_fkey REFERENCES account (id),
    CONSTRAINT consent_kind CHECK (kind IN ('part2')),
    CONSTRAINT consent_period CHECK (expires_at IS NULL OR expires_at > granted_at),
    CONSTRAINT consent_purpose_sealed CHECK (COALESCE(
        purpose ~ '^phi1:[0-9a-f]+:[A-Za-z0-9_-]+$' AND substr(purpose, 14, 1) = ':' AND length(purpose) >= 52, false))
);
CREATE INDEX consent_patient_id_idx ON consent (patient_id);

CREATE FUNCTION consent_key_not_retired() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM retiredkey r JOIN written n ON r.key_id IN (
        substr(n.purpose, 6, 8))) THEN
        RAISE EXCEPTION 'consent: sealed under a retired key'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'consent_key_not_retired';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER consent_key_not_retired_insert AFTER INSERT ON consent REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION consent_key_not_retired();
CREATE TRIGGER consent_key_not_retired_update AFTER UPDATE ON consent REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION consent_key_not_retired();

CREATE TRIGGER consent_witness_insert AFTER INSERT ON consent
    REFERENCING NEW TABLE AS new_rows EXECUTE FUNCTION audit_witness_insert();
CREATE TRIGGER consent_witness_update AFTER UPDATE ON consent
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows EXECUTE FUNCTION audit_witness_update();
CREATE TRIGGER consent_witness_delete AFTER DELETE ON consent
    REFERENCING OLD TABLE AS old_rows EXECUTE FUNCTION audit_witness_delete();
CREATE TRIGGER consent_witness_truncate AFTER TRUNCATE ON consent EXECUTE FUNCTION audit_witness_truncate();

CREATE TABLE disclosure (
    id uuid CONSTRAINT disclosure_pkey PRIMARY KEY,
    created_at timestamptz(6) NOT NULL DEFAULT now(),
    updated_at timestamptz(6) NOT NULL DEFAULT now(),
    version bigint NOT NULL DEFAULT 1,
    patient_id uuid NOT NULL CONSTRAINT disclosure_patient_id_fkey REFERENCES patient (id) ON DELETE CASCADE,
    record_id uuid CONSTRAINT disclosure_record_id_fkey REFERENCES medicalrecord (id),
    consent_id uuid CONSTRAINT disclosure_consent_id_fkey REFERENCES consent (id),
    disclosed_by uuid NOT NULL CONSTRAINT disclosure_disclosed_by_fkey REFERENCES account (id),
    recipient_id uuid CONSTRAINT disclosure_recipient_id_fkey REFERENCES account (id),
    recipient text,
    purpose text NOT NULL,
    notice boolean NOT NULL,
    disclosed_at timestamptz(6) NOT NULL,
    CONSTRAINT disclosure_recipient CHECK ((recipient_id IS NULL) <> (recipient IS NULL)),
    CONSTRAINT disclosure_recipient_sealed CHECK (recipient IS NULL OR COALESCE(
        recipient ~ '^phi1:[0-9a-f]+:[A-Za-z0-9_-]+$' AND substr(recipient, 14, 1) = ':' AND length(recipient) >= 52, false)),
    CONSTRAINT disclosure_purpose_sealed CHECK (COALESCE(
        purpose ~ '^phi1:[0-9a-f]+:[A-Za-z0-9_-]+$' AND substr(purpose, 14, 1) = ':' AND length(purpose) >= 52, false))
);
CREATE INDEX disclosure_patient_id_idx ON disclosure (patient_id);
CREATE INDEX disclosure_record_id_idx ON disclosure (record_id);
CREATE INDEX disclosure_consent_id_idx ON disclosure (consent_id);

CREATE FUNCTION disclosure_key_not_retired() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM retiredkey r JOIN written n ON r.key_id IN (
        substr(n.recipient, 6, 8),
        substr(n.purpose, 6, 8))) THEN
        RAISE EXCEPTION 'disclosure: sealed under a retired key'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'disclosure_key_not_retired';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER disclosure_key_not_retired_insert AFTER INSERT ON disclosure REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION disclosure_key_not_retired();
CREATE TRIGGER disclosure_key_not_retired_update AFTER UPDATE ON disclosure REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION disclosure_key_not_retired();

CREATE TRIGGER disclosure_witness_insert AFTER INSERT ON disclosure
    REFERENCING NEW TABLE AS new_rows EXECUTE FUNCTION audit_witness_insert();
CREATE TRIGGER disclosure_witness_update AFTER UPDATE ON disclosure
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows EXECUTE FUNCTION audit_witness_update();
CREATE TRIGGER disclosure_witness_delete AFTER DELETE ON disclosure
    REFERENCING OLD TABLE AS old_rows EXECUTE FUNCTION audit_witness_delete();
CREATE TRIGGER disclosure_witness_truncate AFTER TRUNCATE ON disclosure EXECUTE FUNCTION audit_witness_truncate();

CREATE TABLE riskflag (
    id uuid CONSTRAINT riskflag_pkey PRIMARY KEY,
    created_at timestamptz(6) NOT NULL DEFAULT now(),
    updated_at timestamptz(6) NOT NULL DEFAULT now(),
    version bigint NOT NULL DEFAULT 1,
    patient_id uuid NOT NULL CONSTRAINT riskflag_patient_id_fkey REFERENCES patient (id) ON DELETE CASCADE,
    record_id uuid CONSTRAINT riskflag_record_id_fkey REFERENCES medicalrecord (id),
    reason text NOT NULL,
    raised_by uuid NOT NULL CONSTRAINT riskflag_raised_by_fkey REFERENCES account (id),
    raised_at timestamptz(6) NOT NULL,
    review_at timestamptz(6) NOT NULL,
    resolved_at timestamptz(6),
    resolved_by uuid CONSTRAINT riskflag_resolved_by_fkey REFERENCES account (id),
    resolution text,
    CONSTRAINT riskflag_resolved CHECK ((resolved_at IS NULL) = (resolved_by IS NULL)),
    CONSTRAINT riskflag_reason_sealed CHECK (COALESCE(
        reason ~ '^phi1:[0-9a-f]+:[A-Za-z0-9_-]+$' AND substr(reason, 14, 1) = ':' AND length(reason) >= 52, false)),
    CONSTRAINT riskflag_resolution_sealed CHECK (resolution IS NULL OR COALESCE(
        resolution ~ '^phi1:[0-9a-f]+:[A-Za-z0-9_-]+$' AND substr(resolution, 14, 1) = ':' AND length(resolution) >= 52, false))
);
CREATE INDEX riskflag_patient_id_idx ON riskflag (patient_id);
CREATE INDEX riskflag_review_at_idx ON riskflag (review_at);
CREATE UNIQUE INDEX riskflag_record_id_key ON riskflag (record_id);

CREATE FUNCTION riskflag_key_not_retired() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM retiredkey r JOIN written n ON r.key_id IN (
        substr(n.reason, 6, 8),
        substr(n.resolution, 6, 8))) THEN
        RAISE EXCEPTION 'riskflag: sealed under a retired key'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'riskflag_key_not_retired';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER riskflag_key_not_retired_insert AFTER INSERT ON riskflag REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION riskflag_key_not_retired();
CREATE TRIGGER riskflag_key_not_retired_update AFTER UPDATE ON riskflag REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION riskflag_key_not_retired();

CREATE TRIGGER riskflag_witness_insert AFTER INSERT ON riskflag
    REFERENCING NEW TABLE AS new_rows EXECUTE FUNCTION audit_witness_insert();
CREATE TRIGGER riskflag_witness_update AFTER UPDATE ON riskflag
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows EXECUTE FUNCTION audit_witness_update();
CREATE TRIGGER riskflag_witness_delete AFTER DELETE ON riskflag
    REFERENCING OLD TABLE AS old_rows EXECUTE FUNCTION audit_witness_delete();
CREATE TRIGGER riskflag_witness_truncate AFTER TRUNCATE ON riskflag EXECUTE FUNCTION audit_witness_truncate();

-- lint:allow not-judged sets the search_path of a function of this file, and makes the triggers of its tables fire always
DO $$
DECLARE
    guard record;
BEGIN
    -- A temporary table of the same name must not catch what this reads.
    EXECUTE format('ALTER FUNCTION medicalrecord_frozen() SET search_path = pg_catalog, %I, pg_temp', current_schema());
    -- Nor does a session that calls itself a replica (session_replication_role) get past them.
    FOR guard IN SELECT tgrelid::regclass AS table_name, tgname FROM pg_trigger
        WHERE NOT tgisinternal AND tgrelid IN ('medicalrecord'::regclass, 'consent'::regclass, 'disclosure'::regclass, 'riskflag'::regclass) LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', guard.table_name, guard.tgname);
    END LOOP;
END
$$;
