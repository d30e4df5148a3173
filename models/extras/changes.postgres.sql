-- Lists of what changed since a time go by these.
CREATE INDEX patient_updated_at_idx ON patient (updated_at, id);
CREATE INDEX appointment_updated_at_idx ON appointment (updated_at, id);
CREATE INDEX medicalrecord_updated_at_idx ON medicalrecord (updated_at, id);
