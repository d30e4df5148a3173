DROP TRIGGER blindindex_key_not_retired ON blindindex;
DROP FUNCTION blindindex_key_not_retired();
DROP TRIGGER patient_key_not_retired ON patient;
DROP FUNCTION patient_key_not_retired();
DROP TABLE backup;
DROP TABLE retiredkey;
ALTER TABLE keyset DROP COLUMN version;
