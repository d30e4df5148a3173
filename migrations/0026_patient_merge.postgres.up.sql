-- A patient who was registered twice: the row points to the one that is kept. No row moves.

ALTER TABLE patient ADD COLUMN merged_into_id uuid CONSTRAINT patient_merged_into_id_fkey REFERENCES patient (id);
ALTER TABLE patient ADD CONSTRAINT patient_not_merged_into_itself CHECK (merged_into_id <> id); -- lint:allow check-not-valid a clinic has few patients, and the new column is NULL in each
CREATE INDEX patient_merged_into_id_idx ON patient (merged_into_id); -- lint:allow index-not-concurrently a clinic has few patients, and the new column is NULL in each
