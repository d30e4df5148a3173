ALTER TABLE consent ADD CONSTRAINT consent_period CHECK (expires_at IS NULL OR expires_at > granted_at);

CREATE TRIGGER consent_key_not_retired_insert BEFORE INSERT ON consent
    WHEN EXISTS (SELECT 1 FROM retiredkey WHERE key_id IN (
        substr(NEW.purpose, 6, 8)))
BEGIN
    SELECT RAISE(ABORT, 'consent: sealed under a retired key');
END;
CREATE TRIGGER consent_key_not_retired_update BEFORE UPDATE ON consent
    WHEN EXISTS (SELECT 1 FROM retiredkey WHERE key_id IN (
        substr(NEW.purpose, 6, 8)))
BEGIN
    SELECT RAISE(ABORT, 'consent: sealed under a retired key');
END;

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
