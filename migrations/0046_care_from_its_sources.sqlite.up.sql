-- Who has a patient in care by an appointment or a record: the appointments and records say so themselves from now on, so that what is cancelled, moved or in error counts no
-- more. What was made by emergency access brought nobody into care, and does not now.

INSERT INTO breakglassentry (entry_id, patient_id)
    SELECT id, patient_id FROM appointment AS a WHERE NOT EXISTS (
        SELECT 1 FROM carerelationship WHERE account_id = a.practitioner_id AND patient_id = a.patient_id AND kind = 'appointment')
    ON CONFLICT DO NOTHING;
INSERT INTO breakglassentry (entry_id, patient_id)
    SELECT id, patient_id FROM medicalrecord AS m WHERE NOT EXISTS (
        SELECT 1 FROM carerelationship WHERE account_id = m.author_id AND patient_id = m.patient_id AND kind = 'record')
    ON CONFLICT DO NOTHING;
DELETE FROM carerelationship WHERE kind NOT IN ('registered', 'assigned');
