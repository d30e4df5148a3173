ALTER TABLE consent ADD CONSTRAINT consent_period CHECK (expires_at IS NULL OR expires_at > granted_at);

-- Other programs are refused.

CREATE TRIGGER consent_ours_insert BEFORE INSERT ON consent
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER consent_ours_update BEFORE UPDATE ON consent
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER consent_ours_delete BEFORE DELETE ON consent
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
