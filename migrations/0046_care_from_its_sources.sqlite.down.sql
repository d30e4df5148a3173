INSERT INTO carerelationship (account_id, patient_id, kind, created_at, last_at)
    SELECT practitioner_id, patient_id, 'appointment', min(created_at), max(starts_at) FROM appointment
    WHERE status NOT IN ('cancelled', 'entered-in-error') AND id NOT IN (SELECT entry_id FROM breakglassentry) GROUP BY practitioner_id, patient_id;
INSERT INTO carerelationship (account_id, patient_id, kind, created_at, last_at)
    SELECT author_id, patient_id, 'record', min(created_at), max(COALESCE(signed_at, created_at)) FROM medicalrecord
    WHERE status <> 'entered-in-error' AND id NOT IN (SELECT entry_id FROM breakglassentry) GROUP BY author_id, patient_id;
