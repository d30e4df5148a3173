DROP TRIGGER blindindex_key_not_retired_update;
DROP TRIGGER blindindex_key_not_retired_insert;
DROP TRIGGER patient_key_not_retired_update;
DROP TRIGGER patient_key_not_retired_insert;
DROP TABLE backup;
DROP TABLE retiredkey;
ALTER TABLE keyset DROP COLUMN version;
