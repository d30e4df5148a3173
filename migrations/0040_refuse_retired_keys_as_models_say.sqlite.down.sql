-- Undoes: Refuse retired keys as models say

DROP TRIGGER secondfactor_key_not_retired_insert;
DROP TRIGGER secondfactor_key_not_retired_update;
CREATE TRIGGER secondfactor_key_not_retired_insert BEFORE INSERT ON secondfactor
    WHEN EXISTS (SELECT 1 FROM retiredkey WHERE key_id = substr(NEW.secret, 6, 8))
BEGIN
    SELECT RAISE(ABORT, 'secondfactor: sealed under a retired key');
END;
CREATE TRIGGER secondfactor_key_not_retired_update BEFORE UPDATE ON secondfactor
    WHEN EXISTS (SELECT 1 FROM retiredkey WHERE key_id = substr(NEW.secret, 6, 8))
BEGIN
    SELECT RAISE(ABORT, 'secondfactor: sealed under a retired key');
END;
