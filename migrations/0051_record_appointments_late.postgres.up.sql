-- migrate:no-transaction
-- migrate:compatible
-- What would hold up others in one transaction.

ALTER TABLE "medicalrecord" VALIDATE CONSTRAINT "medicalrecord_appointment_id_fkey";
