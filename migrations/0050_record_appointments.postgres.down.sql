-- Undoes: record_appointments

ALTER TABLE "medicalrecord" DROP CONSTRAINT "medicalrecord_appointment_id_fkey";
