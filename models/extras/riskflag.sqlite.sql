ALTER TABLE riskflag ADD CONSTRAINT riskflag_resolved CHECK ((resolved_at IS NULL) = (resolved_by IS NULL));

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
