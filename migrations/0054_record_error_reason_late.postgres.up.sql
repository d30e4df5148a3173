-- migrate:no-transaction
-- record_error_reason: what would hold up others in one transaction.

ALTER TABLE "medicalrecord" VALIDATE CONSTRAINT "medicalrecord_error";
ALTER TABLE "medicalrecord" VALIDATE CONSTRAINT "medicalrecord_error_reason_sealed";
