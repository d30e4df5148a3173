ALTER TABLE riskflag ADD CONSTRAINT riskflag_resolved CHECK ((resolved_at IS NULL) = (resolved_by IS NULL));

CREATE TRIGGER riskflag_key_not_retired_insert BEFORE INSERT ON riskflag
    WHEN EXISTS (SELECT 1 FROM retiredkey WHERE key_id IN (
        substr(NEW.reason, 6, 8),
        substr(NEW.resolution, 6, 8)))
BEGIN
    SELECT RAISE(ABORT, 'riskflag: sealed under a retired key');
END;
CREATE TRIGGER riskflag_key_not_retired_update BEFORE UPDATE ON riskflag
    WHEN EXISTS (SELECT 1 FROM retiredkey WHERE key_id IN (
        substr(NEW.reason, 6, 8),
        substr(NEW.resolution, 6, 8)))
BEGIN
    SELECT RAISE(ABORT, 'riskflag: sealed under a retired key');
END;

-- Other programs are refused.

CREATE TRIGGER riskflag_ours_insert BEFORE INSERT ON riskflag
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER riskflag_ours_update BEFORE UPDATE ON riskflag
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER riskflag_ours_delete BEFORE DELETE ON riskflag
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
