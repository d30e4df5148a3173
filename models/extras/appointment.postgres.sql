CREATE EXTENSION IF NOT EXISTS btree_gist;

ALTER TABLE appointment
    ADD CONSTRAINT appointment_practitioner_no_overlap EXCLUDE USING gist (practitioner_id WITH =, tstzrange(starts_at, ends_at) WITH &&)
        WHERE (NOT allow_overlap AND status IN ('pending', 'booked', 'arrived', 'checked-in', 'fulfilled')),
    ADD CONSTRAINT appointment_patient_no_overlap EXCLUDE USING gist (patient_id WITH =, tstzrange(starts_at, ends_at) WITH &&)
        WHERE (NOT allow_overlap AND status IN ('pending', 'booked', 'arrived', 'checked-in', 'fulfilled'));

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
    ENABLE ALWAYS TRIGGER appointment_witness_insert,
    ENABLE ALWAYS TRIGGER appointment_witness_update,
    ENABLE ALWAYS TRIGGER appointment_witness_delete,
    ENABLE ALWAYS TRIGGER appointment_witness_truncate;
