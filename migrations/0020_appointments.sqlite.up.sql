-- Appointments, the rules of their series, and when practitioners see patients.
-- Triggers refuse that an ordinary appointment overlaps any other of its practitioner or its patient. A permitted overlap may lie on anything. Times are
-- compared as text, so they are all in UTC.

CREATE TABLE appointmentseries (
    id text NOT NULL CONSTRAINT appointmentseries_pkey PRIMARY KEY,
    created_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')),
    updated_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')),
    patient_id text NOT NULL CONSTRAINT appointmentseries_patient_id_fkey REFERENCES patient (id) ON DELETE CASCADE,
    rule text NOT NULL,
    time_zone text NOT NULL
);
CREATE INDEX appointmentseries_patient_id_idx ON appointmentseries (patient_id);

CREATE TABLE appointment (
    id text NOT NULL CONSTRAINT appointment_pkey PRIMARY KEY,
    created_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')),
    updated_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')),
    version integer NOT NULL DEFAULT 1,
    patient_id text NOT NULL CONSTRAINT appointment_patient_id_fkey REFERENCES patient (id) ON DELETE CASCADE,
    practitioner_id text NOT NULL CONSTRAINT appointment_practitioner_id_fkey REFERENCES account (id) ON DELETE RESTRICT,
    series_id text CONSTRAINT appointment_series_id_fkey REFERENCES appointmentseries (id) ON DELETE CASCADE,
    starts_at datetime NOT NULL,
    ends_at datetime NOT NULL,
    time_zone text NOT NULL, -- lint:allow plain-phi a name of the IANA database
    status text NOT NULL, -- lint:allow plain-phi one of FHIR's codes
    type text NOT NULL, -- lint:allow plain-phi a constant of ours
    modality text NOT NULL, -- lint:allow plain-phi a constant of ours
    expires_at datetime,
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
    CONSTRAINT appointment_reason_sealed CHECK (reason IS NULL OR COALESCE(
        typeof(reason) = 'text' AND length(CAST(reason AS BLOB)) = length(reason) AND length(reason) >= 52
        AND substr(reason, 1, 14) GLOB 'phi1:[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]:'
        AND substr(reason, 15) NOT GLOB '*[^A-Za-z0-9_-]*', false)),
    CONSTRAINT appointment_video_url_sealed CHECK (video_url IS NULL OR COALESCE(
        typeof(video_url) = 'text' AND length(CAST(video_url AS BLOB)) = length(video_url) AND length(video_url) >= 52
        AND substr(video_url, 1, 14) GLOB 'phi1:[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]:'
        AND substr(video_url, 15) NOT GLOB '*[^A-Za-z0-9_-]*', false)),
    CONSTRAINT appointment_overlap_reason_sealed CHECK (overlap_reason IS NULL OR COALESCE(
        typeof(overlap_reason) = 'text' AND length(CAST(overlap_reason AS BLOB)) = length(overlap_reason) AND length(overlap_reason) >= 52
        AND substr(overlap_reason, 1, 14) GLOB 'phi1:[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]:'
        AND substr(overlap_reason, 15) NOT GLOB '*[^A-Za-z0-9_-]*', false)),
    CONSTRAINT appointment_cancel_reason_sealed CHECK (cancel_reason IS NULL OR COALESCE(
        typeof(cancel_reason) = 'text' AND length(CAST(cancel_reason AS BLOB)) = length(cancel_reason) AND length(cancel_reason) >= 52
        AND substr(cancel_reason, 1, 14) GLOB 'phi1:[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]:'
        AND substr(cancel_reason, 15) NOT GLOB '*[^A-Za-z0-9_-]*', false))
);
CREATE INDEX appointment_patient_id_idx ON appointment (patient_id, ends_at);
CREATE INDEX appointment_practitioner_id_idx ON appointment (practitioner_id, ends_at);
CREATE INDEX appointment_starts_at_idx ON appointment (starts_at);
CREATE INDEX appointment_series_id_idx ON appointment (series_id);
CREATE INDEX appointment_expires_at_idx ON appointment (expires_at);

CREATE TABLE availability (
    id text NOT NULL CONSTRAINT availability_pkey PRIMARY KEY,
    created_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')),
    updated_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')),
    version integer NOT NULL DEFAULT 1,
    practitioner_id text NOT NULL CONSTRAINT availability_practitioner_id_fkey REFERENCES account (id) ON DELETE CASCADE,
    time_zone text NOT NULL,
    weekly json NOT NULL,
    exceptions json NOT NULL,
    time_off json NOT NULL
);
CREATE UNIQUE INDEX availability_practitioner_id_key ON availability (practitioner_id);

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

CREATE TRIGGER appointment_key_not_retired_insert BEFORE INSERT ON appointment
    WHEN EXISTS (SELECT 1 FROM retiredkey WHERE key_id IN (
        substr(NEW.reason, 6, 8), substr(NEW.video_url, 6, 8), substr(NEW.overlap_reason, 6, 8), substr(NEW.cancel_reason, 6, 8)))
BEGIN
    SELECT RAISE(ABORT, 'appointment: sealed under a retired key');
END;
CREATE TRIGGER appointment_key_not_retired_update BEFORE UPDATE ON appointment
    WHEN EXISTS (SELECT 1 FROM retiredkey WHERE key_id IN (
        substr(NEW.reason, 6, 8), substr(NEW.video_url, 6, 8), substr(NEW.overlap_reason, 6, 8), substr(NEW.cancel_reason, 6, 8)))
BEGIN
    SELECT RAISE(ABORT, 'appointment: sealed under a retired key');
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
