-- A medical record's appointment is one that is there: it goes when the patient is purged, with the record.
-- migrate:compatible

ALTER TABLE "medicalrecord" ADD
CONSTRAINT "medicalrecord_appointment_id_fkey" FOREIGN KEY ("appointment_id") REFERENCES "appointment" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION NOT VALID;
