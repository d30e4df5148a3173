-- A patient who was registered twice: the row points to the one that is kept. No row moves.

ALTER TABLE patient ADD COLUMN merged_into_id text CONSTRAINT patient_merged_into_id_fkey REFERENCES patient (id)
    CONSTRAINT patient_not_merged_into_itself CHECK (merged_into_id <> id);
CREATE INDEX patient_merged_into_id_idx ON patient (merged_into_id);
