DROP TABLE logintally;
DROP TABLE recoverycode;
DROP TABLE totpuse;
DROP TABLE secondfactor;
ALTER TABLE session DROP COLUMN address;
ALTER TABLE session DROP COLUMN last_seen_at;
ALTER TABLE account DROP COLUMN mfa_since;
