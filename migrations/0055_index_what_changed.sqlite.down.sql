-- Undoes: Index what changed

DROP INDEX "patient_updated_at_idx";
DROP INDEX "appointment_updated_at_idx";
DROP INDEX "medicalrecord_updated_at_idx";
