DROP TABLE logintally;
DROP TABLE recoverycode;
DROP TABLE totpuse;
DROP TABLE secondfactor;
DROP FUNCTION secondfactor_key_not_retired();
ALTER TABLE session
    DROP COLUMN address,
    DROP COLUMN last_seen_at;
ALTER TABLE account DROP COLUMN mfa_since;
