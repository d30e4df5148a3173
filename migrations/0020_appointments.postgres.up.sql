-- Appointments, the rules of their series, and when practitioners see patients.
-- The database refuses that two ordinary appointments of one practitioner or one patient overlap (exclusion constraints), and that an ordinary one is put
-- where a permitted overlap is already (trigger). A permitted overlap may lie on anything.

CREATE EXTENSION IF NOT EXISTS btree_gist;

CREATE TABLE appointmentseries (
    id uuid CONSTRAINT appointmentseries_pkey PRIMARY KEY,
    created_at timestamptz(6) NOT NULL DEFAULT now(),
    updated_at timestamptz(6) NOT NULL DEFAULT now(),
    patient_id uuid NOT NULL CONSTRAINT appointmentseries_patient_id_fkey REFERENCES patient (id) ON DELETE CASCADE,
    rule text NOT NULL,
    time_zone text NOT NULL
);
CREATE INDEX appointmentseries_patient_id_idx ON appointmentseries (patient_id);

CREATE TABLE appointment (
    id uuid CONSTRAINT appointment_pkey PRIMARY KEY,
    created_at timestamptz(6) NOT NULL DEFAULT now(),
    updated_at timestamptz(6) NOT NULL DEFAULT now(),
    version bigint NOT NULL DEFAULT 1,
    patient_id uuid NOT NULL CONSTRAINT appointment_patient_id_fkey REFERENCES patient (id) ON DELETE CASCADE,
    practitioner_id uuid NOT NULL CONSTRAINT appointment_practitioner_id_fkey REFERENCES account (id) ON DELETE RESTRICT,
    series_id uuid CONSTRAINT appointment_series_id_fkey REFERENCES appointmentseries (id) ON DELETE CASCADE,
    starts_at timestamptz(6) NOT NULL,
    ends_at timestamptz(6) NOT NULL,
    time_zone text NOT NULL, -- lint:allow plain-phi a name of the IANA database
    status text NOT NULL, -- lint:allow plain-phi one of FHIR's codes
    type text NOT NULL, -- lint:allow plain-phi a constant of ours
    modality text NOT NULL, -- lint:allow plain-phi a constant of ours
    expires_at timestamptz(6),
    allow_overlap boolean NOT NULL,
    reason text,
    video_url text,
    overlap_reason text,
    cancel_reason text,
    CONSTRAINT appointment_ends_later CHECK (ends_at > starts_at),
    CONSTRAINT appointment_status_known CHECK (status IN ('pending', 'booked', 'arrived', 'checked-in', 'fulfilled', 'cancelled', 'noshow', 'entered-in-error')),
    CONSTRAINT appointment_type_known CHECK (type IN ('intake', 'individual', 'group', 'medication', 'assessment')),
    CONSTRAINT appointment_modality_known CHECK (modality IN ('in_person', 'video', 'phone')),
    CONSTRAINT appointment_holds_expire CHECK ((status = 'pending') = (expires_at IS NOT NULL)),
    CONSTRAINT appointment_overlap_has_reason CHECK (NOT allow_overlap OR overlap_reason IS NOT NULL),
    CONSTRAINT appointment_cancellation_has_reason CHECK (status <> 'cancelled' OR cancel_reason IS NOT NULL),
    CONSTRAINT appointment_practitioner_no_overlap EXCLUDE USING gist (practitioner_id WITH =, tstzrange(starts_at, ends_at) WITH &&)
        WHERE (NOT allow_overlap AND status IN ('pending', 'booked', 'arrived', 'checked-in', 'fulfilled')),
    CONSTRAINT appointment_patient_no_overlap EXCLUDE USING gist (patient_id WITH =, tstzrange(starts_at, ends_at) WITH &&)
        WHERE (NOT allow_overlap AND status IN ('pending', 'booked', 'arrived', 'checked-in', 'fulfilled')),
    CONSTRAINT appointment_reason_sealed CHECK (reason IS NULL OR COALESCE(
        reason ~ '^phi1:[0-9a-f]+:[A-Za-z0-9_-]+$' AND substr(reason, 14, 1) = ':' AND length(reason) >= 52, false)),
    CONSTRAINT appointment_video_url_sealed CHECK (video_url IS NULL OR COALESCE(
        video_url ~ '^phi1:[0-9a-f]+:[A-Za-z0-9_-]+$' AND substr(video_url, 14, 1) = ':' AND length(video_url) >= 52, false)),
    CONSTRAINT appointment_overlap_reason_sealed CHECK (overlap_reason IS NULL OR COALESCE(
        overlap_reason ~ '^phi1:[0-9a-f]+:[A-Za-z0-9_-]+$' AND substr(overlap_reason, 14, 1) = ':' AND length(overlap_reason) >= 52, false)),
    CONSTRAINT appointment_cancel_reason_sealed CHECK (cancel_reason IS NULL OR COALESCE(
        cancel_reason ~ '^phi1:[0-9a-f]+:[A-Za-z0-9_-]+$' AND substr(cancel_reason, 14, 1) = ':' AND length(cancel_reason) >= 52, false))
);
CREATE INDEX appointment_patient_id_idx ON appointment (patient_id, ends_at);
CREATE INDEX appointment_practitioner_id_idx ON appointment (practitioner_id, ends_at);
CREATE INDEX appointment_starts_at_idx ON appointment (starts_at);
CREATE INDEX appointment_series_id_idx ON appointment (series_id);
CREATE INDEX appointment_expires_at_idx ON appointment (expires_at);

CREATE TABLE availability (
    id uuid CONSTRAINT availability_pkey PRIMARY KEY,
    created_at timestamptz(6) NOT NULL DEFAULT now(),
    updated_at timestamptz(6) NOT NULL DEFAULT now(),
    version bigint NOT NULL DEFAULT 1,
    practitioner_id uuid NOT NULL CONSTRAINT availability_practitioner_id_fkey REFERENCES account (id) ON DELETE CASCADE,
    time_zone text NOT NULL,
    weekly jsonb NOT NULL,
    exceptions jsonb NOT NULL,
    time_off jsonb NOT NULL
);
CREATE UNIQUE INDEX availability_practitioner_id_key ON availability (practitioner_id);

CREATE FUNCTION appointment_no_overlap() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.allow_overlap OR NEW.status NOT IN ('pending', 'booked', 'arrived', 'checked-in', 'fulfilled') THEN
        RETURN NEW;
    END IF;
    -- What took the same time before stays, though somebody was permitted to overlap it since.
    IF TG_OP = 'UPDATE' AND NOT OLD.allow_overlap AND OLD.status IN ('pending', 'booked', 'arrived', 'checked-in', 'fulfilled')
        AND (NEW.practitioner_id, NEW.patient_id, NEW.starts_at, NEW.ends_at) = (OLD.practitioner_id, OLD.patient_id, OLD.starts_at, OLD.ends_at) THEN
        RETURN NEW;
    END IF;
    IF EXISTS (SELECT 1 FROM appointment WHERE practitioner_id = NEW.practitioner_id AND id <> NEW.id AND ends_at > NEW.starts_at AND starts_at < NEW.ends_at
        AND status IN ('pending', 'booked', 'arrived', 'checked-in', 'fulfilled')) THEN
        RAISE EXCEPTION 'appointment: the practitioner is taken'
            USING ERRCODE = 'exclusion_violation', CONSTRAINT = 'appointment_practitioner_no_overlap';
    END IF;
    IF EXISTS (SELECT 1 FROM appointment WHERE patient_id = NEW.patient_id AND id <> NEW.id AND ends_at > NEW.starts_at AND starts_at < NEW.ends_at
        AND status IN ('pending', 'booked', 'arrived', 'checked-in', 'fulfilled')) THEN
        RAISE EXCEPTION 'appointment: the patient is taken'
            USING ERRCODE = 'exclusion_violation', CONSTRAINT = 'appointment_patient_no_overlap';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER appointment_no_overlap BEFORE INSERT OR UPDATE ON appointment
    FOR EACH ROW EXECUTE FUNCTION appointment_no_overlap();

CREATE FUNCTION appointment_key_not_retired() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM retiredkey r JOIN written n ON r.key_id IN (
        substr(n.reason, 6, 8), substr(n.video_url, 6, 8), substr(n.overlap_reason, 6, 8), substr(n.cancel_reason, 6, 8))) THEN
        RAISE EXCEPTION 'appointment: sealed under a retired key'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'appointment_key_not_retired';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER appointment_key_not_retired_insert AFTER INSERT ON appointment REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION appointment_key_not_retired();
CREATE TRIGGER appointment_key_not_retired_update AFTER UPDATE ON appointment REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION appointment_key_not_retired();

CREATE TRIGGER appointment_witness_insert AFTER INSERT ON appointment
    REFERENCING NEW TABLE AS new_rows EXECUTE FUNCTION audit_witness_insert();
CREATE TRIGGER appointment_witness_update AFTER UPDATE ON appointment
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows EXECUTE FUNCTION audit_witness_update();
CREATE TRIGGER appointment_witness_delete AFTER DELETE ON appointment
    REFERENCING OLD TABLE AS old_rows EXECUTE FUNCTION audit_witness_delete();
CREATE TRIGGER appointment_witness_truncate AFTER TRUNCATE ON appointment EXECUTE FUNCTION audit_witness_truncate();

-- Nor does a session that calls itself a replica (session_replication_role) get past them.
ALTER TABLE appointment
    ENABLE ALWAYS TRIGGER appointment_no_overlap,
    ENABLE ALWAYS TRIGGER appointment_key_not_retired_insert,
    ENABLE ALWAYS TRIGGER appointment_key_not_retired_update,
    ENABLE ALWAYS TRIGGER appointment_witness_insert,
    ENABLE ALWAYS TRIGGER appointment_witness_update,
    ENABLE ALWAYS TRIGGER appointment_witness_delete,
    ENABLE ALWAYS TRIGGER appointment_witness_truncate;
