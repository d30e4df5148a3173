DROP INDEX patient_merged_into_id_idx;
ALTER TABLE patient DROP CONSTRAINT patient_not_merged_into_itself;
ALTER TABLE patient DROP COLUMN merged_into_id;
