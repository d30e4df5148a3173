DROP INDEX patient_merged_into_id_idx;
ALTER TABLE patient DROP COLUMN merged_into_id;
