ALTER TABLE blindindex ADD CONSTRAINT blindindex_token_keyed CHECK (COALESCE(
        typeof(token) = 'text' AND length(CAST(token AS BLOB)) = length(token)
        AND substr(token, 1, 13) GLOB 'bi1:[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]:'
        AND instr(substr(token, 14), ':') BETWEEN 2 AND 33
        AND substr(token, 14, instr(substr(token, 14), ':') - 1) NOT GLOB '*[^a-z_]*'
        AND length(substr(token, 14 + instr(substr(token, 14), ':'))) BETWEEN 4 AND 64
        AND substr(token, 14 + instr(substr(token, 14), ':')) NOT GLOB '*[^0-9a-f]*', false));

CREATE TRIGGER blindindex_key_not_retired_insert BEFORE INSERT ON blindindex
    WHEN EXISTS (SELECT 1 FROM retiredkey WHERE key_id = substr(NEW.token, 5, 8))
BEGIN
    SELECT RAISE(ABORT, 'blindindex: token of a retired key');
END;
CREATE TRIGGER blindindex_key_not_retired_update BEFORE UPDATE ON blindindex
    WHEN EXISTS (SELECT 1 FROM retiredkey WHERE key_id = substr(NEW.token, 5, 8))
BEGIN
    SELECT RAISE(ABORT, 'blindindex: token of a retired key');
END;
