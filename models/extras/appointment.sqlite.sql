CREATE TRIGGER appointment_no_overlap_insert BEFORE INSERT ON appointment
    WHEN NOT NEW.allow_overlap AND NEW.status IN ('pending', 'booked', 'arrived', 'checked-in', 'fulfilled')
BEGIN
    SELECT RAISE(ABORT, 'appointment_practitioner_no_overlap') WHERE EXISTS (SELECT 1 FROM appointment
        WHERE practitioner_id = NEW.practitioner_id AND id <> NEW.id AND ends_at > NEW.starts_at AND starts_at < NEW.ends_at
        AND status IN ('pending', 'booked', 'arrived', 'checked-in', 'fulfilled'));
    SELECT RAISE(ABORT, 'appointment_patient_no_overlap') WHERE EXISTS (SELECT 1 FROM appointment
        WHERE patient_id = NEW.patient_id AND id <> NEW.id AND ends_at > NEW.starts_at AND starts_at < NEW.ends_at
        AND status IN ('pending', 'booked', 'arrived', 'checked-in', 'fulfilled'));
END;
CREATE TRIGGER appointment_no_overlap_update BEFORE UPDATE ON appointment
    WHEN NOT NEW.allow_overlap AND NEW.status IN ('pending', 'booked', 'arrived', 'checked-in', 'fulfilled')
        -- What took the same time before stays, though somebody was permitted to overlap it since.
        AND NOT (NOT OLD.allow_overlap AND OLD.status IN ('pending', 'booked', 'arrived', 'checked-in', 'fulfilled')
            AND (NEW.practitioner_id, NEW.patient_id, NEW.starts_at, NEW.ends_at) = (OLD.practitioner_id, OLD.patient_id, OLD.starts_at, OLD.ends_at))
BEGIN
    SELECT RAISE(ABORT, 'appointment_practitioner_no_overlap') WHERE EXISTS (SELECT 1 FROM appointment
        WHERE practitioner_id = NEW.practitioner_id AND id <> NEW.id AND ends_at > NEW.starts_at AND starts_at < NEW.ends_at
        AND status IN ('pending', 'booked', 'arrived', 'checked-in', 'fulfilled'));
    SELECT RAISE(ABORT, 'appointment_patient_no_overlap') WHERE EXISTS (SELECT 1 FROM appointment
        WHERE patient_id = NEW.patient_id AND id <> NEW.id AND ends_at > NEW.starts_at AND starts_at < NEW.ends_at
        AND status IN ('pending', 'booked', 'arrived', 'checked-in', 'fulfilled'));
END;

CREATE TRIGGER appointment_times_utc_insert BEFORE INSERT ON appointment
    WHEN NOT COALESCE(NEW.starts_at LIKE '____-__-__ __:__:__%+00:00' AND NEW.ends_at LIKE '____-__-__ __:__:__%+00:00', false)
BEGIN
    SELECT RAISE(ABORT, 'appointment: times are in UTC');
END;
CREATE TRIGGER appointment_times_utc_update BEFORE UPDATE ON appointment
    WHEN NOT COALESCE(NEW.starts_at LIKE '____-__-__ __:__:__%+00:00' AND NEW.ends_at LIKE '____-__-__ __:__:__%+00:00', false)
BEGIN
    SELECT RAISE(ABORT, 'appointment: times are in UTC');
END;

CREATE TRIGGER appointment_ours_insert BEFORE INSERT ON appointment
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER appointment_ours_update BEFORE UPDATE ON appointment
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER appointment_ours_delete BEFORE DELETE ON appointment
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
