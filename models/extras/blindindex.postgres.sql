ALTER TABLE blindindex
    ADD CONSTRAINT blindindex_token_keyed CHECK (COALESCE(
        token ~ '^bi1:[0-9a-f]+:[a-z_]+:[0-9a-f]+$' AND substr(token, 13, 1) = ':'
        AND length(split_part(token, ':', 3)) <= 32 AND length(split_part(token, ':', 4)) BETWEEN 4 AND 64, false));

CREATE FUNCTION blindindex_key_not_retired() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM retiredkey r JOIN written n ON r.key_id = substr(n.token, 5, 8)) THEN
        RAISE EXCEPTION 'blindindex: token of a retired key'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'blindindex_key_not_retired';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER blindindex_key_not_retired_insert AFTER INSERT ON blindindex REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION blindindex_key_not_retired();
ALTER TABLE blindindex ENABLE ALWAYS TRIGGER blindindex_key_not_retired_insert;
CREATE TRIGGER blindindex_key_not_retired_update AFTER UPDATE ON blindindex REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION blindindex_key_not_retired();
ALTER TABLE blindindex ENABLE ALWAYS TRIGGER blindindex_key_not_retired_update;
